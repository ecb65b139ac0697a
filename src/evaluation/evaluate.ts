/** Plays a policy on seeds and grades the episodes. */

import type { SeedLike } from '../api/seeds.js';
import { TaskVectorEnv } from '../api/task-vector-env.js';
import type { BackendName } from '../backend.js';
import { loadBackend } from '../backends/select.js';
import type { Rng } from '../base/seeding.js';
import { formatSeed, makeRng, parseSeed } from '../base/seeding.js';
import type { CompiledTask, EpisodeStatistics, Grade, GradeContext } from '../envs/family.js';
import { baselinePolicy, type Policy, type PolicyView } from './policy.js';

export interface EvaluateOptions {
  /** Default `auto`; the results do not depend on it. */
  readonly backend?: BackendName | 'auto';
  /** Told after every step which share, 0 .. 1, of the work is done. */
  readonly onProgress?: (share: number) => void;
}

/** One graded episode. */
export interface EpisodeResult extends Grade {
  readonly seed: SeedLike;
  /** Sum of the rewards. */
  readonly return: number;
  /** Steps. */
  readonly length: number;
  readonly statistics: EpisodeStatistics;
}

const BATCH_MAX = 1024;
const SEED_MODULUS = 2n ** 64n;

/** Returns of the fixed baseline that are known already, by seed. */
const knownBaselines = new WeakMap<CompiledTask, Map<string, number>>();

/**
 * Plays episode 0 of every seed under a policy, all of them as one batch (at most 1024 at a time),
 * and grades them in the order of the seeds. Where the task's score is normalised by its fixed
 * baseline, that plays the same seeds first, once for a task.
 *
 * @throws RangeError for no seeds, an invalid seed, and an action that is refused.
 * @example
 * const task = compileTask('serving/static-uniform-v1');
 * const results = await evaluateEpisodes(task, randomPolicy(), [0, 1, 2]);
 * console.log(summarize(results.map((result) => result.score)));
 */
export async function evaluateEpisodes(
  task: CompiledTask,
  policy: Policy,
  seeds: readonly SeedLike[],
  options: EvaluateOptions = {},
): Promise<EpisodeResult[]> {
  const contexts = await gradeContexts(task, seeds, options);
  const episodes = await playEpisodes(task, policy, seeds, options);
  return episodes.map((statistics, i) => {
    const grade = task.grade(statistics, contexts[i]);
    const { episode_return, length_steps } = statistics;
    return { seed: seeds[i], ...grade, return: episode_return, length: length_steps, statistics };
  });
}

/**
 * The grader's inputs beside statistics, for episode 0 of each seed: the return of the fixed
 * baseline and the bound, where the task's score is relative to them.
 */
export async function gradeContexts(
  task: CompiledTask,
  seeds: readonly SeedLike[],
  options: Pick<EvaluateOptions, 'backend'> = {},
): Promise<GradeContext[]> {
  const baselines = task.needsBaseline ? await baselineReturns(task, seeds, options) : undefined;
  return seeds.map((seed, i) => ({
    ...(baselines && { baselineReturn: baselines[i] }),
    ...(task.bound && { bound: task.bound(parseSeed(seed), 0) }),
  }));
}

/** `gradeContexts` of one seed. */
export async function gradeContext(task: CompiledTask, seed: SeedLike): Promise<GradeContext> {
  const [context] = await gradeContexts(task, [seed]);
  return context;
}

/** Returns of the task's fixed baseline on seeds; what was played once is remembered. */
export async function baselineReturns(
  task: CompiledTask,
  seeds: readonly SeedLike[],
  options: Pick<EvaluateOptions, 'backend'> = {},
): Promise<number[]> {
  const known = knownBaselines.get(task) ?? new Map<string, number>();
  knownBaselines.set(task, known);
  const keys = seeds.map((seed) => formatSeed(parseSeed(seed)));
  const missing = [...new Set(keys)].filter((key) => !known.has(key));
  if (missing.length > 0) {
    const { backend = 'auto' } = options;
    const episodes = await playEpisodes(task, baselinePolicy(task), missing, { backend });
    episodes.forEach((statistics, i) => {
      known.set(missing[i], statistics.episode_return);
    });
  }
  return keys.map((key) => known.get(key)!);
}

