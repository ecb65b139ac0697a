/** The page's side of the worker, which is started when something first asks. */
import * as Comlink from 'comlink';
import type { WorkerApi } from './worker.js';

let started: Comlink.Remote<WorkerApi> | null = null;

/** The worker that plays and measures. */
export function library(): Comlink.Remote<WorkerApi> {
  if (started !== null) return started;
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  started = Comlink.wrap<WorkerApi>(worker);
  return started;
}
