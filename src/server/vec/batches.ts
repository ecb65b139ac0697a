/** Batches of environments that remote trainers step. */
import { randomUUID } from 'node:crypto';
import { type Autoreset, type JsonObject, TaskVectorEnv } from '../../index.js';
import type { ServerConfig } from '../http/config.js';
import type { ServerContext } from '../http/context.js';
import { ApiError, refusing, unprocessable } from '../http/errors.js';
import { compiled, findTask } from '../sessions/catalog.js';
import { layoutOf, type VecLayout } from './frames.js';

/** The request of `POST /vec`. */
export interface VecRequest {
  readonly task_id?: number | string | null;
  readonly num_envs?: number;
  readonly seed?: number;
  readonly threads?: number;
  readonly autoreset?: 'next_step' | 'same_step' | 'disabled';
  readonly config?: JsonObject;
}

/** A batch and whether a connection has it. */
export interface VecBatch {
  readonly id: string;
  readonly env: TaskVectorEnv;
  readonly layout: VecLayout;
  isConnected: boolean;
}

/** A batch without a connection is kept this long. */
const IDLE_MS = 60_000;

/** The batches of a server; one that nobody is connected to is closed after a minute. */
export class VecStore {
  private readonly batches = new Map<string, VecBatch>();
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(private readonly config: Pick<ServerConfig, 'vecs' | 'vecEnvs'>) {}

  get size(): number {
    return this.batches.size;
  }

  /** Makes and resets a batch: 422 for what is wrong, 503 where too many are in use. */
  create({ backend, rootTask }: ServerContext, request: VecRequest): VecBatch {
    const { num_envs: numEnvs = 1, seed = 0, threads = 1, autoreset = 'next_step' } = request;
    const { vecs, vecEnvs } = this.config;
    if (numEnvs > vecEnvs) {
      throw unprocessable(
        `num_envs is ${numEnvs}: at most ${vecEnvs} are allowed here`,
        'num_envs',
      );
    }
    if (this.batches.size >= vecs) this.removeOldestIdle();
    if (this.batches.size >= vecs) {
      throw new ApiError(503, `${vecs} batches are being stepped, the most here: try again later`);
    }
    const task = compiled(findTask(request.task_id ?? rootTask.id).id, request.config);
    const env = refusing(undefined, () => {
      const mode = autoreset.replace('_', '-') as Autoreset;
      return new TaskVectorEnv(task, backend, { numEnvs, seed, threads, autoreset: mode });
    });
    env.reset();
    const batch: VecBatch = { id: randomUUID(), env, layout: layoutOf(env), isConnected: false };
    this.batches.set(batch.id, batch);
    this.release(batch);
    return batch;
  }

  private removeOldestIdle(): void {
    const idle = [...this.batches.values()].find((batch) => !batch.isConnected);
    if (idle !== undefined) this.remove(idle.id);
  }

  /** The batch for a connection of its own; 404 for none, 409 where it has one. */
  take(id: string): VecBatch {
    const batch = this.get(id);
    if (batch.isConnected) throw new ApiError(409, 'the batch has a connection already');
    batch.isConnected = true;
    clearTimeout(this.timers.get(id));
    return batch;
  }

  /** Gives a batch back: it waits a minute for another connection. */
  release(batch: VecBatch): void {
    batch.isConnected = false;
    if (!this.batches.has(batch.id)) return;
    const timer = setTimeout(() => this.remove(batch.id), IDLE_MS);
    timer.unref();
    this.timers.set(batch.id, timer);
  }

  get(id: string): VecBatch {
    const batch = this.batches.get(id);
    if (batch === undefined) throw new ApiError(404, 'no such batch: POST /vec makes one');
    return batch;
  }

  /** Closes a batch; whether there was one. */
  remove(id: string): boolean {
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
    this.batches.get(id)?.env.close();
    return this.batches.delete(id);
  }

  close(): void {
    for (const id of [...this.batches.keys()]) this.remove(id);
  }
}
