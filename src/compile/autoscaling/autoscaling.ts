/** Compiles an autoscaling task into a program; what it means: docs/environments/autoscaling.md. */

import {
  type AutoscalingScalars,
  type AutoscalingTables,
  autoscalingLayout,
  NUM_TYPES_MAX,
} from '../../generated/autoscaling.js';
import { actionKind } from '../../generated/common.js';
import { normalQuantile } from '../../program/math.js';
import { encodeProgram } from '../../program/program.js';
import { buildQuantile } from '../samplers.js';
import type { RateLoad } from './load.js';

/** A kind of instance; the first one is the unit of capacity. */
export interface InstanceType {
  readonly name: string;
  /** Capacity units. */
  readonly capacity: number;
  /** For a step. */
  readonly price: number;
}

/** A range of utilisation, in percent. */
export type Range = readonly [low: number, high: number];

/** The in-core horizontal pod autoscaler, in Kubernetes' words. */
export interface HpaConfig {
  /** Percent of CPU. */
  readonly targetUtilization: number;
  readonly tolerance: number;
  /** Of scaling down. */
  readonly stabilizationWindowSteps: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
}

export interface AutoscalingConfig {
  readonly horizonSteps: number;
  readonly load: RateLoad;
  /** Standard deviation of a step's requests. */
  readonly rateStd: number;
  /** null: what the HPA would run at the episode's first rate. */
  readonly initialInstances: number | null;
  readonly initialSpread: number;
  readonly maxInstances: number;
  readonly maxDelta: number;
  readonly coldStartSteps: number;
  /** 1 to 3 types. */
  readonly instanceTypes: readonly InstanceType[];
  /** Whether the action names the type, and counts and budget are observed. */
  readonly isFleet: boolean;
  /** The resources of one capacity unit. */
  readonly capacity: number;
  readonly cpuPerRequest: number;
  readonly memoryPerRequest: number;
  /** Percent; a utilisation above it ends the episode. */
  readonly utilizationLimit: number;
  readonly targetCpuRange: Range;
  readonly targetMemoryRange: Range;
  readonly costWeight: number;
  readonly latencySla: number;
  readonly budget: number | null;
  readonly normalizeObservation: boolean;
  readonly threshold: { readonly up: number; readonly down: number };
  readonly hpa: HpaConfig;
  readonly bestConstant: number;
}

const PERCENT = 100;
/** The origin's reward, see docs/environments/autoscaling.md. */
const REWARD = { below: 0.3, above: 1, mixed: 0.1, offset: 5, width: 7 } as const;

/** Observed numbers of a configuration, in the row's order. */
export function observedFields(config: Pick<AutoscalingConfig, 'isFleet' | 'coldStartSteps'>) {
  const variants = ['', config.isFleet && 'fleet', config.coldStartSteps > 0 && 'cold_start'];
  return autoscalingLayout.observations.filter(({ variant }) => variants.includes(variant));
}

/** Highest rate of a window: so much of what all instances of the first type can serve. */
export function peakRate(
  config: Pick<
    AutoscalingConfig,
    'maxInstances' | 'capacity' | 'cpuPerRequest' | 'memoryPerRequest'
  >,
  share: number,
): number {
  const { maxInstances, capacity, cpuPerRequest, memoryPerRequest } = config;
  const most = cpuPerRequest > memoryPerRequest ? cpuPerRequest : memoryPerRequest;
  return (share * maxInstances * capacity) / most;
}

/** The program of an autoscaling task. Throws `ProgramError` naming a field out of range. */
export function compileAutoscaling(config: AutoscalingConfig): Uint8Array {
  const scalars: AutoscalingScalars = {
    horizon: config.horizonSteps,
    actionDim: config.isFleet ? 2 : 1,
    observationDim: observedFields(config).length,
    maskDim: 0,
    ...loadScalars(config),
    ...fleetScalars(config),
    ...rewardScalars(config),
    thresholdUp: config.threshold.up,
    thresholdDown: config.threshold.down,
    hpaTarget: config.hpa.targetUtilization,
    hpaTolerance: config.hpa.tolerance,
    hpaWindowSteps: config.hpa.stabilizationWindowSteps,
    hpaMinReplicas: config.hpa.minReplicas,
    hpaMaxReplicas: config.hpa.maxReplicas,
    bestConstant: config.bestConstant,
  };
  const { load } = config;
  const tables: AutoscalingTables = {
    ...actionTables(config),
    noise: buildQuantile((tail, p) => config.rateStd * normalQuantile(tail, p)),
    profileRate: Float32Array.from(load.rates),
    windowStarts: Uint32Array.from(load.starts),
    windowScales: Float32Array.from(load.scales),
    windowInstances: Uint32Array.from(load.starts, (_, window) => initialOf(config, window)),
    observationScale: Float32Array.from(observedFields(config), ({ scale }) =>
      config.normalizeObservation ? scale : 1,
    ),
  };
  return encodeProgram(autoscalingLayout, scalars, tables);
}

