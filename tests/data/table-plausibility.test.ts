/** Tables as benchmarks give them: what is assumed, remarked and refused. */
import { describe, expect, it } from 'vitest';
import { readCsv } from '../../src/data/csv.js';
import { checkTable, importTable } from '../../src/data/import-table.js';

type Row = Record<string, number | string>;

/** Rows of a server that serves batch and prompt about as one does. */
function rows(change: (row: Row) => Row = (row) => row): Row[] {
  return [8, 32, 128].flatMap((batch) =>
    [256, 1024, 4096].map((prompt) => {
      const tpot = 8 + batch / 8;
      const ttft = 40 + prompt / 8 + batch;
      return change({
        ...{ batch_size: batch, prompt_len: prompt, ttft_p50: ttft, ttft_p99: 2 * ttft },
        ...{ tpot, tps: (900 * batch) / tpot },
      });
    }),
  );
}

const check = (all: Row[]) => {
  const names = Object.keys(all[0]);
  const lines = [names, ...all.map((row) => names.map((name) => row[name]))];
  return readCsv(lines.map((line) => line.join(',')).join('\n'));
};

describe('checkTable', () => {
  it('assumes what a benchmark does not measure, and says so', () => {
    const report = checkTable(check(rows()), { pricePerHourUsd: 3.6 });
    expect(report.ok).toBe(true);
    expect(report.warnings.join('; ')).toMatch(
      /kv_budget .* 0.9 is assumed.*gpu_mem_gb .* 72 is assumed.*\$3.6 an hour is assumed/,
    );
    const assumed = { kvBudget: 0.5, memoryGb: 40 };
    const table = importTable(check(rows()), { name: 't', assumed });
    expect(table).toMatchObject({ kv: [0.5], deviceMemoryGb: 40, pricePerGpuHourUsd: 2 });
    expect(table.values[4]).toBe(20);
  });

  it('takes names with spaces, units and capitals, and those of vllm bench', () => {
    const renamed = rows(({ batch_size, prompt_len, ttft_p50, ttft_p99, tpot, tps }) => ({
      ...{ 'Max Concurrency': batch_size, isl: prompt_len, 'TTFT P50 (ms)': ttft_p50 },
      ...{ p99_ttft_ms: ttft_p99, 'TPOT ms': tpot, output_throughput: tps },
    }));
    expect(checkTable(check(renamed)).ok).toBe(true);
  });

  it('refuses a first token sooner than the next one', () => {
    const report = checkTable(check(rows((row) => ({ ...row, ttft_p50: 1 + 1 / 8 }))));
    expect(report.problems[0]).toMatchObject({ row: 1, column: 'ttft_p50' });
    expect(report.problems[0].problem).toMatch(/below one tpot .* is it in seconds/);
  });

  it('remarks a TTFT that falls with concurrency, and the throughput of one GPU', () => {
    const backwards = rows((row) => ({ ...row, ttft_p50: 9000 / Number(row['batch_size']) + 100 }));
    const fallen = backwards.map((row) => ({ ...row, ttft_p99: 2 * Number(row['ttft_p50']) }));
    expect(checkTable(check(fallen)).warnings.join()).toMatch(/from batch_size 8 to 128/);
    const perGpu = rows((row) => ({ ...row, tps: Number(row['tps']) / 8 }));
    expect(checkTable(check(perGpu)).warnings.join()).toMatch(/1\/9 of what batch_size gives/);
    expect(checkTable(check(rows())).warnings.join()).not.toMatch(/falls|batch_size gives/);
  });

  it('takes precisions by name, draft lengths and batches of practice, and a free server', () => {
    const wide = rows((row) => ({
      ...row,
      ...{ batch_size: Number(row['batch_size']) * 16, tps: Number(row['tps']) * 16 },
      ...{ quant_tier: 'fp8', spec_length: 3, cost_per_1k: 0 },
    }));
    const report = checkTable(check(wide));
    expect(report).toMatchObject({ ok: true, grid: { batch_size: [128, 512, 2048] } });
    expect(report.warnings.join()).toMatch(/fp8 is taken as tier 1.*|the server is free/);
  });

  it('shows how far repeats differ', () => {
    const repeated = [...rows(), { ...rows()[0], ttft_p99: 12 * Number(rows()[0]['ttft_p99']) }];
    const report = checkTable(check(repeated));
    expect(report.repeat_spread).toEqual({ metric: 'ttft_p99', times: 12 });
  });
});
