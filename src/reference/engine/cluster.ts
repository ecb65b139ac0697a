/** Replicas behind a router: requests come in the order of their arrival, time passes between. */
import { BLOCK_TOKENS } from './cache.js';
import { EngineReplica } from './replica.js';
import { EngineRouter } from './router.js';
import type { EngineEvents } from './schedule.js';
import {
  CLASS_UNIT,
  type EngineScalars,
  type EngineState,
  type EngineTables,
  replicaMode,
} from './state.js';

/** A request as it arrives. */
export interface EngineRequest {
  /** Its index among the requests. */
  index: number;
  /** Seconds. */
  arrival: number;
  promptTokens: number;
  outputTokens: number;
  group: number;
  /** Session + 1, or 0. */
  session: number;
  /** Leading tokens in common with what the session said before. */
  sharedTokens: number;
}

export class EngineCluster {
  readonly replica: EngineReplica;
  readonly router: EngineRouter;

  constructor(
    private readonly s: EngineScalars,
    t: EngineTables,
    private readonly events: EngineEvents,
    isFast = true,
  ) {
    this.router = new EngineRouter(s);
    const finish: EngineEvents['finish'] = (e, at, time) => {
      if (s.connections > 0) this.router.finished(e, e.slotRequest[at], time);
      this.events.finish(e, at, time);
    };
    this.replica = new EngineReplica(s, t, { ...events, finish }, isFast);
  }

  /** Clears a state: everything idle at time 0, so many replicas on. */
  reset(e: EngineState, on: number): void {
    for (const value of Object.values(e)) {
      if (value instanceof Uint32Array || value instanceof Float64Array) value.fill(0);
    }
    e.numConnections = 0;
    e.nextReplica = 0;
    e.rejected = 0;
    for (let r = 0; r < this.s.replicas; r++) {
      this.replica.reset(e, r);
      e.mode[r] = r < on ? replicaMode.on : replicaMode.off;
    }
  }

  /** Brings every replica to a time. */
  advance(e: EngineState, until: number): void {
    for (let r = 0; r < this.s.replicas; r++) this.replica.advance(e, r, until);
  }

  /** Takes a request in; false where it is rejected. */
  arrive(e: EngineState, request: EngineRequest): boolean {
    const { arrival } = request;
    if (this.router.seesLoad(e)) this.advance(e, arrival);
    const r = this.fits(request)
      ? this.router.choose(e, request.index, arrival, request.session)
      : -1;
    if (r >= 0) this.replica.advance(e, r, arrival);
    if (r < 0 || e.queued[r] >= this.s.queue) {
      e.rejected += 1;
      return false;
    }
    this.enqueue(e, r, request);
    return true;
  }

  /** Whether an empty replica could hold all of a request. */
  private fits({ promptTokens, outputTokens }: EngineRequest): boolean {
    const { s } = this;
    const tokens = promptTokens + outputTokens + BLOCK_TOKENS * (1 + s.preallocatedBlocks);
    return Math.floor(tokens / BLOCK_TOKENS) <= s.kvBlocksLeast + s.systemBlocks;
  }

  /** Through the front end, one request after the other, then into the ring. */
  private enqueue(e: EngineState, r: number, request: EngineRequest): void {
    const { s } = this;
    const { arrival } = request;
    const free = e.frontend[r] > arrival ? e.frontend[r] : arrival;
    const least = s.systemBlocks * BLOCK_TOKENS + 1;
    const prompt = request.promptTokens > least ? request.promptTokens : least;
    const done = free + (s.frontendRequestS + s.frontendTokenS * prompt);
    e.frontend[r] = done;
    const place = e.queueHead[r] + e.queued[r];
    const at = r * s.queue + (place >= s.queue ? place - s.queue : place);
    e.queueRequest[at] = request.index;
    e.queuePrompt[at] = prompt;
    e.queueOutput[at] = request.outputTokens + request.group * CLASS_UNIT;
    e.queueSession[at] = request.session;
    e.queueShared[at] = request.sharedTokens;
    e.queueArrival[at] = arrival;
    e.queueReady[at] = done + s.arrivalS;
    e.queued[r] += 1;
  }
}
