import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeImported, importReport } from '../../../src/data/import/encode.js';
import { importFiles } from '../../../src/data/import/import.js';
import type { ImportFilesOptions } from '../../../src/data/import/options.js';
import { bytesSource } from '../../../src/data/read/source.js';

async function read(text: string | Uint8Array, options: ImportFilesOptions = {}, name = 'in.csv') {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const result = await importFiles([bytesSource(name, bytes)], options);
  if (result.data.as !== 'series') throw new Error(`read as ${result.data.as}`);
  return { ...result, series: result.data.series, first: result.data.series[0] };
}

const minutes = (values: readonly (number | string)[]) =>
  `minute,requests\n${values.map((value, i) => `${i},${value}`).join('\n')}\n`;

describe('series from CSV', () => {
  it('makes counts of a minute rates a second, and says so', async () => {
    const { first, provenance } = await read(minutes([60, 120, 30]));
    expect([...first.values]).toEqual([1, 2, 0.5]);
    expect(first).toMatchObject({ unit: 'requests/s', step_s: 60, origin: 'relative' });
    expect(provenance.converted).toContainEqual({
      what: 'counts of 60 s to counts a second',
      count: 3,
    });
  });

  it('plays ten times the load as ten times the load', async () => {
    const once = await read(minutes([60, 2400, 30]));
    const tenfold = await read(minutes([600, 24_000, 300]));
    expect([...tenfold.first.values]).toEqual([...once.first.values].map((x) => 10 * x));
  });

  it('keeps gaps and cells without a value as gaps, naming the row', async () => {
    const { first, log } = await read('minute,requests\n0,6\n1,NaN\n2,6\n5,6\n');
    expect([...first.values]).toEqual([0.1, NaN, 0.1, NaN, NaN, 0.1]);
    expect(first.gaps).toEqual([
      { from_s: 60, to_s: 120 },
      { from_s: 180, to_s: 300 },
    ]);
    expect(log.problems[0]).toMatchObject({ row: 2, column: 'requests' });
  });

  it('fills only when asked, and counts what it filled', async () => {
    const text = 'minute,requests\n0,6\n1,12\n3,6\n';
    const filled = await read(text, { fill: 'previous' });
    expect([...filled.first.values]).toEqual([0.1, 0.2, 0.2, 0.1]);
    expect(filled.provenance.repaired).toEqual([
      { what: 'missing samples filled (--fill previous)', count: 1 },
    ]);
  });

  it.each([
    ['minute,requests\n0,6\n1,-5\n2,6\n', /data row 2, column "requests": is -5, below zero/],
    ['minute,requests\n0,6\n2,6\n1,6\n', /row 3.*goes back by 60 s.*--sort/],
    ['minute,requests\n0,6\n1,6\n1,7\n', /row 3.*time of another row.*--dedupe/],
    ['minute,requests\n0,6\n1,6\n1.4,7\n2,6\n3,6\n', /row 3.*off the spacing.*--step/],
    ['minute,requests\n0,6\n1,a lot\n2,6\n', /row 2, column "requests": "a lot" is not a number/],
    ['minute,requests\n', /the file has no rows/],
    ['a,b\nx,y\n', /this is CSV, commas with the columns "a", "b", nothing that is known/],
  ])('refuses %j', async (text, problem) => {
    await expect(read(text)).rejects.toThrow(problem);
  });

  it('names the step of a clock set back, and reads it with the zone', async () => {
    const local = ['02:58', '02:59', '02:00', '02:01'].map((t) => `2026-10-25 ${t}:00,60`);
    const text = `time,requests\n${local.join('\n')}\n`;
    await expect(read(text)).rejects.toThrow(/goes back by 3540 s.*winter time.*--tz ZONE/);
    const { first } = await read(text, { tz: 'Europe/Berlin' });
    expect(first.times_s[0]).toBe(Date.UTC(2026, 9, 25, 0, 58) / 1000);
    expect([...first.values]).toEqual([1, 1, 1, 1]);
  });

  it('makes rates of counters, and notices one that nobody named', async () => {
    const rows = Array.from({ length: 12 }, (_, i) => `${i},${600 * i}`);
    const text = `minute,hits\n${rows.join('\n')}\n12,60\n13,660\n`;
    const { first, provenance } = await read(text, { counter: true });
    expect([...first.values]).toEqual([...new Array(11).fill(10), 1, 10]);
    expect(provenance.converted).toContainEqual({ what: 'counter resets', count: 1 });
    const rising = `minute,hits\n${rows.join('\n')}\n`;
    expect((await read(rising)).log.problems[0].problem).toMatch(/is it a counter/);
    await expect(read(rising.replace('hits', 'hits_total'))).rejects.toThrow(/--counter/);
  });

  it('reads wide and long forms: several signals, sums over pods', async () => {
    const wide = await read('t_s,rps,cpu\n0,1,0.5\n15,2,0.7\n');
    expect(wide.series.map(({ name, unit }) => [name, unit])).toEqual([
      ['rps', 'requests/s'],
      ['cpu', 'cores'],
    ]);
    const long = await read(
      'timestamp,pod,cpu,memory\n' +
        '2026-03-01T00:00:00Z,a,250m,1Gi\n2026-03-01T00:00:00Z,b,500m,1Gi\n' +
        '2026-03-01T00:01:00Z,a,1,2Gi\n',
    );
    expect(long.series.map(({ name, values }) => [name, ...values])).toEqual([
      ['cpu', 0.75, 1],
      ['memory', 2 ** 31, 2 ** 31],
      ['members', 2, 1],
    ]);
  });
});

