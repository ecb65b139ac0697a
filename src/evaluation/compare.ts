/** Policies on the same episodes: each one's scores with intervals, and the paired differences. */
import type { SeedLike } from '../api/seeds.js';
import { formatSeed, parseSeed } from '../base/seeding.js';
import type { CompiledTask } from '../envs/family.js';
import { type EpisodeResult, type EvaluateOptions, evaluateEpisodes } from './evaluate.js';
import { meanMetrics } from './metrics.js';
import type { Policy } from './policy.js';
import { type Interval, mean, summarize, summarizePaired } from './statistics.js';

/** The part of an episode that a comparison reads. */
export interface ScoredEpisode {
  readonly score: number;
  /** Sum of the rewards. */
  readonly return: number;
  /** Steps. */
  readonly length: number;
}

/** Scores over episodes, named as the command line and the server show them. */
export interface ScoreSummary {
  readonly score_mean: number;
  /** Student's t, 95 %; null where there is one episode only. */
  readonly score_ci95: Interval | null;
  readonly return_mean: number;
  readonly return_ci95: Interval | null;
  readonly episode_length_mean: number;
}

/** Means and intervals of episodes. @throws RangeError for no episodes. */
export function summarizeScores(episodes: readonly ScoredEpisode[]): ScoreSummary {
  const score = summarize(episodes.map((episode) => episode.score));
  const total = summarize(episodes.map((episode) => episode.return));
  return {
    score_mean: score.mean,
    score_ci95: score.ci95,
    return_mean: total.mean,
    return_ci95: total.ci95,
    episode_length_mean: mean(episodes.map((episode) => episode.length)),
  };
}

/** The difference of two policies on the episodes that both have played. */
export interface ScoreDifference {
  readonly a: string;
  readonly b: string;
  /** Episodes in common. */
  readonly episodes: number;
  /** Of a − b. */
  readonly score_difference_mean: number;
  readonly ci95: Interval | null;
}

/**
 * Differences of every two policies, each pair once, in the order of the map.
 *
 * @param scores by policy, then by what names an episode (its seed). Pairs without a common
 *   episode are left out.
 */
export function pairedDifferences<Episode>(
  scores: ReadonlyMap<string, ReadonlyMap<Episode, number>>,
): ScoreDifference[] {
  const names = [...scores.keys()];
  return names.flatMap((a, i) =>
    names.slice(i + 1).flatMap((b): ScoreDifference[] => {
      const others = scores.get(b)!;
      const common = [...scores.get(a)!].filter(([episode]) => others.has(episode));
      if (common.length === 0) return [];
      const { n, mean, ci95 } = summarizePaired(
        common.map(([, score]) => score),
        common.map(([episode]) => others.get(episode)!),
      );
      return [{ a, b, episodes: n, score_difference_mean: mean, ci95 }];
    }),
  );
}

/** One policy of a comparison. */
export interface PolicyScore extends ScoreSummary {
  readonly policy: string;
  /** Means of the task's metrics (`episodeMetrics`). */
  readonly metrics: Readonly<Record<string, number>>;
  /**
   * Medians of `score_unclipped` and `above_bound_percent`, where the grader has them: single
   * windows in which the baseline collapses do not move them.
   */
  readonly medians: Readonly<Record<string, number>>;
  readonly episodes: readonly EpisodeResult[];
}

export interface Comparison {
  readonly policies: readonly PolicyScore[];
  readonly paired: readonly ScoreDifference[];
}

export interface CompareOptions extends Pick<EvaluateOptions, 'backend'> {
  /** Told which share, 0 .. 1, is done, and whose turn it is. */
  readonly onProgress?: (share: number, policy: string) => void;
}

/**
 * Plays every policy on episode 0 of every seed and compares them.
 *
 * @param policies by the names under which they are reported.
 * @throws RangeError for no seeds, an invalid seed, and an action that is refused.
 * @example
 * const task = compileTask('autoscaling/easy-v1');
 * const policies = { hpa: await createPolicy('hpa', task), random: randomPolicy() };
 * const { paired } = await comparePolicies(task, policies, testSeeds(20));
 */
export async function comparePolicies(
  task: CompiledTask,
  policies: Readonly<Record<string, Policy>>,
  seeds: readonly SeedLike[],
  { backend = 'auto', onProgress }: CompareOptions = {},
): Promise<Comparison> {
  const scores = new Map<string, Map<string, number>>();
  const rows: PolicyScore[] = [];
  const entries = Object.entries(policies);
  for (const [p, [name, policy]] of entries.entries()) {
    const report = (share: number) => onProgress?.((p + share) / entries.length, name);
    report(0);
    const episodes = await evaluateEpisodes(task, policy, seeds, { backend, onProgress: report });
    const statistics = episodes.map((episode) => episode.statistics);
    const metrics = meanMetrics(task, statistics);
    const medians = mediansOf(episodes);
    rows.push({ policy: name, ...summarizeScores(episodes), metrics, medians, episodes });
    scores.set(name, new Map(episodes.map(({ seed, score }) => [keyOf(seed), score])));
  }
  return { policies: rows, paired: pairedDifferences(scores) };
}

function mediansOf(episodes: readonly EpisodeResult[]): Record<string, number> {
  const names = ['score_unclipped', 'above_bound_percent'];
  const present = names.filter((name) => episodes.every(({ breakdown }) => name in breakdown));
  return Object.fromEntries(
    present.map((name) => [name, median(episodes.map(({ breakdown }) => breakdown[name]))]),
  );
}

/** The middle value, or the mean of the middle two. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function keyOf(seed: SeedLike): string {
  return formatSeed(parseSeed(seed));
}
