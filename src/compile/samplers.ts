/**
 * Builders of the four sampler tables; their layouts and the functions that read them are in
 * sample.ts, exported from here too.
 */
import { exp, normalQuantile, type Tail } from '../program/math.js';
import type { AliasTable, PiecesTable } from '../program/sample.js';

export * from '../program/sample.js';

const WORD_RANGE = 0x100000000;
const MAX_COLUMN_BITS = 9;
const MAX_COLUMNS = 1 << MAX_COLUMN_BITS;

/** Floats of a quantile table: 2 tails x 32 octave slots x 64 cells x (a, b). */
export const QUANTILE_TABLE_LENGTH = 8192;
/** Most cells of an equal-cells table: (2 u + 1) n < 2^32 for every 24-bit u. */
const MAX_EQUAL_CELLS = 128;

/** One component of a mixture: uniform on [lo, hi], an atom where lo = hi. */
export interface Piece {
  /** Non-negative; pieces' weights are normalised. */
  readonly weight: number;
  readonly lo: number;
  readonly hi: number;
}

/** A quantile function by tail: p in (0, 1/2) counted from that tail. */
type QuantileFunction = (tail: Tail, p: number) => number;

// ---------------------------------------------------------------------------------------------
// A: alias tables.

/**
 * Integers in proportion to the weights that sum to 2^32, by largest remainder (ties: the lower
 * index first). Weights are first taken to 53 bits of the largest; the rest is exact.
 */
function apportion(weights: readonly number[]): number[] {
  let largest = 0;
  weights.forEach((weight, i) => {
    if (!(weight >= 0 && weight < Infinity)) {
      throw new RangeError(`weight ${i} is ${weight}; it must be finite and not negative`);
    }
    largest = weight > largest ? weight : largest;
  });
  if (largest === 0) throw new RangeError('at least one weight must be positive');
  const exact = weights.map((weight) => BigInt(Math.floor((weight / largest) * 0x20000000000000)));
  const total = exact.reduce((sum, weight) => sum + weight, 0n);
  const counts = exact.map((weight) => Number((weight << 32n) / total));
  const remainders = exact.map((weight) => (weight << 32n) % total);
  const missing = WORD_RANGE - counts.reduce((sum, count) => sum + count, 0);
  const order = remainders.map((_, i) => i);
  order.sort((i, j) =>
    remainders[i] === remainders[j] ? i - j : remainders[i] > remainders[j] ? -1 : 1,
  );
  for (const i of order.slice(0, missing)) counts[i] += 1;
  return counts;
}

/** The k asked for, or the least that gives every outcome a column; checked either way. */
function columnBits(outcomes: number, asked: number | undefined): number {
  const least = outcomes <= 2 ? 1 : 32 - Math.clz32(outcomes - 1);
  const bits = asked ?? least;
  if (outcomes > MAX_COLUMNS) {
    throw new RangeError(`${outcomes} outcomes do not fit the ${MAX_COLUMNS} columns of a table`);
  }
  if (!(Number.isInteger(bits) && bits >= least && bits <= MAX_COLUMN_BITS)) {
    throw new RangeError(
      `bits is ${bits}; ${outcomes} outcomes need an integer in [${least}, ${MAX_COLUMN_BITS}]`,
    );
  }
  return bits;
}

/** A column: `first` holds r < threshold, `second` the rest; threshold 0 when it is not split. */
interface Column {
  threshold: number;
  first: number;
  second: number;
}

/** Walker's alias method in Vose's order, exact in integers: column j's `first` is j. */
function splitColumns(weights: readonly number[], bits: number): Column[] {
  const size = 1 << bits;
  const capacity = WORD_RANGE / size;
  const left = apportion(weights);
  while (left.length < size) left.push(0);
  const columns = left.map((_, j): Column => ({ threshold: 0, first: j, second: j }));
  const small = columns.flatMap((_, j) => (left[j] < capacity ? [j] : []));
  const large = columns.flatMap((_, j) => (left[j] > capacity ? [j] : []));
  for (let j = small.pop(); j !== undefined; j = small.pop()) {
    const donor = large[large.length - 1];
    columns[j] = { threshold: left[j], first: j, second: donor };
    left[donor] -= capacity - left[j];
    if (left[donor] <= capacity) large.pop();
    if (left[donor] < capacity) small.push(donor);
  }
  return columns;
}

