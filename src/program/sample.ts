/**
 * The four sampler tables and, for each, the scalar function that is its specification: what every
 * backend computes from the table and one random 32-bit word, without a branch.
 *
 * | sampler | array | length | elements |
 * |---|---|---|---|
 * | A alias | columns: u32 | 2^k, 1 <= k <= 9 | T << k OR alias; `offset` (i32) is added |
 * | Q quantile | f32 | 8192 | a, b for each tail (lower, upper), octave (32 slots), cell (64) |
 * | P pieces | columns: u32 | 2^k, 1 <= k <= 9 | T << k, low bits zero |
 * | | coefficients: f32 | 4 * 2^k | a, b of side 0, then of side 1, for each column |
 * | E equal cells | f32 | 2 n, 1 <= n <= 128 | a, b for each cell |
 *
 * Q uses octave slots 0 to 23; the other slots, and cells that no y reaches, are zero.
 * A column of A or P is split at T, in units of 2^-(32-k) of the column: side 0 is r < T, side 1
 * the rest. T = 0 leaves the whole column to side 1. Q, P and E end in v = a + b x in binary32: x
 * converted, the product rounded, then the sum rounded.
 */

/** Sampler A: an integer outcome in [offset, offset + 2^bits). */
export interface AliasTable {
  readonly bits: number;
  readonly offset: number;
  readonly columns: Uint32Array;
}

/** Sampler P: a mixture of uniform pieces and atoms. */
export interface PiecesTable {
  readonly bits: number;
  readonly columns: Uint32Array;
  readonly coefficients: Float32Array;
}

/** Sampler A: an integer, offset + outcome. */
export function sampleAlias({ bits, offset, columns }: AliasTable, word: number): number {
  const j = word >>> (32 - bits);
  const r = (word << bits) >>> bits;
  const entry = columns[j];
  return offset + (r < entry >>> bits ? j : entry & (columns.length - 1));
}

/** Sampler Q: binary32, from the word's top 24 bits: the tail, then y counted from that tail. */
export function sampleQuantile(table: Float32Array, word: number): number {
  const y = ((word >>> 7) & 0xfffffe) | 1;
  const z = Math.clz32(y);
  const i = ((word >>> 31) << 11) + ((30 - z) << 6) + ((y << z) >>> 25);
  return Math.fround(table[2 * i] + Math.fround(table[2 * i + 1] * y));
}

/** Sampler P: binary32, from all 32 bits. */
export function samplePieces(table: PiecesTable, word: number): number {
  const { bits, columns, coefficients } = table;
  const j = word >>> (32 - bits);
  const r = (word << bits) >>> bits;
  const i = 2 * j + (r < columns[j] >>> bits ? 0 : 1);
  return Math.fround(coefficients[2 * i] + Math.fround(coefficients[2 * i + 1] * Math.fround(r)));
}

/** Sampler E: binary32, from the word's top 24 bits and n cells; t fits 32 unsigned bits. */
export function sampleEqualCells(table: Float32Array, n: number, word: number): number {
  const t = (2 * (word >>> 8) + 1) * n;
  const cell = t >>> 25;
  const fraction = Math.fround(t & 0x1ffffff);
  return Math.fround(table[2 * cell] + Math.fround(table[2 * cell + 1] * fraction));
}
