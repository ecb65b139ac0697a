import type { Rng } from '../base/seeding.js';
import type { Space, SpaceJson } from './space.js';
import { requireFlat, requireMember, sampleBelow, show } from './space.js';

/** One flag per outcome: non-zero or true where it may be drawn. */
export type Mask = ArrayLike<number | boolean>;

/** The largest outcome: actions travel as 32-bit integers. */
const OUTCOME_MAX = 2 ** 31 - 1;

/** The n integers start, start + 1, …, start + n - 1. Flat: one-hot. */
export class Discrete implements Space<number> {
  readonly flatDim: number;

  /** @throws RangeError unless n is at least 1 and every outcome a 32-bit integer. */
  constructor(
    readonly n: number,
    readonly start: number = 0,
  ) {
    checkOutcomes('n', n, start);
    this.flatDim = n;
  }

  /** Uniform over the outcomes, or over those `mask` allows. */
  sample(rng: Rng, mask?: Mask): number {
    return this.start + sampleOutcome(rng, this.n, mask, 'mask');
  }

  contains(x: unknown): boolean {
    return this.describe(x) === null;
  }

  describe(x: unknown, name = 'value'): string | null {
    return describeOutcome(x, this.n, this.start, name);
  }

  flatten(x: unknown): Float32Array {
    requireMember(this, x);
    const flat = new Float32Array(this.n);
    flat[(x as number) - this.start] = 1;
    return flat;
  }

  unflatten(array: ArrayLike<number>): number {
    requireFlat(this, array);
    return this.start + decodeOneHot(array, 0, this.n);
  }

  toJSON(): SpaceJson {
    return { space: 'Discrete', n: this.n, start: this.start, ...outcomeJson(this.n, this.start) };
  }

  equals(other: unknown): boolean {
    return other instanceof Discrete && other.n === this.n && other.start === this.start;
  }
}

export function checkOutcomes(name: string, n: number, start: number): void {
  if (!Number.isSafeInteger(n) || n < 1) {
    throw new RangeError(`${name} is ${show(n)}: an integer of at least 1 is needed`);
  }
  const inRange = start >= -OUTCOME_MAX - 1 && start + n - 1 <= OUTCOME_MAX;
  if (Number.isSafeInteger(start) && inRange) return;
  const needed = 'outcomes must be integers from -2147483648 to 2147483647';
  throw new RangeError(`start is ${show(start)} with ${name} ${n}: ${needed}`);
}

export function describeOutcome(x: unknown, n: number, start: number, name: string): string | null {
  const isOutcome = Number.isInteger(x) && (x as number) >= start && (x as number) < start + n;
  if (isOutcome) return null;
  return `${name} is ${show(x)}: an integer from ${start} to ${start + n - 1} is needed`;
}

/** An index from [0, n), restricted to the mask's non-zero flags where there is one. */
export function sampleOutcome(rng: Rng, n: number, mask: Mask | undefined, name: string): number {
  if (mask === undefined) return sampleBelow(rng, n);
  if (mask.length !== n) throw new RangeError(`${name} has ${mask.length} flags: ${n} are needed`);
  const allowed: number[] = [];
  for (let i = 0; i < n; i++) if (mask[i]) allowed.push(i);
  if (allowed.length > 0) return allowed[sampleBelow(rng, allowed.length)];
  throw new RangeError(`${name} allows no outcome: at least one flag must be set`);
}

/** The position of the single non-zero number among `n` from `offset`. */
export function decodeOneHot(array: ArrayLike<number>, offset: number, n: number): number {
  let hot = -1;
  for (let i = 0; i < n; i++) {
    if (array[offset + i] === 0) continue;
    if (hot >= 0 || array[offset + i] !== 1) hot = n;
    else hot = i;
  }
  if (hot >= 0 && hot < n) return hot;
  const place = `flat array, elements ${offset} to ${offset + n - 1}`;
  throw new RangeError(`${place}: exactly one 1 among zeros is needed`);
}

export function outcomeJson(n: number, start: number): { type: string; [key: string]: unknown } {
  return { type: 'integer', minimum: start, maximum: start + n - 1 };
}
