import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_DATA_LIMITS } from '../../src/data/columns.js';
import { parseNumber, readCsv } from '../../src/data/csv.js';

const numbers = (column: unknown) => Array.from(column as Float64Array);

describe('readCsv', () => {
  it('reads numbers and text, quotes, CRLF, a byte-order mark and blank lines at the end', () => {
    const text = '\uFEFFa, b ,"c, ""d"""\r\n1,x,"multi\r\nline"\r\n-2.5e3,"y","" \r\n\r\n\r\n';
    const columns = readCsv(text);
    expect(Object.keys(columns)).toEqual(['a', 'b', 'c, "d"']);
    expect(numbers(columns['a'])).toEqual([1, -2500]);
    expect(columns['b']).toEqual(['x', 'y']);
    expect(columns['c, "d"']).toEqual(['multi\nline', '']);
  });

  it('keeps a column with one bad cell as text, so that the cell can be named', () => {
    expect(readCsv('a\n1\nabc\n')['a']).toEqual(['1', 'abc']);
  });

  it('does not fall for names that objects have', () => {
    const columns = readCsv('__proto__,valueOf\n1,2\n');
    expect(Object.keys(columns)).toEqual(['__proto__', 'valueOf']);
    expect(numbers(columns['valueOf'])).toEqual([2]);
    expect(columns['toString']).toBeUndefined();
  });

  it.each([
    ['', /the file is empty/],
    ['a,b\n1,2\n3\n', /data row 2: has 1 fields where the header has 2/],
    ['a,b\n1,2,3\n', /data row 1: has more fields where the header has 2/],
    ['a,b\n1,2\n\n3,4\n', /data row 2: is blank, but rows follow it/],
    ['a,a\n1,2\n', /column "a": appears twice/],
    ['a\n"1\n', /data row 1: has a quote that is never closed/],
    ['a\n"1"2\n', /data row 1: has something after a closing quote/],
    ['a\n1\0\n', /data row 1: has a NUL/],
  ])('refuses %j', (text, problem) => {
    expect(() => readCsv(text)).toThrow(problem);
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => readCsv(Uint8Array.of(0x61, 0x0a, 0xff))).toThrow(/not UTF-8/);
  });

  it('stops at a header of a million columns and at every other limit', () => {
    const wide = `${'x,'.repeat(1_000_000)}x\n`;
    expect(() => readCsv(wide)).toThrow(/columns: 1000001 exceeds the limit of 1024/);
    const limits = { ...DEFAULT_DATA_LIMITS, rows: 3, cells: 4, fileBytes: 100 };
    expect(() => readCsv('a\n1\n2\n3\n4\n', limits)).toThrow(/rows: 4 exceeds the limit of 3/);
    expect(() => readCsv('a,b\n1,2\n3,4\n5,6\n', limits)).toThrow(/cells: 6 exceeds/);
    expect(() => readCsv('a'.repeat(101), limits)).toThrow(/file size in bytes: 101 exceeds/);
  });

  it('takes no time over a long cell of digits', () => {
    const cell = `${'1'.repeat(10_000_000)}x`;
    const start = performance.now();
    expect(readCsv(`a\n${cell}\n`)['a']).toEqual([cell]);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('reads back whatever is written with quotes', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é', '7') });
    const table = fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 });
    const unix = (text: string) => text.replace(/\r\n?/g, '\n');
    const write = (text: string) => `"${text.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(table, (rows) => {
        // A first row of text keeps both columns text whatever follows.
        const written = [['n', 's'], ['text', 'text'], ...rows];
        const columns = readCsv(written.map((row) => `${row.map(write).join(',')}\n`).join(''));
        expect(columns['n'].slice(1)).toEqual(rows.map((row) => unix(row[0])));
        expect(columns['s'].slice(1)).toEqual(rows.map((row) => unix(row[1])));
      }),
      { numRuns: 200 },
    );
  });

  it('reads numbers and text of every dialect', () => {
    const dialects = fc.record({
      delimiter: fc.constantFrom(',', ';', '\t', '|'),
      decimal: fc.constantFrom('.', ','),
      lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
      mark: fc.boolean(),
      comment: fc.boolean(),
      encoding: fc.constantFrom('utf8' as const, 'utf16le' as const),
    });
    const row = fc.tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer());
    const rows = fc.array(row, { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(dialects, rows, (how, values) => {
        const decimal = how.delimiter === ',' ? '.' : how.decimal;
        const print = (x: number) => String(x).replace('.', decimal);
        const lines = [
          `x${how.delimiter} y `,
          ...values.map((r) => r.map(print).join(how.delimiter)),
        ];
        const comment = how.comment ? [`# a note, with; all | signs`] : [];
        const mark = how.mark ? '\uFEFF' : '';
        const text = `${mark}${[...comment, ...lines].join(how.lineEnd)}${how.lineEnd}`;
        const columns = readCsv(new Uint8Array(Buffer.from(text, how.encoding)));
        expect(numbers(columns['x'])).toEqual(values.map(([x]) => Number(String(x))));
        expect(numbers(columns['y'])).toEqual(values.map(([, y]) => y));
      }),
      { numRuns: 300 },
    );
  });

  it('reads every double that JavaScript prints', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(parseNumber(String(x))).toBe(x === 0 ? Number(String(x)) : x);
      }),
    );
    for (const text of ['', 'nan', 'inf', '0x10', '1,000', '1 2', '--1', '1e', '.', 'Infinity']) {
      expect(parseNumber(text)).toBeNaN();
    }
  });
});
