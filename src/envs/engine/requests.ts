/** Requests of a simulation and what becomes of them. */
import { DataError } from '../../data/errors.js';

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
  readonly replica: number;
  /** From arrival to the first iteration. */
  readonly queue_s: number;
  readonly preemptions: number;
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

/** A step in a request's life, for pictures. */
export interface EngineEvent {
  readonly time_s: number;
  readonly request: number;
  readonly replica: number;
  /** `admit` comes again after a `preempt`. */
  readonly kind: 'admit' | 'preempt' | 'first' | 'finish';
}

/** Extras of a simulation, for pictures. */
export interface SimulateEngineOptions {
  /** Seconds from one sample to the next; none by default. */
  readonly sampleEvery_s?: number;
  readonly keepsEvents?: boolean;
}

/** Results of a whole trace, in its order, with the counts. */
export interface SimulationResult {
  readonly requests: readonly RequestResult[];
  readonly counts: SimulationCounts;
  readonly samples: readonly EngineSample[];
  readonly events: readonly EngineEvent[];
}

/** Greatest numbers that a request may have: a larger one is a mistake in the trace. */
const TOKENS_MAX = 10_000_000;

/** Refuses what is no request, or comes too early. */
export function checkRequest(request: TraceRequest, index: number, earliest: number): void {
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
