/** Provisioning: rent GPUs for a job queue under a budget. */

import { digestOf } from '../../base/digest.js';
import type { JsonObject } from '../../base/json.js';
import type { Seed } from '../../base/seeding.js';
import {
  compileProvisioning,
  observationRanges,
  type ProvisioningConfig,
  type ProvisioningTraffic,
} from '../../compile/provisioning/provisioning.js';
import {
  metric,
  observation,
  type ProvisioningScalars,
  type ProvisioningTables,
  provisioningLayout,
  regimeNames,
} from '../../generated/provisioning.js';
import { decodeProgram } from '../../program/program.js';
import { arrivalsOfEpisode } from '../../reference/provisioning/provisioning.js';
import { Box, Discrete } from '../../spaces/index.js';
import { actionNumber } from '../action-number.js';
import { ConfigReader } from '../config-reader.js';
import type { CompiledTask, EnvFamily, TaskSpec } from '../family.js';
import { metricEntry, metricsEntry, type Report } from '../report.js';
import {
  clairvoyantBound,
  episodeMetrics,
  gradeProvisioningLog,
  gradeStatistics,
} from './grader.js';
import { PROVISIONING_DEFAULTS, provisioningTasks } from './tasks.js';

/** The provisioning family: the origin's three tasks. */
export const provisioningFamily: EnvFamily = {
  name: 'provisioning',
  layout: provisioningLayout,
  tasks: provisioningTasks,
  policies: ['baseline', 'random', 'constant', 'hold', 'match-queue', 'moving-average', 'bound'],
  compile: compileProvisioningTask,
};

/**
 * Compiles a provisioning task with some entries of its configuration replaced.
 *
 * @throws RangeError naming an entry that is unknown, mistyped or out of range.
 */
function compileProvisioningTask(spec: TaskSpec, overrides: JsonObject = {}): CompiledTask {
  const reader = ConfigReader.over(PROVISIONING_DEFAULTS, [spec.config, overrides]);
  const config = readConfig(reader);
  const program = compileProvisioning(config);
  const actionSpace = new Discrete(2 * config.changeMax + 1, -config.changeMax);
  return {
    spec,
    config: reader.json,
    layout: provisioningLayout,
    program,
    programDigest: digestOf(program),
    horizonSteps: config.horizonSteps,
    actionSpace,
    observationSpace: observationSpace(config),
    actionDtype: 'index',
    actionDim: 1,
    observationDim: provisioningLayout.observations.length,
    maskDim: 0,
    actionNames: provisioningLayout.actions.map(({ name }) => name),
    observationNames: provisioningLayout.observations.map(({ name }) => name),
    encodeAction(action, row) {
      const gpus = actionNumber(action, 'gpus_to_provision');
      const problem = actionSpace.describe(gpus, 'action.gpus_to_provision');
      if (problem !== null) throw new RangeError(problem);
      row[0] = gpus as number;
    },
    baselineAction: 0,
    report: REPORT,
    grader: { kind: 'provisioning', budget_usd: config.budgetUsd },
    grade: (statistics, context) => gradeStatistics(config, statistics, context),
    gradeLog(log, context = {}) {
      return gradeProvisioningLog(this, log, context);
    },
    episodeMetrics: (statistics) => episodeMetrics(config, statistics),
    needsBaseline: false,
    bound: (seed, episode) => clairvoyantBound(arrivalsOf(program, seed, episode), config),
  };
}

/**
 * Jobs that arrive in each step of an episode up to its horizon, whatever is done in it: what a
 * clairvoyant knows. [horizon]
 */
export function provisioningArrivals(task: CompiledTask, seed: Seed, episode = 0): number[] {
  return arrivalsOf(task.program, seed, episode);
}

function arrivalsOf(bytes: Uint8Array, seed: Seed, episode: number): number[] {
  const program = decodeProgram<ProvisioningScalars, ProvisioningTables>(provisioningLayout, bytes);
  return arrivalsOfEpisode(program, seed, episode);
}

/** The configuration of a compiled task, as its compiler took it. */
export function provisioningConfig(task: CompiledTask): ProvisioningConfig {
  return readConfig(ConfigReader.over(PROVISIONING_DEFAULTS, [task.config]));
}

