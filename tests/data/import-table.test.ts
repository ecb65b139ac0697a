import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Columns } from '../../src/data/columns.js';
import { readCsv } from '../../src/data/csv.js';
import { DataError } from '../../src/data/errors.js';
import { checkTable, importTable } from '../../src/data/import-table.js';
import { readTableFile } from '../../src/data/node.js';
import { encodePerfTable, PERF_METRICS } from '../../src/data/perf-table.js';
import { syntheticMetrics } from '../../src/data/synthetic-table.js';
import { isSharedDataAbsent, sharedData } from '../support/shared-data.js';

type Row = Record<string, number | string>;

const batch = [1, 8, 32, 128];
const kv = [0.25, 0.5, 1];
const prompts = [64, 256, 1024, 4096];

function rowAt(batch_size: number, kv_budget: number, prompt_len: number): Row {
  const metrics = syntheticMetrics(batch_size, kv_budget, 0, prompt_len);
  const row: Row = { batch_size, kv_budget, spec_length: 0, quant_tier: 0, prompt_len };
  PERF_METRICS.forEach((metric, m) => {
    row[metric] = metrics[m];
  });
  return row;
}

/** A complete table of 48 rows; row i + 1 of the file is element i. */
function goodRows(): Row[] {
  return batch.flatMap((b) => kv.flatMap((k) => prompts.map((p) => rowAt(b, k, p))));
}

function toColumns(rows: Row[]): Columns {
  const names = Object.keys(rows[0]);
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
  return readCsv(lines.map((line) => `${line.join(',')}\n`).join(''));
}

const rename = (rows: Row[], from: string, to: string) =>
  rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([k, v]) => [k === from ? to : k, v])),
  );
const without = (rows: Row[], name: string) =>
  rows.map((row) => Object.fromEntries(Object.entries(row).filter(([k]) => k !== name)));
const edited = (name: string, value: number | string, row = 7) =>
  goodRows().map((r, i) => (i === row - 1 ? { ...r, [name]: value } : r));
const scaled = (name: string, factor: number) =>
  goodRows().map((row) => ({ ...row, [name]: Number(row[name]) * factor }));

