/** CloudWatch's answers: get-metric-statistics and get-metric-data. Neither promises an order. */
import { DataError, quote } from '../errors.js';
import { seriesOf } from '../import/grid.js';
import type { ImportLog } from '../import/options.js';
import { Samples } from '../import/samples.js';
import { at, isObject, list, number, text } from '../read/json.js';
import { plainName } from '../read/rows.js';
import { TimeReader, timeFormatOf } from '../read/time.js';
import type { Series } from '../series.js';

const STATISTICS = ['Sum', 'Average', 'Maximum', 'Minimum', 'SampleCount'] as const;

export function isCloudwatch(value: unknown): boolean {
  return (
    list(at(value, 'Datapoints')).length > 0 || list(at(value, 'MetricDataResults')).length > 0
  );
}

interface Point {
  readonly time: string | number;
  readonly value: number;
}

/**
 * The series of an answer.
 *
 * @throws DataError for a data point without time or value
 */
export function cloudwatchSeries(value: unknown, log: ImportLog): Series[] {
  const results = list(at(value, 'MetricDataResults'));
  if (results.length > 0) {
    return results.map((result, i) => {
      const name = text(at(result, 'Label')) ?? text(at(result, 'Id')) ?? `metric ${i + 1}`;
      const values = list(at(result, 'Values'));
      const points = list(at(result, 'Timestamps')).map((time, j) =>
        pointOf(time, values[j], j + 1),
      );
      return seriesOfPoints(name, points, undefined, log);
    });
  }
  const points = list(at(value, 'Datapoints'));
  const label = text(at(value, 'Label')) ?? 'value';
  const found = STATISTICS.filter((s) => points.some((p) => isObject(p) && s in p));
  const unit = text(at(points, 0, 'Unit'));
  return found.map((statistic) => {
    const all = points.map((p, i) => pointOf(at(p, 'Timestamp'), at(p, statistic), i + 1));
    const name = found.length > 1 ? `${label} ${statistic}` : label;
    return seriesOfPoints(name, all, statistic === 'Sum' ? unit : undefined, log);
  });
}

function pointOf(time: unknown, value: unknown, row: number): Point {
  const read = number(value);
  if ((typeof time === 'string' || typeof time === 'number') && read !== undefined) {
    return { time, value: read };
  }
  const found = `${quote(String(time))}, ${quote(String(value))}`;
  throw new DataError(`is ${found}: a time and a number are needed`, { row, column: 'Datapoints' });
}

function seriesOfPoints(
  name: string,
  points: readonly Point[],
  unit: string | undefined,
  log: ImportLog,
): Series {
  const { tz } = log.options;
  const times = points.map(({ time }) => time);
  const format = timeFormatOf('time', times, { tz });
  const reader = new TimeReader('Timestamp', format, tz);
  const samples = new Samples(name, log.limits.rows);
  points.forEach(({ time, value }, i) => {
    reader.read(time, i + 1);
    samples.add(reader.whole + reader.fraction, value, i + 1);
  });
  const { origin, hasZone } = format;
  const facts = { origin, hasZone, isUnordered: true, plainName: plainName(name) };
  return seriesOf(samples, unit === 'Count' ? { ...facts, unit: 'count' } : facts, log);
}
