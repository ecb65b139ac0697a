/**
 * The cases that every backend must pass: the bytes of the reference, whatever the batch, the
 * actions and the way it was reached; and its refusals. A backend's own file calls
 * `describeConformance` and adds only what is its own.
 */
import { describe, expect, it } from 'vitest';
import type { Autoreset, Backend, Batch, BatchOptions, Kernel } from '../../src/backend.js';
import type { Rng } from '../../src/base/seeding.js';
import { addSeed, makeRng, parseSeed, type Seed } from '../../src/base/seeding.js';
import { channels as channelList, corePolicy } from '../../src/generated/common.js';
import { actionMode, dynamics, servingLayout } from '../../src/generated/serving.js';
import { ProgramError } from '../../src/program/program.js';
import { createReferenceBatch } from '../../src/reference/families.js';
import { widestKernel } from '../support/backends.js';
import {
  directoryDamages,
  elementDamages,
  headerDamages,
  scalarDamages,
  truncations,
  unsealedDamages,
} from '../support/damage.js';
import { randomServingProgram, SERVING_VARIANTS } from '../support/programs.js';

const AUTORESETS: readonly Autoreset[] = ['next-step', 'same-step', 'disabled'];
// One environment, less than two registers, a chunk and a remainder, a whole block of any kernel.
const BATCH_SIZES = [1, 7, 37, 64] as const;
const HORIZON = 6;
const STEPS = 3 * HORIZON;

const EDGE_NUMBERS = [
  ...[Number.NaN, Infinity, -Infinity, -0, 0, 1e-45, 3.4e38, -3.4e38, 2 ** 31, -(2 ** 31)],
  ...[0.1, 0.09999999, 1, 0.99999994, -1, 1.5, 2, 4, 8, 7.9999995, 512, 511.99997, 513],
];
const EDGE_INDICES = [0, 1, -1, 59, 60, 2 ** 31 - 1, -(2 ** 31)];

/** Random numbers, every third of them an edge case. */
function writeActions(rng: Rng, batch: Batch, isIndex: boolean): void {
  const { actions } = batch.channels;
  const real = new Float32Array(actions.buffer, actions.byteOffset, actions.length);
  const index = new Int32Array(actions.buffer, actions.byteOffset, actions.length);
  for (let i = 0; i < actions.length; i++) {
    const isEdge = rng.nextFloat() < 0.33;
    const nth = rng.nextUint32();
    if (isIndex) index[i] = isEdge ? EDGE_INDICES[nth % EDGE_INDICES.length]! : nth % 60;
    else if (isEdge) real[i] = EDGE_NUMBERS[nth % EDGE_NUMBERS.length]!;
    else real[i] = (rng.nextFloat() * 2.4 - 1.2) * (nth % 2 === 0 ? 1 : 300);
  }
}

const bytesOf = (view: ArrayBufferView) =>
  Buffer.from(view.buffer, view.byteOffset, view.byteLength);

/** Fails with the first number that differs, where any channel or the state differs. */
function expectSame(actual: Batch, expected: Batch, when: string): void {
  for (const { name } of channelList) {
    const mine = actual.channels[name];
    const wanted = expected.channels[name];
    if (bytesOf(mine).equals(bytesOf(wanted))) continue;
    expect(mine.length, `${when}: length of ${name}`).toBe(wanted.length);
    const at = mine.findIndex((value, i) => !Object.is(value, wanted[i]));
    expect(mine[at], `${when}: ${name}[${at}]`).toBe(wanted[at]);
    expect.fail(`${when}: ${name} differs in the bits of a NaN`);
  }
  expect(actual.episodes(), `${when}: episodes`).toBe(expected.episodes());
  const sameState = Buffer.from(actual.exportState()).equals(expected.exportState());
  expect(sameState, `${when}: state`).toBe(true);
}

const optionsOf = (options: Partial<BatchOptions>): BatchOptions => ({
  numEnvs: 7,
  autoreset: 'next-step',
  threads: 1,
  metrics: true,
  kernel: 'auto',
  ...options,
});

/** The error with which a program is refused, as `fault field`. */
function refusal(make: () => Batch): string {
  try {
    make().close();
  } catch (error) {
    if (error instanceof ProgramError) return `${error.fault} ${error.field}`;
    throw error;
  }
  return 'taken';
}

/** A batch of the backend and one of the reference. */
function pair(
  backend: Backend,
  program: Uint8Array,
  options: Partial<BatchOptions> = {},
): [Batch, Batch] {
  return [
    backend.create(program, optionsOf({ kernel: widestKernel(backend), ...options })),
    createReferenceBatch(program, optionsOf({ ...options, kernel: 'auto' })),
  ];
}

function forAll(batches: readonly Batch[], act: (batch: Batch) => void): void {
  for (const batch of batches) act(batch);
}

