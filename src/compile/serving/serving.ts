/**
 * Compiles a serving task into a program: everything that needs exp, log, quantiles or JSON
 * happens here, once, so that the kernels need only arithmetic and table look-ups.
 */
import {
  actionMode,
  dynamics,
  type ServingScalars,
  type ServingTables,
  SPEC_LENGTH_CHOICES,
  servingLayout,
} from '../../generated/serving.js';
import { buildAxis } from '../../program/grid.js';
import { encodeProgram } from '../../program/program.js';
import { arrivalTables } from '../arrivals.js';
import { normalFactorTable } from '../samplers.js';
import type {
  ServingAction,
  ServingCommon,
  ServingConfig,
  ServingMeasured,
  ServingOrigin,
} from './config.js';
import { compilePrompt } from './prompt.js';
import { actionTables, factorTables, gridTables, trafficTables } from './tables.js';

export * from './config.js';
export { promptMean } from './prompt.js';

const DISAGG = { from: 512, to: 2048, ttft: 0.3, tpot: 0.1, cost: 1.3, memory: 1.1 } as const;
const QUEUE_MAX = 1048576;
const ACTION_NAMES = servingLayout.actions.map((action) => action.name);

/** The program of a serving task. Throws `ProgramError` or `RangeError` naming the field. */
export function compileServing(config: ServingConfig): Uint8Array {
  const axes = {
    batch: buildAxis(config.table.batch, 'batch_size'),
    kv: buildAxis(config.table.kv, 'kv_budget'),
    prompt: buildAxis(config.table.promptLen, 'prompt_len'),
  };
  const prompt = compilePrompt(config.prompt);
  const configurations = configurationGrid(config);
  const arrivals = arrivalTables(config.traffic.rates);
  const scalars: ServingScalars = {
    ...commonScalars(config, configurations.length),
    arrivalBits: arrivals.bits,
    ...prompt.scalars,
    ...(config.dynamics === 'origin' ? originScalars(config) : measuredScalars(config)),
  };
  const tables: ServingTables = {
    ...actionTables(config, configurations.length),
    ...trafficTables(config.traffic, arrivals),
    ...prompt.tables,
    ...gridTables(config, axes),
    ...factorTables(config),
    noise: normalFactorTable(config.noiseStd),
    configurations: Float32Array.from(configurations.flat()),
  };
  return encodeProgram(servingLayout, scalars, tables);
}

/** The published grid of the discrete action space: every combination of the fields' values. */
export function configurationGrid(config: ServingCommon): number[][] {
  return fieldValues(config).reduce<number[][]>(
    (rows, values) => rows.flatMap((row) => values.map((value) => [...row, value])),
    [[]],
  );
}

/** The values of each field in the grid: the table's nodes, or the default of a locked one. */
export function fieldValues(config: ServingCommon): (readonly number[])[] {
  const { table, activeActions, defaultAction } = config;
  const nodes: Record<keyof ServingAction, readonly number[]> = {
    kv_budget: table.kv,
    batch_size: table.batch,
    spec_length: table.measuredSpeculation ? table.spec : SPEC_LENGTH_CHOICES,
    prefill_disagg: [0, 1],
    quant_tier: table.quantTiers.length > 1 ? table.quantTiers : [0, 1, 2],
  };
  return ACTION_NAMES.map((name) => {
    const key = name as keyof ServingAction;
    return activeActions.includes(key) ? nodes[key] : [Number(defaultAction[key])];
  });
}

