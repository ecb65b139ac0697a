/** Prometheus' answer to query_range, as its API and Grafana's explorer give it. */
import { DataError, quote } from '../errors.js';
import { seriesOf } from '../import/grid.js';
import type { ImportLog } from '../import/options.js';
import { Samples } from '../import/samples.js';
import { at, isObject, type Json, list, number } from '../read/json.js';
import { plainName } from '../read/rows.js';
import type { Series } from '../series.js';

export function isPrometheus(value: unknown): boolean {
  const result = resultsOf(value);
  return result.length > 0 && result.every((r) => Array.isArray(at(r, 'values')));
}

function resultsOf(value: unknown): readonly unknown[] {
  const data = at(value, 'data') ?? value;
  return list(at(data, 'result'));
}

/**
 * One series for each set of labels. Values are texts; NaN is a gap.
 *
 * @throws DataError naming the sample that is none
 */
export function prometheusSeries(value: unknown, log: ImportLog): Series[] {
  return resultsOf(value).map((result) => {
    const labels = at(result, 'metric');
    const name = nameOf(isObject(labels) ? labels : {});
    const samples = new Samples(name, log.limits.rows);
    list(at(result, 'values')).forEach((pair, i) => {
      samples.add(timeOf(at(pair, 0), i + 1), sampleValue(at(pair, 1), i + 1, name), i + 1);
    });
    const plain = plainName(String(at(labels, '__name__') ?? 'value'));
    return seriesOf(samples, { origin: 'epoch', hasZone: true, plainName: plain }, log);
  });
}

function nameOf(labels: Json): string {
  const { __name__: metric, ...rest } = labels;
  const pairs = Object.entries(rest).map(([key, value]) => `${key}=${String(value)}`);
  const inside = pairs.length > 0 ? `{${pairs.join(',')}}` : '';
  return `${String(metric ?? '')}${inside}` || 'value';
}

function timeOf(value: unknown, row: number): number {
  const time = number(value);
  if (time !== undefined) return time;
  throw new DataError(`${quote(String(value))} is no time`, { row, column: 'values' });
}

function sampleValue(value: unknown, row: number, column: string): number {
  if (value === 'NaN' || value === null) return Number.NaN;
  const read = number(value);
  if (read !== undefined) return read;
  throw new DataError(`${quote(String(value))} is not a number`, { row, column });
}
