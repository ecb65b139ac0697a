/** Which column plays which role: as it was told, else by the names that tools use. */
import { DataError, quote } from '../errors.js';
import { type Cell, plainName, type Rows } from '../read/rows.js';

/** Names of a role in snake_case, the likeliest first. */
export type RoleNames = readonly string[];

const TIME_NAMES: RoleNames = [
  ...['t_s', 'time_s', 'timestamp', 'time', 'datetime', 'date_time', 'ts', 'date', 'minute_utc'],
  ...['minute', 'second', 'hour', 't', 'time_utc', 'timestamp_utc', 'period_start', '_time'],
  ...['timestamp_ms', 'time_ms', 'ts_ms', 'epoch', 'epoch_ms', 'timestamp_s', 'unix', 'unixtime'],
  ...[
    'start',
    'start_time',
    'bucket',
    'interval',
    'window_start_s',
    'zeit',
    'datum',
    'zeitstempel',
  ],
];

/** Names that say that they are times without being known. */
const TIME_LIKE = /(^|_)(time|timestamp|date|datetime)(_(s|ms|us|ns|utc))?$/;

/** The column of times: as it was told, by a known name, or the first with a name like one. */
export function timeColumn(
  rows: Pick<Rows, 'columns'>,
  told: Readonly<Record<string, string>> | undefined,
): number {
  const known = columnOf(rows, 'time', TIME_NAMES, told);
  return known >= 0 ? known : rows.columns.findIndex((name) => TIME_LIKE.test(plainName(name)));
}

/**
 * The index of a role's column, or -1.
 *
 * @throws DataError where a column was told that the file does not have
 */
export function columnOf(
  rows: Pick<Rows, 'columns'>,
  role: string,
  names: RoleNames,
  told: Readonly<Record<string, string>> | undefined,
): number {
  const wanted = told?.[role];
  if (wanted !== undefined) return toldColumn(rows, role, wanted);
  const plain = rows.columns.map(plainName);
  for (const name of names) {
    const at = plain.indexOf(name);
    if (at >= 0) return at;
  }
  return -1;
}

/** The column that was told for a role, by its name as it stands or in snake_case. */
export function toldColumn(rows: Pick<Rows, 'columns'>, role: string, wanted: string): number {
  const exact = rows.columns.indexOf(wanted);
  if (exact >= 0) return exact;
  const at = rows.columns.map(plainName).indexOf(plainName(wanted));
  if (at >= 0) return at;
  const found = rows.columns.map((name) => quote(name)).join(', ');
  throw new DataError(`--columns ${role}=${wanted}: the file has ${found}`);
}

/** The cells of a column in the first rows. */
export function sampleOf(rows: Rows, column: number): Cell[] {
  return rows.sample.map((row) => row[column]);
}
