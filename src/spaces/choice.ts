import type { Rng } from '../base/seeding.js';
import { decodeOneHot } from './discrete.js';
import type { Space, SpaceJson } from './space.js';
import { requireFlat, requireMember, sampleBelow, show } from './space.js';

/** One of a few numbers, ascending, e.g. 0, 1, 2, 4, 8. Flat: one-hot in their order. */
export class Choice implements Space<number> {
  readonly values: readonly number[];
  readonly flatDim: number;

  /** @throws RangeError unless there is a number and all ascend strictly. */
  constructor(values: readonly number[]) {
    const ascend = values.every((value, i) => i === 0 || value > values[i - 1]);
    if (values.length < 1 || !ascend || !values.every(Number.isFinite)) {
      throw new RangeError(`values is ${show(values)}: finite numbers that ascend are needed`);
    }
    this.values = [...values];
    this.flatDim = values.length;
  }

  /** Uniform over the values. */
  sample(rng: Rng, mask?: undefined): number {
    if (mask !== undefined) throw new TypeError('mask is given: a Choice takes none');
    return this.values[sampleBelow(rng, this.values.length)];
  }

  contains(x: unknown): boolean {
    return this.describe(x) === null;
  }

  describe(x: unknown, name = 'value'): string | null {
    if (typeof x === 'number' && this.values.includes(x)) return null;
    return `${name} is ${show(x)}: one of ${this.values.join(', ')} is needed`;
  }

  flatten(x: unknown): Float32Array {
    requireMember(this, x);
    return Float32Array.from(this.values, (value) => (value === x ? 1 : 0));
  }

  unflatten(array: ArrayLike<number>): number {
    requireFlat(this, array);
    return this.values[decodeOneHot(array, 0, this.values.length)];
  }

  toJSON(): SpaceJson {
    return { space: 'Choice', type: 'number', enum: [...this.values] };
  }

  equals(other: unknown): boolean {
    if (!(other instanceof Choice) || other.values.length !== this.values.length) return false;
    return this.values.every((value, i) => value === other.values[i]);
  }
}
