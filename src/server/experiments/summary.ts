/** Summaries of a run's episodes. */
import {
  type CompiledTask,
  mean,
  meanMetrics,
  pairedDifferences,
  type ScoreDifference,
  type ScoreSummary,
  summarizeScores,
} from '../../index.js';
import { compiled } from '../sessions/catalog.js';
import type { Episode, Job, Pool } from './types.js';

interface AgentSummary extends ScoreSummary {
  readonly agent: string;
  readonly pool: Pool;
  readonly episodes: number;
  /** Means of the task's metrics, as `infragym evaluate` reports them. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Means of the score's components. */
  readonly breakdown: Readonly<Record<string, number>>;
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

export function summarizeAgents(job: Job, episodes: readonly Episode[]): AgentSummary[] {
  const task = taskOf(job);
  return [...groups(episodes).values()].map((group) => {
    const [{ agent, pool }] = group;
    const statistics = group.map((episode) => episode.statistics);
    return {
      agent,
      pool,
      episodes: group.length,
      ...summarizeScores(group.map((e) => ({ ...e, return: e.episode_return }))),
      metrics: task === undefined ? {} : meanMetrics(task, statistics),
      breakdown: meansOf(group.map((episode) => episode.breakdown)),
    };
  });
}

/** The task of a run; none where it is no longer offered, or was another when the run was made. */
function taskOf({ task, config }: Job): CompiledTask | undefined {
  try {
    return compiled(task, config);
  } catch {
    return undefined;
  }
}

function meansOf(rows: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(rows[0]).filter((name) =>
    rows.every((row) => Number.isFinite(row[name])),
  );
  return Object.fromEntries(names.map((name) => [name, mean(rows.map((row) => row[name]))]));
}

/** Differences of agents on the held-out seeds that both have played, each pair once. */
export function comparePairs(agents: ReadonlyMap<string, readonly Episode[]>): ScoreDifference[] {
  return pairedDifferences(
    new Map([...agents].map(([agent, episodes]) => [agent, heldOutScores(episodes)])),
  );
}

function heldOutScores(episodes: readonly Episode[]): Map<number, number> {
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
