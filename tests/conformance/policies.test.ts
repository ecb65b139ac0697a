/**
 * Linear and tabular policies, and recorded rollouts, on every backend, kernel and thread count:
 * the bits of the reference, over random programs of every family.
 */
import { describe, expect, it } from 'vitest';
import { recordBySteps } from '../../src/api/record.js';
import {
  type Autoreset,
  type Backend,
  type Batch,
  type BatchOptions,
  RECORDED,
  type Recording,
} from '../../src/backend.js';
import { loadAssemblyScript } from '../../src/backends/assemblyscript.js';
import { loadNative } from '../../src/backends/native.js';
import { loadReference } from '../../src/backends/reference.js';
import { loadWasm } from '../../src/backends/wasm.js';
import type { Rng } from '../../src/base/seeding.js';
import { makeRng } from '../../src/base/seeding.js';
import {
  actionKind,
  channels as channelList,
  corePolicy,
  FIRST_HEURISTIC,
  POLICY_WORDS_MAX,
} from '../../src/generated/common.js';
import { decodeProgram } from '../../src/program/program.js';
import type { CommonProgram } from '../../src/reference/batch.js';
import { createReferenceBatch } from '../../src/reference/families.js';
import type { NamedProgram } from '../../src/verify/difference.js';
import { whenAvailable, widestKernel } from '../support/backends.js';
import { FUZZ_FAMILIES, fuzzProgram } from '../support/fuzz-families.js';

const STEPS = 12;
const PROGRAMS = 6;
const AUTORESETS: readonly Autoreset[] = ['next-step', 'same-step', 'disabled'];

type Parts = CommonProgram['scalars'] & CommonProgram['tables'];

function partsOf({ layout, program }: NamedProgram): Parts {
  const { scalars, tables } = decodeProgram<CommonProgram['scalars'], CommonProgram['tables']>(
    layout,
    program,
  );
  return { ...scalars, ...tables };
}

/** Weights of all magnitudes, and some that are equal, so that logits tie. */
function randomNumber(rng: Rng): number {
  const nth = rng.nextUint32() % 8;
  if (nth < 3) return [0, 1, -0.5][nth]!;
  return (rng.nextFloat() - 0.5) * 10 ** ((rng.nextUint32() % 9) - 4);
}

/** Rows of a linear policy, as the program says them. */
function rowsOf(parts: Parts): number {
  if (parts.actionKind[0] !== actionKind.index) return parts.actionDim;
  return Array.from(parts.actionKind, (_, j) => {
    const width = Math.fround(parts.actionRanges[2 * j + 1]! - parts.actionRanges[2 * j]!);
    return Math.trunc(width) + 1;
  }).reduce((sum, count) => sum + count, 0);
}

/** Null where there is no room: a random program may have a million choices. */
function linearWords(rng: Rng, parts: Parts): Uint32Array | null {
  const rows = rowsOf(parts);
  const padded = 8 * Math.ceil(rows / 8);
  if (2 + padded * (1 + parts.observationDim) > POLICY_WORDS_MAX) return null;
  const words = new Uint32Array(2 + padded * (1 + parts.observationDim));
  const numbers = new Float32Array(words.buffer);
  for (let k = 2; k < numbers.length; k++) numbers[k] = randomNumber(rng);
  words.set([corePolicy.linear, rows]);
  return words;
}

function tabularWords(rng: Rng, parts: Parts): Uint32Array {
  const counts = Array.from({ length: rng.nextUint32() % 4 }, () => rng.nextUint32() % 4);
  const columns = counts.map(() => rng.nextUint32() % parts.observationDim);
  const numEdges = counts.reduce((sum, count) => sum + count, 0);
  const cells = counts.reduce((product, count) => product * (count + 1), 1);
  const table = 2 + 2 * counts.length + numEdges;
  const words = new Uint32Array(table + cells * parts.actionDim);
  const numbers = new Float32Array(words.buffer);
  words.set([corePolicy.tabular, counts.length]);
  words.set(
    counts.flatMap((count, f) => [columns[f]!, count]),
    2,
  );
  let at = 2 + 2 * counts.length;
  for (const count of counts) {
    const edges = Array.from({ length: count }, () => randomNumber(rng)).sort((a, b) => a - b);
    numbers.set(edges, at);
    at += count;
  }
  const isIndex = parts.actionKind[0] === actionKind.index;
  for (let k = table; k < words.length; k++) {
    if (isIndex) words[k] = rng.nextUint32() % 5;
    else numbers[k] = randomNumber(rng);
  }
  return words;
}

const bytesOf = (view: ArrayBufferView) =>
  Buffer.from(view.buffer, view.byteOffset, view.byteLength);

