import { DataError, quote } from './errors.js';

let changes = 0;
let loads = 0;

/** How often a name has been given to something else. */
export function namedChanges(): number {
  return changes;
}

/** How often something was loaded that may be another one the next time. */
export function namedLoads(): number {
  return loads;
}

/**
 * Things known by name: what was registered, else what the loader finds. Node's entry installs a
 * loader that reads files; in a browser there is none, and a page registers what it fetched.
 */
export class Named<T> {
  private readonly known = new Map<string, T>();
  private load: ((name: string) => T) | null = null;

  /** @param kind what an error calls such a thing. */
  constructor(private readonly kind: string) {}

  register(name: string, value: T): void {
    if (this.known.has(name) && this.known.get(name) !== value) changes++;
    this.known.set(name, value);
  }

  /**
   * Installs what finds names that nobody registered; it throws where there is none. It is asked
   * each time, so that a file may change, and registers what it knows not to.
   */
  useLoader(load: (name: string) => T): void {
    this.load = load;
  }

  /** @throws DataError for a name that is neither registered nor found by the loader. */
  find(name: string): T {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    if (this.load === null) {
      const names = [...this.known.keys()].join(', ') || 'none';
      throw new DataError(`no ${this.kind} ${quote(name)} is registered; registered: ${names}`);
    }
    const loaded = this.load(name);
    if (!this.known.has(name)) loads++;
    return loaded;
  }
}
