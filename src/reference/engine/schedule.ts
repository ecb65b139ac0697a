/**
 * One iteration of a replica, as vLLM V1 schedules it: first those that run, in the order of their
 * admission, then those that wait, while the budget of tokens lasts. A running request that finds
 * no block preempts; then nobody is admitted in this iteration.
 */
import { BLOCK_TOKENS, EngineCache, type Hit, type Prompt } from './cache.js';
import {
  admissionOrder,
  CLASS_SHIFT,
  cellOf,
  DECODING,
  DONE,
  type EngineScalars,
  type EngineState,
  type EngineTables,
  OUTPUT_MASK,
  PREEMPTED,
  preemptionOrder,
  SEEN,
} from './state.js';

/** The work of an iteration; the time it takes follows from it. */
export interface Composition {
  tokens: number;
  sequences: number;
  /** Tokens of context of the decodes. */
  context: number;
  /** Sum over prefill chunks of end² − start². */
  squares: number;
  prefillTokens: number;
}

/** The request that is next. */
interface Candidate {
  /** It was preempted: it has its slot. */
  again: boolean;
  slot: number;
  /** Its place in the ring otherwise. */
  place: number;
  /** Tokens that need not be computed, and those that this iteration would. */
  computed: number;
  chunk: number;
}

/** Called back with the slot of a request whose first token, or last, is seen at `time`. */
export interface EngineEvents {
  first(e: EngineState, at: number, time: number): void;
  finish(e: EngineState, at: number, time: number): void;
  /** It has its slot: the first time, or after a preemption. */
  admit?(e: EngineState, at: number, time: number): void;
  preempt?(e: EngineState, at: number, time: number): void;
}

export class EngineScheduler {
  readonly cache: EngineCache;
  readonly composition: Composition = {
    tokens: 0,
    sequences: 0,
    context: 0,
    squares: 0,
    prefillTokens: 0,
  };
  /** Tokens of this iteration, by place in `order`. */
  private readonly chunks: Uint32Array;
  private readonly ended: Uint32Array;
  private readonly candidate: Candidate = {
    again: false,
    slot: 0,
    place: 0,
    computed: 0,
    chunk: 0,
  };
  private readonly hit: Hit = { blocks: 0, lender: 0, segment: 0 };
  private readonly prompt: Prompt = { tokens: 0, session: 0, shared: 0 };

  constructor(
    private readonly s: EngineScalars,
    private readonly t: EngineTables,
    private readonly events: EngineEvents,
  ) {
    this.cache = new EngineCache(s);
    this.chunks = new Uint32Array(s.slots);
    this.ended = new Uint32Array(s.slots);
  }

  /** Runs one iteration; false where nothing can be computed now. */
  iterate(e: EngineState, r: number): boolean {
    const { composition: c } = this;
    const from = r * this.s.slots;
    c.tokens = 0;
    c.sequences = 0;
    c.context = 0;
    c.squares = 0;
    c.prefillTokens = 0;
    const preempted = this.continueRunning(e, r);
    if (!preempted) this.admit(e, r);
    this.releaseEnded(e, r);
    if (c.tokens === 0) return false;
    e.started[r] = e.clock[r];
    const time = this.duration();
    const end = e.clock[r] + time;
    e.busyS[r] += time;
    e.clock[r] = end;
    e.iterations[r] += 1;
    e.iterationHistogram[cellOf(time)] += c.sequences;
    e.prefillTokens[r] += c.prefillTokens;
    e.decodeTokens[r] += c.tokens - c.prefillTokens;
    this.complete(e, r, from, end);
    return true;
  }

  /** Seconds of the composition, in one written order. */
  duration(): number {
    const { s, t, composition: c } = this;
    const last = s.linearCells - 1;
    const cell = c.tokens < last ? c.tokens : last;
    const context = s.contextS * c.context;
    let time = t.linearS[cell] + s.sequenceS * c.sequences + context;
    if (c.prefillTokens > 0) {
      time = time + s.attentionS * (0.5 * c.squares) + (s.prefillS + s.mixedRatio * context);
    }
    return time;
  }

