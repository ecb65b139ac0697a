/** Statistics of latencies that a file lists one by one. */
import { type Latency, latencyFields } from '../measurement.js';

/** Mean and percentiles of values in ms, with linear interpolation; absent where there are none. */
export function latencyStatistics(name: Latency, values: readonly number[]) {
  const sorted = Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort();
  return latencyFields(name, (statistic) => {
    if (sorted.length === 0) return undefined;
    if (statistic === 'mean') return sorted.reduce((a, b) => a + b, 0) / sorted.length;
    return percentile(sorted, Number(statistic.slice(1)) / 100);
  });
}

/** A quantile of sorted values, linear between neighbours. */
export function percentile(sorted: ArrayLike<number>, q: number): number {
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}
