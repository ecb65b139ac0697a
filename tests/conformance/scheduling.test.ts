/** Scheduling on every backend against the reference, over random valid configurations. */
import { describe, expect, it } from 'vitest';
import type { Backend, Batch, BatchOptions } from '../../src/backend.js';
import { loadAssemblyScript } from '../../src/backends/assemblyscript.js';
import { loadNative } from '../../src/backends/native.js';
import { loadWasm } from '../../src/backends/wasm.js';
import { channels as channelList, corePolicy } from '../../src/generated/common.js';
import { createReferenceBatch } from '../../src/reference/families.js';
import { makeRng } from '../../src/seeding.js';
import type { Rng } from '../../src/spaces.js';
import { whenAvailable } from '../support/backends.js';
import { randomSchedulingConfig, scheduling } from '../support/scheduling.js';

const EDGES = [0, 1, -1, 15, 75, 76, 2 ** 31 - 1, -(2 ** 31)];
/** The core's random policy, then the six heuristics. */
const POLICIES = [corePolicy.random, 16, 17, 18, 19, 20, 21];
const STEPS = 40;

const bytesOf = (view: ArrayBufferView) =>
  Buffer.from(view.buffer, view.byteOffset, view.byteLength);

function expectSame(actual: Batch, expected: Batch, when: string): void {
  for (const { name } of channelList) {
    const isSame = bytesOf(actual.channels[name]).equals(bytesOf(expected.channels[name]));
    expect(isSame, `${when}: ${name}`).toBe(true);
  }
  expect(actual.episodes(), `${when}: episodes`).toBe(expected.episodes());
}

/** Edge and random actions, then the policies of the core, by turns. */
function advance(batches: readonly Batch[], rng: Rng, step: number): void {
  if (step % 3 > 0) {
    const policy = POLICIES[rng.nextUint32() % POLICIES.length]!;
    for (const batch of batches) batch.rollout(policy, 1);
    return;
  }
  const chosen = Uint32Array.from(batches[0]!.channels.actions, () => {
    const nth = rng.nextUint32();
    return nth % 3 === 0 ? EDGES[(nth >>> 8) % EDGES.length]! : (nth >>> 8) % 300;
  });
  for (const batch of batches) {
    batch.channels.actions.set(chosen);
    batch.step();
  }
}

function compare(backend: Backend, rng: Rng, options: BatchOptions): void {
  const config = randomSchedulingConfig(rng);
  const { program } = scheduling('base', config);
  const batches = [backend.create(program, options), createReferenceBatch(program, options)];
  const seed = { lo: rng.nextUint32(), hi: rng.nextUint32() };
  for (const batch of batches) batch.reset(seed, false);
  for (let step = 0; step < STEPS; step++) {
    expectSame(batches[0]!, batches[1]!, `${JSON.stringify({ config, options })} step ${step}`);
    advance(batches, rng, step);
    if (step === STEPS / 2) {
      // Each goes on from the other's state: what is exported is all there is.
      const [own, other] = batches.map((batch) => batch.exportState());
      expect(bytesOf(own!).equals(other!), `${JSON.stringify(config)}: state`).toBe(true);
      batches[0]!.importState(other!);
      batches[1]!.importState(own!);
    }
    if (options.autoreset !== 'disabled' || step % 13 !== 12) continue;
    for (const batch of batches) batch.reset(null, false);
  }
  for (const batch of batches) batch.close();
}

const loaders = { native: loadNative, wasm: loadWasm, assemblyscript: loadAssemblyScript };

for (const [name, load] of Object.entries(loaders)) {
  await whenAvailable(name, load, () => {
    describe(`${name} steps scheduling as the reference does`, () => {
      it.each(['scalar', 'auto'] as const)('kernel %s', async (kernel) => {
        const backend = await load();
        const rng = makeRng('scheduling');
        for (let k = 0; k < 12; k++) {
          const autoreset = (['next-step', 'same-step', 'disabled'] as const)[k % 3]!;
          const numEnvs = [1, 7, 64, 70][k % 4]!;
          compare(backend, rng, { numEnvs, autoreset, threads: 1, metrics: k % 5 > 0, kernel });
        }
      });
    });
  });
}
