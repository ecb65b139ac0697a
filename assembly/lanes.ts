/**
 * Four environments side by side: f32 and words in one register, f64 in two, a pair of
 * environments in each. `pmax(c, x)` is x > c ? x : c and `pmin(c, x)` is x < c ? x : c, NaN and
 * signed zeros included, as the scalar steps write them.
 */
import { Channels } from './channels';
import { LANES } from './state';

/** Elements of a table of 32-bit numbers. */
@inline
export function gather(table: usize, at: v128): v128 {
  const offsets = i32x4.shl(at, 2);
  const one = v128.load32_zero(table + i32x4.extract_lane(offsets, 0));
  const two = v128.load32_lane(table + i32x4.extract_lane(offsets, 1), one, 1);
  const three = v128.load32_lane(table + i32x4.extract_lane(offsets, 2), two, 2);
  return v128.load32_lane(table + i32x4.extract_lane(offsets, 3), three, 3);
}

/** x clipped to [low, high]; NaN reads low. */
@inline
export function clipLanes(x: v128, low: f32, high: f32): v128 {
  return f32x4.pmin(f32x4.splat(high), f32x4.pmax(f32x4.splat(low), x));
}

/** A pair of f32, widened. */
@inline
export function widenPair(at: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(at));
}

/** A pair of words, as f64. */
@inline
export function convertPair(at: usize): v128 {
  return f64x2.convert_low_i32x4_s(v128.load64_zero(at));
}

/** Stores a pair of f64 as f32. */
@inline
export function storeNarrow(at: usize, pair: v128): void {
  v128.store64_lane(at, f32x4.demote_f64x2_zero(pair), 0);
}

/** A pair of f64, rounded to f32. */
@inline
export function roundPair(pair: v128): v128 {
  return f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(pair));
}

/** Two pairs of f64 that lie side by side, as f32. */
@inline
export function narrowRow(at: usize): v128 {
  const low = f32x4.demote_f64x2_zero(v128.load(at));
  const high = f32x4.demote_f64x2_zero(v128.load(at, 16));
  return v128.shuffle<i64>(low, high, 0, 2);
}

/** Stores four registers as the columns of four rows, so many bytes from row to row. */
@inline
export function storeColumns(a: v128, b: v128, c: v128, d: v128, to: usize, bytes: usize): void {
  const low0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const low1 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const high0 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const high1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  const third = to + 2 * bytes;
  v128.store(to, v128.shuffle<i64>(low0, low1, 0, 2));
  v128.store(to + bytes, v128.shuffle<i64>(low0, low1, 1, 3));
  v128.store(third, v128.shuffle<i64>(high0, high1, 0, 2));
  v128.store(third + bytes, v128.shuffle<i64>(high0, high1, 1, 3));
}

/** As `storeColumns` for two columns. */
@inline
export function storeTwoColumns(a: v128, b: v128, to: usize, bytes: usize): void {
  const low = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const high = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const third = to + 2 * bytes;
  v128.store64_lane(to, low, 0);
  v128.store64_lane(to + bytes, low, 1);
  v128.store64_lane(third, high, 0);
  v128.store64_lane(third + bytes, high, 1);
}

/** A column of the observations, scaled by the factor that a table has for it. */
@inline
export function scaled(scales: usize, index: usize, column: v128): v128 {
  return f32x4.mul(column, v128.load32_splat(scales + (index << 2)));
}

/** Stores four masks of 32 bits as flags. */
@inline
export function storeFlags(at: usize, masks: v128): void {
  const flags = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(masks, masks), masks);
  v128.store32_lane(at, v128.and(flags, i8x16.splat(1)), 0);
}

/** Stores two masks of 64 bits as flags. */
@inline
export function storeFlagPair(at: usize, masks: v128): void {
  const bits = i64x2.bitmask(masks);
  store<u16>(at, <u16>((bits & 1) | ((bits & 2) << 7)));
}

/** Stores rows of four, one for each metric, as the metrics of the group of environment i. */
export function storeMetrics(i: i32, rows: usize, numMetrics: usize): void {
  for (let lane = 0; lane < LANES; lane++) {
    const m = Channels.metricsOf(i + lane);
    const column = rows + (<usize>lane << 2);
    for (let k: usize = 0; k < numMetrics; k++) {
      store<f32>(m + (k << 2), load<f32>(column + (k << 4)));
    }
  }
}
