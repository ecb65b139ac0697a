/**
 * exp, log and tanh in binary32: additions, products, one quotient, comparisons and bits, each
 * rounded once, so that they are the same on every machine and in every lane of a register.
 * `crates/core/src/dense/math.rs` computes the same operations. Largest errors found over a sample
 * of the arguments: exp 0.99 ulp, log 0.82, tanh 2.51.
 */
const f = Math.fround;

/** Adding it rounds a number below 2^22 to an integer, which its low bits then hold. */
const MAGIC = 12582912;
const LOG2_E = f(1.44269504);
/** ln 2 in two parts, of which the first has few bits: n · LN2_HIGH is exact. */
const LN2_HIGH = f(0.693359375);
const LN2_LOW = f(-2.1219444e-4);
const ONE_BITS = 0x3f800000;
const SQRT_HALF_BITS = 0x3f3504f3;
const EXP_MIN = -87;
const EXP_MAX = 88;
/** From here on tanh rounds to 1. */
const TANH_MAX = f(9.1);

/** (exp r − 1 − r) / r² for |r| ≤ ½ ln 2, lowest power first: a minimax fit. */
const EXP = Float32Array.of(
  0.5,
  0.16666512191295624,
  0.0416661873459816,
  0.008369598537683487,
  0.0013951717410236597,
);
/** (log(1 + t) − t + ½ t²) / t³ for 1 + t in [√½, √2): a minimax fit. */
const LOG = Float32Array.of(
  0.3333331346511841,
  -0.25000008940696716,
  0.2000211924314499,
  -0.16667994856834412,
  0.14219549298286438,
  -0.12405594438314438,
  0.11888189613819122,
  -0.11675629764795303,
  0.06746554374694824,
);

const floats = new Float32Array(1);
const words = new Int32Array(floats.buffer);

function bitsOf(x: number): number {
  floats[0] = x;
  return words[0];
}

function ofBits(bits: number): number {
  words[0] = bits;
  return floats[0];
}

/** Horner's rule from the highest power down. */
function polynomial(coefficients: Float32Array, x: number): number {
  let y = coefficients[coefficients.length - 1];
  for (let i = coefficients.length - 2; i >= 0; i--) y = f(f(y * x) + coefficients[i]);
  return y;
}

/** x within low .. high. */
export function clip(x: number, low: number, high: number): number {
  const y = low > x ? low : x;
  return y > high ? high : y;
}

/** x / ln 2 rounded to an integer, which the low bits hold. */
const shift = (x: number): number => f(f(x * LOG2_E) + MAGIC);
/** Two to the power of that integer. */
const power = (shifted: number): number => ofBits((bitsOf(shifted) << 23) + ONE_BITS);

/** exp(x − n ln 2) − 1 for that integer n. */
function rest(x: number, shifted: number): number {
  const n = f(shifted - MAGIC);
  const r = f(f(x - f(n * LN2_HIGH)) - f(n * LN2_LOW));
  return f(f(f(r * r) * polynomial(EXP, r)) + r);
}

/** e^x of x clipped to −87 .. 88, so never 0, subnormal or infinite. */
export function exp(x: number): number {
  const clipped = clip(x, EXP_MIN, EXP_MAX);
  const shifted = shift(clipped);
  return f(f(rest(clipped, shifted) + 1) * power(shifted));
}

/** The natural logarithm of a positive, normal, finite x. */
export function log(x: number): number {
  const bits = bitsOf(x);
  const exponent = (bits - SQRT_HALF_BITS) >> 23;
  const t = f(ofBits(bits - (exponent << 23)) - 1);
  const square = f(t * t);
  const high = f(f(f(square * t) * polynomial(LOG, t)) + f(exponent * LN2_LOW));
  const rest = f(high - f(square * 0.5));
  return f(f(t + rest) + f(exponent * LN2_HIGH));
}

/** By exp(2|x|) − 1 = y: y / (y + 2), with the sign of x. */
export function tanh(x: number): number {
  const size = x < 0 ? -x : x;
  const doubled = f(2 * (size > TANH_MAX ? TANH_MAX : size));
  const shifted = shift(doubled);
  const scale = power(shifted);
  const y = f(f(rest(doubled, shifted) * scale) + f(scale - 1));
  const quotient = f(y / f(y + 2));
  return x < 0 ? -quotient : quotient;
}

/** Wichura's AS 241, PPND7: numerator and denominator for |p − ½| ≤ 0.425, and for the tails. */
const CENTRE_ABOVE = Float32Array.of(3.3871327179, 50.434271938, 159.29113202, 59.10937472);
const CENTRE_BELOW = Float32Array.of(1, 17.895169469, 78.757757664, 67.1875636);
const TAIL_ABOVE = Float32Array.of(1.4234372777, 2.75681539, 1.3067284816, 0.17023821103);
const TAIL_BELOW = Float32Array.of(1, 0.737001642, 0.12021132975);
const CENTRE = f(0.425);
const CENTRE_SQUARE = f(0.180625);
const TAIL_START = f(1.6);

/** A word as a number in (0, 1) with 24 bits, which is as far from 0 as from 1. */
const between = (word: number): number => ((word >>> 9) + 0.5) / 8388608;

/** The standard normal number of a 32-bit word, by the quantile function; at most 5.3 in size. */
export function normal(word: number): number {
  const p = between(word);
  const q = p - 0.5;
  if ((q < 0 ? -q : q) <= CENTRE) {
    const r = f(CENTRE_SQUARE - f(q * q));
    return f(f(q * polynomial(CENTRE_ABOVE, r)) / polynomial(CENTRE_BELOW, r));
  }
  const r = f(f(Math.sqrt(-log(q < 0 ? p : 1 - p))) - TAIL_START);
  const size = f(polynomial(TAIL_ABOVE, r) / polynomial(TAIL_BELOW, r));
  return q < 0 ? -size : size;
}
