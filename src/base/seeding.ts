import seedrandom from 'seedrandom';

/** A source of pseudo-random numbers for what lies outside the simulation core. */
export interface Rng {
  /** A number drawn uniformly from [0, 1), a multiple of 2^-32. */
  nextFloat(): number;
  /** An integer drawn uniformly from [0, 2^32). */
  nextUint32(): number;
}

/** A 64-bit seed as two unsigned 32-bit words. */
export interface Seed {
  lo: number;
  hi: number;
}

const SEED_MAX = 2n ** 64n - 1n;
const RANGE_LENGTH_MAX = 1_000_000;

/**
 * Reads a seed: a whole number from 0 to 2^53, a BigInt or string of digits from 0 to 2^64 - 1, or
 * any other text, which seedrandom spreads over 64 bits (the same bits on every machine).
 *
 * @throws RangeError for a negative, fractional or too large number, in whatever form, and for ''.
 */
export function parseSeed(seed: number | bigint | string): Seed {
  if (typeof seed === 'number') return fromBigInt(fromNumber(seed));
  if (typeof seed === 'bigint') return fromBigInt(seed);
  if (typeof seed !== 'string') {
    throw new TypeError(`seed is of type ${typeof seed}: a number, BigInt or string is needed`);
  }
  if (/^\d+$/.test(seed)) return fromBigInt(BigInt(seed));
  // Text that reads as a number but is no seed would otherwise pass for a name.
  if (seed.trim() === '' || Number.isFinite(Number(seed))) throw seedError(JSON.stringify(seed));
  const words = seedrandom(seed);
  return { lo: words.int32() >>> 0, hi: words.int32() >>> 0 };
}

/** seed + i mod 2^64 with carry, i a whole number from 0 to 2^53. */
export function addSeed(seed: Seed, i: number): Seed {
  fromNumber(i, 'seed offset');
  const lo = seed.lo + (i % 2 ** 32);
  const hi = seed.hi + Math.floor(i / 2 ** 32) + (lo >= 2 ** 32 ? 1 : 0);
  return { lo: lo >>> 0, hi: hi >>> 0 };
}

/** The seed in decimal digits; `parseSeed` reads it back. */
export function formatSeed(seed: Seed): string {
  return ((BigInt(seed.hi) << 32n) | BigInt(seed.lo)).toString();
}

/**
 * Reads the command line's seeds: `0..14` (both ends included), `3,5,8`, `7`, or these mixed.
 * A seed beyond 2^53 - 1 comes as a BigInt.
 *
 * @throws RangeError for anything else, a falling range, a repeated seed (repeats would pass for
 * independent episodes) and more than a million seeds.
 */
export function parseSeedRange(text: string): (number | bigint)[] {
  const seeds: bigint[] = [];
  for (const part of text.split(',')) appendRange(seeds, part.trim(), text);
  const seen = new Set<bigint>();
  for (const seed of seeds) {
    if (seen.has(seed)) throw new RangeError(`seeds "${text}": ${seed} is given more than once`);
    seen.add(seed);
  }
  return seeds.map((seed) => (seed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seed) : seed));
}

/**
 * A generator for what lies outside the core: sampling spaces, random policies, searches. It is
 * seedrandom's ARC4, so equal seeds, however written, give equal numbers everywhere.
 */
export function makeRng(seed: number | bigint | string | Seed): Rng {
  const state = seedrandom(formatSeed(typeof seed === 'object' ? seed : parseSeed(seed)));
  const nextUint32 = () => state.int32() >>> 0;
  return { nextUint32, nextFloat: () => nextUint32() / 2 ** 32 };
}

function appendRange(seeds: bigint[], part: string, text: string): void {
  const match = /^(\d+)(?:\.\.(\d+))?$/.exec(part);
  if (match === null) {
    const needed = 'seeds are written 0..14, 3,5,8 or 7';
    throw new RangeError(`seeds "${text}": "${part}" is not understood; ${needed}`);
  }
  const first = checkSeed(BigInt(match[1]));
  const last = checkSeed(BigInt(match[2] ?? match[1]));
  if (last < first) {
    throw new RangeError(`seeds "${text}": ${part} falls; write ${last}..${first}`);
  }
  if (BigInt(seeds.length) + last - first >= BigInt(RANGE_LENGTH_MAX)) {
    throw new RangeError(`seeds "${text}": at most ${RANGE_LENGTH_MAX} seeds are possible`);
  }
  for (let seed = first; seed <= last; seed++) seeds.push(seed);
}

function fromNumber(value: number, name = 'seed'): bigint {
  if (Number.isInteger(value) && value >= 0 && value <= 2 ** 53) return BigInt(value);
  throw seedError(String(value), name);
}

function fromBigInt(value: bigint): Seed {
  checkSeed(value);
  return { lo: Number(value & 0xffffffffn), hi: Number(value >> 32n) };
}

function checkSeed(value: bigint): bigint {
  if (value >= 0n && value <= SEED_MAX) return value;
  throw seedError(String(value));
}

function seedError(value: string, name = 'seed'): RangeError {
  const needed = 'a whole number from 0 to 2^53, or to 2^64 - 1 as a BigInt or string, is needed';
  return new RangeError(`${name} is ${value}: ${needed}`);
}
