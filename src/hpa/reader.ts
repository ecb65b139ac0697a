/** A walk through parsed YAML or JSON that knows where it stands, for errors with a path. */
import { DataError } from '../data/errors.js';

export class Reader {
  constructor(
    readonly value: unknown,
    readonly path: string,
  ) {}

  /** Whether there is a value: null is none, as in a manifest. */
  get isPresent(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** A field of an object. */
  at(name: string): Reader {
    const path = this.path === '' ? name : `${this.path}.${name}`;
    if (!this.isPresent) return new Reader(undefined, path);
    if (typeof this.value !== 'object' || Array.isArray(this.value)) throw this.not('an object');
    return new Reader((this.value as Record<string, unknown>)[name], path);
  }

  /** Result of `read`; null where there is none. */
  optional<T>(read: (field: Reader) => T): T | null {
    return this.isPresent ? read(this) : null;
  }

  list(): Reader[] {
    if (!Array.isArray(this.value)) throw this.not('a list');
    return this.value.map((item: unknown, i) => new Reader(item, `${this.path}[${i}]`));
  }

  text(): string {
    if (typeof this.value !== 'string' || this.value === '') throw this.not('a text');
    return this.value;
  }

  oneOf<T extends string>(names: readonly T[]): T {
    const name = names.find((candidate) => candidate === this.value);
    if (name === undefined) throw this.not(`one of ${names.join(', ')}`);
    return name;
  }

  integer(min: number, max: number): number {
    const { value } = this;
    const isIt = typeof value === 'number' && Number.isInteger(value);
    if (isIt && value >= min && value <= max) return value;
    throw this.not(max >= 2 ** 31 - 1 ? `a whole number from ${min}` : `${min} .. ${max}`);
  }

  /** A finite number of at least `min`. */
  number(min = -Infinity): number {
    const { value } = this;
    if (typeof value === 'number' && Number.isFinite(value) && value >= min) return value;
    throw this.not(min === -Infinity ? 'a number' : `a number of at least ${min}`);
  }

  boolean(): boolean {
    if (typeof this.value !== 'boolean') throw this.not('true or false');
    return this.value;
  }

  /** The error of a value that is not what is needed. */
  not(needed: string): DataError {
    const text = this.isPresent ? (JSON.stringify(this.value) ?? '').slice(0, 60) : 'missing';
    return new DataError(`${this.path || 'the document'} is ${text}: ${needed} is needed`);
  }
}
