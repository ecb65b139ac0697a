/** Provisioning on every backend against the reference, over random valid configurations. */
import { describe, expect, it } from 'vitest';
import type { Backend, Batch, BatchOptions } from '../../src/backend.js';
import { loadAssemblyScript } from '../../src/backends/assemblyscript.js';
import { loadNative } from '../../src/backends/native.js';
import { loadWasm } from '../../src/backends/wasm.js';
import type { Rng } from '../../src/base/seeding.js';
import { makeRng } from '../../src/base/seeding.js';
import { channels as channelList } from '../../src/generated/common.js';
import { provisioningLayout } from '../../src/generated/provisioning.js';
import { ProgramError } from '../../src/program/program.js';
import { createReferenceBatch } from '../../src/reference/families.js';
import { whenAvailable, widestKernel } from '../support/backends.js';
import {
  directoryDamages,
  elementDamages,
  headerDamages,
  scalarDamages,
  truncations,
} from '../support/damage.js';
import { provisioning, randomProvisioningConfig } from '../support/provisioning.js';

const EDGES = [0, 1, -1, 16, -16, 17, -17, 64, -64, 2 ** 31 - 1, -(2 ** 31)];
const STEPS = 40;

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
  const config = randomProvisioningConfig(rng);
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

/** Programs that are damaged at one place, whole ones that only the checks of content betray. */
const damages = (good: Uint8Array) => [
  ...truncations(provisioningLayout, good),
  ...headerDamages(good),
  ...scalarDamages(provisioningLayout, good),
  ...directoryDamages(provisioningLayout, good),
  ...elementDamages(provisioningLayout, good),
];

/** How a backend refuses a program, as `fault field`, or `taken`. */
function refusal(
  create: (program: Uint8Array, options: BatchOptions) => Batch,
  program: Uint8Array,
) {
  const options = { autoreset: 'disabled', threads: 1, metrics: false, kernel: 'auto' } as const;
  try {
    create(program, { ...options, numEnvs: 1 }).close();
    return 'taken';
  } catch (error) {
    if (error instanceof ProgramError) return `${error.fault} ${error.field}`;
    throw error;
  }
}

const loaders = { native: loadNative, wasm: loadWasm, assemblyscript: loadAssemblyScript };

for (const [name, load] of Object.entries(loaders)) {
  await whenAvailable(name, load, () => {
    describe(`${name} steps provisioning as the reference does`, () => {
      it.each(['scalar', 'widest'] as const)('kernel %s', async (which) => {
        const backend = await load();
        const kernel = which === 'widest' ? widestKernel(backend) : which;
        const rng = makeRng('provisioning');
        for (let k = 0; k < 24; k++) {
          const autoreset = (['next-step', 'same-step', 'disabled'] as const)[k % 3]!;
          const numEnvs = [1, 7, 64, 70][k % 4]!;
          compare(backend, rng, { numEnvs, autoreset, threads: 1, metrics: k % 5 > 0, kernel });
        }
      });

      it('refusing the same damaged programs', async () => {
        const backend = await load();
        let numRefused = 0;
        for (const make of damages(provisioning('hard').program)) {
          const { name: damage, program } = make();
          const wanted = refusal(createReferenceBatch, program);
          expect(refusal(backend.create.bind(backend), program), damage).toBe(wanted);
          numRefused += wanted === 'taken' ? 0 : 1;
        }
        expect(numRefused).toBeGreaterThan(50);
      });
    });
  });
}
