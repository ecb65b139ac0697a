import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCsv } from '../../src/data/csv.js';
import type { PerfQuery } from '../../src/data/interpolate.js';
import { interpolatePerf, lookupPerf, perfInterpolator } from '../../src/data/interpolate.js';
import { lookupTable } from '../../src/data/lookup.js';
import { loadShippedTable } from '../../src/data/node.js';
import type { PerfTable } from '../../src/data/perf-table.js';
import { PERF_METRICS } from '../../src/data/perf-table.js';
import { withQuantFactors } from '../../src/data/quant-factors.js';
import { syntheticTable } from '../../src/data/synthetic-table.js';
import { AXIS_NODES_MAX, buildAxis, locate } from '../../src/program/grid.js';

const synthetic = syntheticTable();
const at = (query: Partial<PerfQuery>): PerfQuery => ({
  batch_size: 32,
  kv_budget: 1,
  spec_length: 0,
  prompt_len: 128,
  ...query,
});

describe('an axis', () => {
  it('is padded with the largest f32 and zeros', () => {
    const axis = buildAxis([1, 4, 8]);
    expect(axis.count).toBe(3);
    expect(axis.nodes).toHaveLength(AXIS_NODES_MAX);
    expect(axis.inv).toHaveLength(AXIS_NODES_MAX - 1);
    expect(Array.from(axis.nodes.subarray(0, 4))).toEqual([1, 4, 8, 3.4028234663852886e38]);
    expect(Array.from(axis.inv.subarray(0, 3))).toEqual([Math.fround(1 / 3), 0.25, 0]);
  });

  it.each([
    [[], /0 nodes/],
    [Array.from({ length: 18 }, (_, i) => i), /batch: 18 nodes; an axis has 1 to 17/],
    [[1, 1], /node 1 is 1/],
    [[1, 1 + 1e-9], /ascend strictly in f32/],
    [[0, Number.NaN], /node 1 is NaN/],
    [[0, 1e39], /node 1 is 1e\+39/],
  ])('refuses %j', (nodes, problem) => {
    expect(() => buildAxis(nodes, 'batch')).toThrow(problem);
  });

  it('finds the cell whose nodes surround a point, or the end it is clamped to', () => {
    const nodes = fc.uniqueArray(fc.integer({ min: 1, max: 512 }), { minLength: 1, maxLength: 17 });
    fc.assert(
      fc.property(nodes, fc.double({ min: -10, max: 600, noNaN: true }), (unsorted, x) => {
        const sorted = unsorted.sort((a, b) => a - b);
        const { cell, fraction } = locate(buildAxis(sorted), x);
        const [low, high] = [sorted[0], sorted[sorted.length - 1]];
        const clamped = Math.fround(x < low ? low : x > high ? high : x);
        expect(cell).toBeLessThan(Math.max(1, sorted.length - 1));
        expect(sorted[cell]).toBeLessThanOrEqual(clamped);
        if (sorted.length === 1) expect(fraction).toBe(0);
        else {
          expect(clamped).toBeLessThanOrEqual(sorted[cell + 1]);
          const width = sorted[cell + 1] - sorted[cell];
          expect(fraction).toBeCloseTo((clamped - sorted[cell]) / width, 6);
        }
      }),
    );
  });
});

