/**
 * Differential fuzzing: random valid programs of every family under random and edge-case actions,
 * on every backend and kernel, byte for byte against the reference. fast-check shrinks what differs
 * to fewer steps, fewer environments and simpler calls.
 */
import fc from 'fast-check';
import type { Backend, Batch, Kernel } from '../../src/backend.js';
import { referenceBackend } from '../../src/backends/reference.js';
import { differenceOf, type NamedProgram } from '../../src/verify/difference.js';
import { FUZZ_FAMILIES, fuzzProgram } from './fuzz-families.js';
import {
  FUZZ_AUTORESETS,
  FUZZ_CALLS,
  type FuzzCase,
  imageOf,
  optionsOf,
  play,
} from './fuzz-play.js';

const SEED_MAX = 2 ** 31 - 1;
const STEPS_MAX = 40;
/** More than a block of 64 and a remainder. */
const ENVS_MAX = 80;

/** A backend with the kernel and the threads it is asked to use. */
export interface FuzzVariant {
  readonly backend: Backend;
  readonly kernel: Kernel;
  readonly threads: number;
}

const SPECIFICATION: FuzzVariant = { backend: referenceBackend, kernel: 'scalar', threads: 1 };

/** Every kernel of some backends; where there are threads, the fastest with two of them as well. */
export function variantsOf(backends: readonly Backend[]): FuzzVariant[] {
  return backends.flatMap((backend) => {
    const single = backend.kernels.map((kernel) => ({ backend, kernel, threads: 1 }));
    return backend.maxThreads > 1
      ? [...single, { ...single[single.length - 1], threads: 2 }]
      : single;
  });
}

/** Where a variant first left the reference. */
export interface FuzzDifference {
  readonly case: FuzzCase;
  readonly backend: string;
  /** The backend's name of its kernel. */
  readonly kernel: string;
  readonly threads: number;
  /** Calls since the first reset. */
  readonly step: number;
  /** Null where there is no number to point at: an exception, a count of the batch. */
  readonly env: number | null;
  readonly field: string;
  /** Numbers with their bits. */
  readonly expected: string;
  readonly got: string;
}

/** Plays a case on the reference and on variants; the first difference, or null. */
export function compareCase(
  variants: readonly FuzzVariant[],
  fuzzCase: FuzzCase,
): FuzzDifference | null {
  const program = fuzzProgram(fuzzCase.family, fuzzCase.seed);
  const reference = createBatch(SPECIFICATION, program, fuzzCase);
  const images = [...imagesOf(reference, program, fuzzCase)];
  for (const variant of variants) {
    const found = compareVariant(variant, program, fuzzCase, images);
    if (found !== null) return found;
  }
  return null;
}

function compareVariant(
  variant: FuzzVariant,
  program: NamedProgram,
  fuzzCase: FuzzCase,
  images: readonly Buffer[],
): FuzzDifference | null {
  const { backend, kernel, threads } = variant;
  const place = { case: fuzzCase, backend: backend.name, kernel: kernel as string, threads };
  let step = 0;
  let batch: Batch | undefined;
  try {
    batch = createBatch(variant, program, fuzzCase);
    place.kernel = batch.kernel;
    for (const image of imagesOf(batch, program, fuzzCase)) {
      if (!image.equals(images[step])) return { ...place, ...locate(variant, program, fuzzCase) };
      step++;
    }
    return null;
  } catch (error) {
    const got = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { ...place, step, env: null, field: 'exception', expected: 'none', got };
  } finally {
    batch?.close();
  }
}

const createBatch = (variant: FuzzVariant, { program }: NamedProgram, fuzzCase: FuzzCase) =>
  variant.backend.create(program, optionsOf(fuzzCase, variant));

/** The outputs after each call, after the last with the state, which tells most but is long. */
function* imagesOf(batch: Batch, program: NamedProgram, fuzzCase: FuzzCase): Generator<Buffer> {
  for (const step of play(batch, program, fuzzCase)) yield imageOf(batch, step === fuzzCase.steps);
}

