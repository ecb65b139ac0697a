/** Fields of JSON whose shape is only hoped for. */
export type Json = Record<string, unknown>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path of keys, or undefined where it ends early. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    if (!Object.hasOwn(found, key)) return undefined;
    found = (found as Json)[key];
  }
  return found;
}

/** A finite number, also one that stands in quotes; else undefined. */
export function number(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.trim() === '' || value.length > 64) return undefined;
  const read = Number(value);
  return Number.isFinite(read) ? read : undefined;
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A number times a factor, undefined where there is none. */
export function times(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

/** The keys of a document, for people: "an object of a, b, c, …". */
export function describeJson(value: unknown): string {
  if (Array.isArray(value)) {
    return value.length === 0 ? 'an empty array' : `an array of ${describeJson(value[0])}`;
  }
  if (!isObject(value)) return value === null ? 'null' : `a ${typeof value}`;
  const keys = Object.keys(value);
  const shown = keys.slice(0, 8).map((key) => key.slice(0, 40));
  return `an object of ${shown.join(', ')}${keys.length > shown.length ? ', …' : ''}`;
}