/**
 * Sampler A's table for outcomes offset, offset + 1, … with the given weights. The distribution
 * differs from the weights' by at most n 2^-33 in total variation; weight zero never occurs.
 *
 * @param weights 1 to 2^bits finite, non-negative numbers, not all zero; normalised here
 * @param offset integer added to the outcome's index, default 0
 * @param bits k, columns = 2^k, in [1, 9]; default: the least that fits
 * @throws RangeError naming the offending weight, offset or bits
 */
export function buildAlias(weights: readonly number[], offset = 0, bits?: number): AliasTable {
  if ((offset | 0) !== offset) throw new RangeError(`offset is ${offset}; it must be an i32`);
  const k = columnBits(weights.length, bits);
  const columns = splitColumns(weights, k);
  return {
    bits: k,
    offset,
    columns: Uint32Array.from(columns, ({ threshold, second }) => threshold * (1 << k) + second),
  };
}

/**
 * Poisson probabilities, by the recurrence p(n + 1) = p(n) mean / (n + 1) away from the mode and
 * normalised; terms below 2^-40 of the mode's are left out.
 *
 * @returns `probabilities[i]` is that of offset + i
 * @throws RangeError unless mean >= 0 and what remains fits 512 columns (mean up to about 1,200)
 */
export function poissonProbabilities(mean: number): { offset: number; probabilities: number[] } {
  if (!(mean >= 0 && mean < 1e6)) {
    throw new RangeError(`Poisson mean is ${mean}; it must be finite, >= 0 and below 1e6`);
  }
  const least = 1 / 0x10000000000;
  const mode = Math.floor(mean);
  const above: number[] = [];
  for (let n = mode, p = 1; p >= least; n++, p = (p * mean) / n) above.push(p);
  const below: number[] = [];
  for (let n = mode, p = n / mean; n > 0 && p >= least; n--, p = (p * n) / mean) below.push(p);
  const terms = [...below.reverse(), ...above];
  if (terms.length > MAX_COLUMNS) {
    throw new RangeError(
      `Poisson mean ${mean} needs ${terms.length} columns; the table has ${MAX_COLUMNS}`,
    );
  }
  const total = terms.reduce((sum, term) => sum + term, 0);
  return { offset: mode - below.length, probabilities: terms.map((term) => term / total) };
}

// ---------------------------------------------------------------------------------------------
// Q: quantile tables.

/** A number as binary32, -0 as 0; refused when it is not finite there. */
function single(name: string, value: number): number {
  const rounded = Math.fround(value);
  if (!(rounded - rounded === 0)) {
    throw new RangeError(`${name} is ${value}; it must be finite in binary32`);
  }
  return rounded + 0;
}

/**
 * The mean of f over the `count` equally spaced points first, first + 2, …: the three-point Gauss
 * rule of that discrete measure, exact to degree 5 (and for up to three points, whatever f is).
 */
function meanOverOdd(f: (y: number) => number, first: number, count: number): number {
  const centre = first + count - 1;
  if (count === 1) return f(centre);
  const inverse = 1 / (count * count);
  const moment2 = (1 - inverse) / 3;
  const moment4 = (moment2 * (3 - 7 * inverse)) / 5;
  const reach = count * Math.sqrt(moment4 / moment2);
  const weight = (moment2 * moment2) / (2 * moment4);
  return weight * (f(centre - reach) + f(centre + reach)) + (1 - 2 * weight) * f(centre);
}

/**
 * Sampler Q's table. The word's tail bit and 23 more give an odd y < 2^24 and p = y / 2^25 from
 * that tail: the midpoints of 2^24 equal cells of (0, 1). Each table cell holds the chord through
 * its first and last y, shifted so that the cell's mean is that of the quantile function.
 * Values are not strictly monotone in p, and clamps belong after the look-up.
 *
 * @throws RangeError naming tail and y when the function is not finite in binary32 there
 */
