/** What `info` reports of a serving step. */
import type { ServingConfig } from '../../compile/serving.js';
import { metric, observation, phase, phaseNames, servingLayout } from '../../generated/serving.js';
import type { Json, JsonObject, StepRows } from '../family.js';
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

const APPLIED = [
  metric.appliedKvBudget,
  metric.appliedBatchSize,
  metric.appliedSpecLength,
  metric.appliedPrefillDisagg,
  metric.appliedQuantTier,
] as const;

/** Makes the description of a task's steps. */
export function stepDescriber(config: ServingConfig) {
  const isMeasured = config.dynamics === 'measured';
  const names = [...SNAPSHOT_METRICS, ...TRAFFIC_METRICS, ...(isMeasured ? MEASURED_METRICS : [])];
  const positions = names.map((name) => servingLayout.metrics.findIndex((m) => m.name === name));
  const locked = ACTION_FIELDS.filter((name) => !config.activeActions.includes(name));
  return (metrics: Float32Array, rows: StepRows = {}): JsonObject => ({
    metrics: namedMetrics(names, positions, metrics),
    workload: describeWorkload(config, metrics, rows.observation),
    [isMeasured ? 'does_not_fit' : 'oom']: metrics[metric.oom] === 1,
    applied_action: appliedAction(metrics),
    locked_actions: locked,
    ...(rows.action && config.actionSpace === 'structured'
      ? { overwritten_actions: overwrittenActions(locked, metrics, rows.action) }
      : {}),
  });
}

/** By assignment, for this runs at every step of a session and `fromEntries` takes longer. */
function namedMetrics(
  names: readonly string[],
  positions: readonly number[],
  metrics: Float32Array,
): JsonObject {
  const named: Record<string, Json> = {};
  for (let i = 0; i < names.length; i++) named[names[i]] = metrics[positions[i]];
  return named;
}

function describeWorkload(
  config: ServingConfig,
  metrics: Float32Array,
  row: Float32Array | undefined,
): JsonObject {
  const observed = (field: number) => {
    const scale = config.normalizeObservation
      ? Math.fround(servingLayout.observations[field].scale)
      : 1;
    return row === undefined ? 0 : row[field] / scale;
  };
  return {
    phase: phaseNames[metrics[metric.phase]],
    is_burst: metrics[metric.phase] === phase.burst,
    prompt_len_bucket: metrics[metric.promptLenBucket],
    priority_distribution: [...config.priorityMix],
    ...(row && {
      arrival_rate: observed(observation.arrivalRate),
      mean_prompt_len: observed(observation.meanPromptLen),
      queue_depth: observed(observation.queueDepth),
    }),
  };
}

/** The configuration in force, by the action's names. */
function appliedAction(metrics: Float32Array): JsonObject {
  const applied: Record<string, Json> = {};
  for (let i = 0; i < ACTION_FIELDS.length; i++) {
    const name = ACTION_FIELDS[i];
    const value = metrics[APPLIED[i]];
    applied[name] = name === 'prefill_disagg' ? value === 1 : value;
  }
  return applied;
}

/** The locked fields for which the action asked for something else. */
function overwrittenActions(
  locked: readonly string[],
  metrics: Float32Array,
  action: Float32Array | Int32Array,
): string[] {
  return ACTION_FIELDS.filter(
    (name, i) => locked.includes(name) && action[i] !== metrics[APPLIED[i]],
  );
}
