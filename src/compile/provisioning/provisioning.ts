/**
 * Compiles a provisioning task into a program: the arrival rate of every step and regime becomes
 * a level with an alias table of its own, so that the kernels only look up and compare.
 */
import { actionKind } from '../../generated/common.js';
import {
  NUM_REGIMES,
  type ProvisioningScalars,
  type ProvisioningTables,
  provisioningLayout,
} from '../../generated/provisioning.js';
import { sin2pi } from '../../program/math.js';
import { encodeProgram } from '../../program/program.js';
import { arrivalTables } from '../arrivals.js';
import { buildAlias } from '../samplers.js';

/** Poisson arrivals per step; two regimes, the second of which may never be entered. */
export interface ProvisioningTraffic {
  /** Mean arrivals per step in the calm regime, with which an episode begins. */
  readonly rate: number;
  /** Mean arrivals per step in the surge regime. */
  readonly surgeRate: number;
  /** Probability, at the end of a calm step, that the next one is a surge. */
  readonly surgeEnterProbability: number;
  /** Probability, at the end of a step of the surge, that the next one is calm. */
  readonly surgeLeaveProbability: number;
  /** Share of a rate by which it swings up and down: rate (1 + swing sin(2 pi t / period)). */
  readonly swing: number;
  readonly swingPeriodSteps: number;
}

/** A provisioning task, read and checked. Money is in US dollars. */
export interface ProvisioningConfig {
  readonly traffic: ProvisioningTraffic;
  readonly horizonSteps: number;
  readonly bootDelaySteps: number;
  readonly gpusStart: number;
  readonly gpusMax: number;
  readonly changeMax: number;
  readonly jobValueUsd: number;
  readonly gpuCostUsd: number;
  readonly waitCostUsd: number;
  readonly budgetUsd: number;
  readonly normalizeObservation: boolean;
}

/** The program of a provisioning task. Throws `ProgramError` or `RangeError` naming the field. */
export function compileProvisioning(config: ProvisioningConfig): Uint8Array {
  const profile = rateProfile(config);
  const arrivals = arrivalTables(profile.rates);
  const scalars: ProvisioningScalars = {
    horizon: config.horizonSteps,
    actionDim: 1,
    observationDim: provisioningLayout.observations.length,
    maskDim: 0,
    gpusMax: config.gpusMax,
    changeMax: config.changeMax,
    gpusStart: config.gpusStart,
    bootDelay: config.bootDelaySteps,
    jobValue: config.jobValueUsd,
    gpuCost: config.gpuCostUsd,
    waitCost: config.waitCostUsd,
    budgetStart: config.budgetUsd,
    numLevels: profile.rates.length,
    arrivalBits: arrivals.bits,
    profileSteps: profile.levels.length / NUM_REGIMES,
  };
  const tables: ProvisioningTables = {
    ...actionTables(config.changeMax),
    arrivalAlias: arrivals.columns,
    arrivalOffset: arrivals.offsets,
    profileLevel: profile.levels,
    regimeAlias: regimeTable(config.traffic),
    observationScale: Float32Array.from(observationRanges(config), (range) => 1 / range),
  };
  return encodeProgram(provisioningLayout, scalars, tables);
}

/** One index of -changeMax .. changeMax. */
function actionTables(changeMax: number) {
  return {
    actionKind: Uint32Array.of(actionKind.index),
    actionNumChoices: Uint32Array.of(0),
    actionRanges: Float32Array.of(-changeMax, changeMax),
    actionChoices: new Float32Array(8),
  };
}

/** The different rates, and the level of every [regime][step]; one step where they are steady. */
function rateProfile({ traffic, horizonSteps }: ProvisioningConfig) {
  const steps = traffic.swing === 0 ? 1 : horizonSteps;
  const rates: number[] = [];
  const levelOf = new Map<number, number>();
  const levels = new Uint32Array(NUM_REGIMES * steps);
  [traffic.rate, traffic.surgeRate].forEach((mean, regime) => {
    for (let step = 0; step < steps; step++) {
      const turns = (step % traffic.swingPeriodSteps) / traffic.swingPeriodSteps;
      const rate = mean * (1 + traffic.swing * sin2pi(turns));
      const level = levelOf.get(rate) ?? rates.push(rate) - 1;
      levelOf.set(rate, level);
      levels[regime * steps + step] = level;
    }
  });
  return { rates, levels };
}

/** [regime][2 columns]: which regime comes next. */
function regimeTable({ surgeEnterProbability, surgeLeaveProbability }: ProvisioningTraffic) {
  const calm = buildAlias([1 - surgeEnterProbability, surgeEnterProbability], 0, 1);
  const surge = buildAlias([surgeLeaveProbability, 1 - surgeLeaveProbability], 0, 1);
  return Uint32Array.of(...calm.columns, ...surge.columns);
}

/**
 * The divisors of an observation, in the layout's order: 1, or what brings it to about [0, 1].
 */
export function observationRanges(config: ProvisioningConfig): number[] {
  const { horizonSteps, gpusMax, budgetUsd } = config;
  const ranges = [horizonSteps, gpusMax, gpusMax, budgetUsd, gpusMax, gpusMax];
  return ranges.map((range) => (config.normalizeObservation ? range : 1));
}
