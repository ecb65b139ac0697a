/** Runs and their episodes in the database. */
import { randomUUID } from 'node:crypto';
import type { openDatabase } from './database.js';
import type { Episode, Job, Run, RunStatus, StoredEpisode } from './types.js';

type Db = ReturnType<typeof openDatabase>;

interface RunFilter {
  readonly status?: string;
  readonly task?: string;
  readonly agent?: string;
  readonly limit: number;
  readonly offset: number;
}

interface RunRow {
  id: string;
  status: RunStatus;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  job: string;
  error: string | null;
  episodes_done: number;
}

type EpisodeRow = Omit<StoredEpisode, 'breakdown' | 'statistics'> & {
  breakdown: string;
  statistics: string;
};

const SELECT_RUN = `
  SELECT runs.*, (SELECT COUNT(*) FROM episodes WHERE run_id = runs.id) AS episodes_done
  FROM runs`;

/** The store of runs; every method is one transaction. */
export class RunStore {
  constructor(private readonly database: Db) {}

  create(job: Job): Run {
    const id = randomUUID();
    this.database
      .prepare('INSERT INTO runs (id, created_at, status, job) VALUES (?, ?, ?, ?)')
      .run(id, new Date().toISOString(), 'queued', JSON.stringify(job));
    return this.get(id)!;
  }

  get(id: string): Run | undefined {
    const row = this.database.prepare(`${SELECT_RUN} WHERE id = ?`).get(id);
    return row === undefined ? undefined : runOf(row as RunRow);
  }

  /** The newest first. */
  list({ status, task, agent, limit, offset }: RunFilter): Run[] {
    const rows = this.database
      .prepare(
        `${SELECT_RUN}
         WHERE (? IS NULL OR status = ?) AND (? IS NULL OR job ->> '$.task' = ?)
           AND (? IS NULL OR EXISTS
             (SELECT 1 FROM json_each(job, '$.agents') WHERE json_each.value = ?))
         ORDER BY created_at DESC, id LIMIT ? OFFSET ?`,
      )
      .all(
        ...[status, status, task, task, agent, agent].map((value) => value ?? null),
        limit,
        offset,
      );
    return (rows as RunRow[]).map(runOf);
  }

  withStatus(status: RunStatus): Run[] {
    const rows = this.database
      .prepare(`${SELECT_RUN} WHERE status = ? ORDER BY created_at, id`)
      .all(status);
    return (rows as RunRow[]).map(runOf);
  }

  count(status: RunStatus): number {
    const row = this.database
      .prepare('SELECT COUNT(*) AS n FROM runs WHERE status = ?')
      .get(status);
    return (row as { n: number }).n;
  }

  setStatus(id: string, status: RunStatus, error: string | null = null): void {
    const now = new Date().toISOString();
    const hasBegun = status === 'running';
    const hasEnded = !hasBegun && status !== 'queued';
    this.database
      .prepare(
        `UPDATE runs SET status = ?, error = ?, started_at = COALESCE(started_at, ?),
           finished_at = ? WHERE id = ?`,
      )
      .run(status, error, hasBegun ? now : null, hasEnded ? now : null, id);
  }

  /** A process that was killed left its runs as `running`: they were interrupted. */
  markInterrupted(): number {
    const result = this.database
      .prepare("UPDATE runs SET status = 'interrupted' WHERE status = 'running'")
      .run();
    return result.changes;
  }

  /** Stores episodes, all or none; those that are there already stay as they are. */
  addEpisodes(runId: string, episodes: readonly Episode[]): void {
    const insert = this.database.prepare(
      `INSERT OR IGNORE INTO episodes
         (run_id, agent, pool, seed, score, episode_return, length, breakdown, statistics)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.database.transaction(() => {
      for (const { agent, pool, seed, score, breakdown, statistics, ...rest } of episodes) {
        const texts = [JSON.stringify(breakdown), JSON.stringify(statistics)];
        const { episode_return, length } = rest;
        insert.run(runId, agent, pool, seed, score, episode_return, length, ...texts);
      }
    })();
  }

  /** A run's episodes in the order in which they were stored, those after a row. */
  episodes(runId: string, after = 0): StoredEpisode[] {
    const rows = this.database
      .prepare(
        `SELECT row, agent, pool, seed, score, episode_return, length, breakdown, statistics
         FROM episodes WHERE run_id = ? AND row > ? ORDER BY row`,
      )
      .all(runId, after);
    return (rows as EpisodeRow[]).map(episodeOf);
  }

  delete(id: string): void {
    this.database.prepare('DELETE FROM runs WHERE id = ?').run(id);
  }

  close(): void {
    this.database.close();
  }
}

function runOf({ job: text, episodes_done, ...row }: RunRow): Run {
  const job = JSON.parse(text) as Job;
  const seeds = job.train_seeds.length + job.test_seeds.length;
  const { id, status, created_at, started_at, finished_at, error } = row;
  const episodes_total = job.agents.length * seeds;
  return {
    id,
    status,
    created_at,
    started_at,
    finished_at,
    job,
    error,
    episodes_done,
    episodes_total,
  };
}

function episodeOf({ breakdown, statistics, ...row }: EpisodeRow): StoredEpisode {
  const { row: number, agent, pool, seed, score, episode_return, length } = row;
  const texts = { breakdown: JSON.parse(breakdown), statistics: JSON.parse(statistics) };
  return { row: number, agent, pool, seed, score, episode_return, length, ...texts };
}