describe('checkTable', () => {
  it('accepts a complete table and says how well it interpolates', () => {
    const report = checkTable(toColumns(goodRows()));
    expect(report.ok).toBe(true);
    expect(report.rows).toBe(48);
    expect(report.grid).toEqual({
      quant_tier: [0],
      spec_length: [0],
      batch_size: batch,
      kv_budget: kv,
      prompt_len: prompts,
    });
    expect(report.filled).toEqual([]);
    expect(report.problems).toEqual([]);
    expect(report.monotonicity).toEqual([]);
    expect(report.warnings).toEqual([]);
    for (const metric of PERF_METRICS) {
      expect(report.heldout_error[metric]).toBeGreaterThan(0);
      expect(report.heldout_error[metric]).toBeLessThan(40);
    }
  });

  it('takes _ms names, prompt buckets, and zero for absent tier and draft length', () => {
    let rows = goodRows();
    for (const name of ['ttft_p50', 'ttft_p99', 'tpot']) rows = rename(rows, name, `${name}_ms`);
    rows = without(without(rows, 'quant_tier'), 'spec_length');
    rows = rename(rows, 'prompt_len', 'prompt_len_bucket').map((row) => ({
      ...row,
      prompt_len_bucket: Math.round(Math.log2(Number(row['prompt_len_bucket']) / 64)),
    }));
    const report = checkTable(toColumns(rows));
    expect(report.ok).toBe(true);
    expect(report.warnings).toEqual([
      'the column quant_tier is missing; every row is taken as quant_tier 0',
      'the column spec_length is missing; every row is taken as spec_length 0',
    ]);
    const options = { name: 'mine' };
    const text = encodePerfTable(importTable(toColumns(goodRows()), options));
    expect(encodePerfTable(importTable(toColumns(rows), options))).toBe(text);
  });

  it.each<[string, Row[], number | null, string, RegExp]>([
    ['a missing column', without(goodRows(), 'tps'), null, 'tps', /the column is missing/],
    ['no prompt', without(goodRows(), 'prompt_len'), null, 'prompt_len', /or prompt_len_bucket/],
    ['text', edited('tpot', 'fast'), 7, 'tpot', /is "fast", not a finite number/],
    ['an empty cell', edited('tpot', ''), 7, 'tpot', /is empty/],
    ['NaN', edited('tps', 'NaN'), 7, 'tps', /is "NaN", not a finite number/],
    ['infinity', edited('tps', '1e999'), 7, 'tps', /is Infinity, not a finite number/],
    ['a negative', edited('ttft_p50', -3), 7, 'ttft_p50', /is -3, a negative number/],
    ['a zero', edited('gpu_mem_gb', 0), 7, 'gpu_mem_gb', /is 0, expected a number above 0/],
    ['a huge value', edited('cost_per_1k', 1e13), 7, 'cost_per_1k', /expected 1e-12 to/],
    ['batch 0', edited('batch_size', 0), 7, 'batch_size', /is 0, expected 1 to 4096/],
    ['batch 5000', edited('batch_size', 5000), 7, 'batch_size', /expected 1 to 4096/],
    ['half a batch', edited('batch_size', 1.5), 7, 'batch_size', /expected a whole number/],
    ['KV in percent', scaled('kv_budget', 100), 1, 'kv_budget', /is 25, .* is it a percentage\?/],
    ['KV 0.05', edited('kv_budget', 0.05), 7, 'kv_budget', /is 0.05, expected 0.1 to 1/],
    ['draft length 17', edited('spec_length', 17), 7, 'spec_length', /expected 0 to 16/],
    ['tier 3', edited('quant_tier', 3), 7, 'quant_tier', /is 3, expected 0 to 2/],
    ['prompt 0', edited('prompt_len', 0), 7, 'prompt_len', /is 0, expected 1 to/],
    ['TTFT in seconds', scaled('ttft_p50', 0.0001), 1, 'ttft_p50', /is it in seconds\?/],
    ['TPOT in seconds', scaled('tpot', 0.001), 1, 'tpot', /milliseconds per token/],
    ['TPOT in microseconds', scaled('tpot', 1000), 1, 'tpot', /milliseconds per token/],
    ['memory in MB', scaled('gpu_mem_gb', 1000), 1, 'gpu_mem_gb', /is it in MB\?/],
    [
      'bucket 9',
      rename(edited('prompt_len', 9), 'prompt_len', 'prompt_len_bucket'),
      1,
      'prompt_len_bucket',
      /is 64, expected 0 to 7; tokens go in prompt_len/,
    ],
    [
      'one prompt',
      goodRows().map((r) => ({ ...r, prompt_len: 64 })),
      null,
      'prompt_len',
      /too few points: every row has 64, two values are needed/,
    ],
    [
      'one batch size',
      goodRows().map((r) => ({ ...r, batch_size: 8 })),
      null,
      'batch_size',
      /too few points: every row has 8/,
    ],
    [
      '18 prompts',
      Array.from({ length: 36 }, (_, i) => rowAt(i < 18 ? 1 : 2, 1, 64 + (i % 18))),
      18,
      'prompt_len',
      /an axis has at most 17 different values/,
    ],
    [
      'a diagonal',
      Array.from({ length: 8 }, (_, i) => rowAt(i + 1, 1, 64 + i)),
      null,
      'batch_size',
      /too few points: 8 of the grid's 64 cells/,
    ],
  ])('refuses %s', (_, rows, row, column, problem) => {
    const columns = toColumns(rows);
    const report = checkTable(columns);
    expect(report.ok).toBe(false);
    expect(report.problems).toContainEqual({
      row,
      column,
      problem: expect.stringMatching(problem),
    });
    const place = row === null ? `column "${column}"` : `data row ${row}, column "${column}"`;
    const attempt = () => importTable(columns, { name: 'mine' });
    expect(attempt).toThrow(DataError);
    expect(attempt).toThrow(place);
    expect(attempt).toThrow(problem);
  });

  it('refuses two columns of one meaning, and a table without rows', () => {
    const both = goodRows().map((row) => ({ ...row, tpot_ms: 1 }));
    const { problems } = checkTable(toColumns(both));
    expect(problems[0]).toMatchObject({ column: 'tpot_ms', problem: /beside tpot/ });
    const header = Object.keys(goodRows()[0]).join(',');
    expect(checkTable(readCsv(`${header}\n`)).problems[0].problem).toBe('the table has no rows');
  });

  it('names the row of a null in a parquet column', () => {
    const columns = toColumns(goodRows());
    (columns['tps'] as Float64Array)[4] = Number.NaN;
    const problem = 'is missing or not a number';
    expect(checkTable(columns).problems).toEqual([{ row: 5, column: 'tps', problem }]);
  });

  it('lists at most 100 problems and counts them all', () => {
    const rows = Array.from({ length: 30 }, () => goodRows()).flat();
    const report = checkTable(toColumns(rows.map((row) => ({ ...row, tps: -1 }))));
    expect(report.problems).toHaveLength(100);
    expect(report.problem_count).toBe(30 * 48);
  });

  it('lists cells measured twice and takes their median', () => {
    const base = goodRows();
    const again = [1.5, 4].map((factor) => ({ ...base[9], tps: Number(base[9]['tps']) * factor }));
    const columns = toColumns([...base, ...again]);
    const cell = { quant_tier: 0, spec_length: 0, batch_size: 1, kv_budget: 1, prompt_len: 256 };
    expect(checkTable(columns).duplicates).toEqual([{ cell, rows: [10, 49, 50] }]);
    const table = importTable(columns, { name: 'mine' });
    expect(table.values[9 * 6 + 3]).toBe(Math.fround(Number(base[9]['tps']) * 1.5));
  });

  it('lists where memory falls with batch size and TTFT with prompt length', () => {
    const rows = edited('ttft_p50', 10_000, 1).map((row, i) =>
      i === 47 ? { ...row, gpu_mem_gb: 1 } : row,
    );
    const report = checkTable(toColumns(rows));
    expect(report.ok).toBe(true);
    expect(report.monotonicity).toEqual([
      {
        metric: 'gpu_mem_gb',
        axis: 'batch_size',
        cell: { quant_tier: 0, spec_length: 0, batch_size: 128, kv_budget: 1, prompt_len: 4096 },
        from: expect.any(Number),
        to: 1,
      },
      expect.objectContaining({ metric: 'ttft_p50', axis: 'prompt_len', from: 10_000 }),
    ]);
    expect(report.warnings).toContainEqual(expect.stringContaining('in 2 places'));
    expect(report.warnings).toContainEqual(expect.stringContaining('ttft_p99 is below ttft_p50'));
  });
});