describe('interpolatePerf', () => {
  interface Vectors {
    vectors: { table: string; rows: number[][] }[];
  }
  const path = 'tests/data/vectors/regular-grid.json';
  const { vectors } = JSON.parse(readFileSync(path, 'utf8')) as Vectors;

  it.each(vectors)('agrees with SciPy on $table', ({ table, rows }) => {
    const query = perfInterpolator(table === 'synthetic-a' ? synthetic : loadShippedTable(table));
    expect(rows.length).toBeGreaterThanOrEqual(75);
    let worst = 0;
    for (const [quant_tier, spec_length, batch_size, kv_budget, prompt_len, ...answer] of rows) {
      const found = query({ quant_tier, spec_length, batch_size, kv_budget, prompt_len });
      PERF_METRICS.forEach((metric, m) => {
        worst = Math.max(worst, Math.abs(found[metric] / answer[m] - 1));
      });
    }
    expect(worst).toBeLessThan(5e-7);
  });

  it('gives the table at its nodes, in f32', () => {
    const table = loadShippedTable('llama3-8b-a100-40gb');
    const found = interpolatePerf(table, at({ batch_size: 4, kv_budget: 0.5, quant_tier: 1 }));
    const cell = (((1 * 5 + 0) * 9 + 1) * 5 + 2) * 8 + 1;
    PERF_METRICS.forEach((metric, m) => {
      expect(found[metric]).toBe(table.values[cell * 6 + m]);
    });
  });

  it('stays between the corners of its cell and clamps outside the grid', () => {
    const range = { noNaN: true, noDefaultInfinity: true };
    const query = fc.record({
      batch_size: fc.double({ min: -5, max: 900, ...range }),
      kv_budget: fc.double({ min: -1, max: 2, ...range }),
      spec_length: fc.constantFrom(0, 1, 2, 4, 8),
      prompt_len: fc.double({ min: 0, max: 20000, ...range }),
    });
    const interpolate = perfInterpolator(synthetic);
    fc.assert(
      fc.property(query, (q) => {
        const ends = [...'01234567'].map((bits) => {
          const side = (axis: number[], x: number, bit: number) => {
            const below = axis.filter((node) => node <= x).at(-1) ?? axis[0];
            return bit === 0 ? below : (axis.find((node) => node > x) ?? below);
          };
          const i = Number(bits);
          return interpolate({
            batch_size: side(synthetic.batch, q.batch_size, i & 1),
            kv_budget: side(synthetic.kv, q.kv_budget, (i >> 1) & 1),
            spec_length: q.spec_length,
            prompt_len: side(synthetic.promptLen, q.prompt_len, i >> 2),
          });
        });
        const found = interpolate(q);
        for (const metric of PERF_METRICS) {
          const corners = ends.map((end) => end[metric]);
          expect(found[metric]).toBeGreaterThanOrEqual(Math.min(...corners) * (1 - 1e-6));
          expect(found[metric]).toBeLessThanOrEqual(Math.max(...corners) * (1 + 1e-6));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('takes the spec plane at or below the length asked for', () => {
    const plane = (spec_length: number) => interpolatePerf(synthetic, at({ spec_length })).tps;
    expect(plane(3)).toBe(plane(2));
    expect(plane(7)).toBe(plane(4));
    expect(plane(100)).toBe(plane(8));
    expect(plane(-1)).toBe(plane(0));
    expect(plane(2)).not.toBe(plane(4));
  });

  it('works where an axis has a single node', () => {
    const one: PerfTable = {
      ...synthetic,
      batch: [1],
      kv: [0.5],
      spec: [0],
      promptLen: [64],
      values: Float64Array.of(1, 2, 3, 4, 5, 6),
    };
    const found = interpolatePerf(one, at({ batch_size: 100 }));
    expect(PERF_METRICS.map((metric) => found[metric])).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('applies factors only in lookupPerf, and only where the table has no rows of the tier', () => {
    const fp16 = interpolatePerf(synthetic, at({}));
    expect(interpolatePerf(synthetic, at({ quant_tier: 2 }))).toEqual(fp16);
    expect(lookupPerf(synthetic, at({}))).toEqual(fp16);
    const int4 = lookupPerf(synthetic, at({ quant_tier: 2 }));
    expect(int4.ttft_p50 / fp16.ttft_p50).toBeCloseTo(0.68, 6);
    expect(int4.tps / fp16.tps).toBeCloseTo(1 / 0.68, 6);
    expect(int4.cost_per_1k / fp16.cost_per_1k).toBeCloseTo(0.68 ** 2, 6);
    expect(lookupPerf(withQuantFactors(synthetic), at({ quant_tier: 2 }))).toEqual(int4);
  });

  it('refuses what is not finite, and tiers it has no rows for', () => {
    expect(() => interpolatePerf(synthetic, at({ kv_budget: Number.NaN }))).toThrow(
      /kv_budget is NaN, expected a finite number/,
    );
    expect(() => interpolatePerf(synthetic, at({ quant_tier: 3 }))).toThrow(/quant_tier is 3/);
    const int8 = { ...synthetic, quantTiers: [1] };
    expect(() => interpolatePerf(int8, at({ quant_tier: 0 }))).toThrow(/has the tiers 1/);
  });
});

describe('lookupTable', () => {
  const header = 'batch_size,kv_budget,spec_length,prompt_len';

  it('answers every row of a file in its order', () => {
    const plain = lookupTable(synthetic, readCsv(`${header}\n32,1,0,128\n1,0.5,2,64\n`));
    expect(plain).toEqual([
      interpolatePerf(synthetic, at({})),
      interpolatePerf(synthetic, {
        batch_size: 1,
        kv_budget: 0.5,
        spec_length: 2,
        prompt_len: 64,
      }),
    ]);
    const tiers = lookupTable(synthetic, readCsv(`${header},quant_tier\n32,1,0,128,1\n`));
    expect(tiers).toEqual([lookupPerf(synthetic, at({ quant_tier: 1 }))]);
  });

  it.each([
    ['batch_size,kv_budget,spec_length\n1,1,0\n', /column "prompt_len": the column is missing/],
    [`${header}\n1,1,0,64\n1,x,0,64\n`, /data row 2, column "kv_budget": is "x", expected a/],
    [`${header},quant_tier\n1,1,0,64,7\n`, /data row 1, column "quant_tier": quant_tier is 7/],
  ])('refuses %j', (queries, problem) => {
    expect(() => lookupTable(synthetic, readCsv(queries))).toThrow(problem);
  });
});
