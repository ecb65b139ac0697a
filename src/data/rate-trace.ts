/** Reads a request rate over time: web access counts per minute. Browser-safe. */

import type { Columns } from './columns.js';
import { rowCount } from './columns.js';
import { readCsv } from './csv.js';
import { DataError } from './errors.js';
import { numbersOf } from './job-trace.js';

/** A recorded or computed rate over time, e.g. from `readRateTrace`. */
export interface RateTrace {
  readonly name: string;
  readonly source: string;
  readonly licence: string;
  /** Minutes that one entry covers. */
  readonly minutesPerEntry: number;
  /** Requests of each entry, in any unit: windows are scaled to a mean. */
  readonly requests: readonly number[];
}

/** The facts that are not in the file. */
export interface RateTraceOptions {
  readonly name: string;
  readonly source: string;
  readonly licence: string;
  /** Minutes that one step lasts; entries are summed to it. Default: the file's own spacing. */
  readonly minutesPerStep?: number;
}

const COLUMNS = ['minute', 'requests'] as const;
/** More requests in an entry than this are an error in the file rather than a load. */
const REQUESTS_MAX = 1e12;

/**
 * A rate trace from CSV text or bytes, or from columns read elsewhere (`readTableFile`): `minute`,
 * evenly spaced and ascending, and `requests` of the time until the next one. Other columns are
 * ignored. An incomplete step at the end is left out.
 *
 * @throws DataError naming row and column: a column that is missing or not all numbers, minutes
 * that do not ascend or leave a gap, a negative or absent count; no rows; no requests at all.
 * @example
 * registerRateTrace('shop', readRateTrace(csv, { name: 'shop', source: 'our own', licence: '-' }));
 */
export function readRateTrace(
  input: Uint8Array | string | Columns,
  options: RateTraceOptions,
): RateTrace {
  const isText = typeof input === 'string' || input instanceof Uint8Array;
  const columns = isText ? readCsv(input) : input;
  const [minutes, requests] = COLUMNS.map((name) => numbersOf(columns, name));
  if (rowCount(columns) < 2) {
    throw new DataError(`the trace has ${rowCount(columns)} rows; at least 2 are needed`);
  }
  const spacing = checkMinutes(minutes);
  checkRequests(requests);
  const minutesPerEntry = options.minutesPerStep ?? spacing;
  const rowsPerEntry = minutesPerEntry / spacing;
  if (!(Number.isInteger(rowsPerEntry) && rowsPerEntry >= 1 && rowsPerEntry <= requests.length)) {
    const needed = `a multiple of the file's spacing of ${spacing} within its length is needed`;
    throw new RangeError(`minutesPerStep is ${minutesPerEntry}: ${needed}`);
  }
  const { name, source, licence } = options;
  return { name, source, licence, minutesPerEntry, requests: sumBy(requests, rowsPerEntry) };
}

/** The spacing of the minutes. */
function checkMinutes(minutes: Float64Array): number {
  const spacing = minutes[1] - minutes[0];
  for (let i = 0; i < minutes.length; i++) {
    const place = { row: i + 1, column: 'minute' };
    if (!Number.isFinite(minutes[i])) throw new DataError('is not a number', place);
    if (i === 0) continue;
    const [before, here] = [minutes[i - 1], minutes[i]];
    if (!(here > before)) throw new DataError(`${here} does not follow ${before}`, place);
    if (here - before !== spacing) {
      const needed = `every row must be ${spacing} after the one before, as the second is`;
      throw new DataError(`${here} comes ${here - before} after ${before}; ${needed}`, place);
    }
  }
  return spacing;
}

function checkRequests(requests: Float64Array): void {
  let total = 0;
  requests.forEach((count, i) => {
    const place = { row: i + 1, column: 'requests' };
    if (Number.isNaN(count)) throw new DataError('is not a number', place);
    if (count < 0) throw new DataError(`${count} is negative`, place);
    if (count > REQUESTS_MAX) throw new DataError(`${count} exceeds ${REQUESTS_MAX}`, place);
    total += count;
  });
  if (total === 0) throw new DataError('has no requests at all', { column: 'requests' });
}

/** Sums of `size` entries each; what is left at the end is no whole entry. */
function sumBy(values: Float64Array, size: number): number[] {
  return Array.from({ length: Math.floor(values.length / size) }, (_, i) => {
    let sum = 0;
    for (let j = i * size; j < (i + 1) * size; j++) sum += values[j];
    return sum;
  });
}
