import { describe, expect, it } from 'vitest';
import { readCsv } from '../../src/data/csv.js';
import { exportTable, exportTableCsv } from '../../src/data/export-table.js';
import { importTable } from '../../src/data/import-table.js';
import { interpolatePerf } from '../../src/data/interpolate.js';
import { loadShippedTable } from '../../src/data/node.js';
import { readParquet } from '../../src/data/parquet.js';
import type { PerfTable } from '../../src/data/perf-table.js';
import { encodePerfTable } from '../../src/data/perf-table.js';
import { withQuantFactors } from '../../src/data/quant-factors.js';
import { syntheticMetrics, syntheticTable } from '../../src/data/synthetic-table.js';

describe('the synthetic table', () => {
  const tps = (batch_size: number, kv_budget: number) =>
    interpolatePerf(syntheticTable(), { batch_size, kv_budget, spec_length: 0, prompt_len: 96 })
      .tps;

  it('makes the published figures', () => {
    expect(tps(32, 1)).toBeGreaterThan(4650);
    expect(tps(32, 1)).toBeLessThan(4720);
    expect(Math.round(tps(128, 0.5) / 100)).toBe(82);
  });

  it('has its knee at batch 128 and runs out of memory at full size on long prompts', () => {
    const batches = [16, 32, 64, 128, 256, 512];
    const best = batches.reduce((a, b) => (tps(b, 0.5) > tps(a, 0.5) ? b : a));
    expect(best).toBe(128);
    expect(syntheticMetrics(512, 1, 0, 8192)[4]).toBe(80);
    expect(syntheticMetrics(512, 1, 0, 64)[4]).toBeGreaterThan(40);
  });

  it('agrees with the formula worked by hand', () => {
    // batch 64, kv 1, no speculation, 384 tokens: need 0.5, so nothing is short of memory.
    const byHand = (13775 * (64 / 106) * 0.88) / 1.0256 / (1 + 384 / 840);
    const [ttft, ttftP99, tpot, found, memory, cost] = syntheticMetrics(64, 1, 0, 384);
    expect(found).toBeCloseTo(byHand, 8);
    expect([ttft, ttftP99]).toEqual([365.36, 1.75 * 365.36]);
    expect(tpot * found).toBeCloseTo(64000, 8);
    expect(memory).toBeCloseTo(16 + 1.28 + 24.576, 10);
    expect(cost * found).toBeCloseTo(40, 10);
    // kv 0.1 of a need of 0.5 leaves a fifth: throughput falls by 0.2^0.35 and the drag lessens.
    const short = syntheticMetrics(64, 0.1, 0, 384)[3];
    expect(short / byHand).toBeCloseTo((0.2 ** 0.35 * 0.9988) / 0.88, 10);
  });
});

describe('an exported table', () => {
  /** Imported again, with what no row tells. */
  const again = (table: PerfTable, columns: Parameters<typeof importTable>[0]) => {
    const { name, source, licence, measuredSpeculation } = table;
    const { meanOutputTokens, deviceMemoryGb, pricePerGpuHourUsd } = table;
    const told = { name, source, licence, measuredSpeculation };
    const scale = { meanOutputTokens, deviceMemoryGb, pricePerGpuHourUsd };
    return importTable(columns, { ...told, ...scale });
  };
  const bare = (table: PerfTable) => {
    const { heldoutErrorPercent: _, specAcceptRate: _a, kvUsageRatio: _k, ...rest } = table;
    const { prefillMs: _p, ...rows } = rest;
    return encodePerfTable(rows);
  };
  const tables: [string, PerfTable][] = [
    ['synthetic', syntheticTable()],
    ['synthetic, all tiers', withQuantFactors(syntheticTable())],
    ['measured', loadShippedTable('llama3-8b-h100-80gb')],
  ];

  it.each(tables)('%s comes back the same from parquet and from CSV', async (_, table) => {
    const parquet = again(table, await readParquet(exportTable(table)));
    const csv = again(table, readCsv(exportTableCsv(table)));
    expect(bare(parquet)).toBe(bare(table));
    expect(bare(csv)).toBe(bare(table));
  });

  it('carries all three tiers and the origin’s columns', async () => {
    const columns = await readParquet(exportTable(withQuantFactors(syntheticTable())));
    expect(Object.keys(columns)).toEqual([
      'batch_size',
      'kv_budget',
      'spec_length',
      'quant_tier',
      'prompt_len_bucket',
      'prompt_len',
      'ttft_p50',
      'ttft_p99',
      'tpot',
      'tps',
      'gpu_mem_gb',
      'cost_per_1k',
    ]);
    expect(columns['tps']).toHaveLength(5400);
    expect(new Set<unknown>(columns['quant_tier'])).toEqual(new Set([0, 1, 2]));
  });
});
