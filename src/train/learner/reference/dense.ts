/**
 * Sums in their one order. A chunk is 64 rows; its arrays lie [feature][row], and rows beyond a
 * batch's end are zeros. A sum of products runs over its index from its start on, ascending.
 */
const f = Math.fround;

/** Rows of a chunk. */
export const ROWS = 64;
/** Partial sums of a reduction: element i goes to number i mod 16. */
const LANES = 16;

/** A matrix within an array: element (i, j) is `data[at + i · row + j · column]`. */
export interface Matrix {
  readonly data: Float32Array;
  readonly at: number;
  readonly row: number;
  readonly column: number;
}

export const matrix = (data: Float32Array, row: number, column: number, at = 0): Matrix => ({
  data,
  at,
  row,
  column,
});

/**
 * c[i][j] = start[i] + Σ over q of a(i, q) · b(q, j), for m × n elements of k products; without
 * `start`, from 0. With `adds`, the sum is added to what c holds. c is [m][ldc] from `at` on.
 */
export function multiply(
  [m, n, k]: readonly [number, number, number],
  a: Matrix,
  b: Matrix,
  start: { readonly data: Float32Array; readonly at: number } | null,
  c: { readonly data: Float32Array; readonly at: number; readonly row: number },
  adds = false,
): void {
  const whole = n - (n % 8);
  for (let i = 0; i < m; i++) {
    const first = start === null ? 0 : start.data[start.at + i];
    const left = a.at + i * a.row;
    const to = c.at + i * c.row;
    for (let j = 0; j < whole; j += 8) {
      sumEight(k, a, left, b, b.at + j * b.column, first, c.data, to + j, adds);
    }
    for (let j = whole; j < n; j++) {
      let sum = first;
      for (let q = 0, p = left, r = b.at + j * b.column; q < k; q++, p += a.column, r += b.row) {
        sum = f(sum + f(a.data[p] * b.data[r]));
      }
      c.data[to + j] = adds ? f(c.data[to + j] + sum) : sum;
    }
  }
}

/** Eight neighbours of a row, side by side: what keeps a JavaScript engine busy. */
function sumEight(
  k: number,
  a: Matrix,
  left: number,
  b: Matrix,
  right: number,
  first: number,
  out: Float32Array,
  to: number,
  adds: boolean,
): void {
  const { data: x, column } = a;
  const { data: y, row, column: d } = b;
  const start = f(first);
  let [s0, s1, s2, s3] = [start, start, start, start];
  let [s4, s5, s6, s7] = [start, start, start, start];
  for (let q = 0, p = left, r = right; q < k; q++, p += column, r += row) {
    const v = x[p];
    s0 = f(s0 + f(v * y[r]));
    s1 = f(s1 + f(v * y[r + d]));
    s2 = f(s2 + f(v * y[r + 2 * d]));
    s3 = f(s3 + f(v * y[r + 3 * d]));
    s4 = f(s4 + f(v * y[r + 4 * d]));
    s5 = f(s5 + f(v * y[r + 5 * d]));
    s6 = f(s6 + f(v * y[r + 6 * d]));
    s7 = f(s7 + f(v * y[r + 7 * d]));
  }
  if (adds) {
    out[to] = f(out[to] + s0);
    out[to + 1] = f(out[to + 1] + s1);
    out[to + 2] = f(out[to + 2] + s2);
    out[to + 3] = f(out[to + 3] + s3);
    out[to + 4] = f(out[to + 4] + s4);
    out[to + 5] = f(out[to + 5] + s5);
    out[to + 6] = f(out[to + 6] + s6);
    out[to + 7] = f(out[to + 7] + s7);
    return;
  }
  out[to] = s0;
  out[to + 1] = s1;
  out[to + 2] = s2;
  out[to + 3] = s3;
  out[to + 4] = s4;
  out[to + 5] = s5;
  out[to + 6] = s6;
  out[to + 7] = s7;
}

const lanes = new Float32Array(LANES);

/** The sum of a chunk's row of 64 numbers: 16 lanes, whose halves are then added. */
export function sumRows(data: Float32Array, at: number): number {
  lanes.fill(0);
  for (let i = 0; i < ROWS; i++) lanes[i % LANES] += data[at + i];
  return sumLanes();
}

/** The sum of squares, likewise; what follows the last whole 16 is added one by one. */
export function sumSquares(data: Float32Array): number {
  const whole = data.length - (data.length % LANES);
  lanes.fill(0);
  for (let i = 0; i < whole; i++) lanes[i % LANES] = f(lanes[i % LANES] + f(data[i] * data[i]));
  let sum = sumLanes();
  for (let i = whole; i < data.length; i++) sum = f(sum + f(data[i] * data[i]));
  return sum;
}

function sumLanes(): number {
  for (let half = LANES / 2; half >= 1; half /= 2) {
    for (let j = 0; j < half; j++) lanes[j] += lanes[j + half];
  }
  return lanes[0];
}
