/**
 * KV blocks: counted, not numbered. What a request frees stays readable until it is evicted: runs
 * of freed blocks are kept as segments, the one freed first at the head. Eviction takes a segment's
 * last block first, so what is left of it is always its beginning, which a later prompt may have in
 * common with it (vLLM's free queue does the same block by block).
 *
 * A session's prompts continue each other. A prompt takes the beginning that it shares from the
 * session's segment, or borrows it from the session's newest running request: then both read the
 * same blocks, and who ends first leaves them to the other.
 */
import { type EngineScalars, type EngineState, PREEMPTED } from './state.js';

export const BLOCK_TOKENS = 16;

/** Leading blocks that a request finds, and where. */
export interface Hit {
  blocks: number;
  /** Slot + 1 that lends them, or 0. */
  lender: number;
  /** Segment + 1 that holds them, or 0. */
  segment: number;
}

export class EngineCache {
  constructor(private readonly s: EngineScalars) {}

  /** Every block clean, every segment unused. */
  reset(e: EngineState, r: number): void {
    const { segments, kvBlocks } = this.s;
    e.freeBlocks[r] = kvBlocks;
    e.cleanBlocks[r] = kvBlocks;
    e.segmentSpare[r] = segments > 0 ? 1 : 0;
    for (let k = 0; k < segments; k++) {
      e.segmentNext[r * segments + k] = k + 1 < segments ? k + 2 : 0;
    }
  }

  /** Blocks that can be taken. */
  available(e: EngineState, r: number): number {
    const free = e.freeBlocks[r];
    return free > e.withheldBlocks ? free - e.withheldBlocks : 0;
  }

  /** Takes blocks, of which there are enough: clean ones first, then from the list's head. */
  take(e: EngineState, r: number, blocks: number): void {
    e.freeBlocks[r] -= blocks;
    const clean = e.cleanBlocks[r];
    const fromClean = blocks < clean ? blocks : clean;
    e.cleanBlocks[r] -= fromClean;
    let owed = blocks - fromClean;
    const from = r * this.s.segments - 1;
    while (owed > 0 && e.segmentHead[r] > 0) {
      const head = e.segmentHead[r];
      const there = e.segmentBlocks[from + head];
      const evicted = owed < there ? owed : there;
      e.segmentBlocks[from + head] -= evicted;
      owed -= evicted;
      if (evicted === there) this.drop(e, r, head);
    }
  }

  /**
   * Leading blocks, behind the system prompt's, that a prompt of so many tokens finds; at least
   * one token is left to compute.
   */
  find(e: EngineState, r: number, slot: number, request: Prompt, hit: Hit): void {
    const { s } = this;
    hit.blocks = 0;
    hit.lender = 0;
    hit.segment = 0;
    if (s.prefixCaching === 0) return;
    const most = Math.floor((request.tokens - 1) / BLOCK_TOKENS) - s.systemBlocks;
    const own = slot < 0 ? 0 : e.slotSegment[r * s.slots + slot];
    if (own > 0) {
      this.findIn(e, r, own, most, hit);
      return;
    }
    if (request.session === 0) return;
    const shared = Math.floor(request.shared / BLOCK_TOKENS) - s.systemBlocks;
    const limit = shared < most ? shared : most;
    const at = r * s.sessions + request.session - 1;
    const live = e.sessionLive[at];
    if (live === 0) {
      if (e.sessionSegment[at] > 0) this.findIn(e, r, e.sessionSegment[at], limit, hit);
      return;
    }
    const computed = e.slotComputed[r * s.slots + live - 1];
    const there = Math.floor(computed / BLOCK_TOKENS) - s.systemBlocks;
    const blocks = there < limit ? there : limit;
    if (blocks <= 0) return;
    hit.blocks = blocks;
    hit.lender = live;
  }

  private findIn(e: EngineState, r: number, segment: number, limit: number, hit: Hit): void {
    const there = e.segmentBlocks[r * this.s.segments + segment - 1];
    const blocks = there < limit ? there : limit;
    if (blocks <= 0) return;
    hit.blocks = blocks;
    hit.segment = segment;
  }

  /** Gives the blocks of a hit to a slot that is being admitted. */
  claim(e: EngineState, r: number, slot: number, hit: Hit): void {
    const { s } = this;
    const at = r * s.slots + slot;
    e.slotBlocks[at] = hit.blocks;
    e.slotBorrowed[at] = 0;
    e.slotLender[at] = 0;
    e.slotBorrower[at] = 0;
    if (hit.lender > 0) {
      e.slotBorrowed[at] = hit.blocks;
      e.slotLender[at] = hit.lender;
      e.slotBorrower[r * s.slots + hit.lender - 1] = slot + 1;
    } else if (hit.segment > 0) {
      const segment = r * s.segments + hit.segment - 1;
      e.freeBlocks[r] -= hit.blocks;
      e.segmentBlocks[segment] -= hit.blocks;
      if (e.segmentBlocks[segment] === 0) this.drop(e, r, hit.segment);
      else this.disown(e, r, hit.segment);
    }
    if (e.slotSegment[at] > 0) this.disown(e, r, e.slotSegment[at]);
    const session = e.slotSession[at];
    if (session > 0) e.sessionLive[r * s.sessions + session - 1] = slot + 1;
  }

