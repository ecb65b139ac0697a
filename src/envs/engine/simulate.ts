/**
 * The engine as a simulator: a trace of requests in, what each of them would have waited out. It
 * plays the reference's kernel, so it runs wherever JavaScript does.
 */

import { DataError } from '../../data/errors.js';
import { EngineCluster, type EngineRequest } from '../../reference/engine/cluster.js';
import {
  CLASS_SHIFT,
  createEngineState,
  type EngineState,
  OUTPUT_MASK,
} from '../../reference/engine/state.js';
import { type EngineConfig, type EngineSetup, setUpEngine } from './setup.js';

/** A request of a trace. */
export interface TraceRequest {
  /** Seconds from the trace's beginning; not decreasing from request to request. */
  readonly arrival_s: number;
  readonly prompt_tokens: number;
  /** 1 or more. */
  readonly output_tokens: number;
  /** Service class; 0 by default. */
  readonly class?: number;
  /** Requests of one session continue each other's prompts. */
  readonly session?: string | number;
  /** Leading tokens that the prompt has in common with the session so far; 0 by default. */
  readonly shared_tokens?: number;
}

/** A request's outcome. Times in seconds, NaN where there is none. */
export interface RequestResult {
  /** Its place in the trace. */
  readonly request: number;
  readonly arrival_s: number;
  readonly prompt_tokens: number;
  readonly output_tokens: number;
  readonly class: number;
  /** From arrival to the first token, and to the last, as the client sees them. */
  readonly ttft_s: number;
  readonly e2e_s: number;
  /** (E2E - TTFT) / (output - 1); NaN for an output of one token. */
  readonly tpot_s: number;
  /** True where the queue was full or the request can never fit: it has no times. */
  readonly rejected: boolean;
}

/** Counts over a simulation. */
export interface SimulationCounts {
  readonly requests: number;
  readonly completed: number;
  readonly rejected: number;
  readonly iterations: number;
  readonly preemptions: number;
  readonly prefill_tokens: number;
  readonly decode_tokens: number;
  readonly recomputed_tokens: number;
  /** Share of the prompts' tokens that were found in a prefix cache. */
  readonly prefix_hit_ratio: number;
  /** When the last request ended. */
  readonly end_s: number;
}

/** A moment of a simulation, for pictures. */
export interface EngineSample {
  readonly time_s: number;
  /** By replica. */
  readonly running: readonly number[];
  readonly waiting: readonly number[];
  readonly kv_ratio: readonly number[];
}

/** A simulation that is fed request by request; results come in the order of the ends. */
export class EngineSimulation {
  private readonly setup: EngineSetup;
  private readonly cluster: EngineCluster;
  private readonly state: EngineState;
  private readonly sessions = new Map<string | number, number>();
  private done: RequestResult[] = [];
  private requests = 0;
  private completed = 0;
  private lastArrival = 0;
  private end = 0;

  /**
   * @param config the engine
   * @param limits how many requests may be in flight at once, and how many sessions there are
   * @param isFast false: every iteration by the oracle
   */
  constructor(
    config: EngineConfig,
    limits: { queue?: number; sessions?: number } = {},
    isFast = true,
  ) {
    this.setup = setUpEngine(config, limits);
    const { scalars, tables, knobs, seed } = this.setup;
    const first = () => {};
    const finish = (e: EngineState, at: number, time: number) => this.finish(e, at, time);
    this.cluster = new EngineCluster(scalars, tables, { first, finish }, isFast);
    this.state = Object.assign(createEngineState(scalars), knobs);
    this.cluster.reset(this.state, scalars.replicas);
    Object.assign(this.state, { seedLo: seed.lo, seedHi: seed.hi, episode: 0 });
  }

  /**
   * Takes a request in. Results of those that have ended by then are waiting in `results`.
   *
   * @throws DataError naming the field of a request that is no request, or comes too early
   */
  push(request: TraceRequest): void {
    const index = this.requests;
    checkRequest(request, index, this.lastArrival);
    this.requests += 1;
    this.lastArrival = request.arrival_s;
    const group = request.class ?? 0;
    const arriving: EngineRequest = {
      index,
      arrival: request.arrival_s,
      promptTokens: request.prompt_tokens,
      outputTokens: request.output_tokens,
      group,
      session: this.sessionOf(request),
      sharedTokens: request.shared_tokens ?? 0,
    };
    if (this.cluster.arrive(this.state, arriving)) return;
    const none = { ttft_s: NaN, e2e_s: NaN, tpot_s: NaN, rejected: true };
    const { arrival_s, prompt_tokens, output_tokens } = request;
    this.done.push({
      request: index,
      arrival_s,
      prompt_tokens,
      output_tokens,
      class: group,
      ...none,
    });
  }

  /** Lets time pass until everything has ended. */
  finishAll(): void {
    const { replicas } = this.setup.scalars;
    const isIdle = () => {
      for (let r = 0; r < replicas; r++)
        if (this.cluster.router.outstanding(this.state, r)) return false;
      return true;
    };
    for (let until = this.lastArrival + 1; !isIdle(); until += until - this.lastArrival) {
      this.cluster.advance(this.state, until);
    }
  }

