/** The process that `memory.ts` starts: memory-child.ts TASK BACKEND ENVS. */
import type { BackendName, Batch } from '../../src/backend.js';
import { loadLibrary } from './library.js';
import type { MemoryAnswer } from './memory.js';

const SMALL_ENVS = 64;
const [task, backendName, envs] = process.argv.slice(2);
const { compileTask, corePolicyNumber, loadBackend } = await loadLibrary();
const { program, layout } = compileTask(task);
const backend = await loadBackend(backendName as BackendName);

function play(numEnvs: number): Batch {
  const batch = backend.create(program, {
    numEnvs,
    autoreset: 'next-step',
    threads: 1,
    metrics: false,
    kernel: 'auto',
  });
  batch.reset({ lo: 0, hi: 0 }, false);
  batch.rollout(corePolicyNumber(layout, 'random'), 2);
  batch.step();
  return batch;
}

// A small batch first: code and tables that every batch shares are no memory of environments.
const small = play(SMALL_ENVS);
const channelBytes = Object.values(small.channels).reduce((sum, view) => sum + view.byteLength, 0);
const stateBytes = small.exportState().byteLength;
const before = process.memoryUsage.rss();
const large = play(Number(envs));
const grown = process.memoryUsage.rss() - before;
large.close();

const answer: MemoryAnswer = {
  state_bytes: stateBytes / SMALL_ENVS,
  channel_bytes: channelBytes / SMALL_ENVS,
  rss_bytes: Math.round(grown / Number(envs)),
};
process.send?.(answer);
