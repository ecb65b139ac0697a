/**
 * The peers that compute the serving step compute the same as the reference, from random numbers
 * of their own: means over episodes differ by less than 4 standard errors.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { python } from '../../bench/peers/paths.mjs';
import { specOf } from '../../bench/peers/processes.mjs';
import { makeVec } from '../../src/index.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const isReady = existsSync(python);
if (!isReady) console.log('SKIPPED peers: node bench/peers/install.mjs installs them');

const TASK = 'serving/static-uniform-v1';
const EPISODES = 256;
const STANDARD_ERRORS = 4;
/** Rounding of f32 sums, relative, where a value does not vary at all. */
const ROUNDING = 1e-5;
/**
 * KV budget and batch size: a queue that empties, one that grows, one near its balance on cells'
 * insides, one whose TTFT is about the SLO, and one out of memory.
 */
const ACTIONS = [
  [0.5, 128],
  [0.33, 8],
  [0.62, 10],
  [0.15, 209],
  [1, 512],
].map(([kv, batch]) => [kv!, batch!, 8, 1, 2]);

type Played = Readonly<Record<string, readonly number[]>>;
interface Peer {
  readonly id: string;
  readonly module: string;
  readonly options: { readonly task?: string };
}
const peers = (JSON.parse(readFileSync(`${root}bench/peers/peers.json`, 'utf8')) as Peer[]).filter(
  ({ options }) => options.task === TASK,
);

/** The reference's figures: means of the observation's fields and statistics, by episode. */
async function playReference(action: readonly number[]): Promise<Played> {
  const env = await makeVec(TASK, { numEnvs: EPISODES, backend: 'reference' });
  const { task, observations } = env;
  const dim = task.observationDim;
  const sums = Array.from({ length: dim }, () => new Array<number>(EPISODES).fill(0));
  env.reset({ seed: 11 });
  env.actions.set(Array.from({ length: EPISODES }, () => action).flat());
  for (let step = 0; step < task.horizonSteps; step++) {
    env.step();
    observations.forEach((value, at) => {
      sums[at % dim]![Math.floor(at / dim)]! += value / task.horizonSteps;
    });
  }
  const observed = task.observationNames.map((name, i) => [name, sums[i]!] as const);
  const numStatistics = task.layout.statistics.length;
  const statistics = task.layout.statistics.map(({ name }, j) => {
    const values = Array.from(
      { length: EPISODES },
      (_, i) => env.finalStatistics[i * numStatistics + j]!,
    );
    return [name, values] as const;
  });
  env.close();
  return Object.fromEntries([...observed, ...statistics]);
}

function playPeer(peer: Peer): Played[] {
  // The SciPy design takes 0.3 s an episode.
  const episodes = peer.module === 'serving_scipy' ? 12 : EPISODES;
  const args = [JSON.stringify(specOf(peer)), String(episodes), ...ACTIONS.map(String)];
  const { status, stdout, stderr } = spawnSync(python, ['play.py', ...args], {
    cwd: `${root}bench/peers`,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Played);
}

function moments(values: readonly number[]) {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n, mean, variance: squares / (n - 1) };
}

/** The differences beyond chance, in words. */
function differences(theirs: Played, ours: Played): string[] {
  return Object.keys(theirs).flatMap((name) => {
    const a = moments(theirs[name]!);
    const b = moments(ours[name]!);
    // Few episodes estimate their own spread badly: the reference's stands for both.
    const error = Math.sqrt(b.variance * (1 / a.n + 1 / b.n));
    const allowed = STANDARD_ERRORS * error + ROUNDING * Math.abs(b.mean);
    const isNear = Math.abs(a.mean - b.mean) <= allowed;
    return isNear ? [] : [`${name}: ${a.mean} instead of ${b.mean} ± ${allowed}`];
  });
}

describe.skipIf(!isReady)('peers of the serving step', async () => {
  const reference = isReady ? await Promise.all(ACTIONS.map(playReference)) : [];

  it.each(peers)('$id plays like the reference', (peer) => {
    const played = playPeer(peer);
    expect(played).toHaveLength(ACTIONS.length);
    for (const [i, theirs] of played.entries()) {
      expect(Object.keys(theirs).length).toBeGreaterThanOrEqual(20);
      expect(differences(theirs, reference[i]!), `action ${ACTIONS[i]}`).toEqual([]);
    }
  });

  it('would notice a per cent', () => {
    const [first] = reference;
    const wrong = { ttft_p50: first!['ttft_p50']!.map((value) => value * 1.01) };
    expect(differences(wrong, first!)).toHaveLength(1);
  });
});
