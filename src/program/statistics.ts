/**
 * Episode statistics: recurrences over the f32 outputs of each step, in step order. A backend
 * folds them as it steps and a grader folds them from a log, so both grade to the same number.
 */
import type { Fold, Layout } from './layout.js';

/** A step's contribution: its f32 metrics, reward and cost, and the metrics before it. */
export interface StepRecord {
  /** Steps of the episode, this one included. */
  readonly step: number;
  readonly reward: number;
  readonly cost: number;
  readonly metrics: ArrayLike<number>;
  /** In a metrics row, what the metrics of kind `delta_*` read before this step. */
  readonly previous: ArrayLike<number>;
}

/** The statistics that every layout begins with; the others each read a metric. */
const common = { lengthSteps: 0, episodeReturn: 1, episodeCost: 2 } as const;

/** A statistic that reads a metric: its slot and the metric's position. */
interface Statistic {
  readonly slot: number;
  readonly metric: number;
}

/** A layout's statistics by their folds. */
export interface Folds {
  readonly numStatistics: number;
  readonly sums: readonly Statistic[];
  readonly maxima: readonly Statistic[];
  readonly means: readonly Statistic[];
  readonly deltaMeans: readonly Statistic[];
  readonly histograms: readonly Statistic[];
}

/**
 * Looks up once which metric each statistic reads. `welford_m2`, `delta_m2` and `histogram_bin`
 * are not among them: the slot they stand behind writes them.
 */
export function foldsOf(layout: Layout): Folds {
  const statistics = layout.statistics.map(({ fold, of }, slot) => {
    return { fold, slot, metric: layout.metrics.findIndex(({ name }) => name === of) };
  });
  const ofFold = (fold: Fold): Statistic[] =>
    statistics.filter((statistic) => statistic.fold === fold && statistic.metric >= 0);
  return {
    numStatistics: statistics.length,
    sums: ofFold('sum'),
    maxima: ofFold('max'),
    means: ofFold('welford_mean'),
    deltaMeans: ofFold('delta_mean'),
    histograms: ofFold('histogram'),
  };
}

/** Folds one step into the row of statistics that begins at `at`. */
export function foldStep(
  folds: Folds,
  statistics: Float64Array,
  at: number,
  { step, reward, cost, metrics, previous }: StepRecord,
): void {
  const { sums, maxima, means, deltaMeans, histograms } = folds;
  statistics[at + common.lengthSteps] += 1;
  statistics[at + common.episodeReturn] += reward;
  statistics[at + common.episodeCost] += cost;
  for (let i = 0; i < sums.length; i++) statistics[at + sums[i].slot] += metrics[sums[i].metric];
  for (let i = 0; i < maxima.length; i++) {
    const slot = at + maxima[i].slot;
    const value = metrics[maxima[i].metric];
    if (step === 1 || value > statistics[slot]) statistics[slot] = value;
  }
  for (let i = 0; i < means.length; i++) {
    foldWelford(statistics, at + means[i].slot, metrics[means[i].metric], step);
  }
  for (let i = 0; i < histograms.length; i++) {
    // The metric is the number of a bin, counted from 1; 0 is none.
    const bin = metrics[histograms[i].metric];
    if (bin > 0) statistics[at + histograms[i].slot + bin - 1] += 1;
  }
  // The first step of an episode has no change to speak of.
  if (step === 1) return;
  for (let i = 0; i < deltaMeans.length; i++) {
    const { slot, metric } = deltaMeans[i];
    foldWelford(statistics, at + slot, metrics[metric] - previous[metric], step - 1);
  }
}

/** Welford's recurrence for the mean in a slot and the sum of squared deviations in the next. */
function foldWelford(statistics: Float64Array, slot: number, value: number, count: number): void {
  const before = value - statistics[slot];
  statistics[slot] += before / count;
  statistics[slot + 1] += before * (value - statistics[slot]);
}
