/** A family over the serving layout, small enough to test the library apart from real tasks. */

import { digestOf } from '../../src/base/digest.js';
import type { JsonObject } from '../../src/base/json.js';
import { compileServing, type ServingConfig } from '../../src/compile/serving/serving.js';
import { burstTraffic } from '../../src/compile/serving/traffic.js';
import { PERF_METRICS } from '../../src/data/perf-table.js';
import type { CompiledTask, EnvFamily, TaskSpec } from '../../src/envs/family.js';
import { metricEntry } from '../../src/envs/report.js';
import { servingLayout } from '../../src/generated/serving.js';
import { Box, Discrete } from '../../src/spaces/index.js';

const HORIZON_STEPS = 11;

export const tinyTask: TaskSpec = {
  id: 'tiny/normalised-v1',
  aliases: ['tiny'],
  name: 'normalised',
  difficulty: 'easy',
  description: 'eleven steps of a made-up server',
  config: { alpha: 0.4, horizon_steps: HORIZON_STEPS, action_space: 'normalised' },
};

export const tinyDiscreteTask: TaskSpec = {
  ...tinyTask,
  id: 'tiny/discrete-v2',
  aliases: ['7'],
  name: 'discrete',
  config: { ...tinyTask.config, action_space: 'discrete' },
};

export const tinyFamily: EnvFamily = {
  name: 'tiny',
  layout: servingLayout,
  tasks: [tinyTask, tinyDiscreteTask],
  policies: ['baseline', 'random', 'constant'],
  compile: compileTiny,
};

function compileTiny(spec: TaskSpec, overrides: JsonObject = {}): CompiledTask {
  for (const name of Object.keys(overrides)) {
    if (!(name in tinyTask.config)) throw new RangeError(`config.${name} is unknown`);
  }
  const config: JsonObject = { ...spec.config, ...overrides };
  const isDiscrete = config.action_space === 'discrete';
  const horizonSteps = Number(config.horizon_steps);
  const program = compileServing({
    ...servingConfig(horizonSteps),
    alpha: Number(config.alpha),
    actionSpace: isDiscrete ? 'discrete' : 'normalised',
  });
  const actionSpace = isDiscrete ? new Discrete(8) : new Box({ low: -1, high: 1, shape: [5] });
  const observations = servingLayout.observations.filter(({ variant }) => variant === '');
  return {
    spec,
    config,
    layout: servingLayout,
    program,
    programDigest: digestOf(program),
    horizonSteps,
    actionSpace,
    observationSpace: new Box({
      low: observations.map(({ low }) => low ?? -Infinity),
      high: observations.map(({ high }) => high ?? Infinity),
    }),
    actionDtype: isDiscrete ? 'index' : 'real',
    actionDim: isDiscrete ? 1 : 5,
    observationDim: observations.length,
    maskDim: 0,
    actionNames: isDiscrete ? ['configuration'] : servingLayout.actions.map(({ name }) => name),
    observationNames: observations.map(({ name }) => name),
    encodeAction(action, row) {
      const problem = actionSpace.describe(action, 'action');
      if (problem !== null) throw new RangeError(problem);
      row.set(isDiscrete ? [action as number] : (action as number[]));
    },
    baselineAction: isDiscrete ? 3 : [0, 0, -1, -1, -1],
    report: [metricEntry('arrivals', 9), metricEntry('served', 10)],
    grader: { kind: 'tiny' },
    grade(statistics, context) {
      const score = (statistics.episode_return - (context?.baselineReturn ?? NaN)) / 100;
      return { score, breakdown: { score }, feedback: '' };
    },
    needsBaseline: true,
  };
}

function servingConfig(horizonSteps: number): ServingConfig & { dynamics: 'origin' } {
  return {
    dynamics: 'origin',
    table: {
      name: 'tiny',
      source: 'made up',
      licence: 'MIT',
      batch: [1, 256],
      kv: [0.25, 1],
      spec: [0],
      promptLen: [64, 4096],
      quantTiers: [0],
      values: Float64Array.from({ length: 8 * PERF_METRICS.length }, (_, i) => {
        const base = [120, 240, 20, 2000, 24, 0.004][i % PERF_METRICS.length];
        return Math.fround(base * (1 + Math.floor(i / PERF_METRICS.length) / 8));
      }),
      measuredSpeculation: false,
      meanOutputTokens: 210,
      deviceMemoryGb: 40,
      pricePerGpuHourUsd: 1.5,
    },
    traffic: burstTraffic(horizonSteps + 5, 8, 60, (step) => step % 9 >= 6),
    prompt: { kind: 'quantiles', knots: [32, 100, 180, 400, 900, 4000] },
    horizonSteps,
    actionSpace: 'normalised',
    normalizeObservation: false,
    activeActions: ['kv_budget', 'batch_size', 'prefill_disagg'],
    defaultAction: {
      kv_budget: 1,
      batch_size: 32,
      spec_length: 0,
      prefill_disagg: 0,
      quant_tier: 0,
    },
    noiseStd: 0.05,
    memoryMaxGb: 40,
    priorityMix: [1, 0, 0],
    alpha: 0.4,
    beta: 0.25,
    gamma: 0.3,
    delta: 0.1,
    maxThroughput: 4000,
    costCeiling: 0.01,
    sloTargetMs: 300,
    sloBatchMs: 2000,
    priorityRouting: false,
    acceptBase: 0.65,
  };
}
