/** Medians, spreads and ratios of paired rounds. */

/** The middle, or the mean of the two middle ones. @throws RangeError for none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('values is empty: a median needs at least one');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** (max − min) ÷ median: how far the rounds of a measurement lie apart. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/**
 * The median of a[i] ÷ b[i]. Both were timed in round i, within a second of each other, so that a
 * slow minute of the machine is in both and leaves the ratio alone. Rounds that only one of them
 * has are left out.
 *
 * @throws RangeError where they have no round in common.
 */
export function pairedRatio(a: readonly number[], b: readonly number[]): number {
  const rounds = Math.min(a.length, b.length);
  return median(Array.from({ length: rounds }, (_, i) => a[i] / b[i]));
}
