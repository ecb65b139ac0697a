/**
 * The state of an engine: replicas with their slots, queues and prefix caches, as flat arrays. Row
 * r of an array that is kept per replica begins at r times its length per replica.
 *
 * A slot holds a request from its admission to its end. `order` is a permutation of a replica's
 * slots: those that run, in the order of their admission; then those that were preempted, the front
 * of the queue first; then the free ones. So a preemption of the newest moves nothing at all.
 */

/** Numbers that an engine's program fixes. */
export interface EngineScalars {
  /** Replicas there can be. */
  readonly replicas: number;
  /** Requests a replica can hold in slots, and in its queue behind them. */
  readonly slots: number;
  readonly queue: number;
  /** Runs of freed blocks that a prefix cache keeps track of. */
  readonly segments: number;
  /** Sessions whose prefixes are cached; 0: none. */
  readonly sessions: number;
  /** Connections of the router that keeps them; 0 for the others. */
  readonly connections: number;
  /** Requests by which the replica of a session's prefix may exceed the least loaded one. */
  readonly affinitySlack: number;
  /** Requests whose results are kept in the state: all of a replayed trace, or 0. */
  readonly results: number;
  /** KV blocks of a replica, without those of the system prompt; and with the least KV budget. */
  readonly kvBlocks: number;
  readonly kvBlocksLeast: number;
  /** Blocks of the system prompt that all requests share. */
  readonly systemBlocks: number;
  /** Blocks that are taken ahead of need (older engines). */
  readonly preallocatedBlocks: number;
  /** 1: a request is admitted only where its whole prompt fits. */
  readonly reserveFull: number;
  /** 1: an iteration is composed at the start of the one before it. */
  readonly asyncScheduling: number;
  readonly prefixCaching: number;
  /** Cells of `linearS`. */
  readonly linearCells: number;
  /** Seconds an iteration: per sequence, per token of context, per squared token, per prefill. */
  readonly sequenceS: number;
  readonly contextS: number;
  readonly attentionS: number;
  readonly prefillS: number;
  /** Extra share of the decodes' context time in an iteration that also prefills. */
  readonly mixedRatio: number;
  /** Seconds from the front end to the engine, and of the front end: a request, a prompt token. */
  readonly arrivalS: number;
  readonly frontendRequestS: number;
  readonly frontendTokenS: number;
  /** Seconds by which each sequence of an iteration delays its tokens on their way out. */
  readonly emissionS: number;
  /** Seconds a connection is kept idle. */
  readonly keepaliveS: number;
}

export interface EngineTables {
  /** Seconds of an iteration by its tokens, without attention. */
  readonly linearS: Float32Array;
  /** Latency targets by class: time to first token, time per output token. */
  readonly classTtftS: Float32Array;
  readonly classTpotS: Float32Array;
}

/** Settings that actions change; kept in the state. */
export interface EngineKnobs {
  maxNumSeqs: number;
  maxNumBatchedTokens: number;
  /** Index into `admissionOrders`. */
  admissionOrder: number;
  /** Index into `preemptionOrders`. */
  preemptionOrder: number;
  /** Index into `routers`. */
  router: number;
  /** Blocks withheld from the KV cache. */
  withheldBlocks: number;
}

export const admissionOrder = { fcfs: 0, priority: 1, deadline: 2 } as const;
export const preemptionOrder = { newest: 0, lowestPriority: 1 } as const;

/** Of `slotFlags`. */
export const DECODING = 1; // its prompt is computed, a token an iteration follows
export const SEEN = 2; // its first token is out
export const PREEMPTED = 4; // it was preempted before
export const DONE = 8; // it has ended, and is held for one more composition

/** A request's class is in the upper byte of its output length. */
export const CLASS_SHIFT = 24;
export const OUTPUT_MASK = 0xffffff;
export const CLASS_UNIT = 0x1000000;

