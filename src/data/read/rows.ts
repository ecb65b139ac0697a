/** Rows with named columns, whatever holds them: CSV, JSON lines, JSON arrays, parquet. */
import type { Columns } from '../columns.js';
import { checkLimit, rowCount } from '../columns.js';
import { headerOf, isBlank, ragged } from '../csv.js';
import { DataError, quote } from '../errors.js';
import { type CsvDialect, dialectOf } from './csv-dialect.js';
import { CsvRecords } from './csv-records.js';
import type { Json } from './json.js';
import { csvMeta } from './meta.js';
import type { FileReading, ReadLimits } from './source.js';
import { type Encoding, headText, linesOf, textOf } from './text.js';

/** A value as it stands in a file; null where there is none. */
export type Cell = string | number | null;

export interface Rows {
  readonly container: 'csv' | 'jsonl' | 'json' | 'parquet';
  /** As the file writes them, trimmed. */
  readonly columns: readonly string[];
  readonly decimal: '.' | ',';
  /** For people: "CSV, semicolons, decimal commas". */
  readonly label: string;
  /** The description that a canonical file carries of itself; null in any other. */
  readonly meta: Json | null;
  /** The first rows, at most 1000. */
  readonly sample: readonly (readonly Cell[])[];
  /** All rows, in batches; `bad` decides what becomes of a row that cannot be read. */
  batches(bad: (error: DataError) => void): AsyncIterable<readonly (readonly Cell[])[]>;
}

const SAMPLE_ROWS = 1000;

/** `TTFT P50 (ms)`, `ttft-p50-ms` and `ttft_p50_ms` are one name. */
export function plainName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}%/]+/gu, '_')
    .replace(/^_+|_+$/g, '');
}

/** The rows of a CSV file. Its head tells the dialect and the header. */
export function csvRows(file: FileReading, encoding: Encoding, limits: ReadLimits): Rows {
  const head = headText(file.head, encoding).replace(/\r\n?/g, '\n');
  const isWhole = file.head.length < 2 ** 16;
  const dialect = dialectOf(head, isWhole);
  const records = new CsvRecords(dialect, { recordChars: limits.recordChars });
  const first = records.push(head);
  if (isWhole || first.length === 0) first.push(...records.end());
  if (first.length === 0) throw new DataError('the file is empty');
  const columns = headerOf(first[0], limits.columns);
  const sample = first.slice(1, SAMPLE_ROWS + 1).filter((r) => r.length === columns.length);
  const batches = (bad: (error: DataError) => void) =>
    csvBatches(file, encoding, dialect, columns.length, limits, bad);
  const { decimal } = dialect;
  return {
    container: 'csv',
    columns,
    decimal,
    label: csvLabel(dialect, encoding),
    meta: csvMeta(head),
    sample,
    batches,
  };
}

function csvLabel({ delimiter, decimal }: CsvDialect, encoding: Encoding): string {
  const names = { ',': 'commas', ';': 'semicolons', '\t': 'tabs', '|': 'bars' };
  const commas = decimal === ',' ? ', decimal commas' : '';
  return `CSV, ${names[delimiter]}${commas}${encoding === 'utf-8' ? '' : `, ${encoding}`}`;
}

async function* csvBatches(
  file: FileReading,
  encoding: Encoding,
  dialect: CsvDialect,
  width: number,
  limits: ReadLimits,
  bad: (error: DataError) => void,
): AsyncIterable<string[][]> {
  const records = new CsvRecords(dialect, limits);
  let row = -1;
  const keep = (batch: string[][]) =>
    batch.filter((record) => {
      row++;
      if (row === 0 || isBlank(record)) return false;
      checkLimit('rows', row, limits.rows);
      if (record.length === width) return true;
      bad(ragged(record.length, width, row));
      return false;
    });
  for await (const text of textOf(file.chunks(), encoding)) {
    const batch = records.push(text);
    if (batch.length > 0) yield keep(batch);
  }
  yield keep(records.end());
}

