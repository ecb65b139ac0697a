/** `autoscaling/v2` objects: read, checked as the API server checks them, defaults filled in. */
import { DataError } from '../data/errors.js';
import { milliOf } from './quantity.js';
import { Reader } from './reader.js';

/** Sources of a metric; `ContainerResource` is a resource of one container of each pod. */
export type MetricType = 'Resource' | 'ContainerResource' | 'Pods' | 'Object' | 'External';

/** How a metric's target is stated. */
export type TargetType = 'Utilization' | 'AverageValue' | 'Value';

/** One metric of an autoscaler. */
export interface MetricSpec {
  readonly type: MetricType;
  /** The resource (`cpu`) or the metric's name. */
  readonly name: string;
  /** The key of its samples: `name`, or `container/name` for a container's resource. */
  readonly key: string;
  readonly target: TargetType;
  /** Per cent of the request for `Utilization`, thousandths of the metric's unit otherwise. */
  readonly value: number;
}

/** A limit on the rate of change. */
export interface ScalingPolicy {
  readonly type: 'Pods' | 'Percent';
  readonly value: number;
  readonly period_s: number;
}

/** The rules of one direction, complete. */
export interface ScalingRules {
  readonly window_s: number;
  readonly select: 'Max' | 'Min' | 'Disabled';
  readonly policies: readonly ScalingPolicy[];
  /** Tolerance of this direction; null: the controller's. */
  readonly tolerance: number | null;
}

/** An autoscaler's specification with defaults filled in. */
export interface HpaSpec {
  readonly name: string;
  readonly min_replicas: number;
  readonly max_replicas: number;
  readonly metrics: readonly MetricSpec[];
  /** null: the object states no behavior, and the controller takes its older, simpler rules. */
  readonly behavior: { readonly up: ScalingRules; readonly down: ScalingRules } | null;
  /** Sentences on what an API server would refuse or ignore, though the controller takes it. */
  readonly warnings: readonly string[];
}

/** Rules of the upward direction where a behavior leaves them out. */
export const DEFAULT_UP: ScalingRules = Object.freeze<ScalingRules>({
  window_s: 0,
  select: 'Max',
  policies: [
    { type: 'Pods', value: 4, period_s: 15 },
    { type: 'Percent', value: 100, period_s: 15 },
  ],
  tolerance: null,
});

/** Rules of the downward direction where a behavior leaves them out; the window is a flag's. */
export const DEFAULT_DOWN = Object.freeze<Omit<ScalingRules, 'window_s'>>({
  select: 'Max',
  policies: [{ type: 'Percent', value: 100, period_s: 15 }],
  tolerance: null,
});

const CPU_DEFAULT_PERCENT = 80;
const REPLICAS_MAX = 2 ** 31 - 1;
const VERSIONS = ['autoscaling/v2', 'autoscaling/v2beta2', 'autoscaling/v1'];

/**
 * Reads a HorizontalPodAutoscaler object of `autoscaling/v2` (or v2beta2, or v1).
 *
 * @param object as parsed from YAML or JSON.
 * @param downWindow_s the downscale window where the object states none.
 * @throws DataError with the path of the field, its value and what is needed.
 */
export function readHpaObject(object: unknown, downWindow_s: number): HpaSpec {
  const root = new Reader(object, '');
  const kind = root.at('kind').text();
  if (kind !== 'HorizontalPodAutoscaler') {
    throw new DataError(`kind is ${JSON.stringify(kind)}: HorizontalPodAutoscaler is needed`);
  }
  const version = root.at('apiVersion').oneOf(VERSIONS);
  const spec = root.at('spec');
  const min = spec.at('minReplicas').optional((field) => field.integer(0, REPLICAS_MAX)) ?? 1;
  const max = spec.at('maxReplicas').integer(1, REPLICAS_MAX);
  if (max < min) {
    throw new DataError(`spec.maxReplicas is ${max}: at least minReplicas (${min}) is needed`);
  }
  const metrics = version === 'autoscaling/v1' ? readV1Metrics(spec) : readMetrics(spec);
  const warnings: string[] = [];
  if (min === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External')) {
    warnings.push('minReplicas is 0: the API server wants an Object or an External metric for it');
  }
  const behavior = spec.at('behavior').optional((field) => ({
    up: readRules(field.at('scaleUp'), DEFAULT_UP),
    down: readRules(field.at('scaleDown'), { ...DEFAULT_DOWN, window_s: downWindow_s }),
  }));
  const name = root.at('metadata').optional((field) => field.at('name').optional((n) => n.text()));
  return { name: name ?? '', min_replicas: min, max_replicas: max, metrics, behavior, warnings };
}

