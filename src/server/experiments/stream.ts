/** A run as server-sent events: what is known already, then what is new, until it has ended. */
import { PassThrough } from 'node:stream';
import type { RunStore } from './run-store.js';
import type { Runner } from './runner.js';
import { summarizeAgents } from './summary.js';
import type { Run } from './types.js';

const HEARTBEAT_MS = 15_000;
/** A reader that falls this far behind is cut off. */
const BUFFERED_BYTES_MAX = 2 ** 20;
const LIVE = ['queued', 'running'];

/**
 * Events: `episode` (its id is the episode's row), `progress`, `status`, and `summary` at the end.
 * `after` is the last row that the reader has seen.
 */
export function streamRun(store: RunStore, runner: Runner, id: string, after: number): PassThrough {
  const stream = new PassThrough();
  let seen = after;
  let status: string | undefined;
  const send = (event: string, data: unknown, eventId?: number) => {
    const line = eventId === undefined ? '' : `id: ${eventId}\n`;
    stream.write(`${line}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const update = () => {
    const run = store.get(id);
    if (run === undefined) return stream.end(); // it was deleted
    if (stream.writableLength > BUFFERED_BYTES_MAX) return stream.destroy();
    for (const { row, breakdown, statistics, ...episode } of store.episodes(id, seen)) {
      send('episode', { ...episode, ...breakdown }, row);
      seen = row;
    }
    send('progress', progressOf(run));
    if (run.status !== status) send('status', { status: run.status, error: run.error });
    status = run.status;
    if (LIVE.includes(run.status)) return;
    send('summary', summarizeAgents(run.job, store.episodes(id)));
    stream.end();
  };
  const changed = (changedId: string) => {
    if (changedId === id) update();
  };
  const heartbeat = setInterval(() => stream.write(': still here\n\n'), HEARTBEAT_MS);
  runner.on('change', changed);
  stream.once('close', () => {
    clearInterval(heartbeat);
    runner.off('change', changed);
  });
  update();
  return stream;
}

function progressOf({ episodes_done: done, episodes_total: total }: Run) {
  return { done, total, share: total === 0 ? 1 : done / total };
}
