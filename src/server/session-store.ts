/** The sessions of HTTP clients: the least recently used goes when there are too many. */
import { ApiError } from './errors.js';
import type { Session } from './session.js';

/** Sessions by id, least recently used first. Finished ones stay until they are evicted. */
export class SessionStore {
  private readonly sessions = new Map<string, Session>();

  /** @param capacity most sessions that are kept, at least 1 */
  constructor(readonly capacity: number) {}

  get size(): number {
    return this.sessions.size;
  }

  /** Keeps a session, in place of one of the same id; evicts the least recently used. */
  add(session: Session): void {
    this.remove(session.id);
    for (const [id] of this.sessions) {
      if (this.sessions.size < this.capacity) break;
      this.remove(id);
    }
    this.sessions.set(session.id, session);
  }

  /** The session of an id, now the most recently used; 404 for one that is not here. */
  get(id: string): Session {
    const session = this.sessions.get(id);
    if (session === undefined) {
      const hint = 'it was never made here, or evicted since: POST /reset begins another';
      throw new ApiError(404, `session ${JSON.stringify(id.slice(0, 64))} is not known; ${hint}`);
    }
    this.sessions.delete(id);
    this.sessions.set(id, session);
    return session;
  }

  has(id: string): boolean {
    return this.sessions.has(id);
  }

  /** Closes and forgets a session; whether there was one. */
  remove(id: string): boolean {
    const session = this.sessions.get(id);
    session?.close();
    return this.sessions.delete(id);
  }

  close(): void {
    for (const id of [...this.sessions.keys()]) this.remove(id);
  }
}