/** The observation of environment `env` of a batch, by name and without scalings. */
export function provisioningState(
  config: ProvisioningConfig,
  observations: Float32Array,
  env: number,
) {
  const ranges = observationRanges(config);
  const read = (i: number) => observations[env * ranges.length + i] * ranges[i];
  return {
    step: Math.round(read(observation.timeStep)),
    running: Math.round(read(observation.activeGpus)),
    queue: Math.round(read(observation.queueSize)),
    budgetUsd: read(observation.currentBudget),
    incoming: Math.round(read(observation.incomingJobs)),
    booting: Math.round(read(observation.bootingGpus)),
  };
}

const USD = { min: 0, max: 1e6 };
const PROBABILITY = { min: 0, max: 1 };
/** Above it, and with a swing, the Poisson distribution no longer fits an alias table. */
const JOBS_PER_STEP = { min: 0, max: 500 };

function readConfig(reader: ConfigReader): ProvisioningConfig {
  const gpusMax = reader.number('max_gpus', { min: 1, max: 65536, integer: true });
  const changeMax = reader.number('max_change', { min: 1, max: 65536, integer: true });
  const jobValueUsd = reader.number('job_value_usd', USD);
  const gpuCostUsd = reader.number('gpu_cost_usd', USD);
  const waitCostUsd = reader.number('wait_cost_usd', USD);
  if (!(jobValueUsd > gpuCostUsd + waitCostUsd)) {
    const least = gpuCostUsd + waitCostUsd;
    const why = 'or serving would not pay: more';
    reader.refuse('job_value_usd', `more than gpu_cost_usd + wait_cost_usd = ${least}, ${why},`);
  }
  return {
    traffic: readTraffic(reader),
    horizonSteps: reader.number('max_steps', { min: 1, max: 1_000_000, integer: true }),
    bootDelaySteps: reader.number('boot_delay', { min: 0, max: 8, integer: true }),
    gpusStart: reader.number('start_gpus', { min: 0, max: gpusMax, integer: true }),
    gpusMax,
    changeMax,
    jobValueUsd,
    gpuCostUsd,
    waitCostUsd,
    budgetUsd: reader.number('budget_usd', { min: 0.01, max: 1e9 }),
    normalizeObservation: reader.boolean('normalize_observation'),
  };
}

/** Steady or swinging arrivals, with a surge regime where `surge_rate` is given. */
function readTraffic(reader: ConfigReader): ProvisioningTraffic {
  const rate = reader.number('arrival_rate', JOBS_PER_STEP);
  const surgeRate = reader.optionalNumber('surge_rate', JOBS_PER_STEP);
  const enter = reader.number('surge_enter_probability', PROBABILITY);
  const leave = reader.number('surge_leave_probability', PROBABILITY);
  return {
    rate,
    surgeRate: surgeRate ?? rate,
    surgeEnterProbability: surgeRate === null ? 0 : enter,
    surgeLeaveProbability: surgeRate === null ? 1 : leave,
    swing: reader.number('arrival_swing', { min: 0, max: 1 }),
    swingPeriodSteps: reader.number('swing_period', { min: 2, max: 2000, integer: true }),
  };
}

/** Bounds of the observation; the queue's is what a horizon of arrivals cannot pass. */
function observationSpace(config: ProvisioningConfig): Box {
  const { horizonSteps, gpusMax, gpuCostUsd, budgetUsd } = config;
  const jobs = 2048;
  const overrun = gpuCostUsd * gpusMax;
  const low = [0, 0, 0, -overrun, 0, 0];
  const high = [horizonSteps, gpusMax, jobs * horizonSteps, budgetUsd, jobs, gpusMax];
  const ranges = observationRanges(config);
  // A little room: a value times a rounded reciprocal may pass the quotient.
  const room = config.normalizeObservation ? 1 + 2 ** -22 : 1;
  const scale = (bound: number, i: number) => (bound / ranges[i]) * room;
  return new Box({ low: low.map(scale), high: high.map(scale) });
}

const NUMBERS = provisioningLayout.metrics.map(({ name }) => name).filter((n) => n !== 'regime');

/** The `info` of a step. */
const REPORT: Report = [
  metricsEntry(provisioningLayout, NUMBERS),
  { name: 'regime', kind: 'label', index: metric.regime, labels: regimeNames },
  metricEntry('applied_gpus', metric.appliedGpus),
  metricEntry('clamped_gpus', metric.clampedGpus),
];