function expectSame(actual: Batch, expected: Batch, when: string): void {
  for (const { name } of channelList) {
    const isSame = bytesOf(actual.channels[name]).equals(bytesOf(expected.channels[name]));
    expect(isSame, `${when}: ${name}`).toBe(true);
  }
  expect(bytesOf(actual.exportState()).equals(expected.exportState()), `${when}: state`).toBe(true);
}

/** Arrays for everything, with room beside them that must stay as it is. */
function recordingOf(batch: Batch, steps: number): Recording {
  const types = { observations: Float32Array, rewards: Float32Array, costs: Float32Array };
  const entries = RECORDED.map((name) => {
    const type = { ...types, actions: Uint32Array, masks: Uint8Array }[name as 'actions'];
    return [name, new (type ?? Uint8Array)(steps * batch.channels[name].length)];
  });
  return Object.fromEntries(entries) as Recording;
}

function expectSameRecording(actual: Recording, expected: Recording, when: string): void {
  for (const name of RECORDED) {
    const isSame = bytesOf(actual[name]!).equals(bytesOf(expected[name]!));
    expect(isSame, `${when}: recorded ${name}`).toBe(true);
  }
}

/** Every policy of the core in turn, recorded here and stepped there. */
function compare(backend: Backend, named: NamedProgram, options: BatchOptions, rng: Rng): void {
  const parts = partsOf(named);
  const batches = [
    backend.create(named.program, options),
    createReferenceBatch(named.program, { ...options, threads: 1, kernel: 'scalar' }),
  ] as const;
  const words = { linear: linearWords(rng, parts), tabular: tabularWords(rng, parts) };
  const policies = [corePolicy.tabular, corePolicy.random, FIRST_HEURISTIC, corePolicy.linear];
  if (words.linear === null) policies.pop();
  for (const batch of batches) batch.reset(SEED, false);
  for (const policy of policies) {
    const when = `${named.layout.name} ${JSON.stringify(options)} policy ${policy}`;
    const recordings = batches.map((batch) => {
      if (policy === corePolicy.linear) batch.setParameters(words.linear!);
      if (policy === corePolicy.tabular) batch.setParameters(words.tabular);
      const recording = recordingOf(batch, STEPS);
      if (batch.record === undefined) recordBySteps(batch, policy, STEPS, recording);
      else batch.record(policy, STEPS, recording);
      return recording;
    });
    expectSame(...batches, when);
    expectSameRecording(recordings[0]!, recordings[1]!, when);
  }
  for (const batch of batches) batch.close();
}

const SEED = { lo: 0xfffffffe, hi: 7 };
const loaders = {
  native: loadNative,
  wasm: loadWasm,
  assemblyscript: loadAssemblyScript,
};

for (const [name, load] of Object.entries(loaders)) {
  await whenAvailable(name, load, () => {
    describe.each(FUZZ_FAMILIES)(`policies and recordings on ${name}, %s`, (family) => {
      it.each(['scalar', 'widest'] as const)('kernel %s', async (which) => {
        const backend = await load();
        const kernel = which === 'widest' ? widestKernel(backend) : which;
        const rng = makeRng(`policies ${family}`);
        for (let k = 0; k < PROGRAMS; k++) {
          const named = fuzzProgram(family, 500 + k);
          const numEnvs = [1, 7, 65, 130][k % 4]!;
          const threads = k % 2 === 0 ? backend.maxThreads : 1;
          const autoreset = AUTORESETS[k % 3]!;
          const options = { numEnvs, autoreset, threads: Math.min(threads, 2), metrics: true };
          compare(backend, named, { ...options, kernel }, rng);
        }
      });
    });
  });
}

describe('every backend refuses the parameters of another task', () => {
  const all = { ...loaders, reference: loadReference };
  it.each(Object.entries(all))('%s', async (_, load) => {
    const backend = await load().catch(() => null);
    if (backend === null) return; // told by whenAvailable
    const named = fuzzProgram('scheduling', 1);
    const parts = partsOf(named);
    const options = { numEnvs: 2, autoreset: 'next-step', threads: 1, metrics: false } as const;
    const batch = backend.create(named.program, { ...options, kernel: 'auto' });
    const rng = makeRng('refusals');
    const [linear, tabular] = [linearWords(rng, parts)!, tabularWords(rng, parts)];
    const wrong = [
      Uint32Array.of(),
      Uint32Array.of(corePolicy.random, 0),
      Uint32Array.of(corePolicy.tabular, 0xffffffff),
      Uint32Array.of(corePolicy.tabular, 1, parts.observationDim, 0, 0),
      Uint32Array.of(corePolicy.tabular, 1, 0, 0xffffffff, 0),
      linear.subarray(0, -1),
      linear.map((word, k) => (k === 1 ? word + 1 : word)),
      tabular.subarray(0, -1),
    ];
    for (const words of wrong) expect(() => batch.setParameters(words)).toThrow('another task');
    batch.setParameters(linear);
    batch.setParameters(tabular);
    batch.close();
  });
});
