/** From samples to a series: an even grid, rates of counters and counts, gaps and their filling. */
import { DataError } from '../errors.js';
import type { Series } from '../series.js';
import { makeSeries, resampled } from '../series.js';
import type { ImportLog } from './options.js';
import { ordered, shown, type TimeOrigin } from './order.js';
import type { Samples } from './samples.js';
import { UNITS, type UnitForm, unitOfName } from './units.js';

/** More samples than this would mostly be gaps of a file with a stray time. */
const GAPS_PER_SAMPLE_MAX = 1000;
/** A sample may lie this far off its place on the grid, in steps, as scrapes do. */
const JITTER_MAX = 0.3;

/** Facts of a signal beside its samples. */
export interface SignalFacts extends TimeOrigin {
  /** Name in snake_case. */
  readonly plainName: string;
  /** Spacing where the format says it. */
  readonly step_s?: number;
  /** Unit where the format says it. */
  readonly unit?: string;
  /** Unit of our own files: the values are in it already, and the signal has this name. */
  readonly canonicalUnit?: string;
  readonly name?: string;
}

/**
 * A series of the samples, with the repairs that were asked for.
 *
 * @throws DataError for samples out of order, uneven times, values below zero of what counts
 */
export function seriesOf(samples: Samples, facts: SignalFacts, log: ImportLog): Series {
  if (samples.length === 0) throw new DataError('has no samples', { column: samples.name });
  const unitName = log.options.unit ?? facts.unit ?? unitOfName(facts.plainName);
  const { canonicalUnit } = facts;
  const form =
    canonicalUnit === undefined
      ? unitForm(unitName, log)
      : { unit: canonicalUnit, factor: 1, isCount: false };
  const clean = ordered(samples, facts, log);
  const isCounter = canonicalUnit === undefined && counterChoice(clean, form, facts.plainName, log);
  checkValues(clean, form, log);
  const rates = isCounter ? counterRates(clean, log) : clean.values.values;
  const effective = isCounter && form ? { ...form, isCount: false } : form;
  const whole = placed(clean, rates, effective, facts, log);
  // A counter says nothing of the time after its last sample.
  const series = isCounter ? withoutLast(whole) : whole;
  const { step_s } = log.options;
  return filled(step_s === undefined ? series : resampled(series, step_s), log);
}

function withoutLast(series: Series): Series {
  const values = series.values.slice(0, -1);
  return makeSeries({ ...series, values, start_s: series.times_s[0] });
}

function unitForm(name: string | null, log: ImportLog): UnitForm | null {
  if (name === null) return null;
  const form = UNITS[name.toLowerCase()];
  if (form !== undefined) return form;
  if (log.options.unit !== name) return { unit: name, factor: 1, isCount: false };
  const known = Object.keys(UNITS).join(', ');
  throw new DataError(`--unit is "${name}"; known are ${known}`);
}

/** Decides whether the values are a counter, and notices one that nobody named. */
function counterChoice(
  samples: Samples,
  form: UnitForm | null,
  name: string,
  log: ImportLog,
): boolean {
  const { counter } = log.options;
  if (counter !== undefined) return counter;
  const values = samples.values.values.filter((value) => !Number.isNaN(value));
  const rises = values.every((value, i) => i === 0 || value >= values[i - 1]);
  const grows = values.length >= 10 && rises && values[values.length - 1] > values[0];
  if (!grows || form?.unit === 'replicas') return false;
  const option = '--counter takes the rate of it, --no-counter takes it as it is';
  const isNamed = /(^|_)(total|count|counter)$/.test(name);
  if (isNamed) {
    throw new DataError('never falls, as a counter does', { column: samples.name, option });
  }
  log.remark('never falls: is it a counter?', { column: samples.name, option });
  return false;
}

function checkValues(samples: Samples, form: UnitForm | null, log: ImportLog): void {
  const values = samples.values.values;
  const rows = samples.rows.values;
  for (let i = 0; i < values.length; i++) {
    if (values[i] >= 0 || Number.isNaN(values[i])) continue;
    if (form === null && !log.options.counter) continue;
    const option = '--skip-bad N leaves out up to N such rows';
    const place = { row: rows[i], column: samples.name, option };
    log.badRow(new DataError(`is ${values[i]}, below zero`, place));
    values[i] = Number.NaN;
  }
}

/** Increase a second since the sample before; a fall is a reset, from which it counts on from 0. */
function counterRates(samples: Samples, log: ImportLog): Float64Array {
  const [times, values] = [samples.times_s.values, samples.values.values];
  const rates = new Float64Array(values.length).fill(Number.NaN);
  let last = -1;
  let resets = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    if (last >= 0) {
      if (values[i] < values[last]) resets++;
      const increase = values[i] < values[last] ? values[i] : values[i] - values[last];
      // The count across a gap is known in sum only; the gap stays one.
      if (last === i - 1) rates[last] = increase / (times[i] - times[last]);
    }
    last = i;
  }
  log.count('converted', 'counter values to rates (--counter)', values.length);
  log.count('converted', 'counter resets', resets);
  return rates;
}