  /** Gives those that run their tokens; true where one was preempted. */
  private continueRunning(e: EngineState, r: number): boolean {
    const from = r * this.s.slots;
    let preempted = false;
    let i = 0;
    for (; i < e.running[r]; i++) {
      const at = from + e.order[from + i];
      this.chunks[i] = 0;
      if ((e.slotFlags[at] & DONE) !== 0) continue;
      const left = e.slotPrompt[at] + e.slotGenerated[at] - e.slotComputed[at];
      const budget = e.maxNumBatchedTokens - this.composition.tokens;
      const chunk = left < budget ? left : budget;
      if (chunk === 0) continue;
      const needed = this.blocksFor(e.slotComputed[at] + chunk) - e.slotBlocks[at];
      while (needed > 0 && needed > this.cache.available(e, r)) {
        preempted = true;
        if (this.preempt(e, r, i) === i) return true;
      }
      this.extend(e, r, at, needed);
      this.schedule(e, at, i, chunk);
    }
    return preempted;
  }

  private blocksFor(tokens: number): number {
    return Math.floor((tokens + BLOCK_TOKENS - 1) / BLOCK_TOKENS) - this.s.systemBlocks;
  }

  /** Takes the blocks that are needed, and those ahead of need as far as there are any. */
  private extend(e: EngineState, r: number, at: number, needed: number): void {
    if (needed <= 0) return;
    const wanted = needed + this.s.preallocatedBlocks;
    const available = this.cache.available(e, r);
    const taken = wanted < available ? wanted : available;
    this.cache.take(e, r, taken);
    e.slotBlocks[at] += taken;
  }

  private schedule(e: EngineState, at: number, place: number, chunk: number): void {
    const { composition: c } = this;
    this.chunks[place] = chunk;
    c.tokens += chunk;
    c.sequences += 1;
    const start = e.slotComputed[at];
    if ((e.slotFlags[at] & DECODING) !== 0) {
      c.context += start + 1;
    } else {
      const end = start + chunk;
      c.squares += end * end - start * start;
      c.prefillTokens += chunk;
    }
  }

  /**
   * Sends one of those that run from place i on back to the front of the queue, and returns its
   * place. Those that have ended are not sent.
   */
  private preempt(e: EngineState, r: number, i: number): number {
    const { order } = e;
    const from = r * this.s.slots;
    const victim = this.victim(e, r, i);
    const slot = order[from + victim];
    const last = e.running[r] - 1;
    for (let k = victim; k < last; k++) order[from + k] = order[from + k + 1];
    order[from + last] = slot;
    e.running[r] = last;
    e.preempted[r] += 1;
    e.preemptions[r] += 1;
    const at = from + slot;
    e.slotFlags[at] = (e.slotFlags[at] & SEEN) | PREEMPTED;
    this.cache.release(e, r, slot);
    e.slotComputed[at] = 0;
    this.events.preempt?.(e, at, e.clock[r]);
    return victim;
  }

  private victim(e: EngineState, r: number, i: number): number {
    const from = r * this.s.slots;
    let victim = i;
    let lowest = -1;
    for (let k = i; k < e.running[r]; k++) {
      const at = from + e.order[from + k];
      if ((e.slotFlags[at] & DONE) !== 0) continue;
      const byClass = e.preemptionOrder === preemptionOrder.lowestPriority;
      const rank = byClass ? e.slotOutput[at] >>> CLASS_SHIFT : 0;
      if (rank < lowest) continue;
      lowest = rank;
      victim = k;
    }
    return victim;
  }

  /** Admits those that wait, the preempted first, while budget, slots and blocks last. */
  private admit(e: EngineState, r: number): void {
    while (this.composition.tokens < e.maxNumBatchedTokens && this.consider(e, r)) {
      this.admitNext(e, r);
    }
  }