/** The statistics of episode 0 of every seed, in the order of the seeds. */
async function playEpisodes(
  task: CompiledTask,
  policy: Policy,
  seeds: readonly SeedLike[],
  { backend = 'auto', onProgress }: EvaluateOptions,
): Promise<EpisodeStatistics[]> {
  if (seeds.length === 0) throw new RangeError('seeds is empty: at least one seed is needed');
  const words = seeds.map((seed) => BigInt(formatSeed(parseSeed(seed))));
  const implementation = await loadBackend(backend, task.program);
  const statistics: EpisodeStatistics[] = [];
  for (let from = 0; from < words.length; from += BATCH_MAX) {
    const chunk = words.slice(from, from + BATCH_MAX);
    const env = new TaskVectorEnv(task, implementation, { numEnvs: chunk.length, infos: true });
    const report = (share: number) => onProgress?.((from + share * chunk.length) / words.length);
    try {
      const after = (_: Uint8Array, step: number) => report((step + 1) / task.horizonSteps);
      statistics.push(...playBatch(env, policy, chunk, { after }));
    } finally {
      env.close();
    }
  }
  return statistics;
}

/** Told of the steps of a batch. */
export interface StepObserver {
  /** Before a step: the batch shows what the policy sees. */
  before?(): void;
  /** After step number `step`, from 0; isPlaying[i] is 1 where it was of the first episode. */
  after?(isPlaying: Uint8Array, step: number): void;
}

/** Steps a batch until every environment has finished its first episode, episode 0 of its seed. */
export function playBatch(
  env: TaskVectorEnv,
  policy: Policy,
  seeds: readonly bigint[],
  observer: StepObserver = {},
): EpisodeStatistics[] {
  const finished = new Array<EpisodeStatistics | null>(seeds.length).fill(null);
  const isPlaying = new Uint8Array(seeds.length).fill(1);
  const view = viewOf(env, policy, seeds);
  resetTo(env, seeds);
  policy.reset?.(seeds.length);
  for (; isPlaying.includes(1); view.step++) {
    observer.before?.();
    playStep(env, policy, view);
    observer.after?.(isPlaying, view.step);
    for (let i = 0; i < seeds.length; i++) {
      if (isPlaying[i] === 0 || (env.terminated[i] === 0 && env.truncated[i] === 0)) continue;
      finished[i] = env.statisticsOf(i);
      isPlaying[i] = 0;
    }
  }
  return finished as EpisodeStatistics[];
}

function playStep(env: TaskVectorEnv, policy: Policy, view: PolicyView): void {
  if (policy.core !== undefined) {
    env.rollout(policy.core, 1);
    return;
  }
  policy.act(view);
  env.step(env.actions); // checked: a policy's NaN must not pass for an action
}

/** Resets environment i to seeds[i], one masked reset for every run of consecutive seeds. */
function resetTo(env: TaskVectorEnv, seeds: readonly bigint[]): void {
  const mask = new Uint8Array(seeds.length);
  for (let from = 0; from < seeds.length; ) {
    let end = from + 1;
    while (end < seeds.length && seeds[end] === seeds[end - 1] + 1n) end++;
    // Environment i takes seed + i, so the batch's seed lies that far below, modulo 2^64.
    const seed = (seeds[from] - BigInt(from) + SEED_MODULUS) % SEED_MODULUS;
    if (from === 0) env.reset({ seed });
    else env.reset({ seed, mask: mask.fill(0).fill(1, from, end) });
    from = end;
  }
}

function viewOf(env: TaskVectorEnv, policy: Policy, seeds: readonly bigint[]) {
  const { task, numEnvs, observations, metrics, masks, actions } = env;
  const generators = new Array<Rng | undefined>(numEnvs);
  const rng = (i: number): Rng => {
    generators[i] ??= makeRng(`policy ${policy.seed ?? 0}, environment ${seeds[i]}`);
    return generators[i];
  };
  const seed = (i: number) => parseSeed(seeds[i]);
  const view = { task, numEnvs, step: 0, observations, metrics, masks, actions, rng, seed };
  return view satisfies PolicyView;
}
