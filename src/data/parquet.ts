import type {
  Compressors,
  DecodedArray,
  FileMetaData,
  ParquetParsers,
  SchemaElement,
} from 'hyparquet';
import { parquetMetadata, parquetRead } from 'hyparquet';
import { compressors as allCompressors, decompressZstd } from 'hyparquet-compressors';
import type { Column, Columns, DataLimits } from './columns.js';
import { checkLimit, DEFAULT_DATA_LIMITS, emptyColumns } from './columns.js';
import { DataError, quote } from './errors.js';
import type { Chunk } from './parquet-guard.js';
import { checkChunk, checkThrift, viewOf } from './parquet-guard.js';
import { isoSeconds, meaningOf } from './parquet-types.js';

interface ParquetOptions {
  /** Columns to read where the file has them; all columns when absent. */
  columns?: readonly string[];
  limits?: DataLimits;
}

/** Zstandard writes into a buffer of the declared size, so a page cannot grow beyond it. */
const compressors: Compressors = {
  ...allCompressors,
  ZSTD: (input, length) => decompressZstd(input, new Uint8Array(length)),
};

const MAGIC = 0x31524150;

/** True where the bytes begin as a parquet file does. */
export function isParquet(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0, true) === MAGIC;
}

/**
 * Reads the flat columns of a parquet file: integers, floats of 16 to 64 bits and decimals become
 * a Float64Array (a null is NaN); strings, dates and timestamps, these as ISO 8601, a string[] (a
 * null is ''). Columns of other types are passed over. Pages may be uncompressed or compressed with
 * snappy, gzip, brotli, zstd or lz4, in any encoding. Browser-safe.
 *
 * @throws DataError for a file that is damaged, exceeds a limit, or has a requested column of
 * another type. Sizes, counts and run lengths are checked before anything is decoded.
 */
export async function readParquet(
  bytes: Uint8Array,
  options: ParquetOptions = {},
): Promise<Columns> {
  return (await readParquetFile(bytes, options)).columns;
}

/** A parquet file's columns, and the pairs that its footer carries beside them. */
export interface ParquetFile {
  readonly columns: Columns;
  readonly metadata: readonly { readonly key: string; readonly value?: string }[];
}

/** Reads as `readParquet` does, and gives the footer's pairs of keys and values, too. */
export async function readParquetFile(
  bytes: Uint8Array,
  options: ParquetOptions = {},
): Promise<ParquetFile> {
  const limits = options.limits ?? DEFAULT_DATA_LIMITS;
  checkLimit('file size in bytes', bytes.length, limits.fileBytes);
  try {
    const metadata = readFooter(bytes);
    const elements = selectColumns(metadata, options.columns, limits);
    checkPages(bytes, metadata, elements, limits);
    const columns = await decodeColumns(bytes, metadata, elements);
    return { columns, metadata: metadata.key_value_metadata ?? [] };
  } catch (error) {
    if (error instanceof DataError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`the parquet file is damaged: ${reason}`);
  }
}

function readFooter(bytes: Uint8Array): FileMetaData {
  const size = bytes.length;
  if (!isParquet(bytes)) throw new DataError('the file does not begin as a parquet file does');
  if (size < 12 || viewOf(bytes).getUint32(size - 4, true) !== MAGIC) {
    throw new DataError('the parquet file is cut short: its footer is missing');
  }
  const length = viewOf(bytes).getUint32(size - 8, true);
  if (length > size - 12) throw new DataError('the parquet footer is larger than the file');
  checkThrift(bytes, size - 8 - length, size - 8);
  return parquetMetadata(bytes, { geoparquet: false });
}

/** The schema's elements to read, after the counts that the footer declares are checked. */
function selectColumns(
  metadata: FileMetaData,
  wanted: readonly string[] | undefined,
  limits: DataLimits,
): SchemaElement[] {
  checkLimit('columns', metadata.schema.length - 1, limits.columns);
  const rows = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
  const isNegative = metadata.row_groups.some((group) => group.num_rows < 0n);
  if (isNegative || BigInt(rows) !== metadata.num_rows) {
    throw new DataError(`the footer declares ${metadata.num_rows} rows, its row groups ${rows}`);
  }
  checkLimit('rows', rows, limits.rows);
  const found = topLevel(metadata.schema).filter((e) => wanted?.includes(e.name) ?? true);
  if (wanted !== undefined) for (const element of found) checkType(element);
  const elements = found.filter((element) => meaningOf(element) !== null);
  checkLimit('cells', rows * elements.length, limits.cells);
  for (const element of elements) nameDecimal(element);
  const names = new Set(elements.map((e) => e.name));
  if (names.size < elements.length) throw new DataError('two columns have the same name');
  return elements;
}

/** The root's children; what lies below a nested one is passed over. */
function topLevel(schema: SchemaElement[]): SchemaElement[] {
  const found: SchemaElement[] = [];
  let below = 0;
  for (const element of schema.slice(1)) {
    if (below > 0) below--;
    else found.push(element);
    below += element.num_children ?? 0;
  }
  return found;
}

/** Newer files may call a decimal so by its logical type only; hyparquet asks for the older. */
function nameDecimal(element: SchemaElement): void {
  const logical = element.logical_type;
  if (logical?.type !== 'DECIMAL') return;
  element.converted_type = 'DECIMAL';
  element.scale = logical.scale;
}

