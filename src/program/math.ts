/**
 * The compiler's own exp, log, pow, normal quantile and sine / cosine of a turn.
 *
 * `Math.exp` and its like differ between engines in the last bit, and one such bit in a table
 * breaks the promise of equal bytes. These use only + - * /, comparisons, correctly rounded
 * square roots and bit access, so every conforming host computes the same doubles.
 *
 * Manner: reduce the argument with a constant split in two (fdlibm), then sum the plain Taylor
 * series, long enough that truncation is far below rounding: no fitted coefficient to trust.
 * Errors (measured against 60-digit values): exp and log below 1 ulp, sine and cosine below 2,
 * the normal quantile below 6.
 */

/** ln 2 in two parts; the high one has 33 bits, so k * LN2_HIGH is exact for |k| < 2^20. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const TWO_PI = 6.283185307179586;
const SQRT_2 = 1.4142135623730951;
const TWO_POW_54 = 18014398509481984;

/** exp's range: beyond it the result would not be a normal double. */
const EXP_MIN = -708;
const EXP_MAX = 709;

const bits = new DataView(new ArrayBuffer(8));

/** 2^k for -1022 <= k <= 1023, exactly. */
function powerOfTwo(k: number): number {
  bits.setUint32(0, (k + 1023) << 20);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}

/** c[0] + c[1] x + c[2] x^2 + …, by Horner's rule. */
function polynomial(c: readonly number[], x: number): number {
  let sum = 0;
  for (let i = c.length - 1; i >= 0; i--) sum = sum * x + c[i];
  return sum;
}

/** `count` coefficients, the first given, each the one before times `ratio(i)`. */
function series(count: number, first: number, ratio: (i: number) => number): readonly number[] {
  const c = [first];
  for (let i = 1; i < count; i++) c.push(c[i - 1] * ratio(i));
  return c;
}

/** (e^r - 1 - r) / r^2 = 1/2! + r/3! + …; 13 terms leave 2e-19 at |r| = ln 2 / 2. */
const EXP_TAIL = series(13, 0.5, (i) => 1 / (i + 2));
/** 2 artanh(s) / s - 2 = z (2/3 + 2/5 z + …), z = s^2 < 0.0295; 11 terms leave 1e-19. */
const ARTANH_TAIL = Array.from({ length: 11 }, (_, i) => 2 / (2 * i + 3));
/** (cos t - 1) / t^2 and (sin t - t) / t^3 in powers of t^2, for |t| <= pi / 4. */
const COS_TAIL = series(9, -0.5, (i) => -1 / ((2 * i + 1) * (2 * i + 2)));
const SIN_TAIL = series(9, -1 / 6, (i) => -1 / ((2 * i + 2) * (2 * i + 3)));

/**
 * e^x within 1 ulp.
 * @throws RangeError unless -708 <= x <= 709, where the result is a normal double.
 */
