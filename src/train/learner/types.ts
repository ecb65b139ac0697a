/**
 * The learner's interface. A model is some nets and a head; its arithmetic is done by one of the
 * learners (`native`, `wasm`, `reference`), which all give the same bits: docs/LEARNING.md.
 *
 * Arrays are row-major. B: rows of a batch; n: rows that a call reads; D: `observationDim`; F:
 * numbers of an action; M: outputs of the head, for a categorical one a logit for every choice.
 */

export type LearnerName = 'native' | 'wasm' | 'reference';

/** Activation of the hidden layers; the last layer is linear. */
export type Activation = 'tanh' | 'relu';

/** A multilayer perceptron from an observation to its outputs. */
export interface MlpSpec {
  readonly kind?: 'mlp';
  /** Widths of the hidden layers, 1 .. 512 each; empty: linear. */
  readonly hidden: readonly number[];
  /** A number, or `head`: as many as the head reads. Default 1. */
  readonly outputs?: number | 'head';
  /** Default `tanh`. */
  readonly activation?: Activation;
  /** Gain of the last layer's orthogonal weights; that of the others is √2. Default 1. */
  readonly lastGain?: number;
}

/**
 * A logit for every choice of the `pairs` head: one net for all feasible pairs, over
 * concat[server, slot, globals, pair]; one for waiting, over the globals; one for all toggles, over
 * concat[server, globals]. What the mask forbids is not computed and reads 0.
 */
export interface PairsSpec {
  readonly kind: 'pairs';
  /** Widths of the hidden layers of each of the nets. */
  readonly hidden: readonly number[];
  /** Default `relu`. */
  readonly activation?: Activation;
  /** Default 1. */
  readonly lastGain?: number;
}

/**
 * A deep set over the entities of a `pairs` head: an embedding of every server and of every slot,
 * the mean of each kind, and a net over concat[mean server, mean slot, globals].
 */
export interface SetSpec {
  readonly kind: 'set';
  /** Widths of the embeddings' layers; the last is linear. */
  readonly embed: readonly number[];
  /** Widths of the hidden layers over the means. */
  readonly hidden: readonly number[];
  /** Default 1. */
  readonly outputs?: number;
  /** Default `relu`. */
  readonly activation?: Activation;
  /** Default 1. */
  readonly lastGain?: number;
}

export type NetSpec = MlpSpec | PairsSpec | SetSpec;

/**
 * The parts of an observation of the `pairs` head, in this order: [servers, serverDim],
 * [slots, slotDim], [globalDim], [slots, servers, pairDim].
 */
export interface Entities {
  readonly servers: number;
  readonly slots: number;
  readonly serverDim: number;
  readonly slotDim: number;
  readonly globalDim: number;
  /** Numbers of a pair of its own; 0: none. */
  readonly pairDim: number;
  /** Whether servers can be toggled. */
  readonly toggles: boolean;
}

/** One choice, or one for each of several fields. */
export interface CategoricalHead {
  readonly kind: 'categorical';
  /** Number of choices of each field. */
  readonly fields: readonly number[];
  /** The number that the first choice of each field has in an action. */
  readonly lowest: readonly number[];
  /** Whether masks say which choices are allowed: u8 [B, M], 1 where one is. */
  readonly masked: boolean;
  /**
   * Numbers of choices that belong together, in order, where a greedy choice decides the class
   * first, by its summed probability; empty: plain arg max.
   */
  readonly classes: readonly number[];
  /** Where the head is `pairs`. */
  readonly entities?: Entities;
}

/**
 * Normal with a mean that the net gives and a deviation that is a parameter. Squashed: the action
 * is low + (high − low)·(tanh(sample) + 1)/2.
 */
export interface GaussianHead {
  readonly kind: 'gaussian' | 'squashed';
  readonly size: number;
  /** Initial logarithm of the deviation. */
  readonly logStd: number;
  /** Of a squashed action. */
  readonly low: readonly number[];
  readonly high: readonly number[];
}

