/** A serving task before it is compiled: its configuration, checked and complete. */

import type { PerfTable } from '../../data/perf-table.js';
import type { SPEC_LENGTH_CHOICES } from '../../generated/serving.js';
import type { Piece } from '../samplers.js';
import type { ServingTraffic } from './traffic.js';

/** Where prompt lengths come from, in tokens. */
export type PromptSource =
  | { readonly kind: 'uniform'; readonly min: number; readonly max: number }
  | {
      readonly kind: 'lognormal';
      readonly mu: number;
      readonly sigma: number;
      readonly min: number;
      readonly max: number;
    }
  | { readonly kind: 'mixture'; readonly pieces: readonly Piece[] }
  | { readonly kind: 'quantiles'; readonly knots: readonly number[] }
  | { readonly kind: 'profile' };

export type SpecLength = (typeof SPEC_LENGTH_CHOICES)[number];

/** A configuration of the server by its wire names. */
export interface ServingAction {
  readonly kv_budget: number;
  readonly batch_size: number;
  readonly spec_length: SpecLength;
  readonly prefill_disagg: boolean | number;
  readonly quant_tier: number;
}

/** The entries that both dynamics share. */
export interface ServingCommon {
  readonly table: PerfTable;
  readonly traffic: ServingTraffic;
  readonly prompt: PromptSource;
  readonly horizonSteps: number;
  readonly actionSpace: 'structured' | 'normalised' | 'discrete';
  readonly normalizeObservation: boolean;
  readonly activeActions: readonly (keyof ServingAction)[];
  readonly defaultAction: ServingAction;
  /** Standard deviation of the three latency factors. */
  readonly noiseStd: number;
  readonly memoryMaxGb: number;
  readonly priorityMix: readonly [number, number, number];
}

/** The origin's dynamics: weights and limits by the origin's names. */
export interface ServingOrigin extends ServingCommon {
  readonly dynamics: 'origin';
  readonly alpha: number;
  readonly beta: number;
  readonly gamma: number;
  readonly delta: number;
  readonly maxThroughput: number;
  readonly costCeiling: number;
  readonly sloTargetMs: number;
  readonly sloBatchMs: number;
  readonly priorityRouting: boolean;
  readonly acceptBase: number;
}

/** The measured dynamics. */
export interface ServingMeasured extends ServingCommon {
  readonly dynamics: 'measured';
  readonly outputTokens: number;
  readonly sloTtftMs: number;
  readonly sloTpotMs: number;
  readonly qualityLoss: readonly [number, number, number];
  readonly gpuPenalty: number;
  readonly rolloutCapacity: number;
  readonly rolloutSteps: {
    readonly spec_length: number;
    readonly prefill_disagg: number;
    readonly quant_tier: number;
  };
  /** Capacity of the default configuration at the start, requests/s, observed at reset. */
  readonly resetCapacityRps: number;
}

export type ServingConfig = ServingOrigin | ServingMeasured;
