import type { Rng } from '../base/seeding.js';
import type { Space, SpaceJson } from './space.js';
import {
  checkShape,
  isNumberArray,
  requireFlat,
  requireMember,
  sameNumbers,
  show,
  sizeOf,
} from './space.js';

/** A bound of a Box: one number for all elements or one for each. Infinities mean "none". */
export type Bound = number | ArrayLike<number>;

export interface BoxOptions {
  low: Bound;
  high: Bound;
  /** Default: one dimension as long as `low` or `high`, `[1]` where both are numbers. */
  shape?: readonly number[];
  dtype?: 'float32';
}

/**
 * Real vectors between two bounds, in binary32. Members are flat, row-major, whatever the shape.
 * Unlike Gymnasium's, an infinite number is never a member, not even where nothing bounds it.
 */
export class Box implements Space<Float32Array> {
  readonly low: Float32Array; // [flatDim]
  readonly high: Float32Array; // [flatDim]
  readonly shape: readonly number[];
  readonly dtype = 'float32';
  readonly flatDim: number;

  /** @throws RangeError where a bound is NaN, a low exceeds its high, or lengths do not fit. */
  constructor(options: BoxOptions) {
    const { low, high } = options;
    this.shape = [...(options.shape ?? [lengthOf(low) ?? lengthOf(high) ?? 1])];
    checkShape(this.shape, 'shape');
    this.flatDim = sizeOf(this.shape);
    this.low = expandBound('low', low, this.flatDim);
    this.high = expandBound('high', high, this.flatDim);
    for (let i = 0; i < this.flatDim; i++) checkBounds(i, this.low[i], this.high[i]);
  }

  /**
   * Each element on its own: uniform between two bounds, an exponential of mean 1 from the one
   * bound there is, standard normal where there is none.
   */
  sample(rng: Rng, mask?: undefined): Float32Array {
    if (mask !== undefined) throw new TypeError('mask is given: a Box takes none');
    const x = new Float32Array(this.flatDim);
    for (let i = 0; i < x.length; i++) x[i] = sampleElement(rng, this.low[i], this.high[i]);
    return x;
  }

  contains(x: unknown): boolean {
    return this.describe(x) === null;
  }

  describe(x: unknown, name = 'value'): string | null {
    if (!isNumberArray(x)) return `${name} is ${show(x)}: an array of numbers is needed`;
    if (x.length !== this.flatDim) {
      return `${name} has ${x.length} numbers: ${this.flatDim} are needed`;
    }
    for (let i = 0; i < x.length; i++) {
      // Members are stored in binary32, so that is how they are compared.
      const value = Math.fround(x[i]);
      if (Number.isFinite(value) && value >= this.low[i] && value <= this.high[i]) continue;
      const range = describeRange(this.low[i], this.high[i]);
      return `${name}[${i}] is ${x[i]}: ${range} is needed`;
    }
    return null;
  }

  flatten(x: unknown): Float32Array {
    requireMember(this, x);
    return Float32Array.from(x as ArrayLike<number>);
  }

  unflatten(array: ArrayLike<number>): Float32Array {
    requireFlat(this, array);
    requireMember(this, array);
    return Float32Array.from(array);
  }

  toJSON(): SpaceJson {
    const elements = Array.from(this.low, (low, i) => elementJson(low, this.high[i]));
    const uniform = this.low.every((low) => low === this.low[0]);
    const items = uniform && this.high.every((high) => high === this.high[0]);
    return {
      space: 'Box',
      type: 'array',
      dtype: this.dtype,
      shape: [...this.shape],
      minItems: this.flatDim,
      maxItems: this.flatDim,
      ...(items ? { items: elements[0] } : { prefixItems: elements }),
    };
  }

  equals(other: unknown): boolean {
    if (!(other instanceof Box) || !sameNumbers(this.shape, other.shape)) return false;
    return sameNumbers(this.low, other.low) && sameNumbers(this.high, other.high);
  }
}

function lengthOf(bound: Bound): number | undefined {
  return typeof bound === 'number' ? undefined : bound.length;
}

function expandBound(name: string, bound: Bound, length: number): Float32Array {
  if (typeof bound === 'number') return new Float32Array(length).fill(bound);
  if (bound.length === length) return Float32Array.from(bound);
  throw new RangeError(`${name} has ${bound.length} numbers: the shape needs ${length}`);
}

function checkBounds(i: number, low: number, high: number): void {
  const crossed = !(low <= high); // true for NaN as well
  if (!crossed && low !== Infinity && high !== -Infinity) return;
  const needed = 'numbers with low <= high are needed';
  throw new RangeError(`low[${i}] is ${low} and high[${i}] is ${high}: ${needed}`);
}

function sampleElement(rng: Rng, low: number, high: number): number {
  if (Number.isFinite(low) && Number.isFinite(high)) {
    const value = Math.fround(low + (high - low) * rng.nextFloat());
    return Math.min(value, high); // rounding to binary32 may step over the bound
  }
  if (Number.isFinite(low)) return low + sampleExponential(rng);
  if (Number.isFinite(high)) return high - sampleExponential(rng);
  return sampleNormal(rng);
}

function sampleExponential(rng: Rng): number {
  return -Math.log(1 - rng.nextFloat());
}

/** Box and Muller's transform; 1 - u keeps the logarithm's argument above zero. */
function sampleNormal(rng: Rng): number {
  const radius = Math.sqrt(-2 * Math.log(1 - rng.nextFloat()));
  return radius * Math.cos(2 * Math.PI * rng.nextFloat());
}

function describeRange(low: number, high: number): string {
  if (low === -Infinity && high === Infinity) return 'a finite binary32 number';
  if (low === -Infinity) return `a finite number of at most ${high}`;
  if (high === Infinity) return `a finite number of at least ${low}`;
  return `a number from ${low} to ${high}`;
}

function elementJson(low: number, high: number): object {
  return {
    type: 'number',
    ...(low === -Infinity ? {} : { minimum: low }),
    ...(high === Infinity ? {} : { maximum: high }),
  };
}
