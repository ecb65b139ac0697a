/**
 * Episode statistics: recurrences over the f32 outputs of each step, in step order. A backend
 * folds them as it steps and a grader folds them from a log, so both grade to the same number.
 */
import type { Layout, StatisticField } from '../compile/layout.js';

/** Zeroes the statistics for a new episode. */
export function resetStatistics(statistics: Float64Array): void {
  statistics.fill(0);
}

/** What a step adds: its f32 metrics, reward and cost, and the metrics before it. */
export interface StepRecord {
  /** Steps of the episode, this one included. */
  readonly step: number;
  readonly reward: number;
  readonly cost: number;
  readonly metrics: ArrayLike<number>;
  /** By metric name: what the metrics of kind `delta_*` read before this step. */
  readonly previous: Readonly<Record<string, number>>;
}

/** A layout's folds with the positions of the metrics they read, looked up once. */
export interface Folds {
  readonly fields: readonly StatisticField[];
  readonly metrics: readonly number[];
}

/** Looks up which metric each statistic reads; -1 for the three that read no metric. */
export function foldsOf(layout: Layout): Folds {
  const metrics = layout.statistics.map((field) =>
    layout.metrics.findIndex((metric) => metric.name === field.of),
  );
  return { fields: layout.statistics, metrics };
}

/** Folds one step into the statistics. */
export function foldStep(folds: Folds, statistics: Float64Array, record: StepRecord): void {
  for (let i = 0; i < folds.fields.length; i++) {
    const field = folds.fields[i];
    const metric = folds.metrics[i];
    const value = metric >= 0 ? record.metrics[metric] : commonValue(field, record);
    switch (field.fold) {
      case 'sum':
        statistics[i] += value;
        break;
      case 'max':
        statistics[i] = record.step === 1 || value > statistics[i] ? value : statistics[i];
        break;
      case 'welford_mean':
        foldWelford(statistics, i, value, record.step);
        break;
      case 'delta_mean':
        // The first step of an episode has no change to speak of.
        if (record.step > 1) {
          const change = value - record.previous[field.of];
          foldWelford(statistics, i, change, record.step - 1);
        }
        break;
      case 'histogram':
        // The metric is the number of a bin, counted from 1; 0 is none.
        if (value > 0) statistics[i + value - 1] += 1;
        break;
      default:
        // `welford_m2`, `delta_m2` and `histogram_bin` are written by the slot they stand behind.
        break;
    }
  }
}

/** Welford's recurrence for the mean in slot i and the sum of squared deviations in slot i + 1. */
function foldWelford(statistics: Float64Array, i: number, value: number, count: number): void {
  const before = value - statistics[i];
  statistics[i] += before / count;
  statistics[i + 1] += before * (value - statistics[i]);
}

function commonValue(field: StatisticField, record: StepRecord): number {
  if (field.name === 'episode_return') return record.reward;
  if (field.name === 'episode_cost') return record.cost;
  return 1;
}