/** The rows of a file with one JSON object a line. Columns are the keys of the first rows. */
export function jsonlRows(file: FileReading, encoding: Encoding, limits: ReadLimits): Rows {
  const head = headText(file.head, encoding).split('\n');
  if (file.head.length >= 2 ** 16) head.pop();
  const objects = head.filter((line) => line.trim() !== '').slice(0, SAMPLE_ROWS);
  const parsed = objects.map((line, i) => parseLine(line, i + 1));
  const columns = keysOf(parsed, limits);
  const sample = parsed.map((object) => columns.map((key) => cellOf(object[key])));
  const batches = async function* (bad: (error: DataError) => void) {
    let row = 0;
    for await (const lines of linesOf(file, encoding, limits)) {
      const batch: Cell[][] = [];
      for (const line of lines) {
        row++;
        if (line.trim() === '') continue;
        checkLimit('rows', row, limits.rows);
        const object = attempt(() => parseLine(line, row), bad);
        if (object) batch.push(columns.map((key) => cellOf(object[key])));
      }
      yield batch;
    }
  };
  const label = 'JSON lines';
  return { container: 'jsonl', columns, decimal: '.', label, meta: null, sample, batches };
}

/** The function's result, or null where it throws what `bad` takes. */
export function attempt<T>(read: () => T, bad: (error: DataError) => void): T | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    bad(error);
    return null;
  }
}

type JsonObject = Record<string, unknown>;

function parseLine(line: string, row: number): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new DataError(`${quote(line)} is not JSON`, { row, option: '--skip-bad N' });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw new DataError(`${quote(line)} is not a JSON object`, { row, option: '--skip-bad N' });
}

function keysOf(objects: readonly JsonObject[], limits: ReadLimits): string[] {
  const keys = new Set<string>();
  for (const object of objects) for (const key of Object.keys(object)) keys.add(key);
  checkLimit('columns', keys.size, limits.columns);
  return [...keys];
}

/** A JSON value as a cell: lists and objects keep their JSON text. */
export function cellOf(value: unknown): Cell {
  if (typeof value === 'number' || typeof value === 'string') return value;
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The rows of an array of JSON objects. */
export function objectRows(objects: readonly unknown[], limits: ReadLimits): Rows {
  checkLimit('rows', objects.length, limits.rows);
  const flat = objects.filter(
    (o): o is JsonObject => typeof o === 'object' && o !== null && !Array.isArray(o),
  );
  const columns = keysOf(flat, limits);
  const rowsOf = (part: JsonObject[]) => part.map((o) => columns.map((key) => cellOf(o[key])));
  const batches = async function* () {
    for (let at = 0; at < flat.length; at += BATCH) yield rowsOf(flat.slice(at, at + BATCH));
  };
  const sample = rowsOf(flat.slice(0, SAMPLE_ROWS));
  const label = 'a JSON array';
  return { container: 'json', columns, decimal: '.', label, meta: null, sample, batches };
}

const BATCH = 4096;

/** The rows of a parquet file's columns. */
export function columnRows(columns: Columns, meta: Json | null): Rows {
  const names = Object.keys(columns);
  const count = rowCount(columns);
  const rowsOf = (from: number, to: number) =>
    Array.from({ length: Math.max(0, to - from) }, (_, i) =>
      names.map((name): Cell => {
        const value = columns[name][from + i];
        return typeof value === 'number' && Number.isNaN(value) ? null : value;
      }),
    );
  const batches = async function* () {
    for (let at = 0; at < count; at += BATCH) yield rowsOf(at, Math.min(count, at + BATCH));
  };
  const sample = rowsOf(0, Math.min(SAMPLE_ROWS, count));
  const label = 'parquet';
  return { container: 'parquet', columns: names, decimal: '.', label, meta, sample, batches };
}