export type Head = CategoricalHead | GaussianHead;

export interface ModelSpec {
  /** Of the initial weights. */
  readonly seed: number | bigint | string;
  readonly observationDim: number;
  /**
   * By name, in the order of their parameters. The first one is the head's: `act` and the losses of
   * actions read it. The one called `critic` gives `act` its values and is `ppo`'s baseline.
   */
  readonly nets: Readonly<Record<string, NetSpec>>;
  readonly head: Head;
}

/** A named part of the parameters. */
export interface Tensor {
  /** `<net>.<layer>.weight` [out, in], `<net>.<layer>.bias` [out], or `logStd` [size]. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Index of its first number in `model.params`. */
  readonly offset: number;
  readonly length: number;
}

/**
 * How actions are drawn. Row i takes the Philox block (step, env + i, field) under the key `seed`,
 * so what it draws depends on no other row. `greedy` takes the likeliest choice, or the mean.
 */
export type Draw =
  | 'greedy'
  | {
      readonly seed: number | bigint | string;
      /** 0 .. 2^32 − 1: a counter that a trainer never lets repeat. */
      readonly step: number;
      /** Number of the first row's environment. Default 0. */
      readonly env?: number;
      /** Chance of a uniform allowed choice in place of the greedy one (categorical heads only). */
      readonly epsilon?: number;
    };

/** Where `act` writes; what is absent is not computed. */
export interface ActOutputs {
  /**
   * [n, F]: i32 for a categorical head (`lowest` is added), f32 otherwise. They are the
   * environment's own numbers, so `env.actions` can stand here.
   */
  readonly actions: Int32Array | Float32Array;
  /** f32 [n, F]: a squashed head's samples before squashing, which its losses take as actions. */
  readonly samples?: Float32Array;
  /** f32 [n]: logarithm of the probability or density of the actions. */
  readonly logProbs?: Float32Array;
  /** f32 [n]: the first output of the net `critic`. */
  readonly values?: Float32Array;
}

/** The input of every loss. */
export interface BatchArrays {
  /** f32 [B, D]. */
  readonly observations: Float32Array;
  /** u8 [B, M], 1 where a choice is allowed. Absent: all are. */
  readonly masks?: Uint8Array;
}

/** The input of `ppo`. */
export interface PpoBatch extends BatchArrays {
  /** [B, F]: what `act` wrote; of a squashed head its samples. */
  readonly actions: Int32Array | Float32Array;
  /** f32 [B]: what `act` wrote. */
  readonly logProbs: Float32Array;
  /** f32 [B]. */
  readonly advantages: Float32Array;
  /** f32 [B]: targets of the critic. Absent: the critic is not trained. */
  readonly returns?: Float32Array;
  /** f32 [B]: what `act` wrote; needed where `valueClip` is finite. */
  readonly values?: Float32Array;
  /** f32 [B]: weights of the rows in the policy's loss and in the moments of the advantages. */
  readonly weights?: Float32Array;
}

export interface PpoCoefficients {
  /** Of the ratio; `Infinity`: REINFORCE. Default 0.2. */
  readonly clip?: number;
  /** Of the value's change; `Infinity`: none. Default `Infinity`. */
  readonly valueClip?: number;
  /** Factor of ½ error². Default 0.5. */
  readonly value?: number;
  /** Factor of the entropy (of a squashed head: before squashing). Default 0. */
  readonly entropy?: number;
  /** Whether a minibatch's advantages are brought to mean 0 and deviation 1. Default true. */
  readonly normalizeAdvantages?: boolean;
}

/** Means over the rows. */
export interface PpoStats {
  readonly policyLoss: number;
  readonly valueLoss: number;
  readonly entropy: number;
  /** (ratio − 1) − log ratio. */
  readonly approxKl: number;
  /** Share of ratios outside of the clip. */
  readonly clipFraction: number;
}

