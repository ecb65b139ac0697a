/** One Python process for each peer, which steps it for as long as it is asked to. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { here, python } from './paths.mjs';

/** All peers, rows of `peers.json`. */
export const peers = JSON.parse(readFileSync(join(here, 'peers.json'), 'utf8'));

/** The peers that ids or names ask for, all without one. Throws RangeError for an unknown one. */
export function choosePeers(wanted) {
  if (wanted.length === 0) return peers;
  return wanted.map((word) => {
    const peer = peers.find(({ id, name }) => id === word || name === word);
    if (peer) return peer;
    const known = peers.map(({ id }) => id).join(', ');
    throw new RangeError(`there is no peer "${word}"; there are ${known}`);
  });
}

/**
 * Starts a peer's process, waits until it is imported, compiled and warm, and resolves to
 * `{ version, measure(seconds), close() }`. Rejects where the process ends instead.
 */
export async function startPeer(peer, environment = {}) {
  if (!existsSync(python)) {
    throw new Error('the peers are not installed: node bench/peers/install.mjs');
  }
  const child = spawn(python, [join(here, 'host.py'), JSON.stringify(peer)], {
    cwd: here,
    // One thread wherever a library would take more; the process is pinned to a core as well.
    env: { ...process.env, ...oneThread, ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the process of ${peer.id} ended`);
    return JSON.parse(value);
  };
  const { version, core } = await read();
  return {
    version,
    core,
    measure: (seconds) => {
      child.stdin.write(`${seconds}\n`);
      return read();
    },
    close: () => child.stdin.end(),
  };
}

const oneThread = {
  OMP_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
  NUMBA_NUM_THREADS: '1',
};
