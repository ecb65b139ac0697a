/** Differential fuzzing with a fixed budget; `npm run fuzz` goes on without end. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend.js';
import { loadAssemblyScript } from '../../src/backends/assemblyscript.js';
import { loadNative } from '../../src/backends/native.js';
import { referenceBackend } from '../../src/backends/reference.js';
import { loadWasm } from '../../src/backends/wasm.js';
import { servingLayout } from '../../src/generated/serving.js';
import { whenAvailable } from '../support/backends.js';
import { withScalar } from '../support/damage.js';
import {
  compareCase,
  describeDifference,
  formatCase,
  fuzz,
  parseCase,
  variantsOf,
} from '../support/fuzz.js';
import { FUZZ_FAMILIES } from '../support/fuzz-families.js';

const PROGRAMS_PER_FAMILY = 16;

const loaders = { native: loadNative, wasm: loadWasm, assemblyscript: loadAssemblyScript };

for (const [name, load] of Object.entries(loaders)) {
  await whenAvailable(name, load, () => {
    describe(`${name} on random programs`, () => {
      it.each(FUZZ_FAMILIES)('%s', async (family) => {
        const variants = variantsOf([await load()]);
        const options = { seed: 1, numRuns: PROGRAMS_PER_FAMILY, families: [family] };
        const found = fuzz(variants, options);
        expect(found === null ? 'equal' : describeDifference(found)).toBe('equal');
      });
    });
  });
}

/** The reference, its programs changed, under another name. */
const faulty = (edit: (program: Uint8Array) => Uint8Array): Backend => ({
  name: 'wasm',
  maxThreads: 1,
  kernels: ['scalar'],
  create: (program, options) => referenceBackend.create(edit(program), options),
});

/** The next larger number. */
function oneUlpMore(value: number): number {
  const bits = new BigInt64Array(1);
  const number = new Float64Array(bits.buffer);
  number[0] = value;
  bits[0] += 1n;
  return number[0];
}

describe('the fuzzer', () => {
  const families = ['serving'];

  it('names step, environment and field of one constant that is one ulp off', () => {
    const backend = faulty((program) =>
      withScalar(servingLayout, program, 'arrival_gain', oneUlpMore),
    );
    const found = fuzz(variantsOf([backend]), { seed: 1, numRuns: 50, families });
    expect(found).toMatchObject({ backend: 'wasm', kernel: 'scalar', threads: 1, env: 0 });
    // The rest after shrinking: one environment, and no step after the first that differs.
    expect(found?.case).toMatchObject({ family: 'serving', numEnvs: 1, calls: 'zeros' });
    expect(found?.case.steps).toBe(found?.step);
    expect(found?.case.steps).toBeLessThan(5);
    expect(found?.field).toMatch(/arrival_ema|arrival_rate/);
    expect(found?.expected).toMatch(/ \(0x[0-9a-f]+\)$/);
    expect(found?.got).not.toBe(found?.expected);
    const report = describeDifference(found!);
    expect(report).toMatch(/^environment +0$/m);
    const replay = /npm run fuzz -- --replay (\S+)$/.exec(report)?.[1] ?? '';
    expect(compareCase(variantsOf([backend]), parseCase(replay))).toEqual(found);
  });

  it('reports a program that only one of two takes', () => {
    const backend = faulty((program) => program.slice(0, -4));
    const found = fuzz(variantsOf([backend]), { seed: 1, numRuns: 1, families });
    expect(found).toMatchObject({ field: 'exception', env: null, step: 0 });
    expect(found?.got).toMatch('ProgramError');
  });

  it('reads the cases it writes and refuses others', () => {
    const word = 'serving:7:3:1:zeros:same-step:bare';
    expect(formatCase(parseCase(word))).toBe(word);
    for (const wrong of ['', 'serving', word.replace('7', '-7'), word.replace('zeros', 'ones')]) {
      expect(() => parseCase(wrong)).toThrow(`case is "${wrong}"`);
    }
  });
});
