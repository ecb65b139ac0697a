/** Goodness-of-fit tests, for tests of samplers. Fixed seeds keep their verdicts repeatable. */

export interface TestResult {
  statistic: number;
  /** The chance of a statistic at least as large where the hypothesis holds. */
  pValue: number;
}

/**
 * Pearson's chi-square test of counts against expected counts of the same sum.
 *
 * @param numFitted parameters estimated from the same counts, each of which costs a degree of
 * freedom
 * @throws RangeError where sums differ by more than 1e-6 (relative) or an expected count is below
 * 5, where the chi-square approximation fails: see `poolCells`
 */
export function chiSquareTest(
  observed: ArrayLike<number>,
  expected: ArrayLike<number>,
  numFitted = 0,
): TestResult {
  if (observed.length !== expected.length || observed.length < numFitted + 2) {
    throw new RangeError(`${observed.length} observed and ${expected.length} expected counts`);
  }
  const [observedSum, expectedSum] = [sum(observed), sum(expected)];
  if (Math.abs(observedSum - expectedSum) > 1e-6 * observedSum) {
    throw new RangeError(`counts sum to ${observedSum}, expected counts to ${expectedSum}`);
  }
  let statistic = 0;
  for (let i = 0; i < observed.length; i++) {
    if (!(expected[i] >= 5)) throw new RangeError(`expected[${i}] is ${expected[i]}: below 5`);
    statistic += (observed[i] - expected[i]) ** 2 / expected[i];
  }
  const degreesOfFreedom = observed.length - 1 - numFitted;
  return { statistic, pValue: upperGamma(degreesOfFreedom / 2, statistic / 2) };
}

/** Merges neighbouring cells until each expects `expectedMin`: the tails of counts, mostly. */
export function poolCells(
  observed: ArrayLike<number>,
  expected: ArrayLike<number>,
  expectedMin = 5,
): { observed: number[]; expected: number[] } {
  const pooled = { observed: [0], expected: [0] };
  for (let i = 0; i < expected.length; i++) {
    const last = pooled.expected.length - 1;
    if (pooled.expected[last] < expectedMin) {
      pooled.observed[last] += observed[i];
      pooled.expected[last] += expected[i];
    } else {
      pooled.observed.push(observed[i]);
      pooled.expected.push(expected[i]);
    }
  }
  const last = pooled.expected.length - 1;
  if (last > 0 && pooled.expected[last] < expectedMin) {
    pooled.observed[last - 1] += pooled.observed.pop() ?? 0;
    pooled.expected[last - 1] += pooled.expected.pop() ?? 0;
  }
  return pooled;
}

/**
 * Kolmogorov and Smirnov's test of independent samples against a continuous distribution. The
 * p-value is the limit's with Vrbik's correction for n (2018): within 0.003 from n = 10 on, 0.0003
 * from n = 50 on.
 */
export function ksTest(samples: ArrayLike<number>, cdf: (x: number) => number): TestResult {
  if (samples.length === 0) throw new RangeError('samples is empty: at least one is needed');
  const sorted = Float64Array.from(samples).sort();
  const n = sorted.length;
  let statistic = 0;
  for (let i = 0; i < n; i++) {
    const p = cdf(sorted[i]);
    if (!(p >= 0 && p <= 1)) throw new RangeError(`cdf(${sorted[i]}) is ${p}`);
    statistic = Math.max(statistic, (i + 1) / n - p, p - i / n);
  }
  const root = Math.sqrt(n);
  const x = root * statistic;
  const corrected = x + 1 / (6 * root) + (x - 1) / (4 * n);
  return { statistic, pValue: kolmogorovTail(corrected) };
}

/** The standard normal's distribution function: Q(1/2, x²/2) is both its tails beyond |x|. */
export function normalCdf(x: number): number {
  const tail = upperGamma(0.5, (x * x) / 2) / 2;
  return x < 0 ? tail : 1 - tail;
}

/** The two-sided test of a statistic that is standard normal where the hypothesis holds. */
export function zTest(z: number): TestResult {
  return { statistic: z, pValue: 2 * normalCdf(-Math.abs(z)) };
}

/** The test that two columns of independent pairs are uncorrelated: r √n is standard normal. */
export function correlationTest(a: ArrayLike<number>, b: ArrayLike<number>): TestResult {
  if (a.length !== b.length) throw new RangeError(`${a.length} and ${b.length} samples`);
  const [meanA, meanB] = [sum(a) / a.length, sum(b) / b.length];
  let [aa, bb, ab] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    aa += (a[i] - meanA) ** 2;
    bb += (b[i] - meanB) ** 2;
    ab += (a[i] - meanA) * (b[i] - meanB);
  }
  return zTest((ab / Math.sqrt(aa * bb)) * Math.sqrt(a.length));
}

/** The Poisson distribution's probability of n. */
export function poissonProbability(mean: number, n: number): number {
  if (mean === 0) return n === 0 ? 1 : 0;
  return Math.exp(n * Math.log(mean) - mean - logGamma(n + 1));
}

/** P(K > x) = 2 sum (-1)^(k-1) exp(-2 k² x²); near zero its theta transform converges at once. */
function kolmogorovTail(x: number): number {
  if (x < 0.2) return 1; // 1 - P is below 1e-12 there
  let total = 0;
  if (x < 1) {
    for (let k = 1; k <= 9; k += 2) total += Math.exp((-((k * Math.PI) ** 2) / 8) * x ** -2);
    return 1 - (Math.sqrt(2 * Math.PI) / x) * total;
  }
  for (let k = 1; k <= 6; k++) total += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * (k * x) ** 2);
  return total;
}

/** The regularised upper incomplete gamma function Q(a, x). */
function upperGamma(a: number, x: number): number {
  if (x === 0) return 1;
  const factor = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let [term, total] = [1 / a, 1 / a];
    for (let k = 1; term > 1e-16 * total; k++) {
      term *= x / (a + k);
      total += term;
    }
    return 1 - factor * total;
  }
  // The continued fraction (DLMF 8.9.2) by Lentz's method.
  let b = x + 1 - a;
  let d = 1 / b;
  let c = Number.POSITIVE_INFINITY;
  let fraction = d;
  for (let k = 1; Math.abs(c * d - 1) > 1e-15; k++) {
    b += 2;
    d = 1 / (b - k * (k - a) * d);
    c = b - (k * (k - a)) / c;
    fraction *= c * d;
  }
  return factor * fraction;
}

/** ln Gamma by Stirling's series, shifted to where five terms are exact. */
function logGamma(a: number): number {
  if (a < 15) return logGamma(a + 1) - Math.log(a);
  const u = 1 / (a * a);
  const series = 1 / 12 + u * (-1 / 360 + u * (1 / 1260 + u * (-1 / 1680 + u / 1188)));
  return (a - 0.5) * Math.log(a) - a + 0.5 * Math.log(2 * Math.PI) + series / a;
}

function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, value) => total + value, 0);
}