describe('holes', () => {
  /** The table without some rows. */
  const holed = (...missing: number[]) =>
    toColumns(goodRows().filter((_, i) => !missing.includes(i)));

  it('are filled between their neighbours and listed', () => {
    const hole = 1 * 12 + 1 * 4 + 1; // batch 8, kv 0.5, prompt 256
    const report = checkTable(holed(hole));
    expect(report.ok).toBe(true);
    const cell = { quant_tier: 0, spec_length: 0, batch_size: 8, kv_budget: 0.5, prompt_len: 256 };
    expect(report.filled).toEqual([{ ...cell, method: 'interpolated' }]);
    const table = importTable(holed(hole), { name: 'mine' });
    const truth = syntheticMetrics(8, 0.5, 0, 256);
    PERF_METRICS.forEach((_, m) => {
      expect(Math.abs(table.values[hole * 6 + m] / truth[m] - 1)).toBeLessThan(0.05);
    });
  });

  it('are extrapolated in a corner, and said to be', () => {
    const report = checkTable(holed(47));
    expect(report.filled).toEqual([expect.objectContaining({ method: 'extrapolated' })]);
    expect(report.warnings).toEqual(['1 cells had no row and were filled, 1 by extrapolation']);
  });

  const truth = importTable(toColumns(goodRows()), { name: 'mine' }).values;

  it('are each filled near the truth, inside the grid or at its edge', () => {
    for (let hole = 0; hole < 48; hole++) {
      const { values } = importTable(holed(hole), { name: 'mine' });
      for (let i = hole * 6; i < hole * 6 + 6; i++) {
        expect(Math.abs(values[i] / truth[i] - 1)).toBeLessThan(0.5);
      }
    }
  });

  it('lie between their neighbours on an axis, where an axis has both', () => {
    for (let hole = 0; hole < 48; hole++) {
      const pairs = [
        [12, Math.floor(hole / 12), 4],
        [4, Math.floor(hole / 4) % 3, 3],
        [1, hole % 4, 4],
      ].filter(([, at, length]) => at > 0 && at < length - 1);
      if (pairs.length === 0) continue;
      const { values } = importTable(holed(hole), { name: 'mine' });
      for (let m = 0; m < 6; m++) {
        const isBetween = pairs.some(([stride]) => {
          const [a, b] = [truth[(hole - stride) * 6 + m], truth[(hole + stride) * 6 + m]];
          const value = values[hole * 6 + m];
          return value >= Math.min(a, b) * (1 - 1e-6) && value <= Math.max(a, b) * (1 + 1e-6);
        });
        expect(isBetween).toBe(true);
      }
    }
  });

  it('leave measured cells as they are, however many there are', () => {
    const missing = fc.uniqueArray(fc.nat(47), { maxLength: 24 });
    fc.assert(
      fc.property(missing, (cells) => {
        const columns = holed(...cells);
        const report = checkTable(columns);
        const sizes = ['batch_size', 'kv_budget', 'prompt_len'].map((a) => report.grid[a].length);
        fc.pre(report.ok && sizes.join() === '4,3,4');
        expect(report.filled).toHaveLength(cells.length);
        const { values } = importTable(columns, { name: 'mine' });
        for (let i = 0; i < values.length; i++) {
          if (cells.includes(Math.floor(i / 6))) expect(values[i]).toBeGreaterThan(0);
          else expect(values[i]).toBe(truth[i]);
        }
      }),
      { numRuns: 60, seed: 11 },
    );
  });

  it('are refused where measurements a hair apart would be extrapolated to absurd values', () => {
    const rows = [
      rowAt(1, 1, 64),
      { ...rowAt(1, 1, 64.001), ttft_p50: 2000 },
      rowAt(2, 1, 64),
      rowAt(2, 0.5, 64),
      rowAt(2, 0.5, 8192),
    ];
    const { ok, problems } = checkTable(toColumns(rows));
    expect(ok).toBe(false);
    expect(problems[0].problem).toMatch(/^too few points: .* extrapolate to absurd values at/);
  });

  it('do not depend on the order of the rows', () => {
    const rows = goodRows().filter((_, i) => i % 5 !== 2);
    const text = encodePerfTable(importTable(toColumns(rows), { name: 'mine' }));
    const reversed = toColumns(rows.toReversed());
    expect(encodePerfTable(importTable(reversed, { name: 'mine' }))).toBe(text);
  });
});