export function exp(x: number): number {
  if (!(x >= EXP_MIN && x <= EXP_MAX)) {
    throw new RangeError(`exp(${x}): x must lie in [${EXP_MIN}, ${EXP_MAX}]`);
  }
  const k = Math.floor(x / (LN2_HIGH + LN2_LOW) + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  // The rounded r serves the tail only; the leading term keeps both of its parts.
  return (1 + (high - (low - r * r * polynomial(EXP_TAIL, r)))) * powerOfTwo(k);
}

/**
 * Natural logarithm within 1 ulp.
 * @throws RangeError unless x is positive and finite.
 */
export function log(x: number): number {
  if (!(x > 0 && x < Infinity)) {
    throw new RangeError(`log(${x}): x must be positive and finite`);
  }
  const isSubnormal = x < 2.2250738585072014e-308;
  bits.setFloat64(0, isSubnormal ? x * TWO_POW_54 : x);
  const top = bits.getUint32(0);
  let k = (top >>> 20) - (isSubnormal ? 1077 : 1023);
  bits.setUint32(0, (top & 0xfffff) | 0x3ff00000);
  let m = bits.getFloat64(0);
  if (m > SQRT_2) {
    m = m * 0.5;
    k = k + 1;
  }
  // With s = f / (2 + f): log(1 + f) = 2 artanh s = f - (h - s (h + R)), h = f^2 / 2, whose
  // leading terms f and h are exact or nearly so.
  const f = m - 1;
  const s = f / (2 + f);
  const z = s * s;
  const h = 0.5 * f * f;
  const rest = s * (h + z * polynomial(ARTANH_TAIL, z));
  return k === 0 ? f - (h - rest) : k * LN2_HIGH - (h - (rest + k * LN2_LOW) - f);
}

/**
 * x^y = exp(y log x) for x >= 0; exact or correctly rounded where y is -1, 0, 0.5, 1 or 2 or x is
 * 0 or 1. Elsewhere the relative error is about |y log x| 2^-53 on top of exp's.
 * @throws RangeError when x is negative or not finite, y is not finite, x = 0 with y < 0, or the
 * result is not a normal double.
 */
export function pow(x: number, y: number): number {
  if (!(x >= 0 && x < Infinity) || !(y - y === 0) || (x === 0 && y < 0)) {
    throw new RangeError(`pow(${x}, ${y}): needs finite x >= 0 and finite y, and x > 0 if y < 0`);
  }
  if (y === 0 || x === 1) return 1;
  if (y === 1 || x === 0) return x;
  if (y === 0.5) return Math.sqrt(x);
  const exponent = y * log(x);
  if (!(exponent >= EXP_MIN && exponent <= EXP_MAX)) {
    throw new RangeError(`pow(${x}, ${y}): the result is not a normal double`);
  }
  if (y === 2) return x * x;
  if (y === -1) return 1 / x;
  return exp(exponent);
}

/** cos(2 pi a) for 0 <= a <= 1/2; every reduction is exact. */
function cosOfHalfTurn(a: number): number {
  if (a > 0.25) return -cosOfHalfTurn(0.5 - a);
  const t = TWO_PI * (a > 0.125 ? 0.25 - a : a);
  const t2 = t * t;
  return a > 0.125 ? t + t * t2 * polynomial(SIN_TAIL, t2) : 1 + t2 * polynomial(COS_TAIL, t2);
}

/** sin(2 pi a) for 0 <= a <= 1/4, keeping the relative precision of a small a. */
function sinOfQuarterTurn(a: number): number {
  const t = TWO_PI * (a > 0.125 ? 0.25 - a : a);
  const t2 = t * t;
  return a > 0.125 ? 1 + t2 * polynomial(COS_TAIL, t2) : t + t * t2 * polynomial(SIN_TAIL, t2);
}

/** x less the nearest whole number, exactly: in [-1/2, 1/2]. */
function turnFraction(name: string, x: number): number {
  if (!(x > -Infinity && x < Infinity)) throw new RangeError(`${name}(${x}): x must be finite`);
  return x - Math.floor(x + 0.5);
}

/**
 * Cosine of `x` turns, cos(2 pi x), within 2 ulp.
 * @throws RangeError unless x is finite.
 */
export function cos2pi(x: number): number {
  return cosOfHalfTurn(Math.abs(turnFraction('cos2pi', x)));
}

/**
 * Sine of `x` turns, sin(2 pi x), within 2 ulp.
 * @throws RangeError unless x is finite.
 */
export function sin2pi(x: number): number {
  const fraction = turnFraction('sin2pi', x);
  const a = Math.abs(fraction);
  const sine = sinOfQuarterTurn(a > 0.25 ? 0.5 - a : a);
  return fraction < 0 ? 0 - sine : sine;
}

/** Numerator and denominator of one of AS 241's three rational functions. */
type Rational = readonly [readonly number[], readonly number[]];

const CENTRAL: Rational = [
  [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946,
    45921.95393154987, 67265.7709270087, 33430.57558358813, 2509.0809287301227,
  ],
  [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597,
    39307.89580009271, 28729.085735721943, 5226.495278852854,
  ],
];
const MIDDLE: Rational = [
  [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045,
    1.2704582524523684, 0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008,
    0.015198666563616457, 0.0005475938084995345, 1.0507500716444169e-9,
  ],
];
const FAR: Rational = [
  [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487,
    0.026532189526576124, 0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
  ],
  [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
    1.8463183175100548e-5, 1.421511758316446e-7, 2.0442631033899397e-15,
  ],
];

function ratio([numerator, denominator]: Rational, r: number): number {
  return polynomial(numerator, r) / polynomial(denominator, r);
}

/**
 * The standard normal's quantile at lower-tail probability p, 0 < p <= 1/2; never positive.
 * Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988).
 * @throws RangeError unless 0 < p <= 1/2.
 */
export function normalTail(p: number): number {
  if (!(p > 0 && p <= 0.5)) throw new RangeError(`normalTail(${p}): p must lie in (0, 0.5]`);
  const q = p - 0.5;
  if (q >= -0.425) return q * ratio(CENTRAL, 0.180625 - q * q);
  const r = Math.sqrt(-log(p));
  return r <= 5 ? -ratio(MIDDLE, r - 1.6) : -ratio(FAR, r - 5);
}

/** Which end of a distribution a probability is counted from. */
export type Tail = 'lower' | 'upper';

/**
 * The standard normal's quantile at probability p counted from the given end, 0 < p <= 1/2. The
 * upper half follows by symmetry, so 1 - p, which would lose a small p, is never formed.
 * @throws RangeError unless 0 < p <= 1/2.
 */
export function normalQuantile(tail: Tail, p: number): number {
  const z = normalTail(p);
  return tail === 'lower' ? z : 0 - z;
}