/** The input of `clone`: the cross entropy of the actions given is its loss. */
export interface CloneBatch extends BatchArrays {
  readonly actions: Int32Array | Float32Array;
  /** f32 [B]. Default: ones. */
  readonly weights?: Float32Array;
}

export interface CloneStats {
  readonly loss: number;
  readonly entropy: number;
}

/** The input of `td`. The value of an action is the sum of its fields' outputs. */
export interface TdBatch extends BatchArrays {
  /** i32 [B, F]. */
  readonly actions: Int32Array;
  /** f32 [B]. */
  readonly rewards?: Float32Array;
  /** u8 [B]: 1 where nothing follows. A truncated row has 0 and its final observation next. */
  readonly terminated?: Uint8Array;
  /** f32 [B, D]. */
  readonly nextObservations?: Float32Array;
  /** u8 [B, M]. */
  readonly nextMasks?: Uint8Array;
  /** f32 [B]: γⁿ of n-step rewards. Default: `gamma` everywhere. */
  readonly discounts?: Float32Array;
  /** f32 [B]: targets in place of rewards and what follows. */
  readonly targets?: Float32Array;
  /** f32 [B]: importance weights. Default: ones. */
  readonly weights?: Float32Array;
  /** f32 [n], written: value − target of the rows, in their order. */
  readonly errors?: Float32Array;
}

export interface TdCoefficients {
  /** Default 0.99. */
  readonly gamma?: number;
  /** |error| from which the loss is linear; `Infinity`: squared everywhere. Default `Infinity`. */
  readonly huber?: number;
  /** Whether the model chooses the next action that the target values. Default true. */
  readonly double?: boolean;
  /** Factor of log Σ exp Q(s, ·) − Q(s, a): conservative Q-learning. Default 0. */
  readonly conservative?: number;
  /** Whether outputs are costs, so that caution raises them where no action was seen. */
  readonly cost?: boolean;
  /** Which net. Default: the head's. */
  readonly net?: string;
  /** The model that values what follows, of the same shape. Default: the model itself. */
  readonly target?: { readonly params: Float32Array };
}

export interface TdStats {
  /** Mean of the weighted ½ error², or Huber's loss. */
  readonly loss: number;
  readonly value: number;
  readonly absError: number;
  /** Mean of log Σ exp Q(s, ·) − Q(s, a), of costs with the signs turned; where it is asked for. */
  readonly conservativeGap: number;
}

/** The input of `value`: ½ (first output − target)² is its loss. */
export interface ValueBatch extends BatchArrays {
  /** f32 [B]. */
  readonly targets: Float32Array;
  /** f32 [B]. Default: ones. */
  readonly weights?: Float32Array;
}

export interface ValueCoefficients {
  /** As in `td`. */
  readonly huber?: number;
  /** Default `critic`. */
  readonly net?: string;
}

export interface ValueStats {
  readonly loss: number;
}

/** Batch, coefficients and statistics of every loss. */
export interface Losses {
  readonly ppo: readonly [PpoBatch, PpoCoefficients, PpoStats];
  readonly clone: readonly [CloneBatch, { readonly entropy?: number }, CloneStats];
  readonly td: readonly [TdBatch, TdCoefficients, TdStats];
  readonly value: readonly [ValueBatch, ValueCoefficients, ValueStats];
}

export type LossName = keyof Losses;

/** Adam (Kingma and Ba, ICLR 2015) after a clip of the gradient's norm. */
export interface AdamOptions {
  readonly lr: number;
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-5. */
  readonly eps?: number;
  /** Largest norm of the gradient; `Infinity`: any. Default `Infinity`. */
  readonly maxNorm?: number;
}

export interface LearnerOptions {
  /** Threads that share a minibatch; WebAssembly and the reference take 1. Default 1. */
  readonly threads?: number;
  /** A kernel by name, `scalar`, `portable`, `avx2`, `avx512` or `simd128`. Default: the widest. */
  readonly kernel?: string;
}
