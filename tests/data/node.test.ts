import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_DATA_LIMITS } from '../../src/data/columns.js';
import { exportTable } from '../../src/data/export-table.js';
import { readTableFile } from '../../src/data/node.js';
import { syntheticTable } from '../../src/data/synthetic-table.js';

describe('readTableFile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'infragym-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  it('tells parquet from CSV by its first bytes', async () => {
    const bytes = exportTable(syntheticTable());
    const columns = await readTableFile(file('misnamed.csv', bytes), { columns: ['tps'] });
    expect(Object.keys(columns)).toEqual(['tps']);
    expect(columns['tps']).toHaveLength(1800);
    const csv = await readTableFile(file('plain.txt', 'a\n1\n'));
    expect(Array.from<unknown>(csv['a'])).toEqual([1]);
  });

  it('names the file in every refusal', async () => {
    const text = file('text.parquet', 'a\n1\n');
    await expect(readTableFile(text)).rejects.toThrow(`${text}: the file does not begin as`);
    const ragged = file('ragged.csv', 'a,b\n1\n');
    await expect(readTableFile(ragged)).rejects.toThrow(`${ragged}: data row 1: has 1 fields`);
    const absent = join(folder, 'absent.csv');
    await expect(readTableFile(absent)).rejects.toThrow(`${absent}: cannot be read (ENOENT)`);
    await expect(readTableFile(folder)).rejects.toThrow(`${folder}: is not a regular file`);
  });

  it('checks the size before it reads', async () => {
    const limits = { ...DEFAULT_DATA_LIMITS, fileBytes: 10 };
    const path = file('long.csv', 'a\n1\n2\n3\n4\n5\n');
    await expect(readTableFile(path, { limits })).rejects.toThrow(
      `${path}: file size in bytes: 12 exceeds the limit of 10`,
    );
  });
});
