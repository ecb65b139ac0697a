/** The order of samples: what is refused, what is sorted or joined where that was asked for. */
import { DataError } from '../errors.js';
import type { ImportLog } from './options.js';
import { Samples } from './samples.js';

/** How the order of times in a file is to be understood. */
export interface TimeOrigin {
  readonly origin: 'epoch' | 'relative';
  /** False where the times name no zone: then a clock that is set back is a likely reason. */
  readonly hasZone: boolean;
  /** True for formats that promise no order, such as CloudWatch's. */
  readonly isUnordered?: boolean;
}

/**
 * Samples of ascending times, each once.
 *
 * @throws DataError naming the row that goes back in time or repeats one, and the option that helps
 */
export function ordered(samples: Samples, origin: TimeOrigin, log: ImportLog): Samples {
  return deduped(sorted(samples, origin, log), log);
}

function sorted(samples: Samples, origin: TimeOrigin, log: ImportLog): Samples {
  const times = samples.times_s.values;
  const back = times.findIndex((t, i) => i > 0 && t < times[i - 1]);
  if (back < 0) return samples;
  if (!log.options.sort && !origin.isUnordered) throw backwards(samples, back, origin, log);
  const order = Array.from(times.keys()).sort((a, b) => times[a] - times[b] || a - b);
  const result = new Samples(samples.name, log.limits.rows);
  const [values, rows] = [samples.values.values, samples.rows.values];
  for (const i of order) result.add(times[i], values[i], rows[i]);
  const moved = order.filter((i, place) => i !== place).length;
  if (origin.isUnordered) log.count('converted', 'samples put in order', moved);
  else log.count('repaired', 'samples put in order (--sort)', moved);
  return result;
}

function backwards(samples: Samples, at: number, origin: TimeOrigin, log: ImportLog): DataError {
  const times = samples.times_s.values;
  const by_s = times[at - 1] - times[at];
  const spacing_s = at > 1 ? times[at - 1] - times[at - 2] : 0;
  const place = { row: samples.rows.values[at], column: 'time' };
  const isClockStep = Math.abs(by_s + spacing_s - 3600) < 1 || Math.abs(by_s - 3600) < 1;
  if (!origin.hasZone && log.options.tz === undefined && isClockStep) {
    const problem = `goes back by ${shown(by_s)} s: a clock set back for winter time`;
    return new DataError(problem, { ...place, option: '--tz ZONE reads local times' });
  }
  const problem = `goes back by ${shown(by_s)} s after the row before it`;
  return new DataError(problem, { ...place, option: '--sort sorts the rows' });
}

/** A number of seconds without digits that say nothing. */
export function shown(value: number): string {
  return String(Number(value.toPrecision(9)));
}

function deduped(samples: Samples, log: ImportLog): Samples {
  const times = samples.times_s.values;
  if (!times.some((t, i) => i > 0 && t === times[i - 1])) return samples;
  const [values, rows] = [samples.values.values, samples.rows.values];
  const result = new Samples(samples.name, log.limits.rows);
  for (let i = 0; i < times.length; ) {
    let end = i + 1;
    while (end < times.length && times[end] === times[i]) end++;
    result.add(times[i], joined(values.subarray(i, end), rows[i + 1], samples.name, log), rows[i]);
    i = end;
  }
  return result;
}

/** One value for several of one time. */
function joined(values: Float64Array, row: number, column: string, log: ImportLog): number {
  if (values.length === 1) return values[0];
  const how = log.options.dedupe;
  if (how === undefined) {
    const problem = 'has the time of another row';
    throw new DataError(problem, { row, column, option: '--dedupe drops repeated rows' });
  }
  log.count('repaired', `samples of one time joined (--dedupe ${how})`, values.length - 1);
  const sum = values.reduce((a, b) => a + b, 0);
  if (how === 'sum') return sum;
  if (how === 'mean') return sum / values.length;
  if (how === 'last') return values[values.length - 1];
  const differs = values.some((value) => !Object.is(value, values[0]));
  if (how === 'identical' && differs) {
    const problem = `has the time of another row, but not its value: ${values.join(', ')}`;
    throw new DataError(problem, { row, column, option: '--dedupe first|last|sum|mean' });
  }
  return values[0];
}
