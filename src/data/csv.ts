import type { Column, Columns, DataLimits } from './columns.js';
import { checkLimit, DEFAULT_DATA_LIMITS, emptyColumns } from './columns.js';
import { DataError } from './errors.js';
import { type CsvDialect, dialectOf, parseNumber } from './read/csv-dialect.js';
import { CsvRecords } from './read/csv-records.js';
import { encodingOf } from './read/text.js';

export { parseNumber };

const PIECE_CHARS = 2 ** 20;

/**
 * Reads CSV with a header line: separated by commas, semicolons, tabs or bars, decimal points or
 * decimal commas, quoted fields, any line ends, `#` comments, UTF-8 or UTF-16. Names are trimmed; a
 * column whose cells are all numbers becomes a Float64Array. Browser-safe.
 *
 * @throws DataError naming the data row (1 is the line after the header) of a ragged row, a bad
 * quote or a repeated column name, and the limit that is exceeded.
 */
export function readCsv(
  input: Uint8Array | string,
  limits: DataLimits = DEFAULT_DATA_LIMITS,
): Columns {
  checkLimit('file size in bytes', input.length, limits.fileBytes);
  const text = decode(input).replace(/\r\n?/g, '\n');
  const dialect = dialectOf(text.slice(0, 2 ** 16), text.length <= 2 ** 16);
  const records = new CsvRecords(dialect, { recordChars: limits.fileBytes });
  const table = new TableBuilder(limits, dialect);
  for (let at = 0; at < text.length; at += PIECE_CHARS) {
    for (const record of records.push(text.slice(at, at + PIECE_CHARS))) table.add(record);
  }
  for (const record of records.end()) table.add(record);
  return table.finish();
}

function decode(input: Uint8Array | string): string {
  const text = typeof input === 'string' ? input : decodeBytes(input);
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

function decodeBytes(bytes: Uint8Array): string {
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new DataError(`the file is not ${encoding.toUpperCase()} text; is it a CSV file?`);
  }
}

/** Checks a header: a name for every column, each once, no more than the limit. */
export function headerOf(record: readonly string[], columnsMax: number): string[] {
  checkLimit('columns', record.length, columnsMax);
  const names = record.map((field) => field.trim());
  if (names.length === 1 && names[0] === '') throw new DataError('the file is empty');
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) throw new DataError('appears twice', { column: repeated });
  return names;
}

/** A record without anything in it, as blank lines at the end are. */
export function isBlank(record: readonly string[]): boolean {
  return record.length === 1 && record[0].trim() === '';
}

/** Collects records into columns and keeps the counts that errors name. */
class TableBuilder {
  private names: string[] | null = null;
  private readonly cells: string[][] = [];
  private rows = 0;
  /** Blank lines are only allowed at the end, so one is remembered until something follows it. */
  private blank = false;

  constructor(
    private readonly limits: DataLimits,
    private readonly dialect: CsvDialect,
  ) {}

  add(record: string[]): void {
    if (this.names === null) {
      this.names = headerOf(record, this.limits.columns);
      for (const _ of this.names) this.cells.push([]);
    } else if (isBlank(record)) {
      this.blank = true;
    } else {
      this.addRow(record, this.names.length);
    }
  }

  private addRow(record: string[], width: number): void {
    const row = this.rows + 1;
    if (this.blank) throw new DataError('is blank, but rows follow it', { row });
    if (record.length !== width) throw ragged(record.length, width, row);
    this.rows = row;
    checkLimit('rows', row, this.limits.rows);
    checkLimit('cells', row * width, this.limits.cells);
    for (let c = 0; c < width; c++) this.cells[c].push(record[c]);
  }

  finish(): Columns {
    if (this.names === null) throw new DataError('the file is empty');
    const columns = emptyColumns();
    this.names.forEach((name, c) => {
      columns[name] = toColumn(this.cells[c], this.dialect.decimal);
    });
    return columns;
  }
}

/** A row with another number of fields than the header. */
export function ragged(found: number, expected: number, row: number): DataError {
  const fields = found > expected ? 'more' : String(found);
  return new DataError(`has ${fields} fields where the header has ${expected}`, { row });
}

function toColumn(cells: string[], decimal: '.' | ','): Column {
  const numbers = new Float64Array(cells.length);
  for (let i = 0; i < cells.length; i++) {
    const value = parseNumber(cells[i], decimal);
    if (Number.isNaN(value)) return cells;
    numbers[i] = value;
  }
  return numbers;
}
