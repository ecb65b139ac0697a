/**
 * Two runs side by side. Raw seconds of two runs differ with the machine's mood, so each figure is
 * taken as its ratio to the calibration of its own run and rounds, and those ratios are compared.
 */
import { FORMAT, type Measurement, type Results } from './results.js';
import { pairedRatio } from './statistics.js';

export interface Comparison {
  readonly id: string;
  /** Speed now ÷ speed then: below 1 is slower. */
  readonly ratio: number;
  /** Slower by more than the tolerance in the median, and in the best round too. */
  readonly isRegression: boolean;
}

export interface ComparisonReport {
  readonly rows: readonly Comparison[];
  /** Measurements of the base that this run lacks, and the other way round. */
  readonly onlyInBase: readonly string[];
  readonly onlyHere: readonly string[];
}

/** Compares a run with an earlier one. */
export function compareRuns(now: Results, base: Results, tolerance: number): ComparisonReport {
  const earlier = new Map(base.measurements.map((row) => [row.id, row]));
  const here = new Set(now.measurements.map(({ id }) => id));
  const rows = now.measurements.flatMap((row) => {
    const old = earlier.get(row.id);
    if (old === undefined) return [];
    const ratio = old.to_calibration / row.to_calibration;
    const best = bestToCalibration(old) / bestToCalibration(row);
    return [{ id: row.id, ratio, isRegression: Math.max(ratio, best) < 1 - tolerance }];
  });
  return {
    rows,
    onlyInBase: [...earlier.keys()].filter((id) => !here.has(id)),
    onlyHere: [...here].filter((id) => !earlier.has(id)),
  };
}

/** The best round instead of the median one; noise only ever adds time. */
function bestToCalibration({ to_calibration, ns_min, ns_median }: Measurement): number {
  return (to_calibration * ns_min) / ns_median;
}

/** Compares two builds that were timed in turns in one run: the strongest comparison there is. */
export function compareBuilds(
  now: readonly Measurement[],
  base: readonly Measurement[],
  tolerance: number,
): ComparisonReport {
  const earlier = new Map(base.map((row) => [row.id, row]));
  const rows = now.flatMap((row) => {
    const old = earlier.get(row.id);
    if (old === undefined) return [];
    const ratio = pairedRatio(old.ns_rounds, row.ns_rounds);
    const best = old.ns_min / row.ns_min;
    return [{ id: row.id, ratio, isRegression: Math.max(ratio, best) < 1 - tolerance }];
  });
  const here = new Set(now.map(({ id }) => id));
  const onlyInBase = [...earlier.keys()].filter((id) => !here.has(id));
  const onlyHere = [...here].filter((id) => !earlier.has(id));
  return { rows, onlyInBase, onlyHere };
}

/** @throws Error where the text is no result of this format. */
export function readResults(text: string): Results {
  const results = JSON.parse(text) as Partial<Results>;
  if (results.format !== FORMAT || !Array.isArray(results.measurements)) {
    const format = String(results.format);
    throw new Error(
      `the results have format ${format}: format ${FORMAT} of this benchmark is needed`,
    );
  }
  return results as Results;
}
