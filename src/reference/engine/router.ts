/** Which replica takes a request. Only those that are on are considered, in index order. */
import { philox4x32 } from '../philox.js';
import { type EngineScalars, type EngineState, replicaMode } from './state.js';

export const router = {
  random: 0,
  roundRobin: 1,
  leastOutstanding: 2,
  leastKv: 3,
  powerOfTwo: 4,
  prefixAffinity: 5,
  connection: 6,
} as const;

/** Philox stream of the routers' draws: one block a request. */
const ROUTE_STREAM = 4;

export class EngineRouter {
  private readonly words = new Uint32Array(4);
  private readonly counter = new Uint32Array(4);
  private readonly key = new Uint32Array(2);

  constructor(private readonly s: EngineScalars) {}

  /** Whether the choice depends on how far the replicas are: they are brought to the arrival. */
  seesLoad(e: EngineState): boolean {
    return e.router !== router.random && e.router !== router.roundRobin;
  }

  /** The replica for a request of a session (session + 1, or 0); -1 where none is on. */
  choose(e: EngineState, request: number, arrival: number, session: number): number {
    const on = this.count(e);
    if (on === 0) return -1;
    switch (e.router) {
      case router.roundRobin:
        return this.roundRobin(e);
      case router.leastOutstanding:
        return this.least(e, (r) => this.outstanding(e, r));
      case router.leastKv:
        return this.least(e, (r) => this.s.kvBlocks - e.freeBlocks[r]);
      case router.powerOfTwo:
        return this.betterOfTwo(e, request, on);
      case router.prefixAffinity:
        return this.withPrefix(e, session);
      case router.connection:
        return this.connected(e, request, arrival, on);
      default:
        return this.nth(e, this.drawn(e, request, 0, on));
    }
  }

  /** A request has ended: its connection is idle from then on. */
  finished(e: EngineState, request: number, time: number): void {
    for (let k = 0; k < e.numConnections; k++) {
      if (e.connectionRequest[k] !== request + 1) continue;
      e.connectionRequest[k] = 0;
      e.connectionIdle[k] = time;
      return;
    }
  }

  outstanding(e: EngineState, r: number): number {
    return e.running[r] + e.preempted[r] + e.queued[r];
  }

  private count(e: EngineState): number {
    let on = 0;
    for (let r = 0; r < this.s.replicas; r++) if (e.mode[r] === replicaMode.on) on++;
    return on;
  }

  /** The replica with n others that are on before it. */
  private nth(e: EngineState, n: number): number {
    let left = n;
    for (let r = 0; r < this.s.replicas; r++) {
      if (e.mode[r] !== replicaMode.on) continue;
      if (left === 0) return r;
      left--;
    }
    return -1;
  }

  /** Word k of the request's draw, below n. */
  private drawn(e: EngineState, request: number, k: number, n: number): number {
    this.counter[0] = request;
    this.counter[1] = e.episode;
    this.counter[2] = ROUTE_STREAM;
    this.counter[3] = 0;
    this.key[0] = e.seedLo;
    this.key[1] = e.seedHi;
    philox4x32(this.counter, this.key, this.words);
    return Math.floor((this.words[k] * n) / 4294967296);
  }

  private roundRobin(e: EngineState): number {
    const { replicas } = this.s;
    let r = e.nextReplica;
    while (e.mode[r] !== replicaMode.on) r = r + 1 === replicas ? 0 : r + 1;
    e.nextReplica = r + 1 === replicas ? 0 : r + 1;
    return r;
  }

  private least(e: EngineState, load: (r: number) => number): number {
    let best = -1;
    let bestLoad = 0;
    for (let r = 0; r < this.s.replicas; r++) {
      if (e.mode[r] !== replicaMode.on) continue;
      const its = load(r);
      if (best >= 0 && its >= bestLoad) continue;
      best = r;
      bestLoad = its;
    }
    return best;
  }

  /** The less loaded of two drawn ones, which may be the same; the first at a tie. */
  private betterOfTwo(e: EngineState, request: number, on: number): number {
    const a = this.nth(e, this.drawn(e, request, 0, on));
    const b = this.nth(e, this.drawn(e, request, 1, on));
    return this.outstanding(e, b) < this.outstanding(e, a) ? b : a;
  }

  /** Where the session was last, unless that is too loaded; then the least loaded. */
  private withPrefix(e: EngineState, session: number): number {
    const least = this.least(e, (r) => this.outstanding(e, r));
    if (session === 0) return least;
    const last = e.sessionReplica[session - 1] - 1;
    const isOn = last >= 0 && e.mode[last] === replicaMode.on;
    const limit = this.outstanding(e, least) + this.s.affinitySlack;
    const r = isOn && this.outstanding(e, last) <= limit ? last : least;
    e.sessionReplica[session - 1] = r + 1;
    return r;
  }

  /**
   * A client's pool over a load balancer that draws a replica for each connection: the request
   * takes the first connection that is idle, or opens one. So do HTTP clients with keep-alive.
   */
  private connected(e: EngineState, request: number, arrival: number, on: number): number {
    this.closeExpired(e, arrival);
    for (let k = 0; k < e.numConnections; k++) {
      if (e.connectionRequest[k] > 0 || e.connectionIdle[k] > arrival) continue;
      e.connectionRequest[k] = request + 1;
      return e.connectionReplica[k];
    }
    const r = this.nth(e, this.drawn(e, request, 0, on));
    if (e.numConnections < this.s.connections) {
      const k = e.numConnections;
      e.numConnections += 1;
      e.connectionReplica[k] = r;
      e.connectionRequest[k] = request + 1;
      e.connectionIdle[k] = 0;
    }
    return r;
  }

  private closeExpired(e: EngineState, arrival: number): void {
    let kept = 0;
    for (let k = 0; k < e.numConnections; k++) {
      const isBusy = e.connectionRequest[k] > 0;
      const isOn = e.mode[e.connectionReplica[k]] === replicaMode.on;
      const isFresh = arrival - e.connectionIdle[k] <= this.s.keepaliveS;
      if (!isBusy && !(isOn && isFresh)) continue;
      e.connectionReplica[kept] = e.connectionReplica[k];
      e.connectionRequest[kept] = e.connectionRequest[k];
      e.connectionIdle[kept] = e.connectionIdle[k];
      kept++;
    }
    e.numConnections = kept;
  }
}