export interface EngineArrays {
  /** [replica][slot], see above. */
  order: Uint32Array;
  /** Index among the requests. */
  slotRequest: Uint32Array;
  slotPrompt: Uint32Array;
  /** Output tokens, and the class. */
  slotOutput: Uint32Array;
  /** Tokens whose keys and values are there. */
  slotComputed: Uint32Array;
  /** Tokens generated. */
  slotGenerated: Uint32Array;
  /** Blocks it can write or read, without the system prompt's. */
  slotBlocks: Uint32Array;
  /** How many of these, the leading ones, belong to its lender. */
  slotBorrowed: Uint32Array;
  /** Slot + 1 of the running request that it borrows from, and of the one that borrows from it. */
  slotLender: Uint32Array;
  slotBorrower: Uint32Array;
  /** Session + 1, or 0; and the leading tokens that it has in common with this prompt. */
  slotSession: Uint32Array;
  slotShared: Uint32Array;
  slotFlags: Uint32Array;
  /** Segment + 1 of its own blocks that a preemption left, or 0. */
  slotSegment: Uint32Array;
  slotArrival: Float64Array;
  /** When its first token was seen. */
  slotFirst: Float64Array;
  /** The queue, a ring: [replica][place]. */
  queueRequest: Uint32Array;
  queuePrompt: Uint32Array;
  queueOutput: Uint32Array;
  queueSession: Uint32Array;
  /** Leading tokens that the session has in common with this prompt. */
  queueShared: Uint32Array;
  queueArrival: Float64Array;
  /** When the engine sees it. */
  queueReady: Float64Array;
  /** Segments: freed blocks in the order in which they will be evicted, a linked list. */
  segmentBlocks: Uint32Array;
  /** Whose blocks they are: session + 1, or sessions + 1 + slot; 0: nobody's. */
  segmentKey: Uint32Array;
  /** Segment + 1, or 0. */
  segmentNext: Uint32Array;
  segmentPrevious: Uint32Array;
  /** Segment + 1 that begins with the session's first block, or 0. */
  sessionSegment: Uint32Array;
  /** Slot + 1 of the session's newest running request, or 0. */
  sessionLive: Uint32Array;
  /** Per replica: requests that run, that were preempted and wait, that wait in the ring. */
  running: Uint32Array;
  preempted: Uint32Array;
  queued: Uint32Array;
  queueHead: Uint32Array;
  /** Blocks that are free, cached ones included. */
  freeBlocks: Uint32Array;
  /** Blocks that hold nothing. */
  cleanBlocks: Uint32Array;
  /** Segment + 1 of the list's ends; the unused ones hang on `segmentSpare` by `segmentNext`. */
  segmentHead: Uint32Array;
  segmentTail: Uint32Array;
  segmentSpare: Uint32Array;
  /** When the next iteration begins, when the last one began, when the front end is free. */
  clock: Float64Array;
  started: Float64Array;
  frontend: Float64Array;
}

/** Sums over what happened since they were last cleared; by replica. */
export interface EngineCounters {
  iterations: Uint32Array;
  admitted: Uint32Array;
  completed: Uint32Array;
  preemptions: Uint32Array;
  prefillTokens: Uint32Array;
  decodeTokens: Uint32Array;
  hitTokens: Uint32Array;
  promptTokens: Uint32Array;
  recomputedTokens: Uint32Array;
  busyS: Float64Array;
  /** [cell of `cellOf`]: tokens by the iteration's time, over all replicas. */
  iterationHistogram: Uint32Array;
}

/** The fleet as the router knows it. */
export interface EngineFleet {
  /** Index into `replicaModes`, and when a starting replica is on. */
  mode: Uint32Array;
  modeUntil: Float64Array;
  /** Replica + 1 that last took the session, or 0. */
  sessionReplica: Uint32Array;
  /** Connections in the order of their opening; those from `numConnections` on are free. */
  connectionReplica: Uint32Array;
  /** Request + 1 that it waits for, or 0. */
  connectionRequest: Uint32Array;
  /** When it became idle. */
  connectionIdle: Float64Array;
  numConnections: number;
  /** Replica that the round-robin router takes next. */
  nextReplica: number;
  /** Requests that found the queue full or can never fit. */
  rejected: number;
}

