/**
 * Numbers that were fitted on measurements of servers, four each, with the runs they come from.
 * The slopes by tokens, squared tokens and context come from the facts and are never fitted.
 */

export interface EngineCalibration {
  /** Launches, synchronisation and exchange: seconds a layer and iteration. */
  readonly layer_s: number;
  /** Head, sampler and scheduler: seconds a sequence and iteration. */
  readonly sequence_s: number;
  /** Extra seconds of an iteration that prefills. */
  readonly prefill_s: number;
  /** From the request's arrival to the engine's queue, and back: seconds. */
  readonly arrival_s: number;
  /** The front end's own time, one request after the other: seconds a request, a prompt token. */
  readonly frontend_request_s: number;
  readonly frontend_token_s: number;
  /** By which each sequence of an iteration delays its tokens on their way out: seconds. */
  readonly emission_s: number;
}

/** vLLM V1 before and from 0.10 on: other costs, other ways to take blocks. */
export type EngineGeneration = 'vllm-0.8' | 'vllm-0.19';

/** The generation of a version as vLLM writes it, e.g. `0.8.5.post1`; the newest for others. */
export function generationOf(version: string): EngineGeneration {
  return /^v?0\.[0-9](\.|$)/.test(version) ? 'vllm-0.8' : 'vllm-0.19';
}

/** A server's calibration, and how it came about. */
export interface FittedServer {
  readonly name: string;
  readonly model: string;
  readonly gpu: string;
  readonly tensorParallel: number;
  /** Engine versions that it holds for. */
  readonly generation: EngineGeneration;
  readonly calibration: EngineCalibration;
  readonly fittedOn: readonly string[];
}
