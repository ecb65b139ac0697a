/** Pods as the controller sees them, and the groups that its calculator sorts them into. */
import type { MetricSpec } from './object.js';

/** One pod at a sync. Values are thousandths of their unit: millicores, thousandths of a byte. */
export interface PodSample {
  /** Default `Running`. */
  readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  /** It is being deleted. Default false. */
  readonly deleted?: boolean;
  /** Its Ready condition; null: it has none yet. Default true. */
  readonly ready?: boolean | null;
  /** Start of the pod, in the clock of the sync. Default long ago. */
  readonly started_s?: number;
  /** Last change of its readiness. Default: its start. */
  readonly ready_changed_s?: number;
  /** Time of its metrics. Default: the sync's. */
  readonly measured_s?: number;
  /** Time that its metrics are means of. Default 0. */
  readonly metric_window_s?: number;
  /** Usage by metric key, thousandths; absent, null or NaN: the metric is missing. */
  readonly usage?: Readonly<Record<string, number | null>>;
  /** Requests by resource key, thousandths. */
  readonly requests?: Readonly<Record<string, number | null>>;
}

/** Pods of one group, summed. */
export interface PodTotals {
  readonly count: number;
  /** Usage, thousandths; of missing pods: as they count when the rest scale down. */
  readonly usage: number;
  /** Requests, thousandths. */
  readonly request: number;
}

/** The pods of a deployment in the groups that one metric sees. */
export interface PodGroups {
  /** Pods whose sample counts. */
  readonly ready: PodTotals;
  /** Pods that do not answer yet: left out, or nothing when the rest scale up. */
  readonly unready: PodTotals;
  /** Pods that run and have no sample. */
  readonly missing: PodTotals;
  /** All pods that the selector returns. */
  readonly num_pods: number;
  /** Running pods with a true Ready condition, whatever their metrics. */
  readonly num_ready: number;
  /** A pod lacks the request that a utilization is a share of. */
  readonly lacks_request: boolean;
}

/** Controller settings that decide how pods are grouped. */
export interface ReadinessRule {
  /** Seconds after its start in which a pod's CPU counts only with a full window while ready. */
  readonly cpuInitializationPeriod_s: number;
  /** Seconds in which a pod that turns unready has never been ready. */
  readonly initialReadinessDelay_s: number;
}

const LONG_AGO_S = -1e9;

type Group = 'ready' | 'unready' | 'missing' | 'ignored';

/** Sorts pods into groups for one metric. */
export function groupPods(
  pods: readonly PodSample[],
  metric: MetricSpec,
  now_s: number,
  rule: ReadinessRule,
): PodGroups {
  const sums = {
    ready: { count: 0, usage: 0, request: 0 },
    unready: { count: 0, usage: 0, request: 0 },
    missing: { count: 0, usage: 0, request: 0 },
  };
  let num_ready = 0;
  let lacks_request = false;
  for (const pod of pods) {
    const request = pod.requests?.[metric.key] ?? null;
    if (request === null) lacks_request = true;
    if ((pod.phase ?? 'Running') === 'Running' && (pod.ready ?? true)) num_ready++;
    const usage = pod.usage?.[metric.key] ?? null;
    const group = groupOf(pod, usage, metric, now_s, rule);
    if (group === 'ignored') continue;
    const sum = sums[group];
    sum.count++;
    sum.request += request ?? 0;
    if (group === 'ready') sum.usage += usage!;
    else if (group === 'missing') sum.usage += fallbackOf(metric, request ?? 0);
  }
  return { ...sums, num_pods: pods.length, num_ready, lacks_request };
}

/** Usage that a pod without a sample is given when the others scale down. */
export function fallbackOf({ target, value }: MetricSpec, request: number): number {
  return target === 'Utilization' ? Math.trunc((request * Math.max(100, value)) / 100) : value;
}

function groupOf(
  pod: PodSample,
  usage: number | null,
  metric: MetricSpec,
  now_s: number,
  rule: ReadinessRule,
): Group {
  if (pod.deleted || pod.phase === 'Failed') return 'ignored';
  if (pod.phase === 'Pending') return 'unready';
  if (usage === null || Number.isNaN(usage)) return 'missing';
  const isCpu = metric.name === 'cpu' && metric.type.endsWith('Resource');
  return isCpu && isUnready(pod, now_s, rule) ? 'unready' : 'ready';
}

/** Whether a pod's CPU does not count: of a pod that starts it says nothing about the load. */
function isUnready(pod: PodSample, now_s: number, rule: ReadinessRule): boolean {
  if (pod.ready === null) return true;
  const isReady = pod.ready ?? true;
  const started_s = pod.started_s ?? LONG_AGO_S;
  const changed_s = pod.ready_changed_s ?? started_s;
  if (started_s + rule.cpuInitializationPeriod_s > now_s) {
    const measured_s = pod.measured_s ?? now_s;
    return !isReady || measured_s < changed_s + (pod.metric_window_s ?? 0);
  }
  return !isReady && started_s + rule.initialReadinessDelay_s > changed_s;
}