export const replicaMode = { off: 0, starting: 1, on: 2, draining: 3 } as const;

/** Names of the environment's random draws. */
export interface EngineSeed {
  seedLo: number;
  seedHi: number;
  episode: number;
}

export type EngineState = EngineArrays & EngineCounters & EngineKnobs & EngineFleet & EngineSeed;

/** Cells of a histogram of times: eight an octave, from 2^-16 s. */
export const HISTOGRAM_CELLS = 256;
const bits = new Uint32Array(1);
const asFloat = new Float32Array(bits.buffer);

/** The cell of a time, in seconds. */
export function cellOf(seconds: number): number {
  asFloat[0] = seconds;
  const cell = (bits[0] >>> 20) - ((127 - 16) << 3);
  if (cell < 0) return 0;
  return cell < HISTOGRAM_CELLS ? cell : HISTOGRAM_CELLS - 1;
}

/** A state with every number at zero. */
export function createEngineState(s: EngineScalars): EngineState {
  const words = (perReplica: number) => new Uint32Array(s.replicas * perReplica);
  const reals = (perReplica: number) => new Float64Array(s.replicas * perReplica);
  return {
    ...createSlots(s),
    seedLo: 0,
    seedHi: 0,
    episode: 0,
    mode: words(1),
    modeUntil: reals(1),
    sessionReplica: new Uint32Array(s.sessions),
    connectionReplica: new Uint32Array(s.connections),
    connectionRequest: new Uint32Array(s.connections),
    connectionIdle: new Float64Array(s.connections),
    numConnections: 0,
    nextReplica: 0,
    rejected: 0,
    maxNumSeqs: 0,
    maxNumBatchedTokens: 0,
    admissionOrder: 0,
    preemptionOrder: 0,
    router: 0,
    withheldBlocks: 0,
    segmentBlocks: words(s.segments),
    segmentKey: words(s.segments),
    segmentNext: words(s.segments),
    segmentPrevious: words(s.segments),
    sessionSegment: words(s.sessions),
    sessionLive: words(s.sessions),
    running: words(1),
    preempted: words(1),
    queueHead: words(1),
    freeBlocks: words(1),
    cleanBlocks: words(1),
    segmentHead: words(1),
    segmentTail: words(1),
    segmentSpare: words(1),
    clock: reals(1),
    started: reals(1),
    frontend: reals(1),
    iterations: words(1),
    admitted: words(1),
    completed: words(1),
    preemptions: words(1),
    prefillTokens: words(1),
    decodeTokens: words(1),
    hitTokens: words(1),
    promptTokens: words(1),
    recomputedTokens: words(1),
    busyS: reals(1),
    iterationHistogram: new Uint32Array(HISTOGRAM_CELLS),
  };
}

function createSlots(s: EngineScalars) {
  const words = (perReplica: number) => new Uint32Array(s.replicas * perReplica);
  const reals = (perReplica: number) => new Float64Array(s.replicas * perReplica);
  return {
    order: words(s.slots),
    slotRequest: words(s.slots),
    slotPrompt: words(s.slots),
    slotOutput: words(s.slots),
    slotComputed: words(s.slots),
    slotGenerated: words(s.slots),
    slotBlocks: words(s.slots),
    slotBorrowed: words(s.slots),
    slotLender: words(s.slots),
    slotBorrower: words(s.slots),
    slotSession: words(s.slots),
    slotShared: words(s.slots),
    slotFlags: words(s.slots),
    slotSegment: words(s.slots),
    slotArrival: reals(s.slots),
    slotFirst: reals(s.slots),
    queueRequest: words(s.queue),
    queuePrompt: words(s.queue),
    queueOutput: words(s.queue),
    queueSession: words(s.queue),
    queueShared: words(s.queue),
    queueArrival: reals(s.queue),
    queueReady: reals(s.queue),
    queued: words(1),
  };
}
