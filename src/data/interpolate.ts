import type { Axis } from '../program/grid.js';
import { buildAxis, lerp, locate } from '../program/grid.js';
import type { PerfMetrics, PerfTable } from './perf-table.js';
import { PERF_METRICS } from './perf-table.js';
import { applyQuantFactors } from './quant-factors.js';

/** A point of the grid's space. batch_size, kv_budget and prompt_len are clamped to the table. */
export interface PerfQuery {
  /** Concurrent requests. */
  batch_size: number;
  /** 0.1..1. */
  kv_budget: number;
  /** Selects a plane: the node itself, else the nearest below, else the lowest. */
  spec_length: number;
  /** Prompt tokens. */
  prompt_len: number;
  /** 0 FP16, 1 INT8, 2 INT4; the table's first tier when absent. */
  quant_tier?: number;
}

/**
 * Prepares a table for many queries: multilinear interpolation in f32, every operation rounded,
 * in the kernels' order (prompt innermost, then KV, then batch), so that it gives their bits.
 */
export function perfInterpolator(table: PerfTable): (query: PerfQuery) => PerfMetrics {
  const grid = Float32Array.from(table.values);
  const batch = buildAxis(table.batch, 'batch_size');
  const kv = buildAxis(table.kv, 'kv_budget');
  const prompt = buildAxis(table.promptLen, 'prompt_len');
  return (query) => {
    checkQuery(query);
    const plane = tierPlane(table, query.quant_tier) * table.spec.length + specPlane(table, query);
    const b = corners(batch, query.batch_size);
    const k = corners(kv, query.kv_budget);
    const p = corners(prompt, query.prompt_len);
    const at = (bi: number, ki: number, pi: number, m: number) => {
      const row = (plane * batch.count + bi) * kv.count + ki;
      return grid[(row * prompt.count + pi) * PERF_METRICS.length + m];
    };
    const alongPrompt = (bi: number, ki: number, m: number) =>
      lerp(at(bi, ki, p.low, m), at(bi, ki, p.high, m), p.fraction);
    const alongKv = (bi: number, m: number) =>
      lerp(alongPrompt(bi, k.low, m), alongPrompt(bi, k.high, m), k.fraction);
    const metrics = {} as PerfMetrics;
    PERF_METRICS.forEach((metric, m) => {
      metrics[metric] = lerp(alongKv(b.low, m), alongKv(b.high, m), b.fraction);
    });
    return metrics;
  };
}

/**
 * The six metrics at one point (ms, ms, ms/token, tokens/s, GB, $/1000 tokens), each an f32.
 * Where the table has no rows of the tier asked for, its FP16 rows answer and no factor is
 * applied: see `lookupPerf`.
 *
 * @throws RangeError for a query that is not finite, or a tier the table cannot answer.
 */
export function interpolatePerf(table: PerfTable, query: PerfQuery): PerfMetrics {
  return perfInterpolator(table)(query);
}

/** Prepares `lookupPerf` for many queries. */
export function perfLookup(table: PerfTable): (query: PerfQuery) => PerfMetrics {
  const interpolate = perfInterpolator(table);
  return (query) => {
    const metrics = interpolate(query);
    const tier = query.quant_tier;
    if (tier === undefined || table.quantTiers.includes(tier)) return metrics;
    return applyQuantFactors(metrics, tier);
  };
}

/**
 * `interpolatePerf`, with the origin's quantisation factors where the query names a tier that the
 * table has no rows for.
 */
export function lookupPerf(table: PerfTable, query: PerfQuery): PerfMetrics {
  return perfLookup(table)(query);
}

function checkQuery(query: PerfQuery): void {
  for (const [field, value] of Object.entries(query)) {
    if (value !== undefined && !Number.isFinite(value)) {
      throw new RangeError(`${field} is ${value}, expected a finite number`);
    }
  }
}

function corners(axis: Axis, x: number) {
  const { cell, fraction } = locate(axis, x);
  return { low: cell, high: axis.count > 1 ? cell + 1 : cell, fraction };
}

function specPlane(table: PerfTable, query: PerfQuery): number {
  let plane = 0;
  for (let i = 1; i < table.spec.length; i++) if (table.spec[i] <= query.spec_length) plane = i;
  return plane;
}

function tierPlane(table: PerfTable, tier: number | undefined): number {
  const plane = tier === undefined ? 0 : table.quantTiers.indexOf(tier);
  if (plane >= 0) return plane;
  const isKnown = tier === 0 || tier === 1 || tier === 2;
  if (isKnown && table.quantTiers[0] === 0) return 0;
  const own = table.quantTiers.join(', ');
  throw new RangeError(`quant_tier is ${tier}; ${table.name} has the tiers ${own}`);
}
