/** A recorded signal in absolute units: what was measured is what plays. Browser-safe. */
import { DataError } from './errors.js';
import type { Provenance } from './provenance.js';
import { NO_PROVENANCE, withChange } from './provenance.js';

/** A run of missing samples: from the first missing one to the next that is there. */
export interface SeriesGap {
  readonly from_s: number;
  readonly to_s: number;
}

/**
 * One signal on an even grid of times. Sample i stands for the time from `times_s[i]` until
 * `step_s` later. A missing sample is NaN, and lies in one of `gaps`: it is never a zero.
 */
export interface Series {
  /** The column or the labels that it came from. */
  readonly name: string;
  /** `requests/s`, `cores`, `bytes`, `replicas`, `s`, `ratio`, …; '' where it is not known. */
  readonly unit: string;
  /** `epoch`: seconds since 1970 in UTC; `relative`: seconds since an unknown moment. */
  readonly origin: 'epoch' | 'relative';
  /** Spacing of the samples. */
  readonly step_s: number;
  /** [samples], ascending by `step_s`. */
  readonly times_s: Float64Array;
  /** [samples], NaN where none was recorded. */
  readonly values: Float64Array;
  readonly gaps: readonly SeriesGap[];
  readonly provenance: Provenance;
}

/** The input of `makeSeries`; the grid and the gaps follow from it. */
export interface SeriesParts {
  readonly name: string;
  readonly unit: string;
  readonly values: Float64Array;
  readonly step_s: number;
  /** Time of the first sample, default 0. */
  readonly start_s?: number;
  /** Default `relative`. */
  readonly origin?: Series['origin'];
  readonly provenance?: Provenance;
}

/**
 * A series of values on an even grid, NaN where a sample is missing.
 *
 * @throws DataError where there is no sample, the step is not above 0, or a value is infinite.
 */
export function makeSeries(parts: SeriesParts): Series {
  const { name, unit, values, step_s, start_s = 0, origin = 'relative' } = parts;
  if (!(step_s > 0 && Number.isFinite(step_s))) {
    throw new DataError(`step_s is ${step_s}: a number above 0 is needed`);
  }
  if (!values.some((value) => !Number.isNaN(value))) {
    throw new DataError('no sample has a value', { column: name });
  }
  const infinite = values.findIndex((value) => value === Infinity || value === -Infinity);
  if (infinite >= 0) {
    throw new DataError(`is ${values[infinite]}, not a finite number`, {
      row: infinite + 1,
      column: name,
    });
  }
  // A product, not a sum, so that no error accumulates.
  const times_s = Float64Array.from(values, (_, i) => start_s + i * step_s);
  const provenance = parts.provenance ?? NO_PROVENANCE;
  const gaps = gapsOf(times_s, values, step_s);
  return { name, unit, origin, step_s, times_s, values, gaps, provenance };
}

function gapsOf(times_s: Float64Array, values: Float64Array, step_s: number): SeriesGap[] {
  const gaps: SeriesGap[] = [];
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i])) continue;
    const from_s = times_s[i];
    while (i + 1 < values.length && Number.isNaN(values[i + 1])) i++;
    gaps.push({ from_s, to_s: times_s[i] + step_s });
  }
  return gaps;
}

/** The samples from `from_s` until before `to_s`. */
export function windowOf(series: Series, from_s: number, to_s: number): Series {
  const { times_s, step_s } = series;
  const index = (t: number) =>
    Math.min(times_s.length, Math.max(0, Math.ceil((t - times_s[0]) / step_s - 1e-6)));
  const [from, to] = [index(from_s), index(to_s)];
  if (from >= to) {
    const [first, end] = [times_s[0], times_s[times_s.length - 1] + step_s];
    throw new DataError(`the window ${from_s} .. ${to_s} is outside of ${first} .. ${end}`);
  }
  const values = series.values.slice(from, to);
  return makeSeries({ ...series, values, start_s: times_s[from] });
}

/** The series with every value times a factor: ten times the rate is ten times the load. */
export function scaled(series: Series, factor: number): Series {
  const values = series.values.map((value) => value * factor);
  const what = `values multiplied by ${factor}`;
  const provenance = withChange(series.provenance, 'converted', what, values.length);
  return { ...series, values, provenance };
}

/**
 * The series at another spacing. A coarser step is the mean of what lies in it, weighted by time,
 * so that a rate keeps its count; a step with any missing sample is missing. In a finer step the
 * sample that covers most of it stands.
 *
 * @throws DataError where the step is not above 0 or longer than the recording.
 */
export function resampled(series: Series, step_s: number): Series {
  if (step_s === series.step_s) return series;
  const length_s = series.values.length * series.step_s;
  if (!(step_s > 0 && step_s <= length_s)) {
    throw new DataError(`a step of ${step_s} s does not fit a recording of ${length_s} s`);
  }
  const values = new Float64Array(Math.floor(length_s / step_s + 1e-9));
  for (let i = 0; i < values.length; i++) values[i] = meanOver(series, i * step_s, step_s);
  const what = `resampled from ${series.step_s} s to ${step_s} s`;
  const provenance = withChange(series.provenance, 'converted', what, values.length);
  return makeSeries({ ...series, values, step_s, start_s: series.times_s[0], provenance });
}

/** Time-weighted mean over an interval that begins `offset_s` after the first sample. */
function meanOver({ values, step_s }: Series, offset_s: number, width_s: number): number {
  const end_s = offset_s + width_s;
  let sum = 0;
  let covered_s = 0;
  for (let i = Math.floor(offset_s / step_s + 1e-9); i < values.length; i++) {
    const from = Math.max(offset_s, i * step_s);
    const overlap_s = Math.min(end_s, (i + 1) * step_s) - from;
    if (overlap_s <= width_s * 1e-9) break;
    sum += values[i] * overlap_s;
    covered_s += overlap_s;
  }
  return sum / covered_s;
}
