/**
 * The seeds by which scheduling policies are compared, and any others may be: 50 to train on and
 * 50 held out that nothing was tuned on, with everything else (the fleet, say) the same.
 */
import type { CompiledTask } from '../envs/family.js';
import { type EpisodeResult, type EvaluateOptions, evaluateEpisodes } from './evaluate.js';
import { episodeMetrics } from './metrics.js';
import type { Policy } from './policy.js';
import { type Summary, summarize } from './statistics.js';

/** Held-out seeds begin here. */
export const TEST_SEED_OFFSET = 1_000_000;
/** Seeds of either kind. */
const PROTOCOL_SEEDS = 50;

/** Seeds to train on: 0 .. count - 1. */
export const trainSeeds = (count: number = PROTOCOL_SEEDS): number[] => seedsFrom(0, count);

/** Held-out seeds: 1,000,000 .. 1,000,000 + count - 1. */
export const testSeeds = (count: number = PROTOCOL_SEEDS): number[] =>
  seedsFrom(TEST_SEED_OFFSET, count);

function seedsFrom(first: number, count: number): number[] {
  if (!(Number.isInteger(count) && count >= 1 && count <= TEST_SEED_OFFSET)) {
    const needed = `an integer from 1 to ${TEST_SEED_OFFSET}, so that the two do not overlap,`;
    throw new RangeError(`count is ${count}: ${needed} is needed`);
  }
  return Array.from({ length: count }, (_, i) => first + i);
}

export interface ProtocolOptions extends EvaluateOptions {
  /** Default `test`. */
  readonly split?: 'train' | 'test';
  /** How many of the split's seeds, from its first. Default 50. */
  readonly count?: number;
}

/** A policy on the seeds of one split: every quantity with its 95 % interval over the seeds. */
export interface ProtocolResult {
  readonly policy: string;
  readonly score: Summary;
  readonly return: Summary;
  /** `episodeMetrics`, by name. */
  readonly metrics: Readonly<Record<string, Summary>>;
  readonly episodes: readonly EpisodeResult[];
}

/**
 * Plays a policy on the held-out seeds, or those to train on. Two policies' results are of the
 * same worlds, so compare them by `summarizePaired` of their episodes.
 *
 * @example
 * const task = compileTask('scheduling/sleep-aware-v2');
 * const { metrics } = await evaluateProtocol(task, heuristicPolicy('power-aware'));
 * console.log(metrics['mean_power_watts'].mean, metrics['mean_power_watts'].ci95);
 */
export async function evaluateProtocol(
  task: CompiledTask,
  policy: Policy,
  { split = 'test', count = PROTOCOL_SEEDS, ...options }: ProtocolOptions = {},
): Promise<ProtocolResult> {
  const seeds = split === 'test' ? testSeeds(count) : trainSeeds(count);
  const episodes = await evaluateEpisodes(task, policy, seeds, options);
  const rows = episodes.map(({ statistics }) => episodeMetrics(task, statistics));
  const metrics = Object.keys(rows[0]).map((name) => [name, summarize(rows.map((r) => r[name]))]);
  return {
    policy: policy.name,
    score: summarize(episodes.map(({ score }) => score)),
    return: summarize(episodes.map((episode) => episode.return)),
    metrics: Object.fromEntries(metrics),
    episodes,
  };
}
