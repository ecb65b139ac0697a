/** Runs jobs in worker threads, so many at a time, and keeps what they report. */
import { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ServerConfig } from '../http/config.js';
import { ApiError } from '../http/errors.js';
import type { RunStore } from './run-store.js';
import {
  type Episode,
  episodeKey,
  type Job,
  type Run,
  type RunStatus,
  type WorkerInput,
} from './types.js';

/** `.js` where this is built, `.ts` where it runs from the sources. */
const EXTENSION = import.meta.url.slice(-3);

/** From the sources a worker needs tsx, which it does not inherit from its parent. */
function createWorker(workerData: WorkerInput): Worker {
  const { href } = new URL(`./worker${EXTENSION}`, import.meta.url);
  if (EXTENSION === '.js') return new Worker(new URL(href), { workerData });
  const load = `import('tsx/esm/api').then(({ tsImport }) => tsImport('${href}', '${href}'))`;
  return new Worker(load, { eval: true, workerData });
}

type RunnerEvents = { change: [id: string] };

/** The queue of runs. Emits `change` with a run's id whenever there is news of it. */
export class Runner extends EventEmitter<RunnerEvents> {
  private readonly workers = new Map<string, Worker>();
  private isClosing = false;

  /** Marks what a killed process left running as interrupted, and goes on with its queue. */
  constructor(
    private readonly store: RunStore,
    private readonly config: Pick<ServerConfig, 'maxRuns' | 'maxQueue' | 'backend'>,
  ) {
    super();
    this.setMaxListeners(0); // one for every stream
    store.markInterrupted();
    this.startNext();
  }

  /** Puts a job into the queue; 503 where that is full. */
  submit(job: Job): Run {
    this.requireRoom();
    const run = this.store.create(job);
    this.startNext();
    return this.store.get(run.id)!;
  }

  /** Goes on with a run from its last checkpoint; 409 where it needs none. */
  resume(run: Run): Run {
    if (run.status !== 'interrupted' && run.status !== 'cancelled' && run.status !== 'failed') {
      throw new ApiError(409, `the run is ${run.status}: there is nothing to resume`);
    }
    this.requireRoom();
    this.setStatus(run.id, 'queued');
    this.startNext();
    return this.store.get(run.id)!;
  }

  /** Ends a run that is queued or running; 409 for any other. */
  cancel(run: Run): Run {
    if (run.status !== 'queued' && run.status !== 'running') {
      throw new ApiError(409, `the run is ${run.status} already`);
    }
    this.setStatus(run.id, 'cancelled');
    void this.stop(run.id);
    this.startNext();
    return this.store.get(run.id)!;
  }

  /** Interrupts what is running; `resume` of another process goes on with it. */
  async close(): Promise<void> {
    this.isClosing = true;
    const ids = [...this.workers.keys()];
    for (const id of ids) this.setStatus(id, 'interrupted');
    await Promise.all(ids.map((id) => this.stop(id)));
  }

  private requireRoom(): void {
    const { maxQueue } = this.config;
    if (this.store.count('queued') < maxQueue) return;
    throw new ApiError(503, `${maxQueue} runs are waiting, the most here: try again later`);
  }

  private startNext(): void {
    if (this.isClosing) return;
    for (const run of this.store.withStatus('queued')) {
      if (this.workers.size >= this.config.maxRuns) return;
      this.start(run);
    }
  }

  private start({ id, job }: Run): void {
    const done = this.store
      .episodes(id)
      .map(({ agent, pool, seed }) => episodeKey(agent, pool, seed));
    const worker = createWorker({ job, done, backend: this.config.backend });
    this.workers.set(id, worker);
    this.setStatus(id, 'running');
    let problem: string | null = null;
    worker.on('message', (episodes: Episode[]) => {
      // A worker that is being stopped may have one more chunk on its way.
      if (this.workers.get(id) !== worker) return;
      this.store.addEpisodes(id, episodes);
      this.emit('change', id);
    });
    worker.on('error', (error: Error) => {
      problem = error.message;
    });
    worker.on('exit', (code) => {
      if (this.workers.get(id) !== worker) return;
      this.workers.delete(id);
      if (code !== 0 && problem === null) problem = `the worker ended with code ${code}`;
      this.setStatus(id, problem === null ? 'finished' : 'failed', problem);
      this.startNext();
    });
  }

  private async stop(id: string): Promise<void> {
    const worker = this.workers.get(id);
    this.workers.delete(id);
    await worker?.terminate();
  }

  private setStatus(id: string, status: RunStatus, error: string | null = null): void {
    this.store.setStatus(id, status, error);
    this.emit('change', id);
  }
}
