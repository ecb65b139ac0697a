import type { PerfMetrics, PerfTable } from './perf-table.js';
import { PERF_METRICS } from './perf-table.js';

/** The origin's factors for tables without rows of their own: FP16, INT8, INT4. */
const QUANT_FACTORS: readonly number[] = [1, 0.82, 0.68];

/**
 * The factor on each metric of an FP16 row for a tier: latencies and memory fall by the factor,
 * throughput rises by it, and cost per token, which is inverse to throughput, falls by it twice.
 *
 * @throws RangeError for a tier that is not 0, 1 or 2.
 */
export function quantFactors(tier: number): PerfMetrics {
  const factor = QUANT_FACTORS[tier];
  if (factor === undefined) throw new RangeError(`quant_tier is ${tier}, expected 0, 1 or 2`);
  return {
    ttft_p50: factor,
    ttft_p99: factor,
    tpot: factor,
    tps: 1 / factor,
    gpu_mem_gb: factor,
    cost_per_1k: factor * factor,
  };
}

/** FP16 metrics as another tier's, in f32. */
export function applyQuantFactors(metrics: PerfMetrics, tier: number): PerfMetrics {
  const factors = quantFactors(tier);
  const result = { ...metrics };
  for (const metric of PERF_METRICS) {
    result[metric] = Math.fround(metrics[metric] * Math.fround(factors[metric]));
  }
  return result;
}

/**
 * A table of FP16 rows with the other two tiers' rows written out by the factors. Prefill times,
 * acceptance and KV use, for which there are no factors, are left out.
 *
 * @throws RangeError where the table has rows of another tier.
 */
export function withQuantFactors(table: PerfTable): PerfTable {
  if (table.quantTiers.length !== 1 || table.quantTiers[0] !== 0) {
    throw new RangeError(`${table.name} has quantisation rows of its own`);
  }
  const size = table.values.length;
  const values = new Float64Array(size * QUANT_FACTORS.length);
  QUANT_FACTORS.forEach((_, tier) => {
    const factors = PERF_METRICS.map((metric) => Math.fround(quantFactors(tier)[metric]));
    for (let i = 0; i < size; i++) {
      const factor = factors[i % PERF_METRICS.length];
      values[tier * size + i] = Math.fround(table.values[i] * factor);
    }
  });
  const { prefillMs: _prefill, specAcceptRate: _accept, kvUsageRatio: _usage, ...rest } = table;
  return { ...rest, quantTiers: [0, 1, 2], values };
}