  /**
   * Whether an iteration that only decodes could admit somebody, now or before anything else
   * happens: what a request borrows grows while its lender decodes.
   */
  mayAdmit(e: EngineState, r: number): boolean {
    if (e.running[r] >= e.maxNumBatchedTokens) return false;
    this.composition.tokens = e.running[r];
    this.hit.lender = 0;
    return this.consider(e, r) || this.hit.lender > 0;
  }

  /**
   * Who is next, what of the prompt is cached, and how far this iteration would compute it; false
   * where nobody waits or a slot or the blocks are missing.
   */
  private consider(e: EngineState, r: number): boolean {
    const { s, prompt, candidate: c } = this;
    if (e.running[r] >= e.maxNumSeqs || e.running[r] >= s.slots) return false;
    c.again = e.preempted[r] > 0;
    c.place = c.again ? -1 : this.next(e, r);
    if (!c.again && c.place < 0) return false;
    c.slot = e.order[r * s.slots + e.running[r]];
    const known = c.again ? c.slot : -1;
    this.describe(e, r, known, c.place);
    this.cache.find(e, r, known, prompt, this.hit);
    c.computed = (this.hit.blocks + s.systemBlocks) * BLOCK_TOKENS;
    const left = prompt.tokens - c.computed;
    const budget = e.maxNumBatchedTokens - this.composition.tokens;
    c.chunk = left < budget ? left : budget;
    const reach = s.reserveFull === 1 ? prompt.tokens : c.computed + c.chunk;
    const spare = this.hit.segment > 0 ? this.hit.blocks : 0;
    const needed = this.blocksFor(reach) - this.hit.blocks;
    return needed <= this.cache.available(e, r) - spare;
  }

  private admitNext(e: EngineState, r: number): void {
    const { slot, place, computed, chunk, again } = this.candidate;
    const at = r * this.s.slots + slot;
    if (again) {
      e.preempted[r] -= 1;
      e.slotFlags[at] &= SEEN;
    } else {
      this.leaveQueue(e, r, place, at);
    }
    this.cache.claim(e, r, slot, this.hit);
    this.extend(e, r, at, this.blocksFor(computed + chunk) - e.slotBlocks[at]);
    e.slotComputed[at] = computed;
    this.countAdmission(e, r, again, computed);
    this.events.admit?.(e, at, e.clock[r]);
    this.schedule(e, at, e.running[r], chunk);
    e.running[r] += 1;
  }

  private countAdmission(e: EngineState, r: number, again: boolean, computed: number): void {
    e.admitted[r] += again ? 0 : 1;
    e.promptTokens[r] += this.prompt.tokens;
    e.hitTokens[r] += computed;
    e.recomputedTokens[r] += again ? this.prompt.tokens - computed : 0;
  }

  /** Looks up the prompt of a preempted slot, or for the request at a place of the queue. */
  private describe(e: EngineState, r: number, slot: number, place: number): void {
    const { s, prompt } = this;
    if (slot >= 0) {
      const at = r * s.slots + slot;
      prompt.tokens = e.slotPrompt[at] + e.slotGenerated[at];
      prompt.session = e.slotSession[at];
      prompt.shared = e.slotShared[at];
      return;
    }
    const at = r * s.queue + place;
    prompt.tokens = e.queuePrompt[at];
    prompt.session = e.queueSession[at];
    prompt.shared = e.queueShared[at];
  }

  /** The place in the ring of the request that is next, or -1. */
  private next(e: EngineState, r: number): number {
    const { s } = this;
    const from = r * s.queue;
    const isAsync = s.asyncScheduling === 1 && e.running[r] > 0;
    const seen = isAsync ? e.started[r] : e.clock[r];
    let best = -1;
    let bestRank = 0;
    let place = e.queueHead[r];
    for (let k = 0; k < e.queued[r]; k++) {
      if (e.queueReady[from + place] > seen) break;
      if (e.admissionOrder === admissionOrder.fcfs) return place;
      const group = e.queueOutput[from + place] >>> CLASS_SHIFT;
      const isDeadline = e.admissionOrder === admissionOrder.deadline;
      const rank = isDeadline ? e.queueArrival[from + place] + this.t.classTtftS[group] : group;
      if (best < 0 || rank < bestRank) {
        best = place;
        bestRank = rank;
      }
      place = place + 1 === s.queue ? 0 : place + 1;
    }
    return best;
  }

