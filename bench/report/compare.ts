/**
 * Two runs side by side. Raw seconds of two runs differ with the machine's mood, so each figure is
 * taken as its ratio to the calibration of its own run and rounds, and those ratios are compared.
 */
import { FORMAT, type Measurement, type Results } from '../harness/results.js';
import { pairedRatio } from '../harness/statistics.js';

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
  return compare(now.measurements, base.measurements, tolerance, (row, old) => {
    return {
      median: old.to_calibration / row.to_calibration,
      best: bestToCalibration(old) / bestToCalibration(row),
    };
  });
}

/** Compares two builds that were timed in turns in one run: the strongest comparison there is. */
export function compareBuilds(
  now: readonly Measurement[],
  base: readonly Measurement[],
  tolerance: number,
): ComparisonReport {
  return compare(now, base, tolerance, (row, old) => {
    return { median: pairedRatio(old.ns_rounds, row.ns_rounds), best: old.ns_min / row.ns_min };
  });
}

/** Speed of one measurement ÷ that of another, in the median and in the best round. */
interface Ratios {
  readonly median: number;
  readonly best: number;
}

function compare(
  now: readonly Measurement[],
  base: readonly Measurement[],
  tolerance: number,
  ratiosOf: (row: Measurement, old: Measurement) => Ratios,
): ComparisonReport {
  const earlier = new Map(base.map((row) => [row.id, row]));
  const here = new Set(now.map(({ id }) => id));
  const rows = now.flatMap((row) => {
    const old = earlier.get(row.id);
    if (old === undefined) return [];
    const { median, best } = ratiosOf(row, old);
    const isRegression = Math.max(median, best) < 1 - tolerance;
    return [{ id: row.id, ratio: median, isRegression }];
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
