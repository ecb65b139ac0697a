/** From an autoscaling task's JSON configuration to what the compiler takes. */

import type { JsonObject } from '../../base/json.js';
import {
  type AutoscalingConfig,
  type HpaConfig,
  type InstanceType,
  MAX_INSTANCE_TYPES,
  peakRate,
  type Range,
} from '../../compile/autoscaling/autoscaling.js';
import {
  constantLoad,
  type RateLoad,
  traceLoad,
  weeklyLoad,
} from '../../compile/autoscaling/load.js';
import { ConfigReader } from '../config-reader.js';
import type { TaskSpec } from '../family.js';
import { rateTraces } from './registered.js';
import { AUTOSCALING_DEFAULTS } from './tasks.js';

const PERCENT = { min: 0, max: 1000 };
const RATE = { min: 0, max: 1e5 };
const AMOUNT = { min: 0.001, max: 1e6 };
const INSTANCES = { min: 1, max: 255, integer: true };
const STEPS = { min: 1, max: 1_000_000, integer: true };
/** Windows of a trace that peak above this share of the largest service's capacity are left out. */
const PEAK_SHARE = 0.9;

/** A task's configuration, read: what the compiler takes, and the JSON it came from. */
export interface ReadConfig {
  readonly config: AutoscalingConfig;
  /** Score from which an episode has passed. */
  readonly scoreThreshold: number;
  /** With every default in, those of the policies' parameters too. */
  readonly json: JsonObject;
}

/**
 * Reads a task's configuration with some entries replaced.
 *
 * @throws RangeError naming an entry that is unknown, mistyped or out of range.
 */
export function readConfig(spec: TaskSpec, overrides: JsonObject): ReadConfig {
  const reader = ConfigReader.over(AUTOSCALING_DEFAULTS, [spec.config, overrides]);
  const instanceTypes = readTypes(reader);
  const service = {
    capacity: reader.number('capacity', AMOUNT),
    cpuPerRequest: reader.number('cpu_per_request', AMOUNT),
    memoryPerRequest: reader.number('memory_per_request', AMOUNT),
    maxInstances: reader.number('max_instances', INSTANCES),
  };
  const horizonSteps = reader.number('max_steps', STEPS);
  const config: AutoscalingConfig = {
    ...service,
    horizonSteps,
    load: readLoad(reader, horizonSteps, peakRate(service, PEAK_SHARE)),
    rateStd: reader.number('request_rate_std', RATE),
    initialInstances: readInitial(reader, service.maxInstances),
    initialSpread: reader.number('initial_resources_spread', { min: 0, max: 255, integer: true }),
    maxDelta: reader.number('max_delta', { min: 1, max: 3, integer: true }),
    coldStartSteps: reader.number('cold_start_steps', { min: 0, max: 16, integer: true }),
    instanceTypes,
    isFleet: instanceTypes.length > 1,
    utilizationLimit: reader.number('utilization_limit', PERCENT),
    targetCpuRange: readRange(reader, 'target_cpu_range'),
    targetMemoryRange: readRange(reader, 'target_memory_range'),
    costWeight: reader.number('resource_cost_weight', { min: 0, max: 1000 }),
    latencySla: reader.number('latency_sla', AMOUNT),
    budget: reader.optionalNumber('budget', { min: 0, max: 1e9 }),
    normalizeObservation: reader.boolean('normalize_observation'),
    threshold: readThreshold(reader),
    hpa: readHpa(reader, service.maxInstances),
    bestConstant: reader.number('best_constant', INSTANCES),
  };
  const scoreThreshold = reader.number('score_threshold', { min: 0, max: 1 });
  const rules = { threshold: thresholdOf(reader).json, hpa: hpaOf(reader).json };
  return { config, scoreThreshold, json: { ...reader.json, ...rules } };
}

function readInitial(reader: ConfigReader, maxInstances: number): number | null {
  return reader.optionalNumber('initial_resources', { min: 1, max: maxInstances, integer: true });
}

function readRange(reader: ConfigReader, name: string): Range {
  const [low, high] = reader.numbers(name, PERCENT, 2);
  return low < high ? [low, high] : reader.refuse(name, '[low, high] with low below high');
}

/** The first type is the unit in which capacity, latency and the HPA's replicas are counted. */
function readTypes(reader: ConfigReader): InstanceType[] {
  const types = reader.objects('instance_types', { name: null, capacity: null, price: null });
  if (types.length < 1 || types.length > MAX_INSTANCE_TYPES) {
    reader.refuse('instance_types', `1 to ${MAX_INSTANCE_TYPES} types`);
  }
  const read = types.map((type) => ({
    name: type.text('name'),
    capacity: type.number('capacity', { min: 1, max: 64, integer: true }),
    price: type.number('price', { min: 0, max: 1e6 }),
  }));
  if (read[0].capacity !== 1) types[0].refuse('capacity', '1, the unit of capacity,');
  return read;
}

const PATTERN_DEFAULTS: Record<string, JsonObject> = {
  constant: { kind: 'constant' },
  weekly: { kind: 'weekly', amplitude: 0.4, weekend_factor: 0.75, steps_per_day: 288 },
  trace: { kind: 'trace', trace: null },
};

function readLoad(reader: ConfigReader, horizonSteps: number, peak: number): RateLoad {
  const rate = reader.number('base_request_rate', RATE);
  const kind = (reader.json['request_pattern'] as JsonObject | null)?.['kind'];
  const defaults = Object.entries(PATTERN_DEFAULTS).find(([name]) => name === kind)?.[1];
  if (defaults === undefined) {
    const kinds = Object.keys(PATTERN_DEFAULTS).join(', ');
    return reader.refuse('request_pattern', `an object whose kind is one of ${kinds}`);
  }
  const pattern = reader.object('request_pattern', defaults);
  if (kind === 'constant') return constantLoad(rate);
  if (kind === 'trace') {
    return traceLoad(rateTraces.find(pattern.text('trace')), horizonSteps, rate, peak);
  }
  const weekly = {
    baseRate: rate,
    amplitude: pattern.number('amplitude', { min: 0, max: 1 }),
    weekendFactor: pattern.number('weekend_factor', { min: 0, max: 100 }),
    stepsPerDay: pattern.number('steps_per_day', { min: 1, max: 1440, integer: true }),
  };
  return weeklyLoad(weekly, horizonSteps);
}

const thresholdOf = (reader: ConfigReader): ConfigReader =>
  reader.object('threshold', AUTOSCALING_DEFAULTS['threshold'] as JsonObject);

const hpaOf = (reader: ConfigReader): ConfigReader =>
  reader.object('hpa', AUTOSCALING_DEFAULTS['hpa'] as JsonObject);

function readThreshold(reader: ConfigReader) {
  const rule = thresholdOf(reader);
  const up = rule.number('scale_up_above', PERCENT);
  return { up, down: rule.number('scale_down_below', { min: 0, max: up }) };
}

function readHpa(reader: ConfigReader, maxInstances: number): HpaConfig {
  const hpa = hpaOf(reader);
  const maxReplicas = hpa.optionalNumber('max_replicas', INSTANCES) ?? maxInstances;
  return {
    targetUtilization: hpa.number('target_utilization', { min: 1, max: 1000 }),
    tolerance: hpa.number('tolerance', { min: 0, max: 1 }),
    stabilizationWindowSteps: hpa.number('stabilization_window_steps', {
      min: 1,
      max: 8,
      integer: true,
    }),
    minReplicas: hpa.number('min_replicas', { min: 1, max: maxReplicas, integer: true }),
    maxReplicas,
  };
}
