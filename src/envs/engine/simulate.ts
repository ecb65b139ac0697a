/**
 * The engine as a simulator: a trace of requests in, what each of them would have waited out. It
 * plays the reference's kernel, so it runs wherever JavaScript does.
 */

import { EngineCluster, type EngineRequest } from '../../reference/engine/cluster.js';
import type { EngineEvents } from '../../reference/engine/schedule.js';
import {
  CLASS_SHIFT,
  createEngineState,
  type EngineState,
  OUTPUT_MASK,
} from '../../reference/engine/state.js';
import {
  checkRequest,
  type EngineEvent,
  type EngineSample,
  type RequestResult,
  type SimulateEngineOptions,
  type SimulationCounts,
  type SimulationResult,
  type TraceRequest,
} from './requests.js';
import { type EngineConfig, type EngineSetup, setUpEngine } from './setup.js';

/** A simulation that is fed request by request; results come in the order of the ends. */
export class EngineSimulation {
  private readonly setup: EngineSetup;
  private readonly cluster: EngineCluster;
  private readonly state: EngineState;
  private readonly sessions = new Map<string | number, number>();
  private readonly lives = new Map<number, { admitted: number; preemptions: number }>();
  private done: RequestResult[] = [];
  private events: EngineEvent[] = [];
  private requests = 0;
  private completed = 0;
  private lastArrival = 0;
  private end = 0;

  /**
   * @param config the engine
   * @param limits how many requests may be in flight at once, and how many sessions there are
   * @param options `keepsEvents`: `takeEvents` has every step of the requests' lives; `isFast`,
   * false: every iteration by the oracle
   */
  constructor(
    config: EngineConfig,
    limits: { queue?: number; sessions?: number } = {},
    private readonly options: { keepsEvents?: boolean; isFast?: boolean } = {},
  ) {
    this.setup = setUpEngine(config, limits);
    const { scalars, tables, knobs, seed } = this.setup;
    this.cluster = new EngineCluster(scalars, tables, this.hooks(), options.isFast ?? true);
    this.state = Object.assign(createEngineState(scalars), knobs);
    this.cluster.reset(this.state, scalars.replicas);
    Object.assign(this.state, { seedLo: seed.lo, seedHi: seed.hi, episode: 0 });
  }

  private hooks(): EngineEvents {
    const log = (kind: EngineEvent['kind'], e: EngineState, at: number, time_s: number) => {
      if (!this.options.keepsEvents) return;
      const replica = Math.floor(at / this.setup.scalars.slots);
      this.events.push({ time_s, request: e.slotRequest[at]!, replica, kind });
    };
    return {
      admit: (e, at, time) => {
        const request = e.slotRequest[at]!;
        if (!this.lives.has(request)) this.lives.set(request, { admitted: time, preemptions: 0 });
        log('admit', e, at, time);
      },
      preempt: (e, at, time) => {
        this.lives.get(e.slotRequest[at]!)!.preemptions += 1;
        log('preempt', e, at, time);
      },
      first: (e, at, time) => log('first', e, at, time),
      finish: (e, at, time) => {
        log('finish', e, at, time);
        this.finish(e, at, time);
      },
    };
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
    const none = { replica: -1, queue_s: NaN, preemptions: 0, ttft_s: NaN, e2e_s: NaN };
    const { arrival_s, prompt_tokens, output_tokens } = request;
    const asked = { arrival_s, prompt_tokens, output_tokens, class: group };
    this.done.push({ request: index, ...asked, ...none, tpot_s: NaN, rejected: true });
  }

  /** Whether no request is in flight. */
  isIdle(): boolean {
    for (let r = 0; r < this.setup.scalars.replicas; r++) {
      if (this.cluster.router.outstanding(this.state, r) > 0) return false;
    }
    return true;
  }

  /** Lets time pass until everything has ended. */
  finishAll(): void {
    for (let ahead = 1; !this.isIdle(); ahead *= 2) {
      this.cluster.advance(this.state, this.lastArrival + ahead);
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

  /** The steps of the requests' lives since the last call. */
  takeEvents(): EngineEvent[] {
    const { events } = this;
    this.events = [];
    return events;
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
    const request = e.slotRequest[at]!;
    const life = this.lives.get(request)!;
    this.lives.delete(request);
    this.completed += 1;
    if (time > this.end) this.end = time;
    this.done.push({
      request,
      replica: Math.floor(at / this.setup.scalars.slots),
      queue_s: life.admitted - arrival,
      preemptions: life.preemptions,
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

/**
 * Simulates a trace on an engine.
 *
 * @param trace requests in the order of their arrival
 * @param config the engine: `{ model, gpu }` at least
 * @throws DataError naming the request and field that is wrong; RangeError naming an entry of the
 * configuration
 * @example simulateEngine([{ arrival_s: 0, prompt_tokens: 800, output_tokens: 200 }],
 *   { model: 'llama-3.1-8b', gpu: 'a100-80gb' })
 */
export function simulateEngine(
  trace: readonly TraceRequest[],
  config: EngineConfig,
  options: SimulateEngineOptions = {},
): SimulationResult {
  const { sampleEvery_s: every = 0, keepsEvents = false } = options;
  if (!(every >= 0 && every < Infinity)) {
    throw new RangeError(`sampleEvery_s is ${every}: a number from 0 on is needed`);
  }
  const sessions = new Set(trace.map(({ session }) => session).filter((s) => s !== undefined));
  const limits = { queue: trace.length + 1, sessions: sessions.size };
  const simulation = new EngineSimulation(config, limits, { keepsEvents });
  const samples: EngineSample[] = [];
  const sampleUntil = (time: number) => {
    if (every === 0) return;
    while (samples.length * every < time) samples.push(simulation.sample(samples.length * every));
  };
  for (const request of trace) {
    sampleUntil(request.arrival_s);
    simulation.push(request);
  }
  if (every > 0) while (!simulation.isIdle()) sampleUntil((samples.length + 1) * every);
  simulation.finishAll();
  const requests = simulation.takeResults().sort((a, b) => a.request - b.request);
  return { requests, counts: simulation.counts(), samples, events: simulation.takeEvents() };
}

/** As `simulateEngine`, for traces that are read as they go: results as the requests end. */
export function* simulateEngineStream(
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
