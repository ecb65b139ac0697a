/** From the body of `POST /api/train`, in the origin's words or ours, to a job. */
import { familyOf, type JsonObject, listTasks, type TaskSpec } from '../../index.js';
import type { Environment } from '../http/config.js';
import { unprocessable } from '../http/errors.js';
import { compiled, findTask } from '../sessions/catalog.js';
import type { Job } from './types.js';

/** The defaults of a request; each can be set by INFRAGYM_<NAME>. */
const TRAIN_DEFAULTS = {
  agent: 'baseline',
  n_servers: 15,
  cluster_type: 'heterogeneous',
  episodes: 2000,
  episode_length: 1000,
  total_steps: 200_000,
  alpha: 5,
  beta: 60,
  toggle_penalty: 0.2,
  seed: 0,
  n_train_seeds: 1,
  n_test_seeds: 50,
  use_real_traces: false,
  trace_family: 'google_v2_sampled',
  test_seed_offset: 1_000_000,
};
export type TrainDefaults = typeof TRAIN_DEFAULTS;

export type TrainRequest = Partial<TrainDefaults> & {
  readonly task?: number | string;
  readonly agents?: readonly string[];
  readonly config?: JsonObject;
};

/** Fields of the origin that are entries of a task's configuration. */
const CONFIG_FIELDS = [
  'n_servers',
  'cluster_type',
  'episode_length',
  'alpha',
  'beta',
  'toggle_penalty',
] as const;

/** The fields that only an agent that learns would read. */
const TRAINER_FIELDS = ['episodes', 'total_steps'] as const;

/** The origin's learners. */
const LEARNERS = ['ppo', 'dqn', 'agentic', 'cmdp'];

/**
 * The defaults, with those an environment sets.
 *
 * @throws RangeError naming a variable that is of a wrong type.
 */
export function trainDefaults(environment: Environment): TrainDefaults {
  const entries = Object.entries(TRAIN_DEFAULTS).map(([name, fallback]) => {
    const text = environment[defaultVariable(name)];
    if (text === undefined || text === '') return [name, fallback];
    if (typeof fallback === 'string') return [name, text];
    const value = typeof fallback === 'number' ? Number(text) : { true: true, false: false }[text];
    if (value !== undefined && !Number.isNaN(value)) return [name, value];
    throw new RangeError(`${defaultVariable(name)} is "${text}": a ${typeof fallback} is needed`);
  });
  return Object.fromEntries(entries) as TrainDefaults;
}

/** INFRAGYM_N_SERVERS for `n_servers`. */
export function defaultVariable(name: string): string {
  return `INFRAGYM_${name.toUpperCase()}`;
}

/** Reads a request: 422 naming what is unknown or out of range. */
export function readJob(request: TrainRequest, defaults: TrainDefaults): Job {
  const task = taskOf(request);
  const agents = agentsOf(request, defaults, task);
  const { config, ignored } = configOf(request, defaults, task);
  compiled(task.id, config); // refuses an invalid configuration
  const { seed, n_train_seeds: numTrain, n_test_seeds: numTest } = { ...defaults, ...request };
  const offset = seed + defaults.test_seed_offset;
  if (numTrain + numTest === 0) {
    throw unprocessable('n_test_seeds is 0 and so is n_train_seeds: nothing to do', 'n_test_seeds');
  }
  return {
    kind: agents.length > 1 ? 'sweep' : 'evaluation',
    task: task.id,
    agents,
    config,
    train_seeds: Array.from({ length: numTrain }, (_, i) => seed + i),
    test_seeds: Array.from({ length: numTest }, (_, i) => offset + i),
    ignored,
    request: request as JsonObject,
  };
}

/** Without a task, the fields are those of the origin's cluster: scheduling. */
function taskOf({ task }: TrainRequest): TaskSpec {
  if (task !== undefined) return findTask(task);
  const scheduling = listTasks().find(({ aliases }) => aliases.includes('scheduling'));
  return scheduling ?? findTask('1');
}

function agentsOf(request: TrainRequest, defaults: TrainDefaults, task: TaskSpec): string[] {
  const { policies, name: family } = familyOf(task.id);
  const asked = request.agents ?? [request.agent ?? defaults.agent];
  const names = asked.includes('all') ? policies : asked.map((agent) => agent.toLowerCase());
  for (const agent of names) {
    if (policies.includes(agent)) continue;
    const known = policies.join(', ');
    const why = LEARNERS.includes(agent) ? 'is a learner, and none is built into this server' : '';
    const what = why === '' ? `is no policy of ${family}` : why;
    throw unprocessable(
      `agent "${agent.slice(0, 40)}" ${what}: one of ${known} is needed`,
      'agent',
    );
  }
  return [...new Set(names)];
}

/** The configuration a request asks for, and the fields that its task has no use for. */
function configOf(request: TrainRequest, defaults: TrainDefaults, task: TaskSpec) {
  const entries = compiled(task.id).config;
  const fromRequest = CONFIG_FIELDS.filter((name) => request[name] !== undefined);
  // A default that the environment has changed holds for tasks that have such an entry.
  const changed = CONFIG_FIELDS.filter((name) => defaults[name] !== TRAIN_DEFAULTS[name]);
  const config: Record<string, JsonObject[string]> = {};
  const ignored: string[] = TRAINER_FIELDS.filter((name) => request[name] !== undefined);
  for (const name of new Set([...changed, ...fromRequest])) {
    const entry = name === 'episode_length' && 'episode_len' in entries ? 'episode_len' : name;
    if (entry in entries) config[entry] = request[name] ?? defaults[name];
    else if (request[name] !== undefined) ignored.push(name);
  }
  const useTraces = request.use_real_traces ?? defaults.use_real_traces;
  if (useTraces && 'workload' in entries) {
    config['workload'] = request.trace_family ?? defaults.trace_family;
  } else {
    for (const name of ['use_real_traces', 'trace_family'] as const) {
      if (request[name] !== undefined && !('workload' in entries)) ignored.push(name);
    }
  }
  return { config: { ...config, ...request.config }, ignored };
}
