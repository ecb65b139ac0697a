/** Student's t distribution, to 14 digits up to 1000 degrees of freedom and 11 at a million. */

/**
 * The t below which a share `p` of the distribution lies.
 *
 * Newton's method on the tail's probability: the tail is convex right of zero, so steps from zero
 * approach the root from the left and never pass it.
 *
 * @param p between 0 and 1, both excluded
 * @param degreesOfFreedom at least 1, not necessarily whole
 */
export function studentTQuantile(p: number, degreesOfFreedom: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`p is ${p}: a number between 0 and 1 is needed`);
  checkDegrees(degreesOfFreedom);
  if (p < 0.5) return -studentTQuantile(1 - p, degreesOfFreedom);
  const tail = 2 * (1 - p);
  const peak = gammaRatio(degreesOfFreedom / 2) / Math.sqrt(Math.PI * degreesOfFreedom);
  let t = 0;
  for (;;) {
    const kernel = -0.5 * (degreesOfFreedom + 1) * Math.log1p((t * t) / degreesOfFreedom);
    const density = peak * Math.exp(kernel);
    const step = (studentTTwoSidedTail(t, degreesOfFreedom) - tail) / (2 * density);
    t += step;
    // Rounding ends the approach: a step that is negligible or turns back.
    if (!(step > 1e-15 * t)) return t;
  }
}

/** P(|T| > |t|): the two-sided p-value of a t statistic. */
export function studentTTwoSidedTail(t: number, degreesOfFreedom: number): number {
  checkDegrees(degreesOfFreedom);
  if (Number.isNaN(t)) throw new RangeError('t is NaN: a number is needed');
  const ratio = (t * t) / degreesOfFreedom;
  if (ratio === Infinity) return 0;
  const a = degreesOfFreedom / 2;
  const x = 1 / (1 + ratio);
  const y = ratio / (1 + ratio); // 1 - x without cancellation
  if (y === 0) return 1;
  // I_x(a, 1/2) = x^a sqrt(y) / (a B(a, 1/2)) times a continued fraction, B = sqrt(pi) / ratio.
  const power = Math.exp(-a * Math.log1p(ratio)) * Math.sqrt(y);
  const factor = (power * gammaRatio(a)) / Math.sqrt(Math.PI);
  if (x < (a + 1) / (a + 2.5)) return (factor / a) * betaFraction(a, 0.5, x);
  return 1 - (factor / 0.5) * betaFraction(0.5, a, y);
}

/** Gamma(a + 1/2) / Gamma(a): Stirling's series where it is exact, brought down by recurrence. */
function gammaRatio(a: number): number {
  if (a < 20) return (gammaRatio(a + 1) * a) / (a + 0.5);
  const u = 1 / (a * a);
  const series = -1 / 8 + u * (1 / 192 + u * (-1 / 640 + u * (17 / 14336 - (u * 31) / 18432)));
  return Math.sqrt(a) * Math.exp(series / a);
}

/**
 * The continued fraction of the incomplete beta function (DLMF 8.17.22) by Lentz's method. It
 * converges for x below (a + 1) / (a + b + 2), in the order of sqrt(max(a, b)) terms.
 */
function betaFraction(a: number, b: number, x: number): number {
  const tiny = 1e-300; // stands in for a zero denominator
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1), tiny);
  let fraction = d;
  for (let m = 1; ; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonZero(1 + even * d, tiny);
    c = nonZero(1 + even / c, tiny);
    fraction *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonZero(1 + odd * d, tiny);
    c = nonZero(1 + odd / c, tiny);
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) return fraction;
  }
}

function nonZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}

function checkDegrees(degreesOfFreedom: number): void {
  if (degreesOfFreedom >= 1 && Number.isFinite(degreesOfFreedom)) return;
  const needed = 'a finite number of at least 1 is needed';
  throw new RangeError(`degreesOfFreedom is ${degreesOfFreedom}: ${needed}`);
}
