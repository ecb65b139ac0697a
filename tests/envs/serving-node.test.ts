import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodePerfTable } from '../../src/data/perf-table.js';
import { syntheticTable } from '../../src/data/synthetic-table.js';
import { compileTask, registerTable } from '../../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'infragym-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('tables that a task names', () => {
  it('are files written by an import', () => {
    const path = join(folder, 'mine.json');
    writeFileSync(path, encodePerfTable(syntheticTable()));
    expect(compileTask('1', { table: path }).programDigest).toBe(compileTask('1').programDigest);
    const table = syntheticTable();
    writeFileSync(path, encodePerfTable({ ...table, values: table.values.map((x) => 2 * x) }));
    expect(compileTask('1', { table: path }).programDigest).not.toBe(
      compileTask('1').programDigest,
    );
  });

  it('are what was registered under the name', () => {
    const table = syntheticTable();
    registerTable('halved', { ...table, values: table.values.map((x) => x / 2) });
    const { programDigest } = compileTask('1', { table: 'halved' });
    expect(programDigest).not.toBe(compileTask('1').programDigest);
  });

  it('need no prefill times in a measured task', () => {
    registerTable('plain', syntheticTable());
    const task = compileTask('llama3-8b-a100-40gb-azure-conv', { table: 'plain' });
    expect(task.needsBaseline).toBe(true);
  });

  it('are refused with their path where they are broken or absent', () => {
    const path = join(folder, 'broken.json');
    writeFileSync(path, '{"format":');
    expect(() => compileTask('1', { table: path })).toThrow(/broken\.json: .*not JSON/);
    const absent = join(folder, 'absent.json');
    expect(() => compileTask('1', { table: absent })).toThrow(
      /absent\.json" is neither a file nor/,
    );
    const conv = 'llama3-8b-a100-40gb-azure-conv';
    expect(() => compileTask(conv, { traffic: 'rush-hour' })).toThrow(/"rush-hour" is not one of/);
  });
});
