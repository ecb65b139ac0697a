/** Provisioning on every backend against the reference, over random valid configurations. */
import { describe, expect, it } from 'vitest';
import type { Backend, Batch, BatchOptions } from '../../src/backend.js';
import { loadAssemblyScript } from '../../src/backends/assemblyscript.js';
import { loadNative } from '../../src/backends/native.js';
import { loadWasm } from '../../src/backends/wasm.js';
import type { JsonObject } from '../../src/envs/family.js';
import { channels as channelList } from '../../src/generated/common.js';
import { createReferenceBatch } from '../../src/reference/families.js';
import { makeRng } from '../../src/seeding.js';
import type { Rng } from '../../src/spaces.js';
import { whenAvailable } from '../support/backends.js';
import { provisioning } from '../support/provisioning.js';

const EDGES = [0, 1, -1, 16, -16, 17, -17, 64, -64, 2 ** 31 - 1, -(2 ** 31)];
const STEPS = 40;

function randomConfig(rng: Rng): JsonObject {
  const below = (n: number) => rng.nextUint32() % n;
  const max_gpus = 1 + below(100);
  return {
    max_steps: 1 + below(25),
    boot_delay: below(9),
    budget_usd: 1 + 3000 * rng.nextFloat(),
    start_gpus: below(max_gpus + 1),
    max_gpus,
    max_change: 1 + below(20),
    job_value_usd: 6.01 + rng.nextFloat(),
    gpu_cost_usd: 4 * rng.nextFloat(),
    wait_cost_usd: 2 * rng.nextFloat(),
    arrival_rate: rng.nextFloat() * (below(4) === 0 ? 200 : 10),
    arrival_swing: below(2) * rng.nextFloat(),
    swing_period: 2 + below(30),
    surge_rate: below(2) === 0 ? null : 30 * rng.nextFloat(),
    surge_enter_probability: [0, 1, rng.nextFloat()][below(3)]!,
    surge_leave_probability: [0, 1, rng.nextFloat()][below(3)]!,
    normalize_observation: below(2) === 0,
  };
}

const bytesOf = (view: ArrayBufferView) =>
  Buffer.from(view.buffer, view.byteOffset, view.byteLength);

function expectSame(actual: Batch, expected: Batch, when: string): void {
  for (const { name } of channelList) {
    const isSame = bytesOf(actual.channels[name]).equals(bytesOf(expected.channels[name]));
    expect(isSame, `${when}: ${name}`).toBe(true);
  }
  expect(bytesOf(actual.exportState()).equals(expected.exportState()), `${when}: state`).toBe(true);
  expect(actual.episodes(), `${when}: episodes`).toBe(expected.episodes());
}

/** Edge and random actions, the core's random policy and the family's own two, by turns. */
function advance(batches: readonly Batch[], rng: Rng, step: number): void {
  const policy = [null, 1, 16, 17][step % 4]!;
  if (policy !== null) {
    for (const batch of batches) batch.rollout(policy, 1);
    return;
  }
  const chosen = Int32Array.from(batches[0]!.channels.actions, () => {
    const nth = rng.nextUint32();
    return nth % 3 === 0 ? EDGES[(nth >>> 8) % EDGES.length]! : ((nth >>> 8) % 41) - 20;
  });
  for (const batch of batches) {
    batch.channels.actions.set(chosen);
    batch.step();
  }
}

function compare(backend: Backend, rng: Rng, options: BatchOptions): void {
  const config = randomConfig(rng);
  const { program } = provisioning('easy', config);
  const batches = [backend.create(program, options), createReferenceBatch(program, options)];
  const seed = { lo: rng.nextUint32(), hi: rng.nextUint32() };
  for (const batch of batches) batch.reset(seed, false);
  for (let step = 0; step < STEPS; step++) {
    const where = `${JSON.stringify({ config, options })} after step ${step}`;
    expectSame(batches[0]!, batches[1]!, where);
    advance(batches, rng, step);
    if (options.autoreset !== 'disabled' || step % 13 !== 12) continue;
    for (const batch of batches) batch.reset(null, false);
  }
  for (const batch of batches) batch.close();
}

const loaders = { native: loadNative, wasm: loadWasm, assemblyscript: loadAssemblyScript };

for (const [name, load] of Object.entries(loaders)) {
  await whenAvailable(name, load, () => {
    describe(`${name} steps provisioning as the reference does`, () => {
      it.each(['scalar', 'auto'] as const)('kernel %s', async (kernel) => {
        const backend = await load();
        const rng = makeRng('provisioning');
        for (let k = 0; k < 24; k++) {
          const autoreset = (['next-step', 'same-step', 'disabled'] as const)[k % 3]!;
          const numEnvs = [1, 7, 64, 70][k % 4]!;
          compare(backend, rng, { numEnvs, autoreset, threads: 1, metrics: k % 5 > 0, kernel });
        }
      });
    });
  });
}