  /** Frees what a slot holds; `PREEMPTED` in its flags keeps its beginning for itself. */
  release(e: EngineState, r: number, slot: number): void {
    const { s } = this;
    const slots = r * s.slots - 1;
    const at = slots + slot + 1;
    const lender = e.slotLender[at];
    const borrower = e.slotBorrower[at];
    const borrowed = e.slotBorrowed[at];
    const lent = borrower > 0 ? e.slotBorrowed[slots + borrower] : 0;
    if (borrower > 0) {
      e.slotBorrowed[slots + borrower] = borrowed < lent ? borrowed : lent;
      e.slotLender[slots + borrower] = lender;
    }
    if (lender > 0) e.slotBorrower[slots + lender] = borrower;
    const kept = borrowed > lent ? borrowed : lent;
    const session = e.slotSession[at];
    if (session > 0 && e.sessionLive[r * s.sessions + session - 1] === slot + 1) {
      e.sessionLive[r * s.sessions + session - 1] = lender;
    }
    const freed = e.slotBlocks[at] - kept;
    e.slotBlocks[at] = 0;
    e.slotBorrowed[at] = 0;
    e.slotLender[at] = 0;
    e.slotBorrower[at] = 0;
    if (freed <= 0) return;
    e.freeBlocks[r] += freed;
    this.keep(e, r, freed, kept > 0 ? 0 : this.keyOf(e, at, slot));
  }

  private keyOf(e: EngineState, at: number, slot: number): number {
    if ((e.slotFlags[at] & PREEMPTED) !== 0) return this.s.sessions + 1 + slot;
    return e.slotSession[at];
  }

  /** Appends freed blocks to the list; where it is full, its head is forgotten. */
  private keep(e: EngineState, r: number, blocks: number, key: number): void {
    const { s } = this;
    if (s.prefixCaching === 0 || s.segments === 0) {
      e.cleanBlocks[r] += blocks;
      return;
    }
    if (e.segmentSpare[r] === 0) {
      const head = e.segmentHead[r];
      e.cleanBlocks[r] += e.segmentBlocks[r * s.segments + head - 1];
      this.drop(e, r, head);
    }
    const from = r * s.segments - 1;
    const segment = e.segmentSpare[r];
    e.segmentSpare[r] = e.segmentNext[from + segment];
    e.segmentBlocks[from + segment] = blocks;
    e.segmentNext[from + segment] = 0;
    e.segmentPrevious[from + segment] = e.segmentTail[r];
    if (e.segmentTail[r] > 0) e.segmentNext[from + e.segmentTail[r]] = segment;
    else e.segmentHead[r] = segment;
    e.segmentTail[r] = segment;
    e.segmentKey[from + segment] = 0;
    if (key > 0) this.own(e, r, segment, key);
  }

  private own(e: EngineState, r: number, segment: number, key: number): void {
    const { s } = this;
    e.segmentKey[r * s.segments + segment - 1] = key;
    if (key > s.sessions) {
      e.slotSegment[r * s.slots + key - s.sessions - 1] = segment;
      return;
    }
    const at = r * s.sessions + key - 1;
    if (e.sessionSegment[at] > 0) this.disown(e, r, e.sessionSegment[at]);
    e.sessionSegment[at] = segment;
  }

  /** Nobody finds the segment any more; its blocks wait for their eviction. */
  private disown(e: EngineState, r: number, segment: number): void {
    const { s } = this;
    const at = r * s.segments + segment - 1;
    const key = e.segmentKey[at];
    e.segmentKey[at] = 0;
    if (key > s.sessions) e.slotSegment[r * s.slots + key - s.sessions - 1] = 0;
    else if (key > 0) e.sessionSegment[r * s.sessions + key - 1] = 0;
  }

  /** Takes a segment out of the list. */
  private drop(e: EngineState, r: number, segment: number): void {
    this.disown(e, r, segment);
    const from = r * this.s.segments - 1;
    const next = e.segmentNext[from + segment];
    const previous = e.segmentPrevious[from + segment];
    if (previous > 0) e.segmentNext[from + previous] = next;
    else e.segmentHead[r] = next;
    if (next > 0) e.segmentPrevious[from + next] = previous;
    else e.segmentTail[r] = previous;
    e.segmentBlocks[from + segment] = 0;
    e.segmentPrevious[from + segment] = 0;
    e.segmentNext[from + segment] = e.segmentSpare[r];
    e.segmentSpare[r] = segment;
  }
}

/** A prompt that is looked for in the cache. */
export interface Prompt {
  /** Tokens to compute, those generated before a preemption included. */
  tokens: number;
  /** Session + 1, or 0. */
  session: number;
  shared: number;
}
