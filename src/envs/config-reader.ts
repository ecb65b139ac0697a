/** Reads a task's configuration by name and refuses what is unknown, mistyped or out of range. */

import type { Json, JsonObject } from '../base/json.js';
import { show } from '../spaces/space.js';

export interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly integer?: boolean;
}

/** Every refusal is a RangeError that names the entry, its value and what would be right. */
export class ConfigReader {
  private constructor(
    private readonly path: string,
    private readonly entries: JsonObject,
  ) {}

  /**
   * A configuration over its defaults: the defaults' names are the names there are.
   *
   * @throws RangeError for an entry of another name.
   */
  static over(defaults: JsonObject, layers: readonly JsonObject[], path = 'config'): ConfigReader {
    for (const layer of layers) {
      const unknown = Object.keys(layer).find((name) => !Object.hasOwn(defaults, name));
      if (unknown === undefined) continue;
      const known = Object.keys(defaults).join(', ');
      throw new RangeError(`${path}.${unknown} is unknown: ${known} are known`);
    }
    return new ConfigReader(path, Object.assign({}, defaults, ...layers));
  }

  /** The configuration as it stands, defaults included. */
  get json(): JsonObject {
    return this.entries;
  }

  number(name: string, range: NumberRange): number {
    const value = this.entries[name];
    const { min, max, integer } = range;
    const isNumber = typeof value === 'number' && value >= min && value <= max;
    if (isNumber && (integer !== true || Number.isInteger(value))) return value;
    const kind = integer === true ? 'an integer' : 'a number';
    return this.refuse(name, `${kind} from ${min} to ${max}`);
  }

  /** null where the entry is null. */
  optionalNumber(name: string, range: NumberRange): number | null {
    return this.entries[name] === null ? null : this.number(name, range);
  }

  boolean(name: string): boolean {
    const value = this.entries[name];
    return typeof value === 'boolean' ? value : this.refuse(name, 'true or false');
  }

  text(name: string): string {
    const value = this.entries[name];
    return typeof value === 'string' && value !== '' ? value : this.refuse(name, 'a text');
  }

  choice<T extends string>(name: string, choices: readonly T[]): T {
    const value = this.entries[name];
    return choices.find((choice) => choice === value) ?? this.refuse(name, choices.join(' or '));
  }

  /** Numbers in a row, `length` of them where it is given. */
  numbers(name: string, range: NumberRange, length?: number): number[] {
    const values = this.list(name);
    if (length !== undefined && values.length !== length) {
      return this.refuse(name, `an array of ${length} numbers`);
    }
    const entries = Object.fromEntries(values.map((value, i) => [String(i), value]));
    const reader = new ConfigReader(`${this.path}.${name}`, entries);
    return values.map((_, i) => reader.number(String(i), range));
  }

  /** A list of names without repetition. */
  names<T extends string>(name: string, choices: readonly T[]): T[] {
    const values = this.list(name);
    const chosen = choices.filter((choice) => values.includes(choice));
    if (chosen.length === values.length) return chosen;
    return this.refuse(name, `a list of different names of ${choices.join(', ')}`);
  }

  isNull(name: string): boolean {
    return this.entries[name] === null;
  }

  /** A nested configuration that must have exactly the entries of `defaults`, or fewer. */
  object(name: string, defaults: JsonObject): ConfigReader {
    const value = this.entries[name];
    if (!isObject(value)) return this.refuse(name, `an object with ${Object.keys(defaults)}`);
    return ConfigReader.over(defaults, [value], `${this.path}.${name}`);
  }

  /** Nested configurations in a row. */
  objects(name: string, defaults: JsonObject): ConfigReader[] {
    return this.list(name).map((value, i) => {
      if (!isObject(value)) return this.refuse(name, 'a list of objects');
      return ConfigReader.over(defaults, [value], `${this.path}.${name}[${i}]`);
    });
  }

  /** Throws a RangeError naming the entry, its value and what is needed. */
  refuse(name: string, needed: string): never {
    const value = this.entries[name];
    const shown = isObject(value) ? JSON.stringify(value) : show(value);
    throw new RangeError(`${this.path}.${name} is ${shown}: ${needed} is needed`);
  }

  private list(name: string): readonly Json[] {
    const value = this.entries[name];
    return Array.isArray(value) ? value : this.refuse(name, 'an array');
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
