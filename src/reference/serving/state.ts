/** The state of one server and what a step computes of it, by name. */
import type { CommonState } from '../environment.js';
import type { Configuration } from './decode.js';

/** The state of one server; the configuration in it is the one in force. */
export interface ServingState extends CommonState, Configuration {
  windowStart: number;
  rolloutLeft: number;
  queue: number;
  arrivalEma: number;
  promptMean: number;
  costSoFar: number;
  credit: number;
}

/** The values that flow through one step between its parts. */
export interface StepScratch {
  /** The configuration asked for. */
  readonly wanted: Configuration;
  /** The grid's row at the configuration in force: the metrics that the dynamics read. */
  readonly grid: Float32Array;
  arrivals: number;
  /** The prompt length the server sees, f32. */
  promptLen: number;
  noiseTtftP50: number;
  noiseTtftP99: number;
  noiseTpot: number;
  /** Set by the dynamics: requests per second, and the share of requests that missed the SLO. */
  capacityRps: number;
  violationRate: number;
}
