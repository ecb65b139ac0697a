import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { FileMetaData } from 'hyparquet';
import { parquetMetadata } from 'hyparquet';
import type { ParquetWriteOptions } from 'hyparquet-writer';
import { ByteWriter, parquetWriteBuffer } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { describe, expect, it } from 'vitest';
import { DEFAULT_DATA_LIMITS } from '../../src/data/columns.js';
import { DataError } from '../../src/data/errors.js';
import { readParquet } from '../../src/data/parquet.js';
import { isoSeconds } from '../../src/data/parquet-types.js';

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`fixtures/${name}.parquet`, import.meta.url)));

const flat = ['count', 'total', 'half', 'third', 'label'];

function write(options: Omit<ParquetWriteOptions, 'writer'>): Uint8Array {
  return new Uint8Array(parquetWriteBuffer(options));
}

/** The file with its footer changed. */
function withFooter(bytes: Uint8Array, change: (metadata: FileMetaData) => void): Uint8Array {
  const metadata = parquetMetadata(bytes);
  const body = bytes.subarray(0, bytes.length - 8 - metadata.metadata_length);
  change(metadata);
  const writer = new ByteWriter();
  writer.appendBytes(body);
  writeMetadata(writer, metadata);
  writer.appendUint32(0x31524150);
  return writer.getBytes().slice();
}

const small = () =>
  write({
    columnData: [
      { name: 'n', data: Float64Array.from({ length: 50 }, (_, i) => i / 8), type: 'DOUBLE' },
      { name: 'k', data: Int32Array.from({ length: 50 }, (_, i) => i % 3), type: 'INT32' },
      { name: 's', data: Array.from({ length: 50 }, (_, i) => `v${i % 4}`), type: 'STRING' },
    ],
  });

const deltas = () =>
  write({
    columnData: [
      {
        name: 'n',
        data: Int32Array.from({ length: 300 }, (_, i) => i * i),
        encoding: 'DELTA_BINARY_PACKED',
      },
      {
        name: 's',
        data: Array.from({ length: 300 }, (_, i) => `value ${i}`),
        encoding: 'DELTA_BYTE_ARRAY',
      },
      {
        name: 'label',
        data: Array.from({ length: 300 }, (_, i) => `${i}`),
        encoding: 'DELTA_LENGTH_BYTE_ARRAY',
      },
    ],
  });

