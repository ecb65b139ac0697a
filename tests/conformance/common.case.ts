/**
 * The cases that every backend must pass for every family: the bytes of the reference, whatever
 * the batch, the actions and the way it was reached; and its refusals. A backend's own file calls
 * `describeConformance` and adds only what is its own; a family is an entry of `FAMILY_CASES`.
 */
import { describe, expect, it } from 'vitest';
import { corePolicyNumber } from '../../src/api/options.js';
import {
  AUTORESETS,
  type Backend,
  type Batch,
  type BatchOptions,
  type Kernel,
} from '../../src/backend.js';
import type { Rng } from '../../src/base/seeding.js';
import { addSeed, makeRng, parseSeed, type Seed } from '../../src/base/seeding.js';
import { channels as channelList, corePolicy } from '../../src/generated/common.js';
import { layouts } from '../../src/generated/index.js';
import { stateFields } from '../../src/program/layout.js';
import { ProgramError, programScalars } from '../../src/program/program.js';
import { createReferenceBatch } from '../../src/reference/families.js';
import { ActionSource } from '../../src/verify/actions.js';
import type { NamedProgram } from '../../src/verify/difference.js';
import { widestKernel } from '../support/backends.js';
import {
  directoryDamages,
  elementDamages,
  headerDamages,
  scalarDamages,
  truncations,
  unsealedDamages,
} from '../support/damage.js';
import { FAMILY_CASES, type FamilyCase, layoutsWithoutCase } from '../support/fuzz-families.js';

// One environment, less than two registers, a chunk and a remainder, a whole block of any kernel,
// and a block with some of the next.
const BATCH_SIZES = [1, 7, 37, 64, 70] as const;
/** Steps of a run: three times the episode of serving's variants. */
const STEPS = 18;

const bytesOf = (view: ArrayBufferView) =>
  Buffer.from(view.buffer, view.byteOffset, view.byteLength);

/** Fails with the first number that differs, where any channel or the state differs. */
function expectSame(actual: Batch, expected: Batch, when: string): void {
  expectSameOutputs(actual, expected, when);
  const sameState = Buffer.from(actual.exportState()).equals(expected.exportState());
  expect(sameState, `${when}: state`).toBe(true);
}

function expectSameOutputs(actual: Batch, expected: Batch, when: string): void {
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
    // A program that is taken must be stepped without a crash, whatever the damage left in it.
    const batch = make();
    batch.reset({ lo: 0, hi: 0 }, false);
    batch.rollout(corePolicy.random, 3);
    batch.close();
  } catch (error) {
    if (error instanceof ProgramError) return `${error.fault} ${error.field}`;
    throw error;
  }
  return 'taken';
}