describe('times', () => {
  const start = Date.UTC(2026, 2, 1) / 1000;
  const step = 30;
  const forms: Record<string, (t: number) => string> = {
    'epoch s': (t) => String(t),
    'epoch ms': (t) => String(t * 1e3),
    'epoch µs': (t) => String(t * 1e6),
    'epoch ns': (t) => `${t}000000000`,
    'ISO Z': (t) => new Date(t * 1000).toISOString(),
    'ISO with zone': (t) =>
      new Date((t + 7200) * 1000).toISOString().replace('.000Z', '.0000000+02:00'),
    'ISO with space': (t) => new Date(t * 1000).toISOString().slice(0, 19).replace('T', ' '),
    'year/month/day': (t) =>
      new Date(t * 1000).toISOString().slice(0, 19).replace('T', ' ').replaceAll('-', '/'),
    log: (t) => {
      const [, day, month, year, time] = new Date(t * 1000).toUTCString().split(/[ ,]+/);
      return `${day}/${month}/${year}:${time} +0000`;
    },
  };
  it.each(Object.keys(forms))('reads %s', async (form) => {
    const rows = [0, 1, 2, 3].map((i) => `${forms[form](start + i * step)};${i},5`);
    const { first } = await read(`Time;Anfragen pro Sekunde\n${rows.join('\n')}\n`, {
      unit: 'requests/s',
    });
    expect([...first.times_s]).toEqual([0, 1, 2, 3].map((i) => start + i * step));
    expect([...first.values]).toEqual([0.5, 1.5, 2.5, 3.5]);
  });

  it('does not choose between day and month', async () => {
    await expect(read('time,rps\n01/02/2026 00:00,1\n02/02/2026 00:00,1\n')).rejects.toThrow(
      /day\/month or month\/day/,
    );
    const { first } = await read('time,rps\n28.02.2026 00:00,1\n01.03.2026 00:00,1\n');
    expect(first.times_s[1] - first.times_s[0]).toBe(86_400);
  });
});

describe('what is written', () => {
  const cell = fc.oneof(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.constant(Number.NaN));
  it.each(['out.csv', 'out.parquet'])('is read back the same from %s', async (name) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell), { minLength: 2, maxLength: 40 }),
        fc.constantFrom(0.5, 1, 15, 20, 60, 3600),
        async (rows, step) => {
          const values = [[1, 2], ...rows, [3, 4]];
          const lines = values.map((row, i) => [i * step, ...row.map(String)].join(','));
          const { data, first } = await read(`t_s,rps,cpu\n${lines.join('\n')}\n`);
          const again = await read(encodeImported(data, name), {}, name);
          expect(again.series.map((s) => [s.name, s.unit, s.step_s, ...s.values])).toEqual(
            (data.as === 'series' ? data.series : []).map((s) => [
              ...[s.name, s.unit, s.step_s, ...s.values],
            ]),
          );
          expect(first.step_s).toBe(step);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('reports what was read', async () => {
    const result = await read(minutes([1, 2, 3]));
    expect(importReport(result, null)).toMatchObject({
      format: 'series',
      as: 'series',
      rows: 3,
      from: 0,
      to: 180,
      problems: [],
    });
  });
});

describe('compression', () => {
  it('reads gzip, also in several members', async () => {
    const [head, tail] = ['minute,requests\n0,60\n', '1,60\n2,60\n'];
    const both = Buffer.concat([gzipSync(head), gzipSync(tail)]);
    expect((await read(new Uint8Array(both))).first.values).toHaveLength(3);
    const cut = new Uint8Array(gzipSync(minutes([1, 2, 3]))).slice(0, 30);
    await expect(read(cut)).rejects.toThrow(/gzip data is damaged or cut short/);
  });

  it('reads Zstandard', async () => {
    const bytes = new Uint8Array(Buffer.from(ZSTD, 'base64'));
    expect([...(await read(bytes)).first.values]).toEqual([1, 2]);
    await expect(read(bytes.slice(0, 20))).rejects.toThrow(/zstd data is damaged or cut short/);
  });
});

/** `minute,requests\n0,60\n1,120\n` as `zstd` writes it. */
const ZSTD = 'KLUv/SAb2QAAbWludXRlLHJlcXVlc3RzCjAsNjAKMSwxMjAK';