/** Puts samples on the even grid that their times show. */
function placed(
  samples: Samples,
  values: Float64Array,
  form: UnitForm | null,
  facts: SignalFacts,
  log: ImportLog,
): Series {
  const times = samples.times_s.values;
  const wanted_s = log.options.step_s;
  const name = facts.name ?? samples.name;
  const base = { name, unit: form?.unit ?? '', origin: facts.origin };
  const grid = gridOf(times, facts.step_s);
  if (typeof grid === 'number') {
    if (wanted_s !== undefined) return binned(samples, values, wanted_s, form, base, log);
    const place = { row: samples.rows.values[grid], column: 'time' };
    const by = `comes ${shown(times[grid] - times[grid - 1])} s after the row before it`;
    const option = '--step SECONDS brings samples to an even spacing';
    throw new DataError(`${by}, off the spacing of the others`, { ...place, option });
  }
  const { step_s, offset_s } = grid;
  if (offset_s > 1e-3 * step_s) {
    const most = shown(Number(offset_s.toPrecision(2)));
    log.count('converted', `samples moved to an even grid, by ${most} s at most`, times.length);
  }
  const count = Math.round((times[times.length - 1] - times[0]) / step_s) + 1;
  if (count > Math.max(1e6, times.length * GAPS_PER_SAMPLE_MAX) || count > log.limits.rows) {
    const length = `${shown(times[times.length - 1] - times[0])} s`;
    const span = `${length} at a spacing of ${shown(step_s)} s`;
    throw new DataError(`${times.length} samples lie over ${span}: is a time wrong?`);
  }
  const even = new Float64Array(count).fill(Number.NaN);
  const factor = (form?.factor ?? 1) / (form?.isCount ? step_s : 1);
  for (let i = 0; i < times.length; i++) {
    even[Math.round((times[i] - times[0]) / step_s)] = values[i] * factor;
  }
  if (form?.isCount) {
    log.count('converted', `counts of ${shown(step_s)} s to counts a second`, times.length);
  } else if (form !== null && form.factor !== 1) {
    log.count('converted', `values times ${form.factor} to ${form.unit}`, times.length);
  }
  return makeSeries({ ...base, values: even, step_s, start_s: times[0] });
}

/**
 * The spacing of the times and how far they lie off its grid, or the index of the first that lies
 * too far off.
 */
function gridOf(
  times: Float64Array,
  known_s?: number,
): { step_s: number; offset_s: number } | number {
  if (times.length < 2) return { step_s: known_s ?? 60, offset_s: 0 };
  const gaps = Float64Array.from({ length: times.length - 1 }, (_, i) => times[i + 1] - times[i]);
  gaps.sort();
  const middle = gaps[gaps.length >> 1];
  // Where every other sample is missing the middle is no step, the least may be; if it is common.
  const isLeastCommon = gaps[(gaps.length - 1) >> 1] < 1.5 * gaps[0];
  const steps = Math.round((times[times.length - 1] - times[0]) / middle);
  const fitted = (times[times.length - 1] - times[0]) / Math.max(1, steps);
  const least = isLeastCommon ? rounded(gaps[0]) : 0;
  const all = [known_s ?? 0, rounded(middle), rounded(fitted), fitted, least];
  const candidates = all.filter((s) => s > 0);
  let worst = 1;
  for (const step_s of candidates) {
    const { offset_s, at } = offsetFrom(times, step_s);
    if (at < 0) return { step_s, offset_s };
    worst = at;
  }
  return worst;
}

/** The nearest spacing that a person would choose: two digits in seconds, or whole milliseconds. */
function rounded(step_s: number): number {
  const whole = Math.round(step_s);
  if (whole >= 1 && Math.abs(step_s - whole) < 0.02 * step_s) return whole;
  return Math.round(step_s * 1000) / 1000;
}

function offsetFrom(times: Float64Array, step_s: number): { offset_s: number; at: number } {
  let offset_s = 0;
  let before = -1;
  for (let i = 0; i < times.length; i++) {
    const place = Math.round((times[i] - times[0]) / step_s);
    const off_s = Math.abs(times[i] - times[0] - place * step_s);
    if (off_s > JITTER_MAX * step_s || place === before) return { offset_s, at: Math.max(1, i) };
    offset_s = Math.max(offset_s, off_s);
    before = place;
  }
  return { offset_s, at: -1 };
}

/** Uneven samples by steps of the length asked for: counts are added, anything else is averaged. */
function binned(
  samples: Samples,
  values: Float64Array,
  step_s: number,
  form: UnitForm | null,
  base: { name: string; unit: string; origin: Series['origin'] },
  log: ImportLog,
): Series {
  const times = samples.times_s.values;
  const start_s = Math.floor(times[0] / step_s) * step_s;
  const count = Math.floor((times[times.length - 1] - start_s) / step_s) + 1;
  if (count > log.limits.rows) throw new DataError(`${count} steps exceed the limit of samples`);
  const sums = new Float64Array(count);
  const counts = new Float64Array(count);
  times.forEach((t, i) => {
    if (Number.isNaN(values[i])) return;
    const bin = Math.floor((t - start_s) / step_s);
    sums[bin] += values[i];
    counts[bin]++;
  });
  const factor = form?.factor ?? 1;
  const even = sums.map((sum, i) => {
    if (counts[i] === 0) return Number.NaN;
    return (form?.isCount ? sum / step_s : sum / counts[i]) * factor;
  });
  log.count('repaired', `uneven samples brought to steps of ${step_s} s (--step)`, times.length);
  return makeSeries({ ...base, values: even, step_s, start_s });
}

const WEEK_S = 7 * 86_400;

/** Fills gaps as it was asked for; by default they stay. */
function filled(series: Series, log: ImportLog): Series {
  const how = log.options.fill ?? 'none';
  if (how === 'none' || series.gaps.length === 0) return series;
  const values = series.values.slice();
  const week = Math.round(WEEK_S / series.step_s);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i])) continue;
    values[i] = how === 'zero' ? 0 : (values[i - (how === 'week' ? week : 1)] ?? Number.NaN);
    if (!Number.isNaN(values[i])) count++;
  }
  log.count('repaired', `missing samples filled (--fill ${how})`, count);
  return makeSeries({ ...series, values, start_s: series.times_s[0] });
}