describe('readParquet', () => {
  it.each(['none', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4', 'zstd-pages-v2'])(
    'reads the columns of %s.parquet',
    async (name) => {
      const columns = await readParquet(fixture(name), { columns: [...flat, 'absent'] });
      const rows = Array.from({ length: 60 }, (_, i) => i);
      expect(Object.keys(columns)).toEqual(flat);
      expect(Array.from<unknown>(columns['count'])).toEqual(rows.map((i) => i % 7));
      expect(Array.from<unknown>(columns['total'])).toEqual(rows.map((i) => i * 1e9));
      expect(Array.from<unknown>(columns['half'])).toEqual(rows.map((i) => i / 2));
      expect(Array.from<unknown>(columns['third'])).toEqual(
        rows.map((i) => (i % 10 === 3 ? NaN : i / 3)),
      );
      expect(columns['label']).toEqual(rows.map((i) => (i === 5 ? '' : `tier ${i % 3}`)));
    },
  );

  it('passes over columns it cannot read, unless they are asked for', async () => {
    expect(Object.keys(await readParquet(fixture('none')))).not.toContain('nested');
    await expect(readParquet(fixture('none'), { columns: ['nested'] })).rejects.toThrow(
      /column "nested": is nested/,
    );
  });

  it('refuses integers that no double holds', async () => {
    const data = [1n, 2n ** 53n + 1n];
    const bytes = write({ columnData: [{ name: 'id', data, type: 'INT64' }] });
    await expect(readParquet(bytes)).rejects.toThrow(/data row 2, column "id": .* is not exactly/);
  });

  it('reads times as ISO 8601 with all their digits', async () => {
    const data = [new Date('2026-03-01T00:02:00.5Z'), null, new Date(0)];
    const bytes = write({ columnData: [{ name: 't', data, type: 'TIMESTAMP' }] });
    const times = ['2026-03-01T00:02:00.500Z', '', '1970-01-01T00:00:00Z'];
    expect((await readParquet(bytes))['t']).toEqual(times);
    expect(isoSeconds(-1n, 9)).toBe('1969-12-31T23:59:59.999999999');
    expect(isoSeconds(1_700_000_000_123_456_789n, 9)).toBe('2023-11-14T22:13:20.123456789');
  });

  it.each(['DELTA_BINARY_PACKED', 'BYTE_STREAM_SPLIT', 'PLAIN'] as const)(
    'reads back integers in %s, whatever they are',
    async (encoding) => {
      const values = fc.array(fc.option(fc.integer()), { minLength: 1, maxLength: 300 });
      await fc.assert(
        fc.asyncProperty(values, async (data) => {
          const column = { name: 'x', data, type: 'INT32' as const, encoding, nullable: true };
          const read = await readParquet(write({ columnData: [column] }));
          expect([...read['x']]).toEqual(data.map((x) => x ?? Number.NaN));
        }),
        { numRuns: 50 },
      );
    },
  );

  it.each(['DELTA_BYTE_ARRAY', 'DELTA_LENGTH_BYTE_ARRAY'] as const)(
    'reads back texts in %s, whatever they are',
    async (encoding) => {
      const word = fc.constantFrom('', 'a', 'ab', 'abc', 'abd', 'abcdefghi', 'é', 'abcé');
      const values = fc.array(word, { minLength: 1, maxLength: 300 });
      await fc.assert(
        fc.asyncProperty(values, async (data) => {
          const column = { name: 's', data, type: 'STRING' as const, encoding };
          const read = await readParquet(write({ columnData: [column] }));
          expect(read['s']).toEqual(data);
        }),
        { numRuns: 50 },
      );
    },
  );

  it('refuses every truncation with one clear error', async () => {
    const bytes = small();
    for (let length = 0; length < bytes.length; length++) {
      const cut = readParquet(bytes.subarray(0, length));
      await expect(cut).rejects.toThrow(/parquet/);
      await expect(cut).rejects.toBeInstanceOf(DataError);
    }
  });

  it('refuses absurd counts and sizes before it decodes anything', async () => {
    const refusal = (change: (metadata: FileMetaData) => void) =>
      expect(readParquet(withFooter(small(), change))).rejects;
    await refusal((m) => {
      m.num_rows = 10n ** 12n;
      m.row_groups[0].num_rows = 10n ** 12n;
    }).toThrow(/rows: 1000000000000 exceeds the limit of 2000000/);
    await refusal((m) => {
      m.num_rows = 51n;
    }).toThrow(/the footer declares 51 rows, its row groups 50/);
    await refusal((m) => {
      m.num_rows = 60n;
      m.row_groups[0].num_rows = 60n;
    }).toThrow(/column "n"/);
    await refusal((m) => {
      m.row_groups[0].columns[0].meta_data!.total_uncompressed_size = 2n ** 40n;
    }).toThrow(/column "n": declared decoded bytes: 1099511627776 exceeds/);
    await refusal((m) => {
      m.row_groups[0].columns[1].meta_data!.data_page_offset = 10n ** 9n;
      delete m.row_groups[0].columns[1].meta_data!.dictionary_page_offset;
    }).toThrow(/column "k": its data lies outside the parquet file/);
    await refusal((m) => {
      const { statistics: _, ...meta } = m.row_groups[0].columns[0].meta_data!;
      m.row_groups[0].columns[1] = { ...m.row_groups[0].columns[0], meta_data: meta };
    }).toThrow(/a column has its data twice/);
    await refusal((m) => {
      m.row_groups[0].columns.pop();
    }).toThrow(/column "s": a row group lacks its data/);
    await refusal((m) => {
      for (let i = 0; i < 2000; i++) m.schema.push({ name: `c${i}`, type: 'INT32' });
    }).toThrow(/columns: 2003 exceeds the limit of 1024/);
  });

  it('stops at the decoded size of the pages, whatever the footer declares', async () => {
    const data = new Float64Array(200_000);
    const codec = 'SNAPPY';
    const column = { name: 'zero', data, type: 'DOUBLE' as const, encoding: 'PLAIN' as const };
    const bomb = withFooter(write({ columnData: [column], codec }), (m) => {
      for (const group of m.row_groups) group.columns[0].meta_data!.total_uncompressed_size = 1n;
    });
    expect(bomb.length).toBeLessThan(200_000);
    const limits = { ...DEFAULT_DATA_LIMITS, decodedBytes: 1_000_000 };
    await expect(readParquet(bomb, { limits })).rejects.toThrow(
      /"zero": decoded bytes: \d+ exceed/,
    );
    const tiny = { ...DEFAULT_DATA_LIMITS, fileBytes: 1000 };
    await expect(readParquet(bomb, { limits: tiny })).rejects.toThrow(/file size in bytes/);
  });

  it('refuses a run that is longer than its page', async () => {
    const data = Int32Array.from({ length: 1000 }, (_, i) => (i === 0 ? 5 : 6));
    const bytes = write({
      columnData: [{ name: 'k', data, type: 'INT32', encoding: 'RLE_DICTIONARY' }],
      codec: 'UNCOMPRESSED',
      statistics: false,
    });
    // The column's last bytes: levels (a run of 1000), bit width, 8 packed indices, a run of 992.
    const { total_compressed_size } = parquetMetadata(bytes).row_groups[0].columns[0].meta_data!;
    const end = 4 + Number(total_compressed_size);
    expect(Array.from(bytes.subarray(end - 9, end - 6))).toEqual([0xd0, 0x0f, 1]);
    expect(Array.from(bytes.subarray(end - 3, end))).toEqual([0xc0, 0x0f, 1]);
    for (const [run, left] of [
      [end - 9, 1000],
      [end - 3, 992],
    ]) {
      const longer = bytes.slice();
      longer.set([0xfe, 0x7f], run);
      await expect(readParquet(longer)).rejects.toThrow(
        `column "k": a page declares a run of 8191 values with ${left} left`,
      );
    }
  });

  it('survives damage anywhere: the same columns, other values, or a DataError', async () => {
    const files = [small(), fixture('zstd').slice(), fixture('gzip').slice(), deltas()];
    const damage = fc.record({
      file: fc.nat(files.length - 1),
      edits: fc.array(fc.tuple(fc.double({ min: 0, max: 0.999999, noNaN: true }), fc.nat(255)), {
        minLength: 1,
        maxLength: 4,
      }),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ file, edits }) => {
        const bytes = files[file].slice();
        for (const [at, value] of edits) bytes[Math.floor(at * bytes.length)] = value;
        const outcome = await readParquet(bytes, { columns: [...flat, 'n', 'k', 's'] }).catch(
          (error: unknown) => error,
        );
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(DataError);
      }),
      { numRuns: 600, seed: 7 },
    );
  });
});
