/** One Python process for each peer, which steps it for as long as it is asked to. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { here, python, root, venv } from './paths.mjs';

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
 * The row with which a peer's process is started: a peer that computes one of our tasks gets the
 * path of a file that says what the task is.
 */
export function specOf(peer) {
  const { task } = peer.options;
  if (task === undefined) return peer;
  const model = join(venv, `${task.replaceAll('/', '-')}.json`);
  const args = ['--import', 'tsx', join(here, 'model.ts'), task];
  writeFileSync(model, execFileSync(process.execPath, args, { cwd: root, maxBuffer: 2 ** 26 }));
  return { ...peer, options: { ...peer.options, model } };
}

/**
 * Starts a peer's process, waits until it is imported, compiled and warm, and resolves to
 * `{ version, measure(seconds), close() }`. Rejects where the process ends instead.
 */
export async function startPeer(peer) {
  if (!existsSync(python)) {
    throw new Error('the peers are not installed: node bench/peers/install.mjs');
  }
  const child = spawn(python, [join(here, 'host.py'), JSON.stringify(specOf(peer))], {
    cwd: here,
    // The process is pinned to a core as well.
    env: { ...process.env, ...settings },
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

/** One thread wherever a library would take more. */
export const settings = {
  OMP_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
  NUMBA_NUM_THREADS: '1',
  // Gymnasium warns of the precision of CartPole's bounds at every start.
  PYTHONWARNINGS: 'ignore::UserWarning',
};
