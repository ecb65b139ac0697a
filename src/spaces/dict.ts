import type { Rng } from '../base/seeding.js';
import type { SampleOf, Space, SpaceJson } from './space.js';
import { requireFlat, requireMember, show } from './space.js';

/** The fields of a Dict by name; their order is the order in which they are flattened. */
export type Fields = Record<string, Space<unknown>>;

type Sample<F extends Fields> = { [K in keyof F]: SampleOf<F[K]> };

/**
 * A record of named spaces. Flat: the fields' flat arrays one after another, in the order in which
 * they were declared (Gymnasium sorts them; a declared order can follow the wire's).
 */
export class Dict<F extends Fields = Fields> implements Space<Sample<F>> {
  readonly fields: Readonly<F>;
  readonly flatDim: number;

  constructor(fields: F) {
    this.fields = { ...fields };
    this.flatDim = Object.values(fields).reduce((sum, space) => sum + space.flatDim, 0);
  }

  /** Fields are drawn in their order; `masks` holds masks by field name. */
  sample(rng: Rng, masks: { readonly [name: string]: unknown } = {}): Sample<F> {
    for (const name of Object.keys(masks)) {
      if (!Object.hasOwn(this.fields, name)) throw new RangeError(this.unknownField(name, 'mask'));
    }
    return this.mapFields((space, name) => space.sample(rng, masks[name]));
  }

  contains(x: unknown): boolean {
    return this.describe(x) === null;
  }

  describe(x: unknown, name = 'value'): string | null {
    if (typeof x !== 'object' || x === null || Array.isArray(x) || ArrayBuffer.isView(x)) {
      return `${name} is ${show(x)}: an object with ${this.fieldNames()} is needed`;
    }
    for (const key of Object.keys(x)) {
      if (!Object.hasOwn(this.fields, key)) return this.unknownField(key, name);
    }
    for (const [key, space] of Object.entries(this.fields)) {
      if (!Object.hasOwn(x, key))
        return `${name}.${key} is missing: ${this.fieldNames()} are needed`;
      const problem = space.describe((x as Record<string, unknown>)[key], `${name}.${key}`);
      if (problem !== null) return problem;
    }
    return null;
  }

  flatten(x: unknown): Float32Array {
    requireMember(this, x);
    const flat = new Float32Array(this.flatDim);
    let offset = 0;
    for (const [name, space] of Object.entries(this.fields)) {
      flat.set(space.flatten((x as Record<string, unknown>)[name]), offset);
      offset += space.flatDim;
    }
    return flat;
  }

  unflatten(array: ArrayLike<number>): Sample<F> {
    requireFlat(this, array);
    const flat = Array.from(array);
    let offset = 0;
    return this.mapFields((space) => {
      offset += space.flatDim;
      return space.unflatten(flat.slice(offset - space.flatDim, offset));
    });
  }

  toJSON(): SpaceJson {
    return {
      space: 'Dict',
      type: 'object',
      properties: this.mapFields((space) => space.toJSON()),
      required: Object.keys(this.fields),
      additionalProperties: false,
    };
  }

  /** Order counts: it decides what a flat array means. */
  equals(other: unknown): boolean {
    if (!(other instanceof Dict)) return false;
    const mine = Object.entries(this.fields);
    const theirs = Object.entries<Space<unknown>>(other.fields);
    if (mine.length !== theirs.length) return false;
    return mine.every(([name, space], i) => name === theirs[i][0] && space.equals(theirs[i][1]));
  }

  private mapFields(convert: (space: Space<unknown>, name: string) => unknown): Sample<F> {
    const entries = Object.entries(this.fields);
    const mapped = entries.map(([name, space]) => [name, convert(space, name)]);
    return Object.fromEntries(mapped) as Sample<F>;
  }

  private fieldNames(): string {
    return `the fields ${Object.keys(this.fields).join(', ')}`;
  }

  private unknownField(key: string, name: string): string {
    return `${name}.${key} is unknown: ${this.fieldNames()} are known`;
  }
}
