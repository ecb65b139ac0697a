/** What a run's episodes come to. */
import { mean, type Summary, summarize, summarizePaired } from '../../index.js';
import type { Episode, Pool } from './types.js';

export interface AgentSummary {
  readonly agent: string;
  readonly pool: Pool;
  readonly episodes: number;
  readonly score_mean: number;
  readonly score_ci95: readonly [number, number] | null;
  readonly return_mean: number;
  readonly return_ci95: readonly [number, number] | null;
  readonly episode_length_mean: number;
  /** Means of the score's components and of the episodes' statistics. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Episodes by agent and pool, in the order in which they first appear. */
function groups(episodes: readonly Episode[]): Map<string, Episode[]> {
  const found = new Map<string, Episode[]>();
  for (const episode of episodes) {
    const key = `${episode.agent} ${episode.pool}`;
    const group = found.get(key);
    if (group === undefined) found.set(key, [episode]);
    else group.push(episode);
  }
  return found;
}

export function summarizeAgents(episodes: readonly Episode[]): AgentSummary[] {
  return [...groups(episodes).values()].map((group) => {
    const [{ agent, pool }] = group;
    const score = summarize(group.map((episode) => episode.score));
    const total = summarize(group.map((episode) => episode.episode_return));
    return {
      agent,
      pool,
      episodes: group.length,
      score_mean: score.mean,
      score_ci95: score.ci95,
      return_mean: total.mean,
      return_ci95: total.ci95,
      episode_length_mean: mean(group.map(({ length }) => length)),
      metrics: meansOf(group.map(({ breakdown, statistics }) => ({ ...statistics, ...breakdown }))),
    };
  });
}

function meansOf(rows: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(rows[0]).filter((name) =>
    rows.every((row) => Number.isFinite(row[name])),
  );
  return Object.fromEntries(names.map((name) => [name, mean(rows.map((row) => row[name]))]));
}

export interface Pair {
  readonly a: string;
  readonly b: string;
  readonly seeds: number;
  readonly score_difference_mean: number;
  readonly ci95: Summary['ci95'];
}

/** Differences of agents on the held-out seeds that both have played, each pair once. */
export function comparePairs(agents: ReadonlyMap<string, readonly Episode[]>): Pair[] {
  const names = [...agents.keys()];
  return names.flatMap((a, i) =>
    names.slice(i + 1).flatMap((b): Pair[] => {
      const scores = scoresBySeed(agents.get(b)!);
      const common = agents.get(a)!.filter((e) => e.pool === 'test' && scores.has(e.seed));
      if (common.length === 0) return [];
      const difference = summarizePaired(
        common.map(({ score }) => score),
        common.map(({ seed }) => scores.get(seed)!),
      );
      const { n, mean: score_difference_mean, ci95 } = difference;
      return [{ a, b, seeds: n, score_difference_mean, ci95 }];
    }),
  );
}

function scoresBySeed(episodes: readonly Episode[]): Map<number, number> {
  const held = episodes.filter(({ pool }) => pool === 'test');
  return new Map(held.map(({ seed, score }) => [seed, score]));
}

/** A run's episodes by agent. */
export function byAgent(episodes: readonly Episode[]): Map<string, Episode[]> {
  const agents = new Map<string, Episode[]>();
  for (const episode of episodes) {
    agents.set(episode.agent, [...(agents.get(episode.agent) ?? []), episode]);
  }
  return agents;
}
