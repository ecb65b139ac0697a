import type { Column, Columns, DataLimits } from './columns.js';
import { checkLimit, DEFAULT_DATA_LIMITS, emptyColumns } from './columns.js';
import { DataError, quote } from './errors.js';

/** A longer cell is no number; the pattern below would take its length squared to say so. */
const NUMBER_LENGTH_MAX = 64;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** A decimal number as CSV files write it, or NaN: no hexadecimal, no "nan", no "1,000". */
export function parseNumber(text: string): number {
  const trimmed = text.trim();
  const isNumber = trimmed.length <= NUMBER_LENGTH_MAX && NUMBER.test(trimmed);
  return isNumber ? Number(trimmed) : Number.NaN;
}

/**
 * Reads CSV (RFC 4180: commas, quoted fields, LF or CRLF, an optional byte-order mark, blank
 * lines at the end) with a header line. Names are trimmed; a column whose cells are all numbers
 * becomes a Float64Array. Browser-safe.
 *
 * @throws DataError naming the data row (1 is the line after the header) of a ragged row, a bad
 * quote or a repeated column name, and the limit that is exceeded.
 */
export function readCsv(
  input: Uint8Array | string,
  limits: DataLimits = DEFAULT_DATA_LIMITS,
): Columns {
  checkLimit('file size in bytes', input.length, limits.fileBytes);
  const table = new TableBuilder(limits);
  scanRecords(decode(input), table);
  return table.finish();
}

function decode(input: Uint8Array | string): string {
  const text = typeof input === 'string' ? input : decodeUtf8(input);
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DataError('the file is not UTF-8 text; is it a CSV file?');
  }
}

/** Collects fields into columns and keeps the counts that errors name. */
class TableBuilder {
  private readonly names: string[] = [];
  private readonly cells: string[][] = [];
  /** Fields of the record being read. */
  private record: string[] = [];
  private rows = -1;
  /** Blank lines are only allowed at the end, so one is remembered until something follows it. */
  private blank = false;

  constructor(private readonly limits: DataLimits) {}

  /** The data row being read, 0 for the header. */
  get row(): number {
    return this.rows + 1;
  }

  field(text: string): void {
    this.record.push(text);
    // Checked at every field, so that a header of a million columns stops early.
    if (this.rows < 0) checkLimit('columns', this.record.length, this.limits.columns);
    else if (this.record.length > this.names.length) throw this.ragged('more');
  }

  endRecord(): void {
    const record = this.record;
    this.record = [];
    if (this.rows < 0) this.header(record);
    else if (record.length === 1 && record[0].trim() === '') this.blank = true;
    else this.data(record);
  }

  private header(record: string[]): void {
    for (const field of record) {
      const name = field.trim();
      if (this.names.includes(name)) throw new DataError('appears twice', { column: name });
      this.names.push(name);
      this.cells.push([]);
    }
    this.rows = 0;
  }

  private data(record: string[]): void {
    if (this.blank) throw new DataError('is blank, but rows follow it', { row: this.row });
    if (record.length < this.names.length) throw this.ragged(String(record.length));
    this.rows++;
    checkLimit('rows', this.rows, this.limits.rows);
    checkLimit('cells', this.rows * this.names.length, this.limits.cells);
    for (let c = 0; c < record.length; c++) this.cells[c].push(record[c]);
  }

  private ragged(fields: string): DataError {
    const expected = this.names.length;
    return new DataError(`has ${fields} fields where the header has ${expected}`, {
      row: this.row,
    });
  }

  finish(): Columns {
    if (this.names.length === 1 && this.names[0] === '') throw new DataError('the file is empty');
    const columns = emptyColumns();
    this.names.forEach((name, c) => {
      columns[name] = toColumn(this.cells[c]);
    });
    return columns;
  }
}

function toColumn(cells: string[]): Column {
  const numbers = new Float64Array(cells.length);
  for (let i = 0; i < cells.length; i++) {
    const value = parseNumber(cells[i]);
    if (Number.isNaN(value)) return cells;
    numbers[i] = value;
  }
  return numbers;
}

/** One pass over the text; each field is sliced once. */
function scanRecords(text: string, table: TableBuilder): void {
  let at = 0;
  for (;;) {
    const end = text[at] === '"' ? quotedField(text, at, table) : plainField(text, at, table);
    if (text[end] === ',') {
      at = end + 1;
      continue;
    }
    table.endRecord();
    at = text[end] === '\r' && text[end + 1] === '\n' ? end + 2 : end + 1;
    if (at >= text.length) return;
  }
}

function plainField(text: string, start: number, table: TableBuilder): number {
  let end = start;
  for (; end < text.length; end++) {
    const c = text[end];
    if (c === ',' || c === '\n' || c === '\r') break;
    if (c === '"') throw new DataError('has a quote inside an unquoted field', { row: table.row });
    if (c === '\0') throw new DataError('has a NUL character', { row: table.row });
  }
  table.field(text.slice(start, end));
  return end;
}

function quotedField(text: string, start: number, table: TableBuilder): number {
  let end = start + 1;
  for (;;) {
    end = text.indexOf('"', end);
    if (end < 0) throw new DataError('has a quote that is never closed', { row: table.row });
    if (text[end + 1] !== '"') break;
    end += 2;
  }
  table.field(text.slice(start + 1, end).replaceAll('""', '"'));
  const next = text[end + 1];
  if (next !== undefined && next !== ',' && next !== '\n' && next !== '\r') {
    throw new DataError(`has ${quote(next)} after a closing quote`, { row: table.row });
  }
  return end + 1;
}
