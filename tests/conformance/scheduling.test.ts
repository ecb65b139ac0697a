/** Scheduling on every backend against the reference, over random valid configurations. */
import { describe, expect, it } from 'vitest';
import type { Backend, Batch, BatchOptions } from '../../src/backend.js';
import { loadAssemblyScript } from '../../src/backends/assemblyscript.js';
import { loadNative } from '../../src/backends/native.js';
import { loadWasm } from '../../src/backends/wasm.js';
import type { Rng } from '../../src/base/seeding.js';
import { makeRng } from '../../src/base/seeding.js';
import type { CompiledTask } from '../../src/envs/family.js';
import { channels as channelList, corePolicy } from '../../src/generated/common.js';
import { stateSlots } from '../../src/program/layout.js';
import { programScalars } from '../../src/program/program.js';
import { createReferenceBatch } from '../../src/reference/families.js';
import { whenAvailable, widestKernel } from '../support/backends.js';
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

/** State as no play would leave it, yet within the bounds that `restore` checks. */
function impossibleState(task: CompiledTask, numEnvs: number, rng: Rng): Uint8Array {
  const { layout, program } = task;
  const scalars = programScalars(layout, program);
  const slots = stateSlots(layout, scalars);
  const numWords = slots.filter(({ dtype }) => dtype === 'u32').length;
  const state = new Uint8Array(numEnvs * (8 * slots.length - 4 * numWords));
  const words = new Uint32Array(state.buffer, 0, numEnvs * numWords);
  slots.slice(0, numWords).forEach(({ name, max }, slot) => {
    const named = layout.scalars.findIndex((scalar) => scalar.name === max);
    const most = typeof max === 'number' ? max : scalars[named]!;
    for (let i = 0; i < numEnvs; i++) {
      const isSmall = rng.nextUint32() % 2 === 0;
      const bound = name === 'step' ? task.horizonSteps : (isSmall ? Math.min(most, 3) : most) + 1;
      words[slot * numEnvs + i] = name === 'finished' ? 0 : rng.nextUint32() % bound;
    }
  });
  return state;
}

/** Nothing in a restored state may lead out of a table or into an endless chain. */
function compareFromImpossibleStates(backend: Backend, rng: Rng): void {
  const numEnvs = 9;
  const options = { numEnvs, autoreset: 'next-step', threads: 1, metrics: true } as const;
  for (let k = 0; k < 20; k++) {
    const config = { ...randomSchedulingConfig(rng), episode_length: 30 };
    const task = scheduling('sleep-aware', config);
    const state = impossibleState(task, numEnvs, rng);
    const batches = [
      backend.create(task.program, { ...options, kernel: widestKernel(backend) }),
      createReferenceBatch(task.program, { ...options, kernel: 'auto' }),
    ];
    for (const batch of batches) {
      batch.reset({ lo: k, hi: 0 }, false);
      batch.importState(state);
    }
    for (let step = 0; step < 12; step++) {
      advance(batches, rng, step);
      expectSame(batches[0]!, batches[1]!, `${JSON.stringify(config)} step ${step}`);
    }
    for (const batch of batches) batch.close();
  }
}

const loaders = { native: loadNative, wasm: loadWasm, assemblyscript: loadAssemblyScript };

for (const [name, load] of Object.entries(loaders)) {
  await whenAvailable(name, load, () => {
    describe(`${name} steps scheduling as the reference does`, () => {
      it('from states that no play would leave', async () => {
        compareFromImpossibleStates(await load(), makeRng('impossible'));
      });

      it.each(['scalar', 'widest'] as const)('kernel %s', async (which) => {
        const backend = await load();
        const kernel = which === 'widest' ? widestKernel(backend) : which;
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
