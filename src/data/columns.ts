import { DataError } from './errors.js';

/**
 * One column: numbers where every cell is a number, else the cells' text.
 * A missing value is NaN among numbers and '' among text.
 */
export type Column = Float64Array | string[];

/** A table by column name. It has no prototype, so a column may be called anything. */
export type Columns = Record<string, Column>;

/** The limits of a file; a hostile file is refused before it is expanded. */
export interface DataLimits {
  /** Size of the file in bytes. */
  fileBytes: number;
  /** Data rows. */
  rows: number;
  /** Columns in the file, read or not. */
  columns: number;
  /** Cells that are kept: rows times columns. */
  cells: number;
  /** Bytes after decompression, summed over the pages of the columns that are read. */
  decodedBytes: number;
}

export const DEFAULT_DATA_LIMITS: Readonly<DataLimits> = Object.freeze({
  fileBytes: 64 * 2 ** 20,
  rows: 2_000_000,
  columns: 1024,
  cells: 20_000_000,
  decodedBytes: 256 * 2 ** 20,
});

export function emptyColumns(): Columns {
  return Object.create(null) as Columns;
}

/** Rows of a table; 0 where it has no columns. */
export function rowCount(columns: Columns): number {
  for (const name of Object.keys(columns)) return columns[name].length;
  return 0;
}

/** Refuses what exceeds a limit, naming the limit and both numbers. */
export function checkLimit(what: string, actual: number, limit: number): void {
  if (actual > limit) throw new DataError(`${what}: ${actual} exceeds the limit of ${limit}`);
}
