/** The samplers of src/program/sample.ts: a table, one word, no branch. */
import { gather } from './lanes';

/** Sampler A: an integer outcome, without its offset. */
export function sampleAlias(columns: usize, bits: u32, word: u32): u32 {
  const j = word >> (32 - bits);
  const r = (word << bits) >> bits;
  const entry: u32 = load<u32>(columns + (<usize>j << 2));
  // By masks: the outcome is random, so a processor would often mispredict a branch.
  const taken: u32 = 0 - u32(r < entry >> bits);
  return (j & taken) | (entry & ((1 << bits) - 1) & ~taken);
}

/** As `sampleAlias` for four words, each in the columns from an element of the table on. */
@inline
export function sampleAliases(table: usize, columns: v128, bits: i32, words: v128): v128 {
  const own = i32x4.shr_u(words, 32 - bits);
  const entries = gather(table, i32x4.add(columns, own));
  const other = v128.and(entries, i32x4.splat((1 << bits) - 1));
  const rest = i32x4.shr_u(i32x4.shl(words, bits), bits);
  const isOwn = i32x4.lt_u(rest, i32x4.shr_u(entries, bits));
  return v128.bitselect(own, other, isOwn);
}

/** Sampler Q: f32, from the word's top 24 bits: the tail, then y counted from that tail. */
export function sampleQuantile(table: usize, word: u32): f32 {
  const y: u32 = ((word >> 7) & 0xfffffe) | 1;
  const z: u32 = clz(y);
  const i = ((word >> 31) << 11) + ((30 - z) << 6) + ((y << z) >> 25);
  const cell = table + (<usize>i << 3);
  return load<f32>(cell) + load<f32>(cell, 4) * <f32>y;
}

const OCTAVE_CELLS_LOG2: i32 = 6;
const F32_EXPONENT_BIAS: i32 = 127;
// Below the exponent, a float keeps this many bits that do not choose a cell.
const F32_BITS_BELOW_CELL: i32 = 23 - OCTAVE_CELLS_LOG2;

/** As `sampleQuantile` for four words: y's exponent and top mantissa bits are octave and cell. */
@inline
export function sampleQuantiles(table: usize, words: v128): v128 {
  const odd = i32x4.splat(1);
  const y = v128.or(v128.and(i32x4.shr_u(words, 7), i32x4.splat(0xfffffe)), odd);
  const point = f32x4.convert_i32x4_s(y);
  const tail = i32x4.shl(i32x4.shr_u(words, 31), 11);
  const cell = i32x4.sub(
    i32x4.shr_u(point, F32_BITS_BELOW_CELL),
    i32x4.splat(F32_EXPONENT_BIAS << OCTAVE_CELLS_LOG2),
  );
  return lines(table, i32x4.shl(i32x4.add(tail, cell), 3), point);
}

/** As `sampleEqualCells` for four words; t may pass 31 bits, what is left of it does not. */
@inline
export function sampleEqualCellsLanes(table: usize, n: u32, words: v128): v128 {
  const odd = v128.or(i32x4.shl(i32x4.shr_u(words, 8), 1), i32x4.splat(1));
  const t = i32x4.mul(odd, i32x4.splat(n));
  const offsets = i32x4.shl(i32x4.shr_u(t, 25), 3);
  const point = f32x4.convert_i32x4_s(v128.and(t, i32x4.splat(0x1ffffff)));
  return lines(table, offsets, point);
}

/** a + b x at the cells (a, b) that lie at byte offsets of a table. */
@inline
function lines(table: usize, offsets: v128, x: v128): v128 {
  const first = cellPair(table, i32x4.extract_lane(offsets, 0), i32x4.extract_lane(offsets, 1));
  const second = cellPair(table, i32x4.extract_lane(offsets, 2), i32x4.extract_lane(offsets, 3));
  const a = v128.shuffle<f32>(first, second, 0, 2, 4, 6);
  const b = v128.shuffle<f32>(first, second, 1, 3, 5, 7);
  return f32x4.add(a, f32x4.mul(b, x));
}

/** Two cells (a, b) at byte offsets of a table. */
@inline
function cellPair(table: usize, first: usize, second: usize): v128 {
  return v128.load64_lane(table + second, v128.load64_zero(table + first), 1);
}

/** Sampler P: f32, from all 32 bits. */
export function samplePieces(columns: usize, coefficients: usize, bits: u32, word: u32): f32 {
  const j = word >> (32 - bits);
  const r = (word << bits) >> bits;
  const side = u32(r >= load<u32>(columns + (<usize>j << 2)) >> bits);
  const piece = coefficients + (<usize>(2 * j + side) << 3);
  return load<f32>(piece) + load<f32>(piece, 4) * <f32>r;
}

/** Sampler E: f32, from the word's top 24 bits and n cells; t fits 32 unsigned bits. */
export function sampleEqualCells(table: usize, n: u32, word: u32): f32 {
  const t: u32 = (((word >> 8) << 1) | 1) * n;
  const cell = table + (<usize>(t >> 25) << 3);
  return load<f32>(cell) + load<f32>(cell, 4) * <f32>(t & 0x1ffffff);
}
