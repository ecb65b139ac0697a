/** The `info` of a serving step. */
import type { ServingConfig } from '../../compile/serving/serving.js';
import { metric, observation, phase, phaseNames, servingLayout } from '../../generated/serving.js';
import { flagEntry, metricEntry, metricsEntry, objectEntry, type Report } from '../report.js';
import { ACTION_FIELDS } from './common.js';

/** The origin's MetricsSnapshot. */
export const SNAPSHOT_METRICS = [
  'ttft_p50_ms',
  'ttft_p99_ms',
  'tpot_ms',
  'tokens_per_sec',
  'gpu_memory_gb',
  'cost_per_1k',
  'spec_accept_rate',
  'eviction_events',
  'slo_violations',
] as const;
export type SnapshotMetric = (typeof SNAPSHOT_METRICS)[number];

const TRAFFIC_METRICS = ['arrivals', 'served', 'dropped'] as const;
const MEASURED_METRICS = ['good', 'kv_cache_usage_ratio'] as const;

/** Metrics of the configuration in force, by the action's fields. */
const APPLIED = [
  metric.appliedKvBudget,
  metric.appliedBatchSize,
  metric.appliedSpecLength,
  metric.appliedPrefillDisagg,
  metric.appliedQuantTier,
] as const;

/** The report of a task's steps. */
export function servingReport(config: ServingConfig): Report {
  const isMeasured = config.dynamics === 'measured';
  const names = [...SNAPSHOT_METRICS, ...TRAFFIC_METRICS, ...(isMeasured ? MEASURED_METRICS : [])];
  const locked = ACTION_FIELDS.filter((name) => !config.activeActions.includes(name));
  const report: Report = [
    metricsEntry(servingLayout, names),
    objectEntry('workload', workloadReport(config)),
    flagEntry(isMeasured ? 'does_not_fit' : 'oom', metric.oom),
    objectEntry('applied_action', appliedReport()),
    { name: 'locked_actions', kind: 'list', items: locked },
  ];
  if (config.actionSpace !== 'structured') return report;
  const fields = ACTION_FIELDS.flatMap((name, asked) =>
    locked.includes(name) ? [{ name, asked, applied: APPLIED[asked] }] : [],
  );
  return [...report, { name: 'overwritten_actions', kind: 'overwritten', fields }];
}

function workloadReport({ normalizeObservation, priorityMix }: ServingConfig): Report {
  const observed = (name: string, index: number): Report[number] => {
    const { scale } = servingLayout.observations[index];
    const divisor = normalizeObservation ? Math.fround(scale) : 1;
    return { name, kind: 'number', row: 'observation', index, scale: divisor };
  };
  return [
    { name: 'phase', kind: 'label', index: metric.phase, labels: phaseNames },
    flagEntry('is_burst', metric.phase, phase.burst),
    metricEntry('prompt_len_bucket', metric.promptLenBucket),
    { name: 'priority_distribution', kind: 'list', items: priorityMix },
    observed('arrival_rate', observation.arrivalRate),
    observed('mean_prompt_len', observation.meanPromptLen),
    observed('queue_depth', observation.queueDepth),
  ];
}

/** The configuration in force, by the action's names. */
function appliedReport(): Report {
  return ACTION_FIELDS.map((name, i) =>
    name === 'prefill_disagg' ? flagEntry(name, APPLIED[i]) : metricEntry(name, APPLIED[i]),
  );
}
