/** Autoscaling on every backend against the reference, over random valid configurations. */
import { describe, expect, it } from 'vitest';
import type { Backend, Batch, BatchOptions } from '../../src/backend.js';
import { loadAssemblyScript } from '../../src/backends/assemblyscript.js';
import { loadNative } from '../../src/backends/native.js';
import { loadReference } from '../../src/backends/reference.js';
import { loadWasm } from '../../src/backends/wasm.js';
import type { Rng } from '../../src/base/seeding.js';
import { makeRng } from '../../src/base/seeding.js';
import { autoscalingLayout } from '../../src/generated/autoscaling.js';
import { channels as channelList } from '../../src/generated/common.js';
import { ProgramError } from '../../src/program/program.js';
import { createReferenceBatch } from '../../src/reference/families.js';
import { autoscaling, randomAutoscalingConfig } from '../support/autoscaling.js';
import { whenAvailable, widestKernel } from '../support/backends.js';
import { directoryDamages, elementDamages, scalarDamages, truncations } from '../support/damage.js';

const EDGES = [0, 1, -1, 2, 3, 6, 7, 64, 2 ** 31 - 1, -(2 ** 31)];
const STEPS = 48;

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

/** Edge and random actions, the core's random policy and the family's own four, by turns. */
function advance(batches: readonly Batch[], rng: Rng, step: number): void {
  const policy = [null, 1, 16, 17, 17, 18, 19][step % 7];
  if (policy !== null) {
    for (const batch of batches) batch.rollout(policy, 1);
    return;
  }
  const chosen = Int32Array.from(batches[0].channels.actions, () => {
    const nth = rng.nextUint32();
    return nth % 3 === 0 ? EDGES[(nth >>> 8) % EDGES.length] : (nth >>> 8) % 7;
  });
  for (const batch of batches) {
    batch.channels.actions.set(chosen);
    batch.step();
  }
}

function compare(backend: Backend, rng: Rng, options: BatchOptions, isPlain: boolean): void {
  const config = randomAutoscalingConfig(rng, isPlain);
  const { program } = autoscaling('medium', config);
  const batches = [backend.create(program, options), createReferenceBatch(program, options)];
  const seed = { lo: rng.nextUint32(), hi: rng.nextUint32() };
  for (const batch of batches) batch.reset(seed, false);
  for (let step = 0; step < STEPS; step++) {
    const where = `${JSON.stringify({ config, options })} after step ${step}`;
    expectSame(batches[0], batches[1], where);
    advance(batches, rng, step);
    if (options.autoreset !== 'disabled' || step % 13 !== 12) continue;
    for (const batch of batches) batch.reset(null, false);
  }
  for (const batch of batches) batch.close();
}

/** Programs that are damaged at one place, whole ones that only the checks of content betray. */
const damages = (good: Uint8Array) => [
  ...truncations(autoscalingLayout, good),
  ...scalarDamages(autoscalingLayout, good),
  ...directoryDamages(autoscalingLayout, good),
  ...elementDamages(autoscalingLayout, good),
];

/** The fault with which a program is refused. */
function refusal(backend: Backend, program: Uint8Array): string {
  const options = { numEnvs: 1, autoreset: 'next-step', threads: 1, metrics: true } as const;
  try {
    const batch = backend.create(program, { ...options, kernel: 'auto' });
    batch.reset({ lo: 0, hi: 0 }, false);
    batch.rollout(1, 3);
    batch.close();
  } catch (error) {
    if (error instanceof ProgramError) return `${error.fault} ${error.field}`;
    throw error;
  }
  return 'taken';
}

const loaders = { native: loadNative, wasm: loadWasm, assemblyscript: loadAssemblyScript };

for (const [name, load] of Object.entries(loaders)) {
  await whenAvailable(name, load, () => {
    describe(`${name} steps autoscaling as the reference does`, () => {
      it.each(['scalar', 'widest'] as const)('kernel %s', async (which) => {
        const backend = await load();
        const kernel = which === 'widest' ? widestKernel(backend) : which;
        const rng = makeRng('autoscaling');
        for (let k = 0; k < 24; k++) {
          const autoreset = (['next-step', 'same-step', 'disabled'] as const)[k % 3];
          const numEnvs = [1, 7, 64, 70][k % 4];
          const options = { numEnvs, autoreset, threads: 1, metrics: k % 5 > 0, kernel } as const;
          compare(backend, rng, options, k % 2 === 0);
        }
      });

      it('and refuses what it refuses, and steps what it takes', async () => {
        const [backend, reference] = [await load(), await loadReference()];
        const config = { cold_start_steps: 2, max_steps: 3 };
        for (const make of damages(autoscaling('fleet', config).program)) {
          const { name: damage, program } = make();
          expect(refusal(backend, program), damage).toBe(refusal(reference, program));
        }
      });
    });
  });
}
