/**
 * Facts of models and GPUs that an engine's step time is computed from. Every number says where it
 * comes from: `published` by the vendor, `measured` on recordings that are named, or `guessed`.
 */
export type FactStatus = 'published' | 'measured' | 'guessed';

export interface Fact {
  readonly value: number;
  readonly status: FactStatus;
  readonly source: string;
}

/** The architecture of a model. Its numbers are of its config.json (`source`), so published. */
export interface ModelFacts {
  readonly name: string;
  readonly source: string;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  /** Of a dense layer's MLP; 0 where every layer has experts. */
  readonly intermediateSize: number;
  readonly vocabSize: number;
  /** Bytes of a weight of the linear layers, and of a KV element. */
  readonly weightBytes: number;
  readonly kvBytes: number;
  /** True where the output head is the embedding. */
  readonly isTied: boolean;
  readonly experts?: {
    readonly count: number;
    readonly perToken: number;
    readonly intermediateSize: number;
    /** Of the expert that every token takes, 0 without one. */
    readonly sharedIntermediateSize: number;
  };
  /** Bytes of a weight of the attention's linear layers, where they are of another type. */
  readonly attentionWeightBytes?: number;
}

export interface GpuFacts {
  readonly name: string;
  /** As the driver reports it. */
  readonly memoryGib: Fact;
  readonly bandwidthBytesPerS: Fact;
  /** Dense, with 16-bit weights, and with 8-bit ones. */
  readonly flops16PerS: Fact;
  readonly flops8PerS: Fact;
  /** Share of the bandwidth that reading weights reaches. */
  readonly bandwidthEfficiency: Fact;
  /** Share of the FLOP/s that large matrix products reach. */
  readonly flopsEfficiency: Fact;
  /** Share of the bandwidth that decode attention reaches, and of the FLOP/s of prefill. */
  readonly decodeAttentionEfficiency: Fact;
  readonly prefillAttentionEfficiency: Fact;
  /** Extra share of decode attention's time in an iteration that also prefills. */
  readonly mixedRatio: Fact;
  /** Bytes a second that an all-reduce of large messages moves between two GPUs. */
  readonly linkBytesPerS: Fact;
  /** Dollars an hour, for cost; a price list's, to be replaced by one's own. */
  readonly pricePerHour: Fact;
}

export const published = (value: number, source: string): Fact => {
  return { value, status: 'published', source };
};
export const measured = (value: number, source: string): Fact => {
  return { value, status: 'measured', source };
};
export const guessed = (value: number, source: string): Fact => {
  return { value, status: 'guessed', source };
};

/** Profiled times of a model's layers on a GPU, by tokens of the iteration. */
export interface OpTable {
  readonly model: string;
  readonly gpu: string;
  readonly tensorParallel: number;
  /** Increasing. */
  readonly tokens: readonly number[];
  /** Microseconds of all linear and point-wise operations of a layer. */
  readonly layerUs: readonly number[];
  /** Microseconds of what is outside the layers: embedding and last norm. */
  readonly outsideUs: readonly number[];
  /** Seconds of the output head for one sequence. */
  readonly headS: number;
  readonly source: string;
}