export function buildQuantile(quantile: QuantileFunction): Float32Array {
  const table = new Float32Array(QUANTILE_TABLE_LENGTH);
  for (const tail of ['lower', 'upper'] as const) {
    const f = (y: number): number => quantile(tail, y / 0x2000000);
    for (let slot = 0; slot < 24 * 64; slot++) {
      const unit = (1 << (slot >>> 6)) / 64;
      const start = Math.ceil((64 + (slot & 63)) * unit);
      const end = Math.ceil((65 + (slot & 63)) * unit);
      const first = start | 1;
      if (first >= end) continue;
      const count = (end - first + 1) >>> 1;
      const last = first + 2 * count - 2;
      const name = `quantile(${tail}, ${first} / 2^25)`;
      const b = count === 1 ? 0 : single(name, (f(last) - f(first)) / (last - first));
      const a = single(name, meanOverOdd(f, first, count) - b * (first + count - 1));
      const i = (tail === 'lower' ? 0 : 2048) + slot;
      table[2 * i] = a;
      table[2 * i + 1] = b;
    }
  }
  return table;
}

function requireFinite(name: string, value: number, least: number): void {
  if (!(value >= least && value < Infinity)) {
    throw new RangeError(`${name} is ${value}; it must be finite and >= ${least}`);
  }
}

/** Q table of the factor 1 + std z, z standard normal; |z| <= 5.42. std >= 0. */
export function normalFactorTable(std: number): Float32Array {
  requireFinite('std', std, 0);
  return buildQuantile((tail, p) => 1 + std * normalQuantile(tail, p));
}

/** Q table of exp(mu + sigma z), z standard normal, sigma >= 0, within binary32's range. */
export function lognormalTable(mu: number, sigma: number): Float32Array {
  requireFinite('mu', mu, -Number.MAX_VALUE);
  requireFinite('sigma', sigma, 0);
  if (Math.abs(mu) + 5.42 * sigma > 87) {
    throw new RangeError(`mu is ${mu}, sigma ${sigma}; |mu| + 5.42 sigma must not exceed 87`);
  }
  return buildQuantile((tail, p) => exp(mu + sigma * normalQuantile(tail, p)));
}

/** Q table of the uniform distribution on [lo, hi], lo <= hi. */
export function uniformTable(lo: number, hi: number): Float32Array {
  requireFinite('lo', lo, -Number.MAX_VALUE);
  requireFinite('hi', hi, lo);
  return buildQuantile((tail, p) => (tail === 'lower' ? lo + (hi - lo) * p : hi - (hi - lo) * p));
}

// ---------------------------------------------------------------------------------------------
// P and E: uniform pieces.

/**
 * a and b in binary32 so that a + b x runs over [lo, hi] while x runs over [start, end]. Where
 * rounding would leave the interval at an end, the line is shrunk about its middle until it stays
 * inside, so the support holds exactly and no clamp is needed.
 */
function lineWithin(lo: number, hi: number, start: number, end: number): [a: number, b: number] {
  const bottom = Math.fround(lo);
  const top = Math.fround(hi);
  const at = (a: number, b: number, x: number): number =>
    Math.fround(a + Math.fround(b * Math.fround(x)));
  for (let shrink = 0; ; shrink = shrink === 0 ? 1 / 0x800000 : 2 * shrink) {
    const b = Math.fround(((hi - lo) * (1 - shrink)) / (end - start));
    const a = Math.fround(0.5 * (lo + hi) - 0.5 * b * (start + end)) + 0;
    if (at(a, b, Math.ceil(start)) >= bottom && at(a, b, Math.floor(end)) <= top) return [a, b];
  }
}

function requireInterval(name: string, lo: number, hi: number): void {
  single(`the start of ${name}`, lo);
  single(`the end of ${name}`, hi);
  if (lo > hi) throw new RangeError(`${name} runs from ${lo} to ${hi}; it must not decrease`);
}

/**
 * Sampler P's table. The residual r places the value inside its piece: uniform over the whole of
 * it on either side of a column. The narrower side of a split column is put first, where r is
 * small: so a and b never cancel by more than the piece's length, however thin the side.
 *
 * @param pieces 1 to 512; values stay within the binary32 lo and hi
 * @param bits as for {@link buildAlias}
 * @throws RangeError naming the offending piece or weight
 */