function commonScalars(config: ServingCommon, numActions: number) {
  const { table, traffic, defaultAction, priorityMix } = config;
  const lockMask = ACTION_NAMES.reduce(
    (mask, name, i) => mask + (config.activeActions.some((active) => active === name) ? 0 : 1 << i),
    0,
  );
  const specIndex = SPEC_LENGTH_CHOICES.indexOf(defaultAction.spec_length);
  const profileSteps = traffic.levels.length;
  return {
    horizon: config.horizonSteps,
    actionDim: config.actionSpace === 'discrete' ? 1 : ACTION_NAMES.length,
    maskDim: 0,
    actionMode: actionMode[config.actionSpace],
    numActions,
    lockMask,
    defaultKvBudget: defaultAction.kv_budget,
    defaultBatchSize: defaultAction.batch_size,
    defaultSpecIndex: specIndex,
    defaultPrefillDisagg: Number(defaultAction.prefill_disagg),
    defaultQuantTier: defaultAction.quant_tier,
    numLevels: traffic.rates.length,
    profileSteps,
    windowStartMax: profileSteps - config.horizonSteps,
    profileInv: 1 / profileSteps,
    numBatch: table.batch.length,
    numKv: table.kv.length,
    numSpec: table.spec.length,
    numPrompt: table.promptLen.length,
    numQuant: table.quantTiers.length,
    arrivalGain: 2 / 11,
    promptGain: 1 / 8,
    queueMax: QUEUE_MAX,
    memoryMaxGb: config.memoryMaxGb,
    shareInteractive: priorityMix[0],
    shareBatch: priorityMix[1],
    shareBestEffort: priorityMix[2],
    disaggPromptFrom: DISAGG.from,
    disaggPromptGain: 1 / (DISAGG.to - DISAGG.from),
    disaggTtft: DISAGG.ttft,
    disaggTpot: DISAGG.tpot,
    disaggCost: DISAGG.cost,
    disaggMemory: DISAGG.memory,
    tableOutputTokens: table.meanOutputTokens,
    prefillSMin: 1e-6,
    decodeSMin: 1e-7,
    tpsMin: 1e-3,
    priceUsdPerStep: table.pricePerGpuHourUsd / 3600,
    hasKvUsage: table.kvUsageRatio ? 1 : 0,
  };
}

function originScalars(config: ServingOrigin) {
  const [interactive, batch] = config.priorityMix;
  return {
    dynamics: dynamics.origin,
    observationDim: servingLayout.observations.filter((o) => o.variant === '').length,
    sloInteractiveMs: config.sloTargetMs,
    sloBatchMs: config.sloBatchMs,
    heldInteractive: config.priorityRouting ? interactive : 1,
    heldBatch: config.priorityRouting ? batch : 0,
    rewardTps: config.alpha / config.maxThroughput,
    rewardTtft: config.beta / config.sloTargetMs,
    rewardViolations: config.gamma,
    rewardCost: config.delta / config.costCeiling,
    outputTokens: config.table.meanOutputTokens,
    rolloutCapacity: 1,
    rolloutSpec: 0,
    rolloutDisagg: 0,
    rolloutQuant: 0,
    sloTtftMs: config.sloTargetMs,
    sloTpotMs: 1000,
    rewardGood: 0,
    rewardGpu: 0,
    qualityLoss0: 0,
    qualityLoss1: 0,
    qualityLoss2: 0,
    resetCapacityRps: 0,
  };
}

function measuredScalars(config: ServingMeasured) {
  const { traffic, rolloutSteps, qualityLoss } = config;
  return {
    dynamics: dynamics.measured,
    observationDim: servingLayout.observations.length,
    sloInteractiveMs: config.sloTtftMs,
    sloBatchMs: config.sloTtftMs,
    heldInteractive: 0,
    heldBatch: 0,
    rewardTps: 0,
    rewardTtft: 0,
    rewardViolations: 0,
    rewardCost: 0,
    outputTokens: config.outputTokens,
    rolloutCapacity: config.rolloutCapacity,
    rolloutSpec: rolloutSteps.spec_length,
    rolloutDisagg: rolloutSteps.prefill_disagg,
    rolloutQuant: rolloutSteps.quant_tier,
    sloTtftMs: config.sloTtftMs,
    sloTpotMs: config.sloTpotMs,
    rewardGood: 1 / traffic.meanRate,
    rewardGpu: config.gpuPenalty,
    qualityLoss0: qualityLoss[0],
    qualityLoss1: qualityLoss[1],
    qualityLoss2: qualityLoss[2],
    resetCapacityRps: config.resetCapacityRps,
  };
}
