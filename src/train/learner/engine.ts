/** A learner's arithmetic as `Model` calls it, which has checked every array before. */
import type { ModelLayout } from './layout.js';
import type { LearnerName } from './types.js';

/** Rows of an array of observations, and what may be chosen there. */
export interface Rows {
  readonly observations: Float32Array;
  /** u8 [B, M], or null: everything. */
  readonly masks: Uint8Array | null;
  /** Indices of the rows, in the order of their sums. */
  readonly rows: Uint32Array;
}

/** The words of the actions: bits of f32, or i32. */
type Actions = Uint32Array;

/** One row a draw: greedy where `seed` is null. */
export interface ActCall {
  readonly observations: Float32Array;
  readonly masks: Uint8Array | null;
  readonly count: number;
  readonly seed: { readonly lo: number; readonly hi: number } | null;
  readonly step: number;
  readonly env: number;
  readonly epsilon: number;
  readonly actions: Actions;
  readonly samples: Float32Array | null;
  readonly logProbs: Float32Array | null;
  readonly values: Float32Array | null;
  /** Index of the net that gives values. */
  readonly critic: number;
}

/** `clone` too: where `advantages` is null. */
export interface PolicyCall extends Rows {
  readonly actions: Actions;
  readonly logProbs: Float32Array | null;
  readonly advantages: Float32Array | null;
  readonly weights: Float32Array | null;
  readonly returns: Float32Array | null;
  readonly values: Float32Array | null;
  /** Index of the net that `returns` train; -1: none. */
  readonly critic: number;
  /** An advantage counts as (advantage − mean) · inverse. */
  readonly mean: number;
  readonly inverse: number;
  /** One by the sum of the weights. */
  readonly scale: number;
  /** One by the number of rows. */
  readonly valueScale: number;
  readonly clip: number;
  readonly valueClip: number;
  readonly value: number;
  readonly entropy: number;
}

export interface TdCall extends Rows {
  readonly net: number;
  readonly actions: Actions;
  readonly rewards: Float32Array | null;
  readonly terminated: Uint8Array | null;
  readonly nextObservations: Float32Array | null;
  readonly nextMasks: Uint8Array | null;
  readonly discounts: Float32Array | null;
  readonly targets: Float32Array | null;
  readonly weights: Float32Array | null;
  readonly errors: Float32Array | null;
  /** The parameters of the model that values what follows. */
  readonly targetParams: Float32Array;
  readonly scale: number;
  readonly gamma: number;
  readonly huber: number;
  readonly double: boolean;
  readonly conservative: number;
  readonly cost: boolean;
}

export interface ValueCall extends Rows {
  readonly net: number;
  readonly targets: Float32Array;
  readonly weights: Float32Array | null;
  readonly scale: number;
  readonly huber: number;
}

export interface AdamCall {
  /** The clip: the gradient is multiplied by it. */
  readonly shrink: number;
  readonly beta1: number;
  readonly beta2: number;
  /** 1 − β, from binary64. */
  readonly rest1: number;
  readonly rest2: number;
  /** lr / (1 − β1ᵗ). */
  readonly step: number;
  /** 1 / √(1 − β2ᵗ). */
  readonly root: number;
  readonly eps: number;
}

/** Sums over rows that a loss gives: as many as it has statistics. */
export const STATS = 5;

export interface Engine {
  /** The same memory for the engine's life, [numParams] each. */
  readonly params: Float32Array;
  readonly gradients: Float32Array;
  readonly firstMoments: Float32Array;
  readonly secondMoments: Float32Array;
  act(call: ActCall): void;
  /** Writes [rows, outputs]. */
  forward(net: number, call: Rows, out: Float32Array): void;
  /** The losses add to `gradients` and write the sums of their statistics. */
  policy(call: PolicyCall, sums: Float64Array): void;
  td(call: TdCall, sums: Float64Array): void;
  value(call: ValueCall, sums: Float64Array): void;
  /** Adds the gradient of `dOut` [rows, outputs]. */
  backward(net: number, call: Rows, dOut: Float32Array): void;
  /** The norm of the gradients. */
  norm(): number;
  /** Moves the parameters, and sets the gradients to 0. */
  adam(call: AdamCall): void;
  /** params = tau · from + rest · params. */
  blend(from: Float32Array, tau: number, rest: number): void;
  close(): void;
}

/** A loaded learner. */
export interface Learner {
  readonly name: LearnerName;
  /** Instruction set that it computes with. */
  readonly kernel: string;
  readonly threads: number;
  create(layout: ModelLayout): Engine;
}
