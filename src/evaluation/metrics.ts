/** What an evaluation says of episodes beside score and return. */
import type { CompiledTask, EpisodeStatistics } from '../envs/family.js';
import { mean } from './statistics.js';

/** Means over episodes of the task's own metrics, or else of what the statistics say. */
export function episodeMetrics(
  task: CompiledTask,
  episodes: readonly EpisodeStatistics[],
): Record<string, number> {
  if (task.episodeMetrics === undefined) return statisticMeans(task, episodes);
  const rows = episodes.map((statistics) => task.episodeMetrics!(statistics));
  const names = Object.keys(rows[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, mean(rows.map((row) => row[name]))]));
}

/**
 * Means over episodes of what the layout's statistics say: a sum as its mean per step, Welford's
 * pair as mean and standard deviation, a maximum as it is.
 */
function statisticMeans(
  { layout }: CompiledTask,
  episodes: readonly EpisodeStatistics[],
): Record<string, number> {
  const metrics: Record<string, number> = {};
  for (const { name, fold, of } of layout.statistics) {
    const over = (value: (s: EpisodeStatistics) => number) => mean(episodes.map(value));
    const isMetric = layout.metrics.some((metric) => metric.name === of);
    if (!isMetric) continue;
    const perStep = (s: EpisodeStatistics) => s[name] / s['length_steps'];
    const stem = name.replace(/_(sum|max|mean|m2)$/, '');
    if (fold === 'sum') metrics[`${stem}_mean`] = over(perStep);
    else if (fold === 'max') metrics[`${stem}_max`] = over((s) => s[name]);
    else if (fold === 'welford_mean' || fold === 'delta_mean') {
      metrics[`${stem}_mean`] = over((s) => s[name]);
    } else if (fold === 'welford_m2') {
      metrics[`${stem}_std`] = over((s) => Math.sqrt(perStep(s)));
    } else if (fold === 'delta_m2') {
      const changes = (s: EpisodeStatistics) => Math.max(1, s['length_steps'] - 1);
      metrics[`${stem}_std`] = over((s) => Math.sqrt(s[name] / changes(s)));
    }
  }
  return metrics;
}