describe('importTable', () => {
  it('derives the price from cost and throughput, and takes what it is told', () => {
    const rows = goodRows().map((row) => ({ ...row, cost_per_1k: 2 / 3.6 / Number(row['tps']) }));
    const table = importTable(toColumns(rows), { name: 'mine' });
    expect(table).toMatchObject({ source: 'imported', licence: 'not stated' });
    expect(table).toMatchObject({ meanOutputTokens: 210, deviceMemoryGb: 40 });
    expect(table.pricePerGpuHourUsd).toBe(2);
    expect(table.measuredSpeculation).toBe(false);
    const told = { name: 'b', measuredSpeculation: true, deviceMemoryGb: 80, meanOutputTokens: 99 };
    expect(importTable(toColumns(rows), told)).toMatchObject(told);
  });

  it('takes prefill times along log-log lines through the rows of one prompt', () => {
    const prefill = readCsv(
      'quant_tier,num_prompts,prompt_len,prefill_ms_with_overhead\n' +
        '0,1,1024,80\n0,1,64,20\n0,2,64,999\n1,1,64,1\n0,1,256,40\n',
    );
    const table = importTable(toColumns(goodRows()), { name: 'mine', prefill });
    expect(Array.from(table.prefillMs!, (x) => Math.round(x * 1e4) / 1e4)).toEqual([
      20, 40, 80, 160,
    ]);
    const missing = readCsv('quant_tier,num_prompts,prompt_len\n0,1,64\n');
    expect(() => importTable(toColumns(goodRows()), { name: 'mine', prefill: missing })).toThrow(
      'column "prefill_ms_with_overhead": the column is missing',
    );
  });

  it.skipIf(isSharedDataAbsent()).each(['a100_40gb', 'a100_80gb', 'h100_80gb'])(
    'makes the same table of the parquet and the CSV of %s',
    async (device) => {
      const path = sharedData(`llm_perf/traces_llama3_8b_${device}`);
      const fromParquet = await readTableFile(`${path}.parquet`);
      const fromCsv = await readTableFile(`${path}.csv`);
      const options = { name: device };
      const text = encodePerfTable(importTable(fromParquet, options));
      expect(encodePerfTable(importTable(fromCsv, options))).toBe(text);
      const report = checkTable(fromCsv);
      expect(report.filled).toEqual([]);
      expect(report.heldout_error.tpot).toBeLessThan(6);
      expect(report.heldout_error.ttft_p99).toBeLessThan(12);
    },
  );
});
