/** `infragym table`: check, import, lookup and export, and what they refuse. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodePerfTable, lookupPerf, syntheticTable } from '../../src/index.js';
import { infragym, json, temporaryFolder } from './run.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

function write(name: string, text: string): string {
  writeFileSync(at(name), text);
  return at(name);
}

const HEADER = 'batch_size,kv_budget,prompt_len,ttft_p50,ttft_p99,tpot,tps,gpu_mem_gb,cost_per_1k';
const GOOD = [1, 8, 32].flatMap((batch) =>
  [64, 512, 2048].map((prompt) => {
    const ttft = 30 + 2 * batch + prompt / 2;
    return [batch, 1, prompt, ttft, 1.8 * ttft, 20, 50 * batch, 20 + batch / 10, 0.01].join(',');
  }),
);
const good = write('good.csv', [HEADER, ...GOOD].join('\n'));

describe('table check', () => {
  it('reports grid and held-out error of a good table', async () => {
    const report = await json<Record<string, unknown>>(['table', 'check', good]);
    expect(report).toMatchObject({ ok: true, rows: 9, filled: [], problems: [] });
    expect(report['grid']).toMatchObject({ batch_size: [1, 8, 32], prompt_len: [64, 512, 2048] });
    const errors = report['heldout_error'] as Record<string, number>;
    expect(Number.isFinite(errors['ttft_p50'])).toBe(true);
    expect((await infragym(['table', 'check', good])).code).toBe(0);
  });

  it('exits with 1 and names row and column of a bad one', async () => {
    const bad = write(
      'bad.csv',
      [HEADER, ...GOOD.slice(0, 4), '32,1,64,-5,9,20,9,20,1'].join('\n'),
    );
    const report = await json<{ ok: boolean; problems: unknown[] }>(['table', 'check', bad], 1);
    expect(report.ok).toBe(false);
    expect(report.problems[0]).toMatchObject({ row: 5, column: 'ttft_p50' });
    const forPeople = await infragym(['table', 'check', bad]);
    expect(forPeople.code).toBe(1);
    expect(forPeople.stdout).toMatch(/REFUSED[\s\S]*data row 5, column ttft_p50/);
  });
});

describe('table import', () => {
  it('writes a table file that lookup and the library take', async () => {
    const out = at('mine.json');
    const report = await json(['table', 'import', good, '--out', out, '--name', 'mine']);
    expect(report).toMatchObject({ ok: true, rows: 9 });
    expect(decodePerfTable(readFileSync(out, 'utf8'))).toMatchObject({ name: 'mine' });
    const queries = write('one.csv', 'batch_size,kv_budget,spec_length,prompt_len\n8,1,0,512\n');
    const [answer] = await json<Record<string, number>[]>([
      ...['table', 'lookup', out, '--queries', queries],
    ]);
    expect(answer['ttft_p50']).toBeCloseTo(302, 3);
    expect(answer['tps']).toBeCloseTo(400, 3);
  });

  it('writes nothing where the table is refused', async () => {
    const out = at('nothing.json');
    const bad = write('short.csv', [HEADER, GOOD[0]].join('\n'));
    expect((await infragym(['table', 'import', bad, '--out', out])).code).toBe(1);
    expect(existsSync(out)).toBe(false);
  });
});

describe('table lookup', () => {
  it('answers in the order of the queries', async () => {
    const rows = [
      [32, 1, 0, 96],
      [128, 0.5, 0, 96],
      [32, 1, 4, 700],
    ];
    const text = rows.map((row) => row.join(',')).join('\n');
    const queries = write('q.csv', `batch_size,kv_budget,spec_length,prompt_len\n${text}\n`);
    const answers = await json<Record<string, number>[]>([
      ...['table', 'lookup', 'synthetic-a', '--queries', queries],
    ]);
    const table = syntheticTable();
    const expected = rows.map(([batch_size, kv_budget, spec_length, prompt_len]) => {
      const query = { batch_size, kv_budget, spec_length, prompt_len };
      return lookupPerf(table, query as Parameters<typeof lookupPerf>[1]);
    });
    expect(answers).toEqual(expected);
    expect(Object.keys(answers[0])).toEqual([
      ...['ttft_p50', 'ttft_p99', 'tpot', 'tps', 'gpu_mem_gb', 'cost_per_1k'],
    ]);
  });

  it('refuses a query that is no number and a table there is none of', async () => {
    const queries = write('w.csv', 'batch_size,kv_budget,spec_length,prompt_len\n32,1,0,many\n');
    const wrong = await infragym(['table', 'lookup', 'synthetic-a', '--queries', queries]);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toMatch(/data row 1, column "prompt_len".*many/);
    const none = await infragym(['table', 'lookup', 'gpt-9', '--queries', queries]);
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(/"gpt-9".*llama3-8b-a100-40gb/);
  });
});

describe('table export', () => {
  it.each(['csv', 'parquet'])('writes %s that imports to the same table', async (format) => {
    const file = at(`synthetic.${format}`);
    expect((await infragym(['table', 'export', 'synthetic-a', '--out', file])).code).toBe(0);
    const out = at(`again-${format}.json`);
    expect((await infragym(['table', 'import', file, '--out', out])).code).toBe(0);
    const again = decodePerfTable(readFileSync(out, 'utf8'));
    const table = syntheticTable();
    expect(again.promptLen).toEqual(table.promptLen);
    expect(again.values).toEqual(table.values);
  });
});