function checkType(element: SchemaElement): void {
  if (meaningOf(element) !== null) return;
  const { name, type, converted_type: converted, logical_type: logical } = element;
  const isFlat = element.repetition_type !== 'REPEATED' && !element.num_children;
  const found = isFlat ? `${type} ${logical?.type ?? converted ?? ''}`.trim() : 'nested';
  throw new DataError(`is ${found}; only numbers, strings and times are read`, { column: name });
}

function checkPages(
  bytes: Uint8Array,
  metadata: FileMetaData,
  elements: SchemaElement[],
  limits: DataLimits,
): void {
  const budget = { decodedBytes: 0 };
  for (const group of metadata.row_groups) {
    const chunks = new Map(group.columns.map((c) => [c.meta_data?.path_in_schema.join('.'), c]));
    if (chunks.size < group.columns.length) throw new DataError('a column has its data twice');
    for (const element of elements) {
      const found = chunks.get(element.name);
      const meta = found?.meta_data;
      if (!found || !meta || found.file_path) {
        throw new DataError('a row group lacks its data', { column: element.name });
      }
      if (meta.type !== element.type || meta.path_in_schema.length !== 1) {
        throw new DataError('the schema and the data disagree on its type', {
          column: element.name,
        });
      }
      const chunk: Chunk = { name: element.name, element, meta, rows: Number(group.num_rows) };
      inColumn(element.name, () => checkChunk(bytes, chunk, compressors, limits, budget));
    }
  }
}

/** Names the column in errors that come from below, where only bytes are known. */
function inColumn(column: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (error instanceof DataError && error.column !== null) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(error instanceof DataError ? reason : `its data is damaged: ${reason}`, {
      column,
    });
  }
}

async function decodeColumns(
  bytes: Uint8Array,
  metadata: FileMetaData,
  elements: SchemaElement[],
): Promise<Columns> {
  const rows = Number(metadata.num_rows);
  const chunks: { name: string; start: number; data: DecodedArray }[] = [];
  if (elements.length > 0) {
    await parquetRead({
      file: {
        byteLength: bytes.length,
        slice: (start, end) => bytes.slice(start, end).buffer as ArrayBuffer,
      },
      metadata,
      compressors,
      parsers,
      columns: elements.map((e) => e.name),
      // Only collected here: an error thrown inside this callback would reach nobody.
      onChunk: ({ columnName, columnData, rowStart }) => {
        chunks.push({ name: columnName, start: rowStart, data: columnData });
      },
    });
  }
  const columns = emptyColumns();
  for (const element of elements) {
    const isNumber = meaningOf(element) === 'number';
    columns[element.name] = isNumber ? new Float64Array(rows) : new Array<string>(rows).fill('');
  }
  const filled = new Map<string, number>();
  for (const { name, start, data } of chunks) {
    copyChunk(columns[name], data, start, elements.find((e) => e.name === name)!);
    filled.set(name, (filled.get(name) ?? 0) + data.length);
  }
  for (const { name } of elements) {
    const count = filled.get(name) ?? 0;
    if (count !== rows) throw new DataError(`holds ${count} of ${rows} values`, { column: name });
  }
  return columns;
}

/** Times keep all their digits as text; `copyChunk` knows whether they are UTC. */
const parsers = {
  timestampFromMilliseconds: (value: bigint) => isoSeconds(value, 3),
  timestampFromMicroseconds: (value: bigint) => isoSeconds(value, 6),
  timestampFromNanoseconds: (value: bigint) => isoSeconds(value, 9),
  dateFromDays: (days: number) => isoSeconds(BigInt(days) * 86_400n, 0).slice(0, 10),
} as unknown as ParquetParsers;

function copyChunk(
  target: Column,
  data: DecodedArray,
  start: number,
  element: SchemaElement,
): void {
  const column = element.name;
  const logical = element.logical_type;
  // The older annotation means UTC; the newer one says whether it does.
  const isUtc = logical
    ? logical.type === 'TIMESTAMP' && logical.isAdjustedToUTC
    : (element.converted_type ?? '').startsWith('TIMESTAMP');
  const scale = element.converted_type === 'DECIMAL' ? (element.scale ?? 0) : -1;
  if (start + data.length > target.length) throw new DataError('holds too many values', { column });
  for (let i = 0; i < data.length; i++) {
    const value: unknown = data[i];
    const place = { row: start + i + 1, column };
    if (target instanceof Float64Array) {
      const number = toNumber(value, place);
      // Decimals come multiplied by a power of ten that is no double.
      target[start + i] = scale > 0 && scale <= 20 ? Number(number.toFixed(scale)) : number;
    } else {
      const text = toText(value, place);
      target[start + i] = isUtc && text !== '' ? `${text}Z` : text;
    }
  }
}

function toNumber(value: unknown, place: { row: number; column: string }): number {
  if (typeof value === 'number') return value;
  if (value === null || value === undefined) return Number.NaN;
  if (typeof value === 'bigint' && BigInt(Number(value)) === value) return Number(value);
  throw new DataError(`${quote(String(value))} is not exactly a double`, place);
}

function toText(value: unknown, place: { row: number; column: string }): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  throw new DataError('is not text', place);
}