export function buildPieces(pieces: readonly Piece[], bits?: number): PiecesTable {
  for (const [i, { lo, hi }] of pieces.entries()) requireInterval(`piece ${i}`, lo, hi);
  const k = columnBits(pieces.length, bits);
  const size = 1 << k;
  const capacity = WORD_RANGE / size;
  const columns = new Uint32Array(size);
  const coefficients = new Float32Array(4 * size);
  const weights = pieces.map(({ weight }) => weight);
  splitColumns(weights, k).forEach(({ threshold, first, second }, j) => {
    const swap = threshold > capacity / 2;
    const split = swap ? capacity - threshold : threshold;
    const sides = swap ? [second, first] : [first, second];
    columns[j] = split * size;
    sides.forEach((index, side) => {
      const [start, end] = side === 0 ? [0, split] : [split, capacity];
      if (start === end) return;
      const { lo, hi } = pieces[index];
      coefficients.set(lineWithin(lo, hi, start - 0.5, end - 0.5), 4 * j + 2 * side);
    });
  });
  return { bits: k, columns, coefficients };
}

/**
 * Fewer, equally likely intervals for a piecewise linear quantile function given at equally
 * spaced probabilities. Each keeps the mean of its share and stays inside its range, uniform from
 * the end with more mass; what is lost is the far end (the maximum, in a heavy upper tail).
 *
 * @param knots n + 1 values, not decreasing, at probabilities 0, 1/n, …, 1
 * @param cells 1 to n; with cells = n the intervals are the knots' own
 */
export function mergeCells(
  knots: readonly number[],
  cells: number,
): { readonly lo: number; readonly hi: number }[] {
  const n = knots.length - 1;
  if (!(n >= 1)) throw new RangeError(`${knots.length} knots given; at least 2 are needed`);
  if (!(Number.isInteger(cells) && cells >= 1 && cells <= n)) {
    throw new RangeError(`cells is ${cells}; ${n + 1} knots allow an integer in [1, ${n}]`);
  }
  for (let i = 0; i < n; i++) requireInterval(`cell ${i}`, knots[i], knots[i + 1]);
  // Positions are counted in units of 1 / (n cells), in which all ends are integers.
  const valueAt = (position: number): number => {
    const i = Math.floor(position / cells);
    const fraction = (position - i * cells) / cells;
    return fraction === 0 ? knots[i] : knots[i] + fraction * (knots[i + 1] - knots[i]);
  };
  return Array.from({ length: cells }, (_, cell) => {
    const end = (cell + 1) * n;
    let doubleSum = 0;
    for (let from = cell * n; from < end; ) {
      const next = (Math.floor(from / cells) + 1) * cells;
      const to = next < end ? next : end;
      doubleSum += (to - from) * (valueAt(from) + valueAt(to));
      from = to;
    }
    const doubleMean = doubleSum / n;
    const lo = valueAt(cell * n);
    const hi = valueAt(end);
    if (cells === n || doubleMean === lo + hi) return { lo, hi };
    // Rounding may put the other end an ulp past this one; a share that flat is an atom.
    if (doubleMean > lo + hi) return { lo: doubleMean - hi < hi ? doubleMean - hi : hi, hi };
    return { lo, hi: doubleMean - lo > lo ? doubleMean - lo : lo };
  });
}

/**
 * Sampler E's table for a piecewise linear quantile function. More than 128 cells do not fit its
 * 32-bit arithmetic and are merged to 128 by {@link mergeCells}; n is half the table's length.
 *
 * @param knots n + 1 values, not decreasing, at probabilities 0, 1/n, …, 1
 * @throws RangeError naming the offending cell
 */
export function buildEqualCells(knots: readonly number[]): Float32Array {
  const n = knots.length - 1;
  const cells = mergeCells(knots, n < MAX_EQUAL_CELLS ? n : MAX_EQUAL_CELLS);
  const table = new Float32Array(2 * cells.length);
  cells.forEach(({ lo, hi }, i) => {
    table.set(lineWithin(lo, hi, 0, 0x2000000), 2 * i);
  });
  return table;
}
