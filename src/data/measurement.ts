/** Measurements of an inference server, one form for what every benchmark tool writes. */
import type { Provenance } from './provenance.js';

/** Texts that identify a run; '' where the file does not say. */
export const MEASUREMENT_TEXTS = [
  'source',
  'engine',
  'engine_version',
  'model',
  'gpu',
  'precision',
  'flags',
] as const;

const PERCENTILES = ['mean', 'p50', 'p90', 'p95', 'p99'] as const;
export type Statistic = (typeof PERCENTILES)[number];
/** Time to first token, per output token after it, between tokens, and end to end. */
export const LATENCIES = ['ttft', 'tpot', 'itl', 'e2e'] as const;
export type Latency = (typeof LATENCIES)[number];
type LatencyField = `${Latency}_ms_${Statistic}`;

const PLAIN_NUMBERS = [
  'gpus',
  'tensor_parallel',
  'concurrency',
  'batch_size',
  'request_rate_per_s',
  'prompt_tokens',
  'output_tokens',
  'num_requests',
  'completed',
  'failed',
  'duration_s',
  'requests_per_s',
  'output_tokens_per_s',
  'total_tokens_per_s',
  'gpu_memory_gb',
  'prefill_ms',
  'decode_ms',
] as const;
const LATENCY_NUMBERS = LATENCIES.flatMap((name) =>
  PERCENTILES.map((statistic): LatencyField => `${name}_ms_${statistic}`),
);

/** Numbers of a run, units last. `tpot` excludes the first token, as vLLM's does. */
export const MEASUREMENT_NUMBERS = [...PLAIN_NUMBERS, ...LATENCY_NUMBERS] as const;

export type MeasurementText = (typeof MEASUREMENT_TEXTS)[number];
export type MeasurementNumber = (typeof MEASUREMENT_NUMBERS)[number];

/**
 * One run of a server under one load. A number that was not measured is absent.
 * `request_rate_per_s` is Infinity where all requests were sent at once; `output_tokens_per_s` is
 * of the whole server, never of one GPU.
 */
export type Measurement = { readonly [field in MeasurementText]: string } & {
  readonly [field in MeasurementNumber]?: number;
};

/** Runs and where they come from. */
export interface Measurements {
  readonly runs: readonly Measurement[];
  readonly provenance: Provenance;
}

/** A run from what is known of it: unknown texts are '', numbers that are none are left out. */
export function measurement(
  texts: { readonly [field in MeasurementText]?: string | undefined },
  numbers: { readonly [field in MeasurementNumber]?: number | null | undefined },
): Measurement {
  const run: Record<string, string | number> = {};
  for (const field of MEASUREMENT_TEXTS) run[field] = texts[field] ?? '';
  for (const field of MEASUREMENT_NUMBERS) {
    const value = numbers[field];
    if (typeof value === 'number' && !Number.isNaN(value)) run[field] = value;
  }
  return run as unknown as Measurement;
}

/** The fields of a latency from a function that gives its statistics, in ms. */
export function latencyFields(
  name: Latency,
  at: (statistic: Statistic) => number | undefined,
): { [field in LatencyField]?: number | undefined } {
  const fields: { [field in LatencyField]?: number | undefined } = {};
  for (const statistic of PERCENTILES) fields[`${name}_ms_${statistic}`] = at(statistic);
  return fields;
}