/** Steps both with the same actions and compares everything after each step. */
function stepTogether(rng: Rng, actual: Batch, expected: Batch, isIndex: boolean): void {
  const seed = { lo: rng.nextUint32(), hi: rng.nextUint32() };
  forAll([actual, expected], (batch) => batch.reset(seed, false));
  expectSame(actual, expected, 'after the reset');
  for (let step = 1; step <= STEPS; step++) {
    writeActions(rng, actual, isIndex);
    expected.channels.actions.set(actual.channels.actions);
    forAll([actual, expected], (batch) => batch.step());
    expectSame(actual, expected, `step ${step}`);
  }
}

/** Fails where environment i of a batch is not the single environment of seed + i. */
function expectColumn(batch: Batch, i: number, single: Batch): void {
  for (const { name } of channelList) {
    const width = single.channels[name].length;
    const row = batch.channels[name].subarray(i * width, (i + 1) * width);
    const isSame = bytesOf(row).equals(bytesOf(single.channels[name]));
    expect(isSame, `environment ${i}: ${name}`).toBe(true);
  }
}

/** The oracle and the kernel of large batches, which may be one; verify and fuzz try them all. */
const kernelsOf = (backend: Backend): Kernel[] => [
  ...new Set([backend.kernels[0]!, widestKernel(backend)]),
];

function describeSteps(load: () => Promise<Backend>): void {
  it.each(SERVING_VARIANTS)('stepping serving, %o', async (variant) => {
    const backend = await load();
    const rng = makeRng(`${variant.dynamics} ${variant.promptKind}`);
    for (const kernel of kernelsOf(backend)) {
      for (const [k, autoreset] of AUTORESETS.entries()) {
        for (const mode of Object.values(actionMode)) {
          const fixed = { ...variant, horizon: HORIZON, actionMode: mode };
          const program = randomServingProgram(rng, fixed);
          const numEnvs = BATCH_SIZES[(3 * k + mode) % 4]!;
          const options = { numEnvs, autoreset, kernel, metrics: (k + mode) % 2 === 0 };
          const [actual, expected] = pair(backend, program, options);
          stepTogether(rng, actual, expected, mode === actionMode.discrete);
        }
      }
    }
  });

  it('stepping any valid program', async () => {
    const backend = await load();
    const rng = makeRng('any program');
    for (let k = 0; k < 40; k++) {
      const program = randomServingProgram(rng);
      const kernels = kernelsOf(backend);
      const kernel = kernels[k % kernels.length]!;
      const options = { autoreset: AUTORESETS[k % 3]!, kernel, metrics: k % 2 === 0 };
      const [actual, expected] = pair(backend, program, options);
      stepTogether(rng, actual, expected, actual.channels.actions.length === 7);
    }
  });
}

function describeResets(load: () => Promise<Backend>): void {
  it.each(AUTORESETS)(
    'resetting some environments, also without a seed (%s)',
    async (autoreset) => {
      const rng = makeRng(autoreset);
      const program = randomServingProgram(rng, { horizon: HORIZON });
      const batches = pair(await load(), program, { autoreset });
      forAll(batches, (batch) => batch.reset(parseSeed(5), false));
      for (let step = 1; step <= STEPS; step++) {
        const mask = Array.from({ length: 7 }, () => rng.nextUint32() % 2);
        const seed = step % 2 === 0 ? null : { lo: rng.nextUint32(), hi: 1 };
        forAll(batches, (batch) => {
          batch.channels.resetMask.set(mask);
          batch.rollout(corePolicy.random, 2);
          batch.reset(seed, true);
        });
        expectSame(...batches, `reset ${step}`);
      }
      forAll(batches, (batch) => batch.reset(null, false));
      expectSame(...batches, 'unseeded reset');
    },
  );

  it.each([...[0n, 2n ** 32n - 1n, 2n ** 32n - 4n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n - 4n]])(
    'with seed %s, environment i being the single one of seed + i',
    async (first) => {
      const backend = await load();
      const program = randomServingProgram(makeRng(first), { horizon: HORIZON });
      const batches = pair(backend, program);
      const seed = parseSeed(first);
      const run = (batch: Batch, from: Seed) => {
        batch.reset(from, false);
        batch.rollout(corePolicy.random, STEPS);
        return batch;
      };
      forAll(batches, (batch) => run(batch, seed));
      expectSame(...batches, 'the batch');
      for (let i = 0; i < 7; i++) {
        const single = run(backend.create(program, optionsOf({ numEnvs: 1 })), addSeed(seed, i));
        expectColumn(batches[0], i, single);
      }
    },
  );
}

