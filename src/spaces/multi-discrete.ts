import type { Rng } from '../base/seeding.js';
import type { Mask } from './discrete.js';
import {
  checkOutcomes,
  decodeOneHot,
  describeOutcome,
  outcomeJson,
  sampleOutcome,
} from './discrete.js';
import type { Space, SpaceJson } from './space.js';
import { isNumberArray, requireFlat, requireMember, sameNumbers, show, sizeOf } from './space.js';

export interface MultiDiscreteOptions {
  /** The smallest outcome of each element. Default: zeros. */
  start?: ArrayLike<number>;
  /** Default: one dimension, as long as `nvec`. Members are flat, row-major, in any shape. */
  shape?: readonly number[];
}

/** Vectors of integers, element i of nvec[i] integers from start[i]. Flat: one-hots in a row. */
export class MultiDiscrete implements Space<Int32Array> {
  readonly nvec: Float64Array; // [number of elements]; an n of 2^31 does not fit an Int32Array
  readonly start: Int32Array; // [number of elements]
  readonly shape: readonly number[];
  readonly flatDim: number;

  /** @throws RangeError where a count is below 1 or lengths disagree. */
  constructor(nvec: ArrayLike<number>, options: MultiDiscreteOptions = {}) {
    const start = options.start ?? new Int32Array(nvec.length);
    this.shape = [...(options.shape ?? [nvec.length])];
    if (nvec.length === 0) throw new RangeError('nvec is empty: at least one count is needed');
    if (start.length !== nvec.length) {
      throw new RangeError(`start has ${start.length} numbers: nvec has ${nvec.length}`);
    }
    if (sizeOf(this.shape) !== nvec.length) {
      throw new RangeError(`shape is ${show(this.shape)}: nvec has ${nvec.length} counts`);
    }
    for (let i = 0; i < nvec.length; i++) checkOutcomes(`nvec[${i}]`, nvec[i], start[i]);
    this.nvec = Float64Array.from(nvec);
    this.start = Int32Array.from(start);
    this.flatDim = this.nvec.reduce((sum, n) => sum + n, 0);
  }

  /** Uniform, element by element; `masks` holds one mask (or undefined) for each. */
  sample(rng: Rng, masks?: ArrayLike<Mask | undefined>): Int32Array {
    const { nvec, start } = this;
    if (masks !== undefined && masks.length !== nvec.length) {
      throw new RangeError(`mask has ${masks.length} entries: ${nvec.length} are needed`);
    }
    const x = new Int32Array(nvec.length);
    for (let i = 0; i < x.length; i++) {
      x[i] = start[i] + sampleOutcome(rng, nvec[i], masks?.[i], `mask[${i}]`);
    }
    return x;
  }

  contains(x: unknown): boolean {
    return this.describe(x) === null;
  }

  describe(x: unknown, name = 'value'): string | null {
    if (!isNumberArray(x)) return `${name} is ${show(x)}: an array of integers is needed`;
    if (x.length !== this.nvec.length) {
      return `${name} has ${x.length} integers: ${this.nvec.length} are needed`;
    }
    for (let i = 0; i < x.length; i++) {
      const problem = describeOutcome(x[i], this.nvec[i], this.start[i], `${name}[${i}]`);
      if (problem !== null) return problem;
    }
    return null;
  }

  flatten(x: unknown): Float32Array {
    requireMember(this, x);
    const flat = new Float32Array(this.flatDim);
    let offset = 0;
    for (let i = 0; i < this.nvec.length; i++) {
      flat[offset + (x as ArrayLike<number>)[i] - this.start[i]] = 1;
      offset += this.nvec[i];
    }
    return flat;
  }

  unflatten(array: ArrayLike<number>): Int32Array {
    requireFlat(this, array);
    let offset = 0;
    return this.start.map((start, i) => {
      const outcome = start + decodeOneHot(array, offset, this.nvec[i]);
      offset += this.nvec[i];
      return outcome;
    });
  }

  toJSON(): SpaceJson {
    return {
      space: 'MultiDiscrete',
      type: 'array',
      shape: [...this.shape],
      minItems: this.nvec.length,
      maxItems: this.nvec.length,
      prefixItems: Array.from(this.nvec, (n, i) => outcomeJson(n, this.start[i])),
    };
  }

  equals(other: unknown): boolean {
    if (!(other instanceof MultiDiscrete) || !sameNumbers(this.shape, other.shape)) return false;
    return sameNumbers(this.nvec, other.nvec) && sameNumbers(this.start, other.start);
  }
}
