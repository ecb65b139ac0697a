/** Serving: run an LLM inference server's knobs while its traffic changes. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { JsonObject } from '../../base/json.js';
import {
  compileServing,
  configurationGrid,
  fieldValues,
  type ServingConfig,
} from '../../compile/serving/serving.js';
import { servingLayout } from '../../generated/serving.js';
import { Box } from '../../spaces/index.js';
import type { CompiledTask, EnvFamily, TaskSpec } from '../family.js';
import { actionCodec, nearestConfiguration, normaliseAction } from './actions.js';
import { ACTION_FIELDS, namedAction } from './common.js';
import { readConfig } from './config.js';
import { servingReport } from './describe.js';
import { gradeLog, graderOf, graderRules, gradeStatistics } from './grader.js';
import { servingTasks } from './tasks.js';

/** The serving family: the origin's three tasks and the measured ones. */
export const servingFamily: EnvFamily = {
  name: 'serving',
  layout: servingLayout,
  tasks: servingTasks,
  policies: ['baseline', 'random', 'constant', 'best-constant', 'greedy', 'hysteresis'],
  compile: compileServingTask,
};

/**
 * Compiles a serving task with some entries of its configuration replaced.
 *
 * @throws RangeError naming an entry that is unknown, mistyped or out of range; DataError for a
 * table or a traffic profile that is not known.
 */
function compileServingTask(spec: TaskSpec, overrides: JsonObject = {}): CompiledTask {
  const { config, json } = readConfig(spec, overrides);
  const grader = graderOf(json, config.traffic.meanRate);
  const codec = actionCodec(config);
  const observations = observedFields(config);
  const program = compileServing(config);
  return {
    spec,
    config: json,
    layout: servingLayout,
    program,
    programDigest: bytesToHex(sha256(program)).slice(0, 16),
    horizonSteps: config.horizonSteps,
    actionSpace: codec.space,
    observationSpace: observationSpace(config),
    actionDtype: codec.dtype,
    actionDim: codec.dim,
    ...(codec.dtype === 'index' && {
      actionFields: fieldValues(config).map((values) => values.length),
    }),
    observationDim: observations.length,
    maskDim: 0,
    actionNames: codec.dtype === 'index' ? ['configuration'] : ACTION_FIELDS,
    observationNames: observations.map((field) => field.name),
    encodeAction: codec.encode,
    baselineAction: codec.baseline,
    report: servingReport(config),
    grader: graderRules(json, config.traffic.meanRate),
    grade: (statistics, context) => gradeStatistics(grader, statistics, context),
    gradeLog(log, context) {
      return gradeLog(this, log, context);
    },
    needsBaseline: config.dynamics === 'measured',
  };
}

function observedFields({ dynamics }: ServingConfig) {
  return servingLayout.observations.filter((o) => o.variant === '' || o.variant === dynamics);
}

/** The layout's bounds, under the fixed scalings where observations are normalised. */
function observationSpace(config: ServingConfig): Box {
  const fields = observedFields(config);
  const scaled = (bound: number | null, scale: number, unbounded: number) => {
    if (bound === null) return unbounded;
    return config.normalizeObservation ? Math.fround(bound) * Math.fround(scale) : bound;
  };
  return new Box({
    low: fields.map((field) => scaled(field.low, field.scale, -Infinity)),
    high: fields.map((field) => scaled(field.high, field.scale, Infinity)),
  });
}

/**
 * The configurations of a serving task's discrete grid, [n][5]: kv_budget, batch_size, spec_length,
 * prefill_disagg, quant_tier; a discrete action is an index into it.
 */
export function servingGrid(task: CompiledTask): number[][] {
  return configurationGrid(readConfig(task.spec, task.config).config);
}

/**
 * The action of a task's action space that asks for a configuration (five numbers as in
 * `servingGrid`); where actions are indices, the nearest configuration of the grid.
 */
export function servingAction(task: CompiledTask, row: readonly number[]): unknown {
  const action = namedAction(row);
  if (task.config['action_space'] === 'normalised') return normaliseAction(action);
  if (task.config['action_space'] === 'structured') return action;
  return nearestConfiguration(servingGrid(task), action);
}

/** The factors of the fields of a serving task's observations: 1 unless normalised. */
export function observationScales(task: CompiledTask): Float32Array {
  const isNormalised = task.config['normalize_observation'] === true;
  const { observations } = task.layout;
  return Float32Array.from(task.observationNames, (_, i) =>
    isNormalised ? observations[i].scale : 1,
  );
}
