/** Published decisions as data: one sync, or one step of it, a case. Form of `hpa-cases.json`. */
import { limitRate, ScalingMemory, stabilize } from './behavior.js';
import { HorizontalPodAutoscaler } from './controller.js';
import { groupPods, type PodSample } from './pods.js';
import { milliOf } from './quantity.js';
import { Reader } from './reader.js';

/** The answer to one case. */
export interface CaseResult {
  readonly name: string;
  readonly kind: string;
  readonly desired: number;
  /** The decision that the case expects; null where it states none. */
  readonly expected: number | null;
  readonly ok: boolean;
  /** First error of a metric, null where every metric was usable. */
  readonly error: string | null;
}

const NOW_S = 1e6;
const MAX_DEFAULT = 1000;

/**
 * Runs the cases of a document `{cases: […]}`.
 *
 * @throws DataError with the path of a field that cannot be read.
 */
export function runHpaCases(document: unknown): CaseResult[] {
  const cases = new Reader(document, '').at('cases').list();
  return cases.map((field) => {
    const name = field.at('name').text();
    const kind = field.at('kind').text();
    const expected = field.at('expected').optional((f) => f.integer(0, 2 ** 31 - 1));
    const { desired, error } = field.at('desired').isPresent
      ? { desired: normalizeCase(field), error: null }
      : syncCase(field, kind);
    return { name, kind, desired, expected, ok: expected === null || desired === expected, error };
  });
}

/** A case that gives the recommendation: windows, or the limits on the rate, by themselves. */
function normalizeCase(field: Reader): number {
  const hpa = new HorizontalPodAutoscaler(objectOf(field, [], true));
  const current = field.at('current').integer(0, 2 ** 31 - 1);
  const desired = field.at('desired').integer(0, 2 ** 31 - 1);
  const memory = memoryOf(field);
  if (field.at('recommendations').isPresent) {
    return stabilize(memory, hpa.spec.behavior!, current, desired, NOW_S).replicas;
  }
  return limitRate(memory, hpa.spec, current, desired, NOW_S).replicas;
}

function memoryOf(field: Reader): ScalingMemory {
  const memory = new ScalingMemory();
  const each = (name: string, value: string, add: (time_s: number, value: number) => void) => {
    for (const item of field.at(name).optional((f) => f.list()) ?? []) {
      add(NOW_S - item.at('ago_s').number(0), item.at(value).integer(0, 2 ** 31 - 1));
    }
  };
  each('recommendations', 'replicas', (t, replicas) => memory.recommend(t, replicas));
  each('up_events', 'change', (t, change) => memory.scaled(t, change));
  each('down_events', 'change', (t, change) => memory.scaled(t, -change));
  return memory;
}

/** A case of metrics: the whole sync. */
function syncCase(field: Reader, kind: string): { desired: number; error: string | null } {
  const parts = field.at('metrics').optional((f) => f.list()) ?? [field];
  const metrics = parts.map((part, i) => readMetricCase(field, part, kind, i));
  const object = objectOf(
    field,
    metrics.map(({ spec }) => spec),
    false,
  );
  const hpa = new HorizontalPodAutoscaler(object, flagsOf(field));
  const replicas = field.at('current').integer(0, 2 ** 31 - 1);
  for (const item of field.at('recommendations').optional((f) => f.list()) ?? []) {
    const time_s = NOW_S - item.at('ago_s').number(0);
    hpa.recordRecommendation(time_s, item.at('replicas').integer(0, 2 ** 31 - 1));
  }
  const groups = metrics.map(({ pods }, i) =>
    groupPods(pods, hpa.spec.metrics[i]!, NOW_S, hpa.flags),
  );
  const values = Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  const status = field.at('status_replicas').optional((f) => f.integer(0, 2 ** 31 - 1));
  const decision = hpa.sync({
    now_s: NOW_S,
    replicas,
    status_replicas: status ?? replicas,
    groups,
    values,
  });
  const error = decision.metrics.find((metric) => metric.error !== null)?.error ?? null;
  const isCalculatorOnly = kind !== 'bounds' && !field.at('up').isPresent;
  // The calculator's own cases know no limit on the rate, only the minimum and the maximum.
  if (isCalculatorOnly && decision.limit === 'ScaleUpLimit') {
    const { max_replicas } = hpa.spec;
    return { desired: Math.min(decision.recommendation!, max_replicas), error };
  }
  return { desired: decision.desired, error };
}

interface MetricCase {
  readonly name: string;
  readonly spec: object;
  readonly pods: readonly PodSample[];
  readonly value: number | null;
}