/** The first number in which a variant differs from the reference, states looked at each time. */
function locate(variant: FuzzVariant, program: NamedProgram, fuzzCase: FuzzCase) {
  const [expected, got] = [SPECIFICATION, variant].map((v) => createBatch(v, program, fuzzCase));
  const plays = [expected, got].map((batch) => play(batch, program, fuzzCase));
  let step = 0;
  try {
    for (; step <= fuzzCase.steps; step++) {
      for (const each of plays) each.next();
      if (imageOf(expected, true).equals(imageOf(got, true))) continue;
      const found = differenceOf(program, expected, got);
      if (found !== null) return { step, ...found };
      const counts = { expected: String(expected.episodes()), got: String(got.episodes()) };
      return { step, env: null, field: 'episodes', ...counts };
    }
    // The difference seen before is no function of its inputs.
    const again = { expected: 'a difference', got: 'none when played again' };
    return { step: fuzzCase.steps, env: null, field: 'repeatability', ...again };
  } finally {
    for (const batch of [expected, got]) batch.close();
  }
}

/** How long to look, and where. */
export interface FuzzOptions {
  /** Of the choice of cases. */
  readonly seed: number;
  /** Cases to compare, each on every variant. */
  readonly numRuns: number;
  /** Default: all. */
  readonly families?: readonly string[];
}

/** Compares random cases; the first difference, shrunk, or null. */
export function fuzz(
  variants: readonly FuzzVariant[],
  { seed, numRuns, families = FUZZ_FAMILIES }: FuzzOptions,
): FuzzDifference | null {
  const cases = fc.record({
    family: fc.constantFrom(...families),
    seed: fc.noBias(fc.nat(SEED_MAX)),
    steps: fc.noBias(fc.integer({ min: 1, max: STEPS_MAX })),
    numEnvs: fc.noBias(fc.integer({ min: 1, max: ENVS_MAX })),
    calls: fc.constantFrom(...FUZZ_CALLS),
    autoreset: fc.constantFrom(...FUZZ_AUTORESETS),
    metrics: fc.constantFrom(true, false),
  });
  const isSame = fc.property(cases, (fuzzCase) => compareCase(variants, fuzzCase) === null);
  const { counterexample } = fc.check(isSame, { seed, numRuns });
  return counterexample === null ? null : compareCase(variants, counterexample[0]);
}

/** A case as one word, which `parseCase` reads. */
export function formatCase(fuzzCase: FuzzCase): string {
  const { family, seed, steps, numEnvs, calls, autoreset, metrics } = fuzzCase;
  return [family, seed, steps, numEnvs, calls, autoreset, metrics ? 'metrics' : 'bare'].join(':');
}

/** @throws RangeError for what is no case, saying how one is written. */
export function parseCase(text: string): FuzzCase {
  const [family, seed, steps, numEnvs, calls, autoreset, metrics, ...rest] = text.split(':');
  const numbers = [seed, steps, numEnvs].map(Number);
  const isCase =
    FUZZ_FAMILIES.includes(family) &&
    numbers.every((n, i) => Number.isInteger(n) && n >= (i === 0 ? 0 : 1)) &&
    FUZZ_CALLS.some((name) => name === calls) &&
    FUZZ_AUTORESETS.some((name) => name === autoreset) &&
    (metrics === 'metrics' || metrics === 'bare') &&
    rest.length === 0;
  if (!isCase) {
    const form = 'family:seed:steps:envs:calls:autoreset:metrics|bare';
    throw new RangeError(`case is "${text}": ${form} is needed, as a report prints it`);
  }
  return {
    family,
    seed: numbers[0],
    steps: numbers[1],
    numEnvs: numbers[2],
    calls: calls as FuzzCase['calls'],
    autoreset: autoreset as FuzzCase['autoreset'],
    metrics: metrics === 'metrics',
  };
}

/** A difference for a person: where it is, what it is and how to see it again. */
export function describeDifference(found: FuzzDifference): string {
  const { case: fuzzCase, backend, kernel, threads, step, env, field, expected, got } = found;
  const lines = {
    family: fuzzCase.family,
    seed: fuzzCase.seed,
    backend,
    kernel: threads > 1 ? `${kernel}, ${threads} threads` : kernel,
    step,
    environment: env ?? 'none',
    field,
    expected,
    got,
    replay: `npm run fuzz -- --replay ${formatCase(fuzzCase)}`,
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name.padEnd(12)} ${value}`)
    .join('\n');
}
