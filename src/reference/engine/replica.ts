/**
 * A replica in time: iterations until its clock passes a limit. Most iterations only decode, and
 * runs of those are computed together, with the bits of one by one: that is the fast path, and
 * `EngineScheduler.iterate` is its oracle.
 */
import { BLOCK_TOKENS } from './cache.js';
import { type EngineEvents, EngineScheduler } from './schedule.js';
import {
  admissionOrder,
  cellOf,
  DECODING,
  DONE,
  type EngineScalars,
  type EngineState,
  type EngineTables,
  OUTPUT_MASK,
} from './state.js';

/** Iterations that are computed together at most. */
const RUN_ITERATIONS = 128;

/** A run of decoding iterations, at its beginning. */
interface Run {
  sequences: number;
  context: number;
  /** Iterations before one of the requests ends. */
  iterations: number;
}

export class EngineReplica {
  readonly scheduler: EngineScheduler;
  private readonly run: Run = { sequences: 0, context: 0, iterations: 0 };
  /** Requests that need another block, by iteration of the run. */
  private readonly needs = new Uint32Array(RUN_ITERATIONS);
  /** Iterations from one need to the next. */
  private readonly period: number;

  constructor(
    private readonly s: EngineScalars,
    private readonly t: EngineTables,
    events: EngineEvents,
    /** False: every iteration by the oracle. */
    private readonly isFast: boolean,
  ) {
    this.scheduler = new EngineScheduler(s, t, events);
    this.period = BLOCK_TOKENS * (1 + s.preallocatedBlocks);
  }

  /** Everything idle at time 0, the cache empty. */
  reset(e: EngineState, r: number): void {
    const { slots } = this.s;
    for (let k = 0; k < slots; k++) e.order[r * slots + k] = k;
    this.scheduler.cache.reset(e, r);
  }

  /** Iterates until the clock has reached `until`; an iteration that has begun is completed. */
  advance(e: EngineState, r: number, until: number): void {
    while (e.clock[r] < until) {
      if (this.sleep(e, r, until)) continue;
      if (this.isFast && this.decode(e, r, until)) continue;
      const held = e.running[r];
      const worked = this.scheduler.iterate(e, r);
      if (!worked && e.running[r] === held) e.clock[r] = until;
    }
  }

  /** Passes the time to the next request where there is nothing to do. */
  private sleep(e: EngineState, r: number, until: number): boolean {
    if (e.running[r] + e.preempted[r] > 0) return false;
    const next = e.queued[r] > 0 ? e.queueReady[r * this.s.queue + e.queueHead[r]] : until;
    if (next <= e.clock[r]) return false;
    e.clock[r] = next < until ? next : until;
    return true;
  }

  /** Runs iterations that only decode; false where the next one does more. */
  private decode(e: EngineState, r: number, until: number): boolean {
    const { s, run, needs } = this;
    if (!this.begin(e, r) || this.scheduler.mayAdmit(e, r)) return false;
    const wake = this.wake(e, r);
    const blocksEach = 1 + s.preallocatedBlocks;
    const last = s.linearCells - 1;
    const base =
      this.t.linearS[run.sequences < last ? run.sequences : last] + s.sequenceS * run.sequences;
    const available = this.scheduler.cache.available(e, r);
    let { context } = run;
    let clock = e.clock[r];
    let started = e.started[r];
    let busy = e.busyS[r];
    let taken = 0;
    let k = 0;
    for (; k < run.iterations && clock < until; k++) {
      if ((s.asyncScheduling === 1 ? started : clock) >= wake) break;
      const needed = needs[k] * blocksEach;
      if (needed > available - taken) break;
      taken += needed;
      const time = base + s.contextS * context;
      e.iterationHistogram[cellOf(time)] += run.sequences;
      busy += time;
      started = clock;
      clock += time;
      context += run.sequences;
    }
    if (k === 0) return false;
    e.clock[r] = clock;
    e.started[r] = started;
    e.busyS[r] = busy;
    e.iterations[r] += k;
    e.decodeTokens[r] += k * run.sequences;
    this.scheduler.cache.take(e, r, taken);
    this.moveOn(e, r, k);
    return true;
  }

  /** Looks at those that run; false where one of those that run does more than decode. */
  private begin(e: EngineState, r: number): boolean {
    const { s, run, needs } = this;
    const sequences = e.running[r];
    if (sequences === 0 || sequences > e.maxNumBatchedTokens) return false;
    const from = r * s.slots;
    let context = sequences;
    let iterations = RUN_ITERATIONS;
    needs.fill(0);
    for (let i = 0; i < sequences; i++) {
      const at = from + e.order[from + i];
      if ((e.slotFlags[at] & (DECODING | DONE)) !== DECODING) return false;
      context += e.slotComputed[at];
      const left = (e.slotOutput[at] & OUTPUT_MASK) - e.slotGenerated[at] - 1;
      if (left < iterations) iterations = left;
      for (let k = this.spare(e, at); k < RUN_ITERATIONS; k += this.period) needs[k] += 1;
    }
    run.sequences = sequences;
    run.context = context;
    run.iterations = iterations;
    return iterations > 0;
  }

  /** Tokens for which a slot has blocks. */
  private spare(e: EngineState, at: number): number {
    return (e.slotBlocks[at] + this.s.systemBlocks) * BLOCK_TOKENS - e.slotComputed[at];
  }

  /** When the next request that may be admitted is seen, or never. */
  private wake(e: EngineState, r: number): number {
    const { s } = this;
    if (e.running[r] >= e.maxNumSeqs || e.running[r] + e.preempted[r] >= s.slots) return Infinity;
    if (e.preempted[r] > 0) return Infinity;
    const from = r * s.queue;
    const seen = s.asyncScheduling === 1 ? e.started[r] : e.clock[r];
    let place = e.queueHead[r];
    for (let k = 0; k < e.queued[r]; k++) {
      if (e.queueReady[from + place] > seen) return e.queueReady[from + place];
      // Behind one that does not fit nobody is admitted, unless another order puts them first.
      if (e.admissionOrder === admissionOrder.fcfs) return Infinity;
      place = place + 1 === s.queue ? 0 : place + 1;
    }
    return Infinity;
  }

  /** Gives those that run the tokens of k iterations, and the blocks. */
  private moveOn(e: EngineState, r: number, k: number): void {
    const from = r * this.s.slots;
    const blocksEach = 1 + this.s.preallocatedBlocks;
    for (let i = 0; i < e.running[r]; i++) {
      const at = from + e.order[from + i];
      const spare = this.spare(e, at);
      if (k > spare) {
        const times = Math.floor((k - spare + this.period - 1) / this.period);
        e.slotBlocks[at] += times * blocksEach;
      }
      e.slotComputed[at] += k;
      e.slotGenerated[at] += k;
    }
  }
}
