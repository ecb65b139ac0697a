/** Reads recorded jobs into the trace of a scheduling task. Browser-safe. */
import type { Column, Columns } from './columns.js';
import { rowCount } from './columns.js';
import { readCsv } from './csv.js';
import { DataError, quote } from './errors.js';

/** Jobs as they were recorded, [jobs], by rising arrival. */
export interface JobTrace {
  readonly name: string;
  /** Steps, integers from 0. */
  readonly arrival: readonly number[];
  /** Units of the fleet's capacity, integers from 1. */
  readonly cpu: readonly number[];
  readonly mem: readonly number[];
  /** Steps, integers from 1. */
  readonly duration: readonly number[];
}

const COLUMNS = ['arrival', 'cpu', 'mem', 'duration'] as const;
type JobColumn = (typeof COLUMNS)[number];

/** The allowed values of a cell: whole steps and whole units of the fleet's capacity. */
const RANGES: Readonly<Record<JobColumn, readonly [number, number]>> = {
  arrival: [0, 999_999],
  cpu: [1, 65_535],
  mem: [1, 65_535],
  duration: [1, 1_000_000],
};
const JOBS_MAX = 1_000_000;

/**
 * A job trace from CSV text or bytes, or from columns read elsewhere (`readTableFile` reads
 * parquet): `arrival` and `duration` in steps, `cpu` and `mem` in units of the fleet's capacity,
 * whole numbers, one row a job by rising arrival. Other columns are ignored.
 *
 * @throws DataError naming row and column: a column that is missing or not all numbers, a value
 * that is no whole number of its range, an arrival before the one above; no rows.
 * @example
 * registerJobTrace('ours', readJobTrace(csv, 'ours'));
 * const env = await make('scheduling/base-v2', { config: { workload: 'trace', trace: 'ours' } });
 */
export function readJobTrace(input: Uint8Array | string | Columns, name: string): JobTrace {
  const isText = typeof input === 'string' || input instanceof Uint8Array;
  const columns = isText ? readCsv(input) : input;
  const numRows = rowCount(columns);
  const [arrival, cpu, mem, duration] = COLUMNS.map((column) => integersOf(columns, column));
  if (numRows < 1) throw new DataError('the trace has no rows; at least one job is needed');
  if (numRows > JOBS_MAX) throw new DataError(`${numRows} jobs exceed the limit of ${JOBS_MAX}`);
  for (let i = 1; i < numRows; i++) {
    if (arrival[i] >= arrival[i - 1]) continue;
    const before = `the row before it arrives at ${arrival[i - 1]}; sort the rows by arrival`;
    throw new DataError(`${arrival[i]} is out of order: ${before}`, {
      row: i + 1,
      column: 'arrival',
    });
  }
  return { name, arrival, cpu, mem, duration };
}

function integersOf(columns: Columns, name: JobColumn): number[] {
  const [min, max] = RANGES[name];
  return Array.from(numbersOf(columns, name), (value, i) => {
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    const needed = `a whole number from ${min} to ${max} is needed`;
    throw new DataError(`is ${value}; ${needed}`, { row: i + 1, column: name });
  });
}

/** A column of numbers; text that is no number reads NaN, which the caller refuses by its row. */
export function numbersOf(columns: Columns, name: string): Float64Array {
  const column: Column | undefined = columns[name];
  if (column === undefined) {
    const found = Object.keys(columns).join(', ') || 'none';
    throw new DataError(`is missing; the file has ${found}`, { column: name });
  }
  if (column instanceof Float64Array) return column;
  const numbers = Float64Array.from(column, (text) => (text.trim() === '' ? NaN : Number(text)));
  const bad = numbers.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return numbers;
  throw new DataError(`${quote(column[bad])} is not a number`, { row: bad + 1, column: name });
}
