import type { Rng } from '../base/seeding.js';

/** A space's description: JSON Schema (2020-12) with `space` and a few more keys of our own. */
export type SpaceJson = { space: string; type: string; [key: string]: unknown };

/** The values one field may take, with Gymnasium's meaning. `T` is the type `sample` returns. */
export interface Space<T> {
  /** Length of the array `flatten` returns. */
  readonly flatDim: number;
  /** A random member. `mask` restricts the draw where the space has a meaning for one. */
  sample(rng: Rng, mask?: unknown): T;
  /** Whether `x` is a member. Plain arrays and any typed array of numbers are accepted. */
  contains(x: unknown): boolean;
  /** null for a member, else a sentence naming the field, its value and what would be right. */
  describe(x: unknown, name?: string): string | null;
  /** A member as `flatDim` numbers: integers one-hot, everything else as it stands. */
  flatten(x: unknown): Float32Array;
  /** The inverse of `flatten`. */
  unflatten(array: ArrayLike<number>): T;
  toJSON(): SpaceJson;
  equals(other: unknown): boolean;
}

/** The type of a space's samples. */
export type SampleOf<S> = S extends Space<infer T> ? T : never;

/** A short rendering of any value for an error message. */
export function show(x: unknown): string {
  if (typeof x === 'string') return JSON.stringify(x.length > 40 ? `${x.slice(0, 40)}…` : x);
  if (isNumberArray(x)) {
    const head = Array.prototype.slice.call(x, 0, 6).join(', ');
    return x.length > 6 ? `[${head}, … ${x.length} values]` : `[${head}]`;
  }
  if (Array.isArray(x)) return `an array of ${x.length}`;
  if (typeof x === 'object' && x !== null) return 'an object';
  return typeof x === 'function' ? 'a function' : String(x);
}

/** Whether `x` is an array or typed array whose every element is a number (NaN included). */
export function isNumberArray(x: unknown): x is ArrayLike<number> {
  if (Array.isArray(x)) return x.every((value) => typeof value === 'number');
  if (!ArrayBuffer.isView(x) || x instanceof DataView) return false;
  return !(x instanceof BigInt64Array || x instanceof BigUint64Array);
}

/** Throws what `describe` says of a value that is not a member. */
export function requireMember(space: Space<unknown>, x: unknown): void {
  const problem = space.describe(x);
  if (problem !== null) throw new RangeError(problem);
}

/** Throws unless `array` has as many numbers as the space is flat. */
export function requireFlat(space: Space<unknown>, array: ArrayLike<number>): void {
  if (array.length === space.flatDim) return;
  throw new RangeError(`flat array has ${array.length} numbers: ${space.flatDim} are needed`);
}

/** Validates a shape: non-negative integers, outermost dimension first. */
export function checkShape(shape: readonly number[], name: string): void {
  for (const size of shape) {
    if (Number.isSafeInteger(size) && size >= 1) continue;
    throw new RangeError(`${name} is ${show(shape)}: every size must be an integer of at least 1`);
  }
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** An unbiased integer from [0, n), n at most 2^32: words past the last multiple are redrawn. */
export function sampleBelow(rng: Rng, n: number): number {
  const limit = Math.floor(2 ** 32 / n) * n;
  let word = rng.nextUint32();
  while (word >= limit) word = rng.nextUint32();
  return word % n;
}