/** Initial instances of the first type, before the spread. */
function initialOf(config: AutoscalingConfig, window: number): number {
  if (config.initialInstances !== null) return config.initialInstances;
  const { load, maxInstances, hpa } = config;
  const rate = load.rates[load.starts[window]] * load.scales[window];
  const wanted = Math.ceil((rate * cpuFactor(config)) / hpa.targetUtilization);
  const above = wanted > 1 ? wanted : 1;
  return above < maxInstances ? above : maxInstances;
}

const cpuFactor = ({ cpuPerRequest, capacity }: AutoscalingConfig): number =>
  (PERCENT * cpuPerRequest) / capacity;

function loadScalars(config: AutoscalingConfig) {
  return {
    profileSteps: config.load.rates.length,
    numWindows: config.load.starts.length,
    initialSpread: config.initialSpread,
    cpuFactor: cpuFactor(config),
    memoryFactor: (PERCENT * config.memoryPerRequest) / config.capacity,
    utilizationLimit: config.utilizationLimit,
    latencySla: config.latencySla,
  };
}

function fleetScalars({ instanceTypes, ...config }: AutoscalingConfig) {
  return {
    numTypes: instanceTypes.length,
    isFleet: config.isFleet ? 1 : 0,
    maxDelta: config.maxDelta,
    maxInstances: config.maxInstances,
    coldStartSteps: config.coldStartSteps,
    hasColdStart: config.coldStartSteps > 0 ? 1 : 0,
    capacity0: instanceTypes[0].capacity,
    capacity1: instanceTypes[1]?.capacity ?? 0,
    capacity2: instanceTypes[2]?.capacity ?? 0,
    price0: instanceTypes[0].price,
    price1: instanceTypes[1]?.price ?? 0,
    price2: instanceTypes[2]?.price ?? 0,
    hasBudget: config.budget === null ? 0 : 1,
    budget: config.budget ?? 0,
  };
}

function rewardScalars({ targetCpuRange, targetMemoryRange, costWeight }: AutoscalingConfig) {
  const gain = ([low, high]: Range) => 2 / (high - low);
  const centre = ([low, high]: Range) => (low + high) / 2;
  return {
    cpuLow: targetCpuRange[0],
    cpuHigh: targetCpuRange[1],
    cpuCentre: centre(targetCpuRange),
    cpuGain: gain(targetCpuRange),
    memoryLow: targetMemoryRange[0],
    memoryHigh: targetMemoryRange[1],
    memoryCentre: centre(targetMemoryRange),
    memoryGain: gain(targetMemoryRange),
    belowPenalty: REWARD.below,
    abovePenalty: REWARD.above,
    distanceWeight: 1 / PERCENT,
    mixedPenalty: REWARD.mixed,
    costWeight,
    rewardOffset: REWARD.offset,
    rewardGain: 1 / REWARD.width,
  };
}

function actionTables({ isFleet, instanceTypes, maxDelta }: AutoscalingConfig) {
  const most = isFleet ? [instanceTypes.length - 1, 2 * maxDelta] : [2 * maxDelta];
  return {
    actionKind: Uint32Array.from(most, () => actionKind.index),
    actionNumChoices: Uint32Array.from(most, () => 0),
    actionRanges: Float32Array.from(most.flatMap((high) => [0, high])),
    actionChoices: new Float32Array(8 * most.length),
  };
}

/** Most instance types a fleet can have. */
export const MAX_INSTANCE_TYPES = NUM_TYPES_MAX;