function describeRollouts(load: () => Promise<Backend>): void {
  it('in a rollout as in single steps', async () => {
    const backend = await load();
    const rng = makeRng('rollout');
    for (const fixed of [...SERVING_VARIANTS, { actionMode: actionMode.discrete }]) {
      const program = randomServingProgram(rng, { ...fixed, horizon: HORIZON });
      const [batch, reference] = pair(backend, program);
      const stepped = backend.create(program, optionsOf({}));
      forAll([batch, reference, stepped], (b) => b.reset(parseSeed(9), false));
      for (const policy of [corePolicy.random, corePolicy.constant]) {
        forAll([batch, reference], (b) => b.rollout(policy, STEPS));
        for (let step = 0; step < STEPS; step++) {
          if (policy === corePolicy.constant) stepped.step();
          else stepped.rollout(policy, 1);
        }
        expectSame(batch, reference, `policy ${policy}`);
        expectSame(stepped, reference, `policy ${policy} in steps`);
      }
    }
  });

  it('across a move of the state in mid-episode, there and back', async () => {
    const backend = await load();
    const rng = makeRng('state');
    for (const variant of SERVING_VARIANTS) {
      const program = randomServingProgram(rng, { ...variant, horizon: HORIZON });
      const [actual, expected] = pair(backend, program);
      const [taker, referenceTaker] = pair(backend, program);
      forAll([actual, expected], (batch) => batch.reset(parseSeed(3), false));
      forAll([actual, expected], (batch) => batch.rollout(corePolicy.random, HORIZON + 3));
      taker.importState(expected.exportState());
      referenceTaker.importState(actual.exportState());
      const all = [actual, expected, taker, referenceTaker];
      for (let step = 1; step <= STEPS; step++) {
        forAll(all, (batch) => batch.rollout(corePolicy.random, 1));
        for (const name of ['observations', 'rewards', 'truncated', 'metrics'] as const) {
          const wanted = bytesOf(expected.channels[name]);
          forAll(all, (batch) => {
            expect(bytesOf(batch.channels[name]).equals(wanted), `${name}, ${step}`).toBe(true);
          });
        }
      }
      forAll(all, (batch) => expect(batch.exportState()).toEqual(expected.exportState()));
    }
  });
}

function describeRefusals(load: () => Promise<Backend>): void {
  const small = { numBatch: 2, numKv: 2, numPrompt: 2, numSpec: 1, numQuant: 2, horizon: 3 };
  const good = randomServingProgram(makeRng('damage'), small);
  const kinds = {
    'truncated programs': truncations(servingLayout, good),
    'damaged headers': headerDamages(good),
    'scalars that are not finite or out of range': scalarDamages(servingLayout, good),
    'tables in the wrong place or of the wrong length': directoryDamages(servingLayout, good),
    'elements that are not finite or out of range': elementDamages(servingLayout, good),
    'programs that only the checksum betrays': unsealedDamages(servingLayout, good),
  };

  it.each(Object.entries(kinds))('%s', async (_, damages) => {
    const backend = await load();
    let refused = 0;
    for (const make of damages) {
      const { name, program } = make();
      const wanted = refusal(() => createReferenceBatch(program, optionsOf({})));
      const found = refusal(() => backend.create(program, optionsOf({ numEnvs: 1 })));
      expect(found, name).toBe(wanted);
      refused += wanted === 'taken' ? 0 : 1;
    }
    expect(refused).toBeGreaterThan(0);
  });
}

function describeMemory(load: () => Promise<Backend>): void {
  const program = randomServingProgram(makeRng('memory'), { dynamics: dynamics.origin });

  it('keeps a batch and its arrays while others come and go', async () => {
    const backend = await load();
    const [actual, expected] = pair(backend, program);
    const { observations } = actual.channels;
    const other = backend.create(program, optionsOf({ numEnvs: 5000 }));
    forAll([actual, expected, other], (batch) => batch.reset(parseSeed(1), false));
    other.close();
    forAll([actual, expected], (batch) => batch.rollout(corePolicy.random, 3));
    expect(observations).toBe(actual.channels.observations);
    expectSame(actual, expected, 'beside another batch');
  });

  it('places every array on a boundary of its element', async () => {
    const batch = (await load()).create(program, optionsOf({ numEnvs: 3 }));
    for (const { name } of channelList) {
      const { byteOffset, BYTES_PER_ELEMENT } = batch.channels[name];
      expect(byteOffset % BYTES_PER_ELEMENT, name).toBe(0);
    }
  });
}

/**
 * Declares the cases for a backend.
 *
 * @param load makes the backend; a test that cannot have it fails
 */
export function describeConformance(name: string, load: () => Promise<Backend>): void {
  describe(`${name} gives the bits of the reference`, () => {
    describeSteps(load);
    describeResets(load);
    describeRollouts(load);
  });
  describe(`${name} refuses what the reference refuses`, () => describeRefusals(load));
  describe(`${name} and memory`, () => describeMemory(load));
}
