/** The answer to `GET /info`: the words of the API and what stands behind it. */

import {
  type Backend,
  type CompiledTask,
  describeTask,
  type TaskSpec,
  VERSION,
} from '../../index.js';
import { ApiError } from '../http/errors.js';
import { actionSchema, observationSchema } from '../openenv/schema.js';
import { compiled, originNumber, taskSpecs } from './catalog.js';

const WEIGHTS = ['alpha', 'beta', 'gamma', 'delta'];

/** The weights of a task's reward, where its configuration has them. */
function rewardWeights({ config }: CompiledTask): Record<string, unknown> {
  return Object.fromEntries(
    WEIGHTS.filter((name) => name in config).map((name) => [name, config[name]]),
  );
}

/** A task with all that it has, or with the reason why it cannot be had. */
function describeEntry(spec: TaskSpec) {
  const names = { id: originNumber(spec) ?? spec.id, env_id: spec.id };
  try {
    return { ...names, ...describeCompiled(compiled(spec.id)) };
  } catch (error) {
    if (error instanceof ApiError) return { ...names, unavailable: error.message };
    throw error;
  }
}

function describeCompiled(task: CompiledTask) {
  const description = describeTask(task);
  return {
    action_schema: actionSchema(task),
    action_space: description.action_space,
    observation_space: description.observation_space,
    observation_names: description.observations.map(({ name }) => name),
    actions: description.actions,
    observations: description.observations,
    baseline_action: description.baseline.action,
    reward_weights: rewardWeights(task),
    episode_length: description.episode_length,
    program_digest: description.program_digest,
    config: description.config,
  };
}

/** Everything a client may want to know before it begins. */
export function describeServer(backend: Backend, rootTask: TaskSpec) {
  const tasks = taskSpecs().map(describeEntry);
  const root = compiled(rootTask.id);
  const weights = tasks.flatMap((task) =>
    'reward_weights' in task ? [[String(task.id), task.reward_weights]] : [],
  );
  return {
    name: 'infragym',
    version: VERSION,
    backend: backend.name,
    versions: { infragym: VERSION, node: process.versions.node },
    action_schema: actionSchema(root),
    observation_schema: observationSchema(root),
    observation_names: root.observationNames,
    reward_weights: Object.fromEntries(weights),
    openenv_task: rootTask.id,
    tasks,
  };
}