function readMetricCase(outer: Reader, field: Reader, outerKind: string, i: number): MetricCase {
  const kind = field.at('kind').optional((f) => f.text()) ?? outerKind;
  const find = (name: string) => (field.at(name).isPresent ? field.at(name) : outer.at(name));
  const current = outer.at('current').integer(0, 2 ** 31 - 1);
  const percent = find('target_percent').optional((f) => f.number(0));
  const resource = /memory/i.test(kind) ? 'memory' : 'cpu';
  if (percent !== null) {
    const target = { type: 'Utilization', averageUtilization: percent };
    const spec = { type: 'Resource', resource: { name: resource, target } };
    return { name: resource, spec, pods: readPods(find('pods'), resource), value: null };
  }
  const [, source, how] = /(pods|object|external|cpu|memory|resource)\b.*?(value|average|raw)?$/i
    .exec(kind)
    ?.map((word) => word?.toLowerCase()) ?? [undefined, 'pods', 'average'];
  const target = find('target').isPresent
    ? milliOf(find('target').value, find('target').path)
    : find('target_milli').number(0);
  const name = ['cpu', 'memory', 'resource'].includes(source!) ? resource : `metric-${i}`;
  const value = find('value').optional((f) => milliOf(f.value, f.path));
  const pods = find('pods').isPresent
    ? readPods(find('pods'), name)
    : madePods(current, find('ready').optional((f) => f.integer(0, current)) ?? current, {
        [name]: value,
      });
  return { name, spec: specOf(source!, how, name, `${target}m`), pods, value };
}

function specOf(source: string, how: string | undefined, name: string, quantity: string): object {
  const metric = { name };
  const perPod = { type: 'AverageValue', averageValue: quantity };
  const target = how === 'value' ? { type: 'Value', value: quantity } : perPod;
  if (source === 'pods') return { type: 'Pods', pods: { metric, target: perPod } };
  if (source === 'object') {
    const describedObject = { kind: 'Service', name: 'case', apiVersion: 'v1' };
    return { type: 'Object', object: { metric, describedObject, target } };
  }
  if (source === 'external') return { type: 'External', external: { metric, target } };
  return { type: 'Resource', resource: { name, target: perPod } };
}

function madePods(count: number, ready: number, usage: PodSample['usage']): PodSample[] {
  return Array.from({ length: count }, (_, i) => ({ ready: i < ready, usage: usage ?? {} }));
}

const PHASES: Readonly<Record<string, Partial<PodSample>>> = {
  running: {},
  pending: { phase: 'Pending' },
  failed: { phase: 'Failed' },
  succeeded: { phase: 'Succeeded' },
  unknown: { phase: 'Unknown' },
  deleted: { deleted: true },
  deleting: { deleted: true },
};

function readPods(field: Reader, key: string): PodSample[] {
  return (field.optional((f) => f.list()) ?? []).map((pod) => {
    const state = pod.at('state').optional((f) => f.text().toLowerCase()) ?? 'running';
    const phase = PHASES[state];
    if (phase === undefined) throw pod.at('state').not(Object.keys(PHASES).join(', '));
    const number = (name: string) => pod.at(name).optional((f) => f.number(0));
    const ago = (name: string) => {
      const ago_s = number(name);
      return ago_s === null ? undefined : NOW_S - ago_s;
    };
    const times = {
      started_s: ago('started_ago_s'),
      ready_changed_s: ago('ready_changed_ago_s'),
      measured_s: ago('measured_ago_s'),
      metric_window_s: number('metric_window_s') ?? undefined,
    };
    return {
      ...phase,
      ready: pod.at('ready').optional((f) => f.boolean()) ?? true,
      ...Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined)),
      usage: { [key]: number('usage_milli') ?? number('value_milli') },
      requests: { [key]: number('request_milli') },
    };
  });
}

function flagsOf(field: Reader): object {
  const names = { tolerance: 'tolerance', down_window_s: 'downscaleStabilization_s' } as const;
  const flags: Record<string, number> = { downscaleStabilization_s: 0 };
  for (const [name, flag] of Object.entries(names)) {
    const value = field.at(name).optional((f) => f.number(0));
    if (value !== null) flags[flag] = value;
  }
  return flags;
}

/** The object of a case; it has a behavior where the case is about one. */
function objectOf(field: Reader, metrics: readonly object[], always: boolean): object {
  const integer = (name: string) => field.at(name).optional((f) => f.integer(0, 2 ** 31 - 1));
  const rules = (name: 'up' | 'down') => ({
    stabilizationWindowSeconds: integer(`${name}_window_s`) ?? 0,
    ...(field.at(name).optional(readCaseRules) ?? {}),
  });
  const isStated = field.at('up').isPresent || field.at('down').isPresent;
  const behavior = always || isStated ? { scaleUp: rules('up'), scaleDown: rules('down') } : null;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    spec: {
      minReplicas: integer('min_replicas') ?? 1,
      maxReplicas: integer('max_replicas') ?? MAX_DEFAULT,
      metrics,
      behavior,
    },
  };
}

function readCaseRules(field: Reader): object {
  const select = field.at('select').optional((f) => f.text());
  const tolerance = field.at('tolerance').optional((f) => f.number(0));
  const policies = field.at('policies').optional((f) =>
    f.list().map((policy) => ({
      type: policy.at('type').value,
      value: policy.at('value').value,
      periodSeconds: policy.at('period_s').value,
    })),
  );
  return {
    ...(select === null ? {} : { selectPolicy: select }),
    ...(tolerance === null ? {} : { tolerance }),
    ...(policies === null ? {} : { policies }),
  };
}