function readV1Metrics(spec: Reader): MetricSpec[] {
  const field = spec.at('targetCPUUtilizationPercentage');
  return [cpuMetric(field.optional((f) => f.integer(1, REPLICAS_MAX)) ?? CPU_DEFAULT_PERCENT)];
}

function cpuMetric(percent: number): MetricSpec {
  return { type: 'Resource', name: 'cpu', key: 'cpu', target: 'Utilization', value: percent };
}

function readMetrics(spec: Reader): MetricSpec[] {
  const metrics = spec.at('metrics').optional((field) => field.list().map(readMetric)) ?? [];
  return metrics.length > 0 ? metrics : [cpuMetric(CPU_DEFAULT_PERCENT)];
}

/** Field of the object that holds a metric of a type, and the targets that its type takes. */
const SOURCES: Readonly<Record<MetricType, readonly [string, readonly TargetType[]]>> = {
  Resource: ['resource', ['Utilization', 'AverageValue']],
  ContainerResource: ['containerResource', ['Utilization', 'AverageValue']],
  Pods: ['pods', ['AverageValue']],
  Object: ['object', ['Value', 'AverageValue']],
  External: ['external', ['AverageValue', 'Value']],
};

const TARGET_FIELDS: Readonly<Record<TargetType, string>> = {
  Utilization: 'averageUtilization',
  AverageValue: 'averageValue',
  Value: 'value',
};

function readMetric(metric: Reader): MetricSpec {
  const type = metric.at('type').oneOf(Object.keys(SOURCES)) as MetricType;
  const [field, targets] = SOURCES[type];
  const source = metric.at(field);
  const isResource = type === 'Resource' || type === 'ContainerResource';
  const name = (isResource ? source.at('name') : source.at('metric').at('name')).text();
  const key = type === 'ContainerResource' ? `${source.at('container').text()}/${name}` : name;
  return { type, name, key, ...readTarget(source.at('target'), targets) };
}

/** The controller looks at what is set, and at `type` only for an object's metric. */
function readTarget(
  field: Reader,
  targets: readonly TargetType[],
): Pick<MetricSpec, 'target' | 'value'> {
  const stated = field.at('type').optional((f) => f.oneOf(Object.keys(TARGET_FIELDS)));
  const set = targets.filter((target) => field.at(TARGET_FIELDS[target]).isPresent);
  const target = set.find((name) => name === stated) ?? set[0];
  if (target === undefined) {
    const names = targets.map((name) => TARGET_FIELDS[name]).join(' or ');
    throw new DataError(`${field.path} states no target: ${names} is needed`);
  }
  const number = field.at(TARGET_FIELDS[target]);
  if (target === 'Utilization') return { target, value: number.integer(1, REPLICAS_MAX) };
  const value = milliOf(number.value, number.path);
  if (value > 0) return { target, value };
  throw new DataError(`${number.path} is ${String(number.value)}: a quantity above 0 is needed`);
}

function readRules(field: Reader, defaults: ScalingRules): ScalingRules {
  if (!field.isPresent) return defaults;
  const policies = field.at('policies').optional((list) => list.list().map(readPolicy));
  if (policies?.length === 0) {
    throw new DataError(`${field.path}.policies is empty: at least one policy is needed`);
  }
  return {
    window_s:
      field.at('stabilizationWindowSeconds').optional((f) => f.integer(0, 3600)) ??
      defaults.window_s,
    select:
      field.at('selectPolicy').optional((f) => f.oneOf(['Max', 'Min', 'Disabled'] as const)) ??
      defaults.select,
    policies: policies ?? defaults.policies,
    tolerance: field.at('tolerance').optional((f) => milliTolerance(f)) ?? defaults.tolerance,
  };
}

function milliTolerance(field: Reader): number {
  // A tolerance is a quantity too ("50m"), but not rounded to thousandths by the controller.
  const { value } = field;
  const tolerance =
    typeof value === 'string' && /[a-z]/i.test(value)
      ? milliOf(value, field.path) / 1000
      : Number(value);
  if (tolerance >= 0 && tolerance < Infinity) return tolerance;
  throw new DataError(`${field.path} is ${String(value)}: a quantity of at least 0 is needed`);
}

function readPolicy(field: Reader): ScalingPolicy {
  return {
    type: field.at('type').oneOf(['Pods', 'Percent'] as const),
    value: field.at('value').integer(1, REPLICAS_MAX),
    period_s: field.at('periodSeconds').integer(1, 1800),
  };
}
