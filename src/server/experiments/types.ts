/** Runs and what they consist of, as the API shows them. */
import type { JsonObject } from '../../index.js';

export const RUN_STATUSES = [
  'queued',
  'running',
  'finished',
  'failed',
  'cancelled',
  'interrupted',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** Seeds that an agent may have been fitted to, and held-out ones. */
export type Pool = 'train' | 'test';

/** The work of a run: every agent plays every seed of both pools. */
export interface Job {
  /** One agent, or several on the same seeds. */
  readonly kind: 'evaluation' | 'sweep';
  readonly task: string;
  readonly agents: readonly string[];
  /** Entries of the task's configuration that are replaced. */
  readonly config: JsonObject;
  readonly train_seeds: readonly number[];
  readonly test_seeds: readonly number[];
  /** Fields of the request that mean nothing to these agents, by name. */
  readonly ignored: readonly string[];
  /** The request's own fields. */
  readonly request: JsonObject;
}

/** One graded episode of a run. */
export interface Episode {
  readonly agent: string;
  readonly pool: Pool;
  readonly seed: number;
  readonly score: number;
  readonly episode_return: number;
  readonly length: number;
  readonly breakdown: Readonly<Record<string, number>>;
  readonly statistics: Readonly<Record<string, number>>;
}

export interface StoredEpisode extends Episode {
  /** Grows with every episode stored; the id of its server-sent event. */
  readonly row: number;
}

export interface Run {
  readonly id: string;
  readonly status: RunStatus;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly job: Job;
  readonly error: string | null;
  /** Episodes played, and those there are to play. */
  readonly episodes_done: number;
  readonly episodes_total: number;
}

/** The input of a worker. */
export interface WorkerInput {
  readonly job: Job;
  readonly backend: string;
  /** Episodes played before an interruption: `agent pool seed`. */
  readonly done: readonly string[];
}

/** Names an episode within its run. */
export function episodeKey(agent: string, pool: Pool, seed: number): string {
  return `${agent} ${pool} ${seed}`;
}
