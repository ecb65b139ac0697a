/**
 * An episode's metrics: what is reported of it beside score and return. The one meaning of the
 * word in evaluations, comparisons, the protocol and the server's summaries.
 */
import type { CompiledTask, EpisodeStatistics } from '../envs/family.js';
import { mean } from './statistics.js';

/**
 * The task's own metrics of an episode, or else what the statistics say of each metric: a sum as
 * its mean per step, Welford's pair as mean and standard deviation, a maximum as it is.
 */
export function episodeMetrics(
  task: CompiledTask,
  statistics: EpisodeStatistics,
): Readonly<Record<string, number>> {
  return task.episodeMetrics?.(statistics) ?? statisticMetrics(task, statistics);
}

/** Means of `episodeMetrics` over episodes. @throws RangeError for no episodes. */
export function meanMetrics(
  task: CompiledTask,
  episodes: readonly EpisodeStatistics[],
): Record<string, number> {
  const rows = episodes.map((statistics) => episodeMetrics(task, statistics));
  const names = Object.keys(rows[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, mean(rows.map((row) => row[name]))]));
}

function statisticMetrics({ layout }: CompiledTask, s: EpisodeStatistics): Record<string, number> {
  const metrics: Record<string, number> = {};
  const steps = s['length_steps'];
  for (const { name, fold, of } of layout.statistics) {
    const isMetric = layout.metrics.some((metric) => metric.name === of);
    if (!isMetric) continue;
    const stem = name.replace(/_(sum|max|mean|m2)$/, '');
    if (fold === 'sum') metrics[`${stem}_mean`] = s[name] / steps;
    else if (fold === 'max') metrics[`${stem}_max`] = s[name];
    else if (fold === 'welford_mean' || fold === 'delta_mean') metrics[`${stem}_mean`] = s[name];
    else if (fold === 'welford_m2') metrics[`${stem}_std`] = Math.sqrt(s[name] / steps);
    else if (fold === 'delta_m2') {
      metrics[`${stem}_std`] = Math.sqrt(s[name] / Math.max(1, steps - 1));
    }
  }
  return metrics;
}
