/** Statistics of evaluations: what `evaluate` prints about a policy's scores over seeds. */
import { makeRng } from '../base/seeding.js';
import { studentTQuantile } from './student-t.js';

export { studentTQuantile, studentTTwoSidedTail } from './student-t.js';

export type Interval = [lo: number, hi: number];

export interface Summary {
  n: number;
  mean: number;
  /** Sample standard deviation over sqrt(n); null where n is 1. */
  standardError: number | null;
  /** Two-sided 95 % confidence interval of the mean, Student's t; null where n is 1. */
  ci95: Interval | null;
}

/** Mean, standard error and 95 % interval of independent values. */
export function summarize(values: ArrayLike<number>): Summary {
  const n = values.length;
  const average = mean(values);
  if (n === 1) return { n, mean: average, standardError: null, ci95: null };
  const standardError = Math.sqrt(variance(values) / n);
  const margin = studentTQuantile(0.975, n - 1) * standardError;
  return { n, mean: average, standardError, ci95: [average - margin, average + margin] };
}

/**
 * The summary of a[i] - b[i]: two policies that met the same worlds under the same seeds (common
 * random numbers), whose differences vary far less than their scores.
 *
 * @throws RangeError unless both have the same number of values.
 */
export function summarizePaired(a: ArrayLike<number>, b: ArrayLike<number>): Summary {
  if (a.length !== b.length) {
    throw new RangeError(`a has ${a.length} values and b has ${b.length}: pairs are needed`);
  }
  return summarize(Array.from(a, (value, i) => value - b[i]));
}

/** @throws RangeError for no values and for a value that is not finite, as all functions here. */
export function mean(values: ArrayLike<number>): number {
  checkValues(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** The unbiased sample variance (divisor n - 1); two values at least. */
export function variance(values: ArrayLike<number>): number {
  const average = mean(values);
  if (values.length < 2) throw new RangeError('values has 1 value: a variance needs 2');
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] - average) ** 2;
  return sum / (values.length - 1);
}

/**
 * The quantile at `p` from 0 to 1, linear between order statistics at p·(n - 1) (Hyndman and Fan's
 * type 7, NumPy's default).
 */
export function quantile(values: ArrayLike<number>, p: number): number {
  checkValues(values);
  return quantileOfSorted(Float64Array.from(values).sort(), p);
}

/**
 * Interquartile mean: the mean without the lowest and the highest quarter, floor(n / 4) values
 * each (Agarwal et al., "Deep RL at the edge of the statistical precipice", 2021).
 */
export function interquartileMean(values: ArrayLike<number>): number {
  checkValues(values);
  const sorted = Float64Array.from(values).sort();
  const cut = Math.floor(sorted.length / 4);
  return mean(sorted.subarray(cut, sorted.length - cut));
}

export interface BootstrapOptions {
  /** Default 10,000. */
  resamples?: number;
  /** Coverage of the interval. Default 0.95. */
  level?: number;
  /** Seed of the resampling, fixed so that a report can be repeated. Default 0. */
  seed?: number | bigint | string;
}

/** The percentile bootstrap's interval for any statistic of independent values. */
export function bootstrapInterval(
  values: ArrayLike<number>,
  statistic: (sample: Float64Array) => number,
  options: BootstrapOptions = {},
): Interval {
  checkValues(values);
  const { resamples = 10_000, level = 0.95, seed = 0 } = options;
  if (!Number.isSafeInteger(resamples) || resamples < 1) {
    throw new RangeError(`resamples is ${resamples}: an integer of at least 1 is needed`);
  }
  if (!(level > 0 && level < 1)) {
    throw new RangeError(`level is ${level}: a number between 0 and 1 is needed`);
  }
  const rng = makeRng(seed);
  const sample = new Float64Array(values.length);
  const statistics = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < sample.length; i++) {
      sample[i] = values[Math.floor(rng.nextFloat() * values.length)];
    }
    statistics[r] = statistic(sample);
  }
  statistics.sort();
  const tail = (1 - level) / 2;
  return [quantileOfSorted(statistics, tail), quantileOfSorted(statistics, 1 - tail)];
}

function quantileOfSorted(sorted: Float64Array, p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`p is ${p}: a number from 0 to 1 is needed`);
  const position = p * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

function checkValues(values: ArrayLike<number>): void {
  if (values.length === 0) throw new RangeError('values is empty: at least one is needed');
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new RangeError(`values[${i}] is ${values[i]}: a finite number is needed`);
  }
}
