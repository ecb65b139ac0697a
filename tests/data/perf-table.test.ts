import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadShippedTable, SHIPPED_TABLES } from '../../src/data/node.js';
import {
  cellCount,
  decodePerfTable,
  encodePerfTable,
  PERF_METRICS,
  perfTableDigest,
  shortestF32,
} from '../../src/data/perf-table.js';
import { syntheticTable } from '../../src/data/synthetic-table.js';

describe('shortestF32', () => {
  it('keeps the f32, and needs no more digits than the number was written with', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(Math.fround(shortestF32(x))).toBe(x === 0 ? Math.fround(shortestF32(x)) : x);
      }),
    );
    for (const x of [0.1, 16.101, 8138.5, 5.1197e-5, 1, 131072]) expect(shortestF32(x)).toBe(x);
  });
});

describe('a table file', () => {
  const table = syntheticTable();
  const text = encodePerfTable(table);

  it('gives back the same table and the same text', () => {
    const decoded = decodePerfTable(text);
    expect(decoded).toEqual(table);
    expect(encodePerfTable(decoded)).toBe(text);
    expect(perfTableDigest(decoded)).toBe(perfTableDigest(table));
  });

  it('has a digest that every number changes', () => {
    const values = table.values.slice();
    values[7] = Math.fround(values[7] * (1 + 2 ** -23));
    expect(perfTableDigest({ ...table, values })).not.toBe(perfTableDigest(table));
    expect(perfTableDigest({ ...table, name: 'b' })).not.toBe(perfTableDigest(table));
  });

  const change = (edit: (json: Record<string, unknown>) => void) => {
    const json = JSON.parse(text) as Record<string, unknown>;
    edit(json);
    return JSON.stringify(json);
  };

  it.each<[string, string, RegExp]>([
    ['no JSON', '{', /the table is not JSON/],
    ['an array', '[]', /not a JSON object/],
    ['another format', '{"format":"x"}', /format is "x", expected "infragym-perf-table\/1"/],
    ['no name', change((j) => delete j['name']), /name is missing/],
    ['a short metric', change((j) => (j['tps'] as number[]).pop()), /tps is 1799 numbers, exp/],
    ['a zero', change((j) => ((j['tpot'] as number[])[3] = 0)), /tpot\[3\] is "0"/],
    ['text', change((j) => ((j['tpot'] as unknown[])[3] = 'a')), /tpot\[3\] is "a"/],
    ['18 nodes', change((j) => (j['batch_size'] = Array(18).fill(1))), /batch_size has 18 nodes/],
    ['no order', change((j) => (j['kv_budget'] as number[]).reverse()), /kv_budget does not asc/],
    [
      'spec 17',
      change((j) => ((j['spec_length'] as number[])[4] = 17)),
      /spec_length\[4\] is "17"/,
    ],
    ['half a batch', change((j) => ((j['batch_size'] as number[])[0] = 1.5)), /whole number/],
    ['a price of 0', change((j) => (j['price_per_gpu_hour_usd'] = 0)), /price_per_gpu_hour_usd is/],
    ['prefill of wrong length', change((j) => (j['prefill_ms'] = [1])), /expected 8 numbers/],
    ['a ratio above 1', change((j) => (j['kv_usage_ratio'] = Array(1800).fill(2))), /kv_usage_rat/],
    ['an unknown error', change((j) => (j['heldout_error_percent'] = { x: 1 })), /percent\.x/],
  ])('is refused with %s', (_, damaged, problem) => {
    expect(() => decodePerfTable(damaged)).toThrow(problem);
  });
});

describe('the shipped tables', () => {
  it.each(SHIPPED_TABLES)('%s is complete, canonical and small', (name) => {
    const text = readFileSync(`data/tables/${name}.json`, 'utf8');
    const table = loadShippedTable(name);
    expect(table.name).toBe(name);
    expect(encodePerfTable(table)).toBe(text);
    expect(text.length).toBeLessThan(400_000);
    expect(cellCount(table)).toBe(5400);
    expect(table.quantTiers).toEqual([0, 1, 2]);
    expect(table.measuredSpeculation).toBe(true);
    expect(table.specAcceptRate).toHaveLength(5400);
    expect(table.kvUsageRatio).toHaveLength(5400);
    expect(table.prefillMs).toHaveLength(24);
    expect(table.source).toMatch(/vidur.*aiconfigurator.*LLM-Inference-Bench.*Azure/);
    expect(Object.keys(table.heldoutErrorPercent!)).toEqual(PERF_METRICS.slice(0, 5));
    expect(readFileSync('data/tables/README.md', 'utf8')).toContain(
      `| ${name} | ${text.length} | ${perfTableDigest(table).slice(0, 16)} |`,
    );
  });

  it('are found by name only', () => {
    expect(() => loadShippedTable('../../package')).toThrow(/no table is called/);
  });
});