  /** Moves a request from its place in the ring into a slot; those before it move up by one. */
  private leaveQueue(e: EngineState, r: number, place: number, at: number): void {
    const { s } = this;
    const from = r * s.queue;
    e.slotRequest[at] = e.queueRequest[from + place];
    e.slotPrompt[at] = e.queuePrompt[from + place];
    e.slotOutput[at] = e.queueOutput[from + place];
    e.slotSession[at] = e.queueSession[from + place];
    e.slotShared[at] = e.queueShared[from + place];
    e.slotArrival[at] = e.queueArrival[from + place];
    e.slotGenerated[at] = 0;
    e.slotFlags[at] = 0;
    for (let to = place; to !== e.queueHead[r]; ) {
      const before = to === 0 ? s.queue - 1 : to - 1;
      e.queueRequest[from + to] = e.queueRequest[from + before];
      e.queuePrompt[from + to] = e.queuePrompt[from + before];
      e.queueOutput[from + to] = e.queueOutput[from + before];
      e.queueSession[from + to] = e.queueSession[from + before];
      e.queueShared[from + to] = e.queueShared[from + before];
      e.queueArrival[from + to] = e.queueArrival[from + before];
      e.queueReady[from + to] = e.queueReady[from + before];
      to = before;
    }
    e.queueHead[r] = e.queueHead[r] + 1 === s.queue ? 0 : e.queueHead[r] + 1;
    e.queued[r] -= 1;
  }

  /** Lets go of those that had ended before this iteration was composed. */
  private releaseEnded(e: EngineState, r: number): void {
    if (this.s.asyncScheduling === 0) return;
    this.removeEnded(e, r);
  }

  /** Gives out the tokens that the iteration computed, and ends requests. */
  private complete(e: EngineState, r: number, from: number, end: number): void {
    const out = end + this.s.emissionS * this.composition.sequences;
    let ended = false;
    for (let i = 0; i < e.running[r]; i++) {
      if (this.chunks[i] === 0) continue;
      const at = from + e.order[from + i];
      e.slotComputed[at] += this.chunks[i];
      if (e.slotComputed[at] < e.slotPrompt[at] + e.slotGenerated[at]) continue;
      e.slotGenerated[at] += 1;
      e.slotFlags[at] |= DECODING;
      if ((e.slotFlags[at] & SEEN) === 0) {
        e.slotFlags[at] |= SEEN;
        e.slotFirst[at] = out;
        this.events.first(e, at, out);
      }
      if (e.slotGenerated[at] < (e.slotOutput[at] & OUTPUT_MASK)) continue;
      e.slotFlags[at] |= DONE;
      e.completed[r] += 1;
      ended = true;
      this.events.finish(e, at, out);
    }
    if (ended && this.s.asyncScheduling === 0) this.removeEnded(e, r);
  }

  /** Frees the slots of those that have ended, in their order. */
  private removeEnded(e: EngineState, r: number): void {
    const { order } = e;
    const from = r * this.s.slots;
    const held = e.running[r] + e.preempted[r];
    let kept = 0;
    let ended = 0;
    for (let i = 0; i < held; i++) {
      const slot = order[from + i];
      const isEnded = i < e.running[r] && (e.slotFlags[from + slot] & DONE) !== 0;
      if (isEnded) {
        this.ended[ended++] = slot;
        this.cache.release(e, r, slot);
        e.slotFlags[from + slot] = 0;
        continue;
      }
      order[from + kept] = slot;
      this.chunks[kept] = this.chunks[i];
      kept += 1;
    }
    for (let k = 0; k < ended; k++) order[from + kept + k] = this.ended[k];
    e.running[r] -= ended;
  }
}