  /** Lets time pass until a moment, and says how it looks then. */
  sample(time_s: number): EngineSample {
    const { state, setup } = this;
    this.cluster.advance(state, time_s);
    const each = <T>(of: (r: number) => T) =>
      Array.from({ length: setup.scalars.replicas }, (_, r) => of(r));
    return {
      time_s,
      running: each((r) => state.running[r]!),
      waiting: each((r) => state.preempted[r]! + state.queued[r]!),
      kv_ratio: each((r) => 1 - state.freeBlocks[r]! / setup.scalars.kvBlocks),
    };
  }

  /** The results since the last call, in the order of the ends. */
  takeResults(): RequestResult[] {
    const { done } = this;
    this.done = [];
    return done;
  }

  counts(): SimulationCounts {
    const { state } = this;
    const sum = (values: Uint32Array) => values.reduce((total, value) => total + value, 0);
    const prompts = sum(state.promptTokens);
    return {
      requests: this.requests,
      completed: this.completed,
      rejected: state.rejected,
      iterations: sum(state.iterations),
      preemptions: sum(state.preemptions),
      prefill_tokens: sum(state.prefillTokens),
      decode_tokens: sum(state.decodeTokens),
      recomputed_tokens: sum(state.recomputedTokens),
      prefix_hit_ratio: prompts === 0 ? 0 : sum(state.hitTokens) / prompts,
      end_s: this.end,
    };
  }

  private sessionOf({ session }: TraceRequest): number {
    const { sessions } = this.setup.scalars;
    if (session === undefined || sessions === 0) return 0;
    const known = this.sessions.get(session);
    if (known !== undefined) return known;
    // Those beyond the limit have no session: nothing of theirs is found again.
    const next = this.sessions.size < sessions ? this.sessions.size + 1 : 0;
    if (next > 0) this.sessions.set(session, next);
    return next;
  }

  private finish(e: EngineState, at: number, time: number): void {
    const arrival = e.slotArrival[at]!;
    const output = e.slotOutput[at]! & OUTPUT_MASK;
    const ttft_s = e.slotFirst[at]! - arrival;
    const e2e_s = time - arrival;
    this.completed += 1;
    if (time > this.end) this.end = time;
    this.done.push({
      request: e.slotRequest[at]!,
      arrival_s: arrival,
      prompt_tokens: e.slotPrompt[at]!,
      output_tokens: output,
      class: e.slotOutput[at]! >>> CLASS_SHIFT,
      ttft_s,
      e2e_s,
      tpot_s: output > 1 ? (e2e_s - ttft_s) / (output - 1) : NaN,
      rejected: false,
    });
  }
}

/** Greatest numbers that a request may have: a larger one is a mistake in the trace. */
const TOKENS_MAX = 10_000_000;

function checkRequest(request: TraceRequest, index: number, earliest: number): void {
  const refuse = (field: string, value: unknown, needed: string): never => {
    throw new DataError(`request ${index}: ${field} is ${String(value)}; ${needed} is needed`);
  };
  const { arrival_s, prompt_tokens, output_tokens, shared_tokens = 0 } = request;
  const group = request.class ?? 0;
  const isCount = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most;
  if (!(arrival_s >= 0 && arrival_s < 1e9)) refuse('arrival_s', arrival_s, 'a number from 0 on');
  if (arrival_s < earliest) {
    refuse('arrival_s', arrival_s, `the order of arrival (the one before came at ${earliest})`);
  }
  if (!isCount(prompt_tokens, 1, TOKENS_MAX)) {
    refuse('prompt_tokens', prompt_tokens, `an integer in 1..${TOKENS_MAX}`);
  }
  if (!isCount(output_tokens, 1, TOKENS_MAX)) {
    refuse('output_tokens', output_tokens, `an integer in 1..${TOKENS_MAX}`);
  }
  if (!isCount(shared_tokens, 0, prompt_tokens)) {
    refuse('shared_tokens', shared_tokens, 'an integer from 0 to prompt_tokens');
  }
  if (!isCount(group, 0, 255)) refuse('class', group, 'an integer in 0..255');
}

/** Results of a whole trace, in its order, with the counts. */
export interface SimulationResult {
  readonly requests: readonly RequestResult[];
  readonly counts: SimulationCounts;
}

/**
 * Simulates a trace on an engine.
 *
 * @param trace requests in the order of their arrival
 * @param config the engine: `{ model, gpu }` at least
 * @throws DataError naming the request and field that is wrong; RangeError naming an entry of the
 * configuration
 * @example simulate([{ arrival_s: 0, prompt_tokens: 800, output_tokens: 200 }],
 *   { model: 'llama-3.1-8b', gpu: 'a100-80gb' })
 */
export function simulate(trace: readonly TraceRequest[], config: EngineConfig): SimulationResult {
  const sessions = new Set(trace.map(({ session }) => session).filter((s) => s !== undefined));
  const limits = { queue: trace.length + 1, sessions: sessions.size };
  const simulation = new EngineSimulation(config, limits);
  for (const request of trace) simulation.push(request);
  simulation.finishAll();
  const requests = simulation.takeResults().sort((a, b) => a.request - b.request);
  return { requests, counts: simulation.counts() };
}

/** As `simulate`, for traces that are read as they go: results as the requests end. */
export function* simulateStream(
  trace: Iterable<TraceRequest>,
  config: EngineConfig,
  limits: { queue?: number; sessions?: number } = {},
): Generator<RequestResult, SimulationCounts> {
  const simulation = new EngineSimulation(config, limits);
  for (const request of trace) {
    simulation.push(request);
    yield* simulation.takeResults();
  }
  simulation.finishAll();
  yield* simulation.takeResults();
  return simulation.counts();
}
