/** Memory of a batch for each environment: what its arrays add up to, and what the process grew. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BackendName } from '../../src/backend.js';
import { SUBJECTS } from '../definitions.js';

/** Bytes for each environment of a batch. */
export interface MemoryRow {
  readonly environment: string;
  readonly backend: BackendName;
  readonly envs: number;
  /** State, episode statistics included. */
  readonly state_bytes: number;
  /** Actions, observations, rewards, flags and the other arrays that the caller sees. */
  readonly channel_bytes: number;
  /** Growth of the resident set when a batch of `envs` is made and stepped, measured once. */
  readonly rss_bytes: number;
}

interface MemoryQuestion {
  readonly task: string;
  readonly backend: BackendName;
  readonly envs: number;
}
export type MemoryAnswer = Pick<MemoryRow, 'state_bytes' | 'channel_bytes' | 'rss_bytes'>;

/** Measures every environment on every backend given, each in a process of its own. */
export async function measureMemory(
  backends: readonly BackendName[],
  onRow: (row: MemoryRow) => void,
): Promise<void> {
  for (const { environment, task, threadsEnvs: envs } of SUBJECTS) {
    for (const backend of backends) {
      const answer = await ask({ task, backend, envs });
      onRow({ environment, backend, envs, ...answer });
    }
  }
}

function ask({ task, backend, envs }: MemoryQuestion): Promise<MemoryAnswer> {
  const script = fileURLToPath(new URL('memory-child.ts', import.meta.url));
  const child = fork(script, [task, backend, String(envs)]);
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as MemoryAnswer));
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(new Error(`measuring the memory of ${task} on ${backend} ended with ${code}`));
    });
  });
}
