/** `infragym rollout`: steps a batch under a policy of the core and tells how fast. */
import type { Command } from 'commander';
import {
  compileTask,
  corePolicyNumber,
  makeVec,
  parseSeed,
  type SeedLike,
  type TaskVectorEnv,
} from '../index.js';
import { type BackendChoice, backendOption, finish, integer } from './options.js';
import { formatCount, formatRate, Progress, print, printJson, UsageError } from './output.js';

interface RolloutOptions {
  readonly task: string;
  readonly envs: number;
  readonly steps: number;
  /** `constant` holds the baseline action; `random` and the family's heuristics are the core's. */
  readonly policy: string;
  readonly backend: BackendChoice;
  readonly threads: number;
  readonly seed: SeedLike;
}

export interface RolloutResult {
  readonly task: string;
  readonly backend: string;
  readonly kernel: string;
  readonly envs: number;
  readonly threads: number;
  readonly steps: number;
  readonly policy: string;
  readonly seconds: number;
  readonly steps_per_s: number;
  readonly ns_per_step: number;
  readonly episodes: number;
  readonly digest: string;
}

const CHUNK_MS = 200; // between two looks of the progress bar

export function addRollout(program: Command): void {
  const command = program
    .command('rollout')
    .description('step a batch of environments in one go and measure it')
    .requiredOption('--task <task>', 'id or alias')
    .option('--envs <n>', 'environments', integer(1, 2 ** 24), 4096)
    .option('--steps <n>', 'steps of every environment', integer(1, 2 ** 32 - 1), 1000)
    .option(
      '--policy <name>',
      'constant (the baseline action), random, or a heuristic of the core',
      'constant',
    )
    .option('--threads <n>', 'threads that share the batch', integer(1, 1024), 1)
    .option('--seed <seed>', 'environment i takes seed + i', '0')
    .addOption(backendOption())
    .action(async (options: RolloutOptions & { json?: boolean }) => {
      const progress = new Progress('stepping');
      const result = await rollout(options, (share) => progress.update(share));
      progress.stop();
      if (options.json) printJson(result);
      else print(describe(result));
    });
  finish(command, 'infragym rollout --task static-uniform --envs 4096 --steps 2000 --json');
}

/** Warms the batch up, begins anew and times the steps alone; the digest is taken afterwards. */
export async function rollout(
  options: RolloutOptions,
  onProgress: (share: number) => void = () => {},
): Promise<RolloutResult> {
  const { envs, steps, policy, threads, seed, backend } = options;
  const corePolicy = corePolicyOf(options);
  parseSeed(seed);
  const env = await makeVec(options.task, { numEnvs: envs, threads, seed, backend });
  try {
    holdBaseline(env);
    const chunk = warmUp(env, corePolicy, steps);
    env.reset({ seed });
    holdBaseline(env);
    const before = env.episodes;
    let seconds = 0;
    for (let done = 0; done < steps; ) {
      const n = Math.min(chunk, steps - done);
      const started = performance.now();
      env.rollout(corePolicy, n);
      seconds += (performance.now() - started) / 1000;
      done += n;
      onProgress(done / steps);
    }
    const total = envs * steps;
    return {
      ...{ task: env.task.spec.id, backend: env.backend, kernel: env.kernel },
      ...{ envs, threads, steps, policy, seconds },
      steps_per_s: total / seconds,
      ns_per_step: (seconds * 1e9) / total,
      episodes: env.episodes - before,
      digest: env.digest(),
    };
  } finally {
    env.close();
  }
}

/** The policy's name in the core; `baseline` is the task's heuristic, or else one action. */
function corePolicyOf({ task, policy }: RolloutOptions): string {
  const compiled = compileTask(task);
  const name = policy === 'baseline' ? (compiled.baselineHeuristic ?? 'constant') : policy;
  try {
    corePolicyNumber(compiled.layout, name);
  } catch (error) {
    throw new UsageError(`${(error as Error).message}; evaluate plays others`);
  }
  return name;
}

/** Writes the baseline's action into every row. */
function holdBaseline({ task, actions }: TaskVectorEnv): void {
  const { actionDim } = task;
  task.encodeAction(task.baselineAction, actions.subarray(0, actionDim));
  for (let at = actionDim; at < actions.length; at += actionDim) {
    actions.copyWithin(at, 0, actionDim);
  }
}

/**
 * Steps for a fifth of a second, or as long as the measurement if that is shorter, so that code
 * is compiled and memory is touched. Returns how many steps fill the time between two reports.
 */
function warmUp(env: TaskVectorEnv, policy: string, steps: number): number {
  env.reset();
  const started = performance.now();
  let done = 0;
  for (let n = 1; done < steps && performance.now() - started < CHUNK_MS; n *= 2) {
    const next = Math.min(n, steps - done);
    env.rollout(policy, next);
    done += next;
  }
  const msPerStep = (performance.now() - started) / done;
  return Math.max(1, Math.ceil(CHUNK_MS / msPerStep));
}

function describe(result: RolloutResult): string {
  const { task, backend, kernel, envs, threads, steps, seconds, episodes } = result;
  const speed = formatRate(result.steps_per_s);
  return [
    `${task} on ${backend} (${kernel}, ${threads} thread${threads > 1 ? 's' : ''})`,
    `${formatCount(envs)} environments × ${formatCount(steps)} steps in ${seconds.toFixed(3)} s`,
    `${speed}, ${result.ns_per_step.toFixed(1)} ns a step, ${formatCount(episodes)} episodes`,
    `digest ${result.digest}`,
  ].join('\n');
}
