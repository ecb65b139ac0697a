import { SPEC_LENGTH_CHOICES } from '../generated/serving.js';
import { pow } from '../program/math.js';
import type { PerfTable } from './perf-table.js';
import { PERF_METRICS } from './perf-table.js';

const BATCH = [1, 4, 8, 16, 32, 64, 128, 256, 512];
const KV = [0.1, 0.25, 0.5, 0.75, 1];
const PROMPT_LEN = [64, 128, 256, 512, 1024, 2048, 4096, 8192];

/**
 * The origin's synthetic table, "calibration A": a closed form in batch size, KV budget, draft
 * length and prompt length whose constants make the origin's own figures hold (about 4,690
 * tokens/s at batch 32 and full KV, 8,200 at batch 128 and half of it). FP16 rows only:
 * `withQuantFactors` writes out the other tiers. Its cost is in the origin's normalised units.
 */
export function syntheticTable(): PerfTable {
  const values: number[] = [];
  for (const spec of SPEC_LENGTH_CHOICES) {
    for (const batch of BATCH) {
      for (const kv of KV) {
        for (const prompt of PROMPT_LEN) values.push(...syntheticMetrics(batch, kv, spec, prompt));
      }
    }
  }
  return {
    name: 'synthetic-a',
    source: 'a closed form, calibrated to the published figures of InferenceGym; not measured',
    licence: 'MIT',
    batch: [...BATCH],
    kv: [...KV],
    spec: [...SPEC_LENGTH_CHOICES],
    promptLen: [...PROMPT_LEN],
    quantTiers: [0],
    values: Float64Array.from(values, Math.fround),
    measuredSpeculation: false,
    meanOutputTokens: 210,
    deviceMemoryGb: 40,
    pricePerGpuHourUsd: 1.5,
  };
}

/** The closed form at one configuration, in the order of PERF_METRICS, in f64. */
export function syntheticMetrics(
  batch: number,
  kv: number,
  spec: number,
  promptLen: number,
): number[] {
  const need = (batch * (promptLen + 128)) / 65536;
  const supplied = kv < need ? kv / need : 1;
  const fit = supplied < 1 ? pow(supplied, 0.35) : 1;
  const drag = 1 - 0.12 * kv * kv;
  const knee = batch / 400;
  const saturation = batch / (batch + 42) / (1 + knee * knee);
  const draft = 1 + (0.05 * spec * (1 - batch / 64)) / (1 + 0.15 * spec);
  const speculation = draft > 0.6 ? draft : 0.6;
  const tps = (13775 * saturation * drag * fit * speculation) / (1 + promptLen / 840);
  const ttftP50 = 30 + 2 * batch + 0.54 * promptLen;
  const memory = 16 + 0.02 * batch + 0.001 * kv * batch * promptLen;
  const metrics = {
    ttft_p50: ttftP50,
    ttft_p99: 1.75 * ttftP50,
    tpot: (1000 * batch) / tps,
    tps,
    gpu_mem_gb: memory < 80 ? memory : 80,
    cost_per_1k: 40 / tps,
  };
  return PERF_METRICS.map((metric) => metrics[metric]);
}
