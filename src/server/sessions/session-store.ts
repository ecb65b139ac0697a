/** The sessions of HTTP clients: the least recently used goes when there are too many. */
import { ApiError } from '../http/errors.js';
import type { Session } from './session.js';

interface Kept {
  readonly session: Session;
  /** The clock's reading at the last use. */
  usedAt: number;
}

/** Sessions by id. Finished ones stay until they are evicted. */
export class SessionStore {
  private readonly kept = new Map<string, Kept>();
  /** Counts uses: finding the oldest at an eviction costs less than an order kept at every step. */
  private clock = 0;

  /** @param capacity most sessions that are kept, at least 1 */
  constructor(readonly capacity: number) {}

  get size(): number {
    return this.kept.size;
  }

  /** Keeps a session, in place of one of the same id; evicts the least recently used. */
  add(session: Session): void {
    this.remove(session.id);
    if (this.kept.size >= this.capacity) this.remove(this.leastRecentlyUsed());
    this.kept.set(session.id, { session, usedAt: this.clock++ });
  }

  /** The session of an id, now the most recently used; 404 for one that is not here. */
  get(id: string): Session {
    const kept = this.kept.get(id);
    if (kept === undefined) {
      const hint = 'it was never made here, or evicted since: POST /reset begins another';
      throw new ApiError(404, `session ${JSON.stringify(id.slice(0, 64))} is not known; ${hint}`);
    }
    kept.usedAt = this.clock++;
    return kept.session;
  }

  has(id: string): boolean {
    return this.kept.has(id);
  }

  /** Closes and forgets a session; whether there was one. */
  remove(id: string): boolean {
    this.kept.get(id)?.session.close();
    return this.kept.delete(id);
  }

  close(): void {
    for (const id of [...this.kept.keys()]) this.remove(id);
  }

  private leastRecentlyUsed(): string {
    let [oldest, first] = ['', Number.POSITIVE_INFINITY];
    for (const [id, { usedAt }] of this.kept) {
      if (usedAt < first) [oldest, first] = [id, usedAt];
    }
    return oldest;
  }
}
