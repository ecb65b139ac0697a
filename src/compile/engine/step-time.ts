/**
 * The time of an iteration from facts: weights that are read, products that are computed,
 * attention, launches, all-reduces.
 */
import type { EngineCalibration } from '../../data/engine/calibrations.js';
import type { GpuFacts, ModelFacts, OpTable } from '../../data/engine/facts.js';
import { opTableSeconds } from '../../data/engine/op-tables.js';
import { pow } from '../../program/math.js';

/** Cells of the table by tokens; a cell for each number of tokens of an iteration. */
const LINEAR_CELLS = 16385;

export interface StepTimeInput {
  readonly model: ModelFacts;
  readonly gpu: GpuFacts;
  /** GPUs that share every layer. */
  readonly tensorParallel: number;
  /** Fitted on a server's measurements, or the defaults for servers like it. */
  readonly calibration: EngineCalibration;
  /** Times of the layers by tokens, where they were profiled; the roofline otherwise. */
  readonly opTable?: OpTable;
}

/** Seconds, as an engine's program takes them. */
export interface StepTime {
  readonly linearS: Float32Array;
  readonly linearCells: number;
  readonly sequenceS: number;
  readonly contextS: number;
  readonly attentionS: number;
  readonly prefillS: number;
  readonly mixedRatio: number;
  readonly arrivalS: number;
  readonly frontendRequestS: number;
  readonly frontendTokenS: number;
  readonly emissionS: number;
}

/** Compiles the time of an iteration. */
export function compileStepTime(input: StepTimeInput): StepTime {
  const { model, gpu, tensorParallel, calibration: c } = input;
  const bandwidth = gpu.bandwidthBytesPerS.value * gpu.decodeAttentionEfficiency.value;
  const flops = gpu.flops16PerS.value * gpu.prefillAttentionEfficiency.value;
  const squared = (4 * model.heads * model.headSize * model.layers) / tensorParallel;
  return {
    linearS: input.opTable === undefined ? roofline(input) : profiled(input, input.opTable),
    linearCells: LINEAR_CELLS,
    sequenceS: c.sequence_s,
    contextS: kvBytesPerToken(model) / tensorParallel / bandwidth,
    attentionS: squared / flops,
    prefillS: c.prefill_s,
    mixedRatio: gpu.mixedRatio.value,
    arrivalS: c.arrival_s,
    frontendRequestS: c.frontend_request_s,
    frontendTokenS: c.frontend_token_s,
    emissionS: c.emission_s,
  };
}

/** Bytes of keys and values of a token, over all GPUs. */
export function kvBytesPerToken(model: ModelFacts): number {
  return 2 * model.layers * model.kvHeads * model.headSize * model.kvBytes;
}

/** Weights by what they are for, over all GPUs. */
export interface WeightCounts {
  readonly attention: number;
  /** MLPs of dense layers, and the experts that every token takes. */
  readonly dense: number;
  /** One expert, in all layers. */
  readonly expert: number;
  readonly head: number;
  readonly embedding: number;
}

export function weightCounts(model: ModelFacts): WeightCounts {
  const { layers, hiddenSize, heads, kvHeads, headSize, experts } = model;
  const shared = experts?.sharedIntermediateSize ?? 0;
  return {
    attention: layers * hiddenSize * headSize * (2 * heads + 2 * kvHeads),
    dense: layers * 3 * hiddenSize * (model.intermediateSize + shared),
    expert: layers * 3 * hiddenSize * (experts?.intermediateSize ?? 0),
    head: hiddenSize * model.vocabSize,
    embedding: model.isTied ? 0 : hiddenSize * model.vocabSize,
  };
}

/** Bytes of all weights. */
export function weightBytes(model: ModelFacts): number {
  const w = weightCounts(model);
  const experts = (model.experts?.count ?? 0) * w.expert;
  const attention = w.attention * (model.attentionWeightBytes ?? model.weightBytes);
  return attention + (w.dense + experts) * model.weightBytes + 2 * (w.head + w.embedding);
}

/** Experts of a layer that some of so many tokens take, if each takes its own at random. */
export function expectedExperts(model: ModelFacts, tokens: number): number {
  const { experts } = model;
  if (experts === undefined) return 0;
  if (tokens * experts.perToken > 64 * experts.count) return experts.count; // e^-64 is missed
  const missed = pow(1 - experts.perToken / experts.count, tokens);
  return experts.count * (1 - missed);
}

/**
 * Tokens as the GPU computes them: CUDA graphs are captured for 1, 2, 4 and multiples of 8 up to
 * 512, and smaller numbers are padded to the next.
 */
export function paddedTokens(tokens: number): number {
  if (tokens > 512 || tokens <= 2) return tokens;
  if (tokens <= 4) return 4;
  return 8 * Math.floor((tokens + 7) / 8);
}

/** (K³ + C³)^⅓ of the time to read the weights and the time to compute with them. */
function roofline(input: StepTimeInput): Float32Array {
  const { model, gpu, tensorParallel, calibration } = input;
  const w = weightCounts(model);
  const attentionBytes = model.attentionWeightBytes ?? model.weightBytes;
  const fixedBytes = w.attention * attentionBytes + w.dense * model.weightBytes + 2 * w.head;
  const bandwidth = tensorParallel * gpu.bandwidthBytesPerS.value * gpu.bandwidthEfficiency.value;
  const launches = calibration.layer_s * model.layers;
  const perToken = tokenSeconds(model, gpu, tensorParallel);
  const exchange = exchangeSeconds(input);
  return cells((tokens) => {
    const expertBytes = expectedExperts(model, tokens) * w.expert * model.weightBytes;
    const read = (fixedBytes + expertBytes) / bandwidth + launches;
    const compute = perToken * tokens;
    const both = pow(read * read * read + compute * compute * compute, 1 / 3);
    return both + exchange * tokens;
  });
}

/** Seconds by which a prefill token lengthens an iteration that is bound by computing. */
export function tokenSeconds(model: ModelFacts, gpu: GpuFacts, tensorParallel: number): number {
  const w = weightCounts(model);
  const linear = w.dense + (model.experts?.perToken ?? 0) * w.expert;
  const is8Bit = model.weightBytes === 1;
  const flops = is8Bit ? gpu.flops8PerS.value : gpu.flops16PerS.value;
  const attention = (2 * w.attention) / gpu.flops16PerS.value;
  return ((2 * linear) / flops + attention) / (tensorParallel * gpu.flopsEfficiency.value);
}

/** From the profiled times of the layers; the head's, the launches' and the exchange's added. */
function profiled(input: StepTimeInput, table: OpTable): Float32Array {
  const { model, calibration } = input;
  const launches = calibration.layer_s * model.layers + table.headS;
  const exchange = exchangeSeconds(input);
  return cells((tokens) => {
    return opTableSeconds(table, tokens, model.layers) + launches + exchange * tokens;
  });
}

/** Seconds by which a token lengthens the two all-reduces of every layer. */
function exchangeSeconds({ model, gpu, tensorParallel }: StepTimeInput): number {
  const bytes = 2 * model.layers * model.hiddenSize * 2;
  const share = (2 * (tensorParallel - 1)) / tensorParallel;
  return (share * bytes) / gpu.linkBytesPerS.value;
}

function cells(seconds: (tokens: number) => number): Float32Array {
  const table = new Float32Array(LINEAR_CELLS);
  for (let tokens = 1; tokens < LINEAR_CELLS; tokens++) {
    table[tokens] = seconds(paddedTokens(tokens));
  }
  return table;
}
