/** Autoscaling: keep a service inside its utilisation band. docs/environments/autoscaling.md */

import { digestOf } from '../../base/digest.js';
import type { JsonObject } from '../../base/json.js';
import {
  type AutoscalingConfig,
  compileAutoscaling,
  observedFields,
} from '../../compile/autoscaling/autoscaling.js';
import { autoscalingLayout, metric } from '../../generated/autoscaling.js';
import { Box, Discrete, MultiDiscrete } from '../../spaces/index.js';
import { show } from '../../spaces/space.js';
import type { CompiledTask, EnvFamily, TaskSpec } from '../family.js';
import { flagEntry, metricEntry, metricsEntry, objectEntry, type Report } from '../report.js';
import { readConfig } from './config.js';
import { gradeAutoscalingLog, gradeStatistics } from './grader.js';
import { autoscalingTasks } from './tasks.js';

/** The autoscaling family: the origin's three tasks, diurnal, trace and fleet. */
export const autoscalingFamily: EnvFamily = {
  name: 'autoscaling',
  layout: autoscalingLayout,
  tasks: autoscalingTasks,
  policies: ['baseline', 'random', 'constant', 'keep', 'threshold', 'hpa', 'best-constant'],
  compile: compileAutoscalingTask,
};

/**
 * Compiles an autoscaling task with some entries of its configuration replaced.
 *
 * @throws RangeError naming an entry that is unknown, mistyped or out of range; DataError for a
 * rate trace that is not known.
 */
function compileAutoscalingTask(spec: TaskSpec, overrides: JsonObject = {}): CompiledTask {
  const { config, scoreThreshold, json } = readConfig(spec, overrides);
  const { horizonSteps, budget, isFleet, maxDelta } = config;
  const program = compileAutoscaling(config);
  const fields = observedFields(config);
  return {
    spec,
    config: json,
    layout: autoscalingLayout,
    program,
    programDigest: digestOf(program),
    horizonSteps,
    actionSpace: actionSpaceOf(config),
    observationSpace: observationSpaceOf(config),
    actionDtype: 'index',
    actionDim: isFleet ? 2 : 1,
    observationDim: fields.length,
    maskDim: 0,
    actionNames: isFleet ? ['instance_type', 'change'] : ['change'],
    observationNames: fields.map(({ name }) => name),
    encodeAction: isFleet ? fleetEncoder(config) : changeEncoder(config),
    baselineAction: isFleet ? [0, maxDelta] : maxDelta,
    report: reportOf(config),
    grader: {
      kind: 'autoscaling',
      horizon_steps: horizonSteps,
      score_threshold: scoreThreshold,
      budget,
    },
    grade: (statistics) => gradeStatistics({ horizonSteps, scoreThreshold, budget }, statistics),
    gradeLog(log) {
      return gradeAutoscalingLog(this, log);
    },
    needsBaseline: false,
  };
}

/** Changes from -max_delta to max_delta, as 0 .. 2 max_delta; a fleet's behind the type. */
function actionSpaceOf({ isFleet, instanceTypes, maxDelta }: AutoscalingConfig) {
  const changes = 2 * maxDelta + 1;
  return isFleet ? new MultiDiscrete([instanceTypes.length, changes]) : new Discrete(changes);
}

/** The layout's bounds, under the fixed scalings where observations are normalised. */
function observationSpaceOf(config: AutoscalingConfig): Box {
  const fields = observedFields(config);
  const bound = (value: number | null, scale: number, unbounded: number) => {
    if (value === null) return unbounded;
    return config.normalizeObservation ? Math.fround(value * Math.fround(scale)) : value;
  };
  return new Box({
    low: fields.map(({ low, scale }) => bound(low, scale, -Infinity)),
    high: fields.map(({ high, scale }) => bound(high, scale, Infinity)),
  });
}

function changeEncoder(config: AutoscalingConfig): CompiledTask['encodeAction'] {
  const space = actionSpaceOf(config);
  return (action, row) => {
    const problem = space.describe(action, 'action');
    if (problem !== null) throw new RangeError(problem);
    row[0] = action as number;
  };
}

/** Takes `[type, change + max_delta]`, or `{ instance_type, change }` with the type's name. */
function fleetEncoder(config: AutoscalingConfig): CompiledTask['encodeAction'] {
  const space = actionSpaceOf(config);
  return (action, row) => {
    const pair = isRecord(action) ? pairOf(action, config) : action;
    const problem = space.describe(pair, 'action');
    if (problem !== null) throw new RangeError(problem);
    row.set(pair as ArrayLike<number>);
  };
}

function isRecord(action: unknown): action is Readonly<Record<string, unknown>> {
  const isObject = typeof action === 'object' && action !== null;
  return isObject && !Array.isArray(action) && !ArrayBuffer.isView(action);
}

function pairOf(
  action: Readonly<Record<string, unknown>>,
  { instanceTypes, maxDelta }: AutoscalingConfig,
): number[] {
  const names = instanceTypes.map(({ name }) => name);
  const { instance_type: type, change } = action;
  const index = names.findIndex((name, i) => name === type || i === type);
  if (index < 0) {
    const needed = `one of ${names.join(', ')} is needed`;
    throw new RangeError(`action.instance_type is ${show(type)}: ${needed}`);
  }
  if (typeof change !== 'number' || !(Math.abs(change) <= maxDelta) || !Number.isInteger(change)) {
    const needed = `an integer from ${-maxDelta} to ${maxDelta} is needed`;
    throw new RangeError(`action.change is ${show(change)}: ${needed}`);
  }
  return [index, change + maxDelta];
}

/** The entries of `info`: every metric, and by the origin's names those looked for first. */
function reportOf({ budget }: AutoscalingConfig): Report {
  const budgetReport = [
    metricEntry('budget_left', metric.budgetLeft),
    flagEntry('is_over_budget', metric.overBudget),
  ];
  return [
    metricEntry('step', metric.step),
    metricEntry('latency', metric.latency),
    objectEntry('reward_components', [
      metricEntry('cpu', metric.rewardCpu),
      metricEntry('memory', metric.rewardMemory),
      metricEntry('resource_cost', metric.rewardCost),
      metricEntry('mixed_penalty', metric.rewardMixed),
    ]),
    flagEntry('is_sla_violated', metric.slaViolation),
    ...(budget === null ? [] : budgetReport),
    metricsEntry(autoscalingLayout),
  ];
}