/** A batch of the backend and one of the reference. */
function pair(
  backend: Backend,
  { program }: NamedProgram,
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

const closeAll = (batches: readonly Batch[]) => forAll(batches, (batch) => batch.close());

const randomSeed = (rng: Rng): Seed => ({ lo: rng.nextUint32(), hi: rng.nextUint32() });

/** The core's random and constant policies and the family's own heuristics. */
function policiesOf({ layout }: NamedProgram): number[] {
  const heuristics = layout.heuristics.map((name) => corePolicyNumber(layout, name));
  return [corePolicy.random, corePolicy.constant, ...heuristics];
}

/** Two steps in three with edge and random actions, the third by a policy of the core, in turn. */
function advance(batches: readonly Batch[], named: NamedProgram, step: number): void {
  const policies = policiesOf(named);
  if (step % 3 === 2) {
    const policy = policies[Math.floor(step / 3) % policies.length]!;
    forAll(batches, (batch) => batch.rollout(policy, 1));
    return;
  }
  const source = new ActionSource(named);
  forAll(batches, (batch) => {
    const { buffer, byteOffset, length } = batch.channels.actions;
    source.write(new Uint32Array(buffer, byteOffset, length), step);
    batch.step();
  });
}

/** Steps both with the same actions and compares everything after each step. */
function stepTogether(rng: Rng, batches: [Batch, Batch], named: NamedProgram, isFrozen: boolean) {
  const seed = randomSeed(rng);
  forAll(batches, (batch) => batch.reset(seed, false));
  expectSame(...batches, 'after the reset');
  for (let step = 1; step <= STEPS; step++) {
    advance(batches, named, step);
    expectSame(...batches, `step ${step}`);
    // Without autoreset an episode that has ended stands still.
    if (isFrozen && step % 7 === 6) forAll(batches, (batch) => batch.reset(null, false));
  }
  closeAll(batches);
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

function describeSteps(family: FamilyCase, load: () => Promise<Backend>): void {
  it.each(Object.entries(family.variants))('stepping, %s', async (label, make) => {
    const backend = await load();
    const rng = makeRng(`${family.name} ${label}`);
    for (const kernel of kernelsOf(backend)) {
      for (const [k, autoreset] of AUTORESETS.entries()) {
        for (const [n, numEnvs] of BATCH_SIZES.entries()) {
          if (n % 3 !== k) continue;
          const named = make(rng);
          const options = { numEnvs, autoreset, kernel, metrics: (k + n) % 4 > 0 };
          stepTogether(rng, pair(backend, named, options), named, autoreset === 'disabled');
        }
      }
    }
  });

  it('stepping any valid program', async () => {
    const backend = await load();
    const rng = makeRng(`any program of ${family.name}`);
    const kernels = kernelsOf(backend);
    for (let k = 0; k < 24; k++) {
      const named = family.program(rng);
      const kernel = kernels[k % kernels.length]!;
      const autoreset = AUTORESETS[k % 3]!;
      const options = { autoreset, kernel, metrics: k % 2 === 0 };
      stepTogether(rng, pair(backend, named, options), named, autoreset === 'disabled');
    }
  });
}

function describeResets(family: FamilyCase, load: () => Promise<Backend>): void {
  it.each(AUTORESETS)(
    'resetting some environments, also without a seed (%s)',
    async (autoreset) => {
      const rng = makeRng(`${family.name} ${autoreset}`);
      const batches = pair(await load(), family.program(rng), { autoreset });
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
      closeAll(batches);
    },
  );

  it.each([0n, 2n ** 32n - 4n, 2n ** 63n, 2n ** 64n - 4n])(
    'with seed %s, environment i being the single one of seed + i',
    async (first) => {
      const backend = await load();
      const named = family.program(makeRng(`${family.name} ${first}`));
      const batches = pair(backend, named);
      const seed = parseSeed(first);
      const run = (batch: Batch, from: Seed) => {
        batch.reset(from, false);
        batch.rollout(corePolicy.random, STEPS);
        return batch;
      };
      forAll(batches, (batch) => run(batch, seed));
      expectSame(...batches, 'the batch');
      for (let i = 0; i < 7; i++) {
        const alone = backend.create(named.program, optionsOf({ numEnvs: 1 }));
        expectColumn(batches[0], i, run(alone, addSeed(seed, i)));
        alone.close();
      }
      closeAll(batches);
    },
  );
}

function describeRollouts(family: FamilyCase, load: () => Promise<Backend>): void {
  it('in a rollout as in single steps, by every policy of the core', async () => {
    const backend = await load();
    const rng = makeRng(`rollout of ${family.name}`);
    for (const make of Object.values(family.variants)) {
      const named = make(rng);
      const [batch, reference] = pair(backend, named);
      const stepped = backend.create(named.program, optionsOf({}));
      forAll([batch, reference, stepped], (b) => b.reset(parseSeed(9), false));
      for (const policy of policiesOf(named)) {
        forAll([batch, reference], (b) => b.rollout(policy, STEPS));
        for (let step = 0; step < STEPS; step++) {
          if (policy === corePolicy.constant) stepped.step();
          else stepped.rollout(policy, 1);
        }
        expectSame(batch, reference, `policy ${policy}`);
        expectSame(stepped, reference, `policy ${policy} in steps`);
      }
      closeAll([batch, reference, stepped]);
    }
  });

  it('across a move of the state in mid-episode, there and back', async () => {
    const backend = await load();
    const rng = makeRng(`state of ${family.name}`);
    for (const make of Object.values(family.variants)) {
      const named = make(rng);
      const [actual, expected] = pair(backend, named);
      const [taker, referenceTaker] = pair(backend, named);
      forAll([actual, expected], (batch) => batch.reset(parseSeed(3), false));
      forAll([actual, expected], (batch) => batch.rollout(corePolicy.random, STEPS / 2));
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
      closeAll(all);
    }
  });

  it.runIf(family.isTotal)('from states that no play would leave', async () => {
    const backend = await load();
    const rng = makeRng(`impossible states of ${family.name}`);
    for (let k = 0; k < 20; k++) {
      const named = family.program(rng);
      const batches = pair(backend, named, { numEnvs: 9 });
      const state = impossibleState(named, batches[1].exportState(), 9, rng);
      forAll(batches, (batch) => {
        batch.reset({ lo: k, hi: 0 }, false);
        batch.importState(state);
      });
      for (let step = 0; step < 12; step++) {
        advance(batches, named, step);
        // State that nothing reads any more, the end of a chain say, may be kept differently.
        expectSameOutputs(...batches, `program ${k}, step ${step}`);
      }
      closeAll(batches);
    }
  });
}

/** Whole numbers anywhere within the bounds that `restore` checks; a step can always follow. */
function impossibleState(
  { layout, program }: NamedProgram,
  like: Uint8Array,
  numEnvs: number,
  rng: Rng,
): Uint8Array {
  const scalars = programScalars(layout, program);
  const scalar = (of: string) => scalars[layout.scalars.findIndex(({ name }) => name === of)]!;
  const words = new Uint32Array(like.length / 4);
  let at = 0;
  for (const { name, dtype, max, length } of stateFields(layout, scalars)) {
    if (dtype !== 'u32') break;
    const most = typeof max === 'number' ? max : scalar(max);
    for (let i = 0; i < length * numEnvs; i++) {
      const isSmall = rng.nextUint32() % 2 === 0;
      const last = isSmall ? Math.min(most, 3) : most;
      const bound = name === 'step' ? scalar('horizon') : last + 1;
      words[at++] = name === 'finished' ? 0 : rng.nextUint32() % bound;
    }
  }
  return new Uint8Array(words.buffer);
}

function describeRefusals(family: FamilyCase, load: () => Promise<Backend>): void {
  const { layout, program: good } = family.small();
  const kinds = {
    'truncated programs': truncations(layout, good),
    'damaged headers': headerDamages(good),
    'scalars that are not finite or out of range': scalarDamages(layout, good),
    'tables in the wrong place or of the wrong length': directoryDamages(layout, good),
    'elements that are not finite or out of range': elementDamages(layout, good),
    'programs that only the checksum betrays': unsealedDamages(layout, good),
  };

  it.each(Object.entries(kinds))('%s', async (_, damages) => {
    const backend = await load();
    let refused = 0;
    for (const make of damages) {
      const { name, program } = make();
      const wanted = refusal(() => createReferenceBatch(program, optionsOf({ numEnvs: 1 })));
      const found = refusal(() => backend.create(program, optionsOf({ numEnvs: 1 })));
      expect(found, name).toBe(wanted);
      refused += wanted === 'taken' ? 0 : 1;
    }
    expect(refused).toBeGreaterThan(0);
  });
}

function describeMemory(load: () => Promise<Backend>): void {
  const named = FAMILY_CASES[0]!.program(makeRng('memory'));

  it('keeps a batch and its arrays while others come and go', async () => {
    const backend = await load();
    const [actual, expected] = pair(backend, named);
    const { observations } = actual.channels;
    const other = backend.create(named.program, optionsOf({ numEnvs: 5000 }));
    forAll([actual, expected, other], (batch) => batch.reset(parseSeed(1), false));
    other.close();
    forAll([actual, expected], (batch) => batch.rollout(corePolicy.random, 3));
    expect(observations).toBe(actual.channels.observations);
    expectSame(actual, expected, 'beside another batch');
  });

  it('places every array on a boundary of its element', async () => {
    const batch = (await load()).create(named.program, optionsOf({ numEnvs: 3 }));
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
  it('has a case for every family', () => expect(layoutsWithoutCase(layouts)).toEqual([]));
  describe.each(FAMILY_CASES)(`${name}, $name`, (family) => {
    describe('gives the bits of the reference', () => {
      describeSteps(family, load);
      describeResets(family, load);
      describeRollouts(family, load);
    });
    describe('refuses what the reference refuses', () => describeRefusals(family, load));
  });
  describe(`${name} and memory`, () => describeMemory(load));
}
