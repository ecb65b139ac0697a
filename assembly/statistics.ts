/**
 * Episode statistics: recurrences over the f32 outputs of each step, in step order. The calls for
 * a family's slots are generated; `at` is where the environment's statistics are.
 */
import { real, realPair, setReal, setRealPair } from './state';

// The values before the step of the metrics of kind `delta_*`, by metric.
const previous = memory.data(8 * 64);

/** Notes what a metric read before the step that is about to be taken. */
@inline
export function setPrevious(metric: i32, value: f64): void {
  store<f64>(previous + (<usize>metric << 3), value);
}

@inline
export function previousOf(metric: i32): f64 {
  return load<f64>(previous + (<usize>metric << 3));
}

/** A number of a metrics row, widened. */
@inline
export function metricOf(metrics: usize, index: i32): f64 {
  return <f64>load<f32>(metrics + (<usize>index << 2));
}

@inline
export function foldSum(at: usize, slot: i32, value: f64): void {
  setReal(at, slot, real(at, slot) + value);
}

@inline
export function foldMax(at: usize, slot: i32, value: f64, step: u32): void {
  const most = real(at, slot);
  setReal(at, slot, step == 1 || value > most ? value : most);
}

/** Welford's recurrence for the mean in a slot and the squared deviations' sum in the next. */
@inline
export function foldWelford(at: usize, slot: i32, value: f64, count: u32): void {
  const before = value - real(at, slot);
  const mean = real(at, slot) + before / <f64>count;
  setReal(at, slot, mean);
  setReal(at, slot + 1, real(at, slot + 1) + before * (value - mean));
}

/** Welford's recurrence for a change; the first step of an episode has none to speak of. */
@inline
export function foldDelta(at: usize, slot: i32, change: f64, step: u32): void {
  if (step > 1) foldWelford(at, slot, change, step - 1);
}

/** Counts one in a bin of the histogram that begins at a slot; bins count from 1, 0 is none. */
@inline
export function foldHistogram(at: usize, slot: i32, bin: f64): void {
  if (bin > 0) setReal(at, slot + <i32>bin - 1, real(at, slot + <i32>bin - 1) + 1);
}

/** `foldSum` for a pair of environments. */
@inline
export function addPair(at: usize, slot: i32, pair: v128): void {
  setRealPair(at, slot, f64x2.add(realPair(at, slot), pair));
}

/** `foldWelford` for a pair of environments, left alone where the count is 0. */
@inline
export function foldWelfordPair(at: usize, slot: i32, value: v128, count: v128): void {
  const mean = realPair(at, slot);
  const spread = realPair(at, slot + 1);
  const before = f64x2.sub(value, mean);
  const moved = f64x2.add(mean, f64x2.div(before, count));
  const wider = f64x2.add(spread, f64x2.mul(before, f64x2.sub(value, moved)));
  const isCounted = f64x2.gt(count, f64x2.splat(0));
  setRealPair(at, slot, v128.bitselect(moved, mean, isCounted));
  setRealPair(at, slot + 1, v128.bitselect(wider, spread, isCounted));
}
