/**
 * Compiles a serving task into a program: everything that needs exp, log, quantiles or JSON
 * happens here, once, so that the kernels need only arithmetic and table look-ups.
 */
import { PERF_METRICS, type PerfTable } from '../data/perf-table.js';
import { actionKind } from '../generated/common.js';
import {
  actionMode,
  dynamics,
  GRID_METRICS,
  metric,
  NUM_BUCKETS,
  NUM_QUANT_TIERS,
  NUM_SPEC_CHOICES,
  promptKind,
  type ServingScalars,
  type ServingTables,
  servingLayout,
  UNIT_STEPS,
} from '../generated/serving.js';
import { type Axis, buildAxis } from './grid.js';
import { pow } from './math.js';
import { encodeProgram } from './program.js';
import {
  buildAlias,
  buildEqualCells,
  buildPieces,
  lognormalTable,
  normalFactorTable,
  type Piece,
  poissonProbabilities,
  QUANTILE_TABLE_LENGTH,
  uniformTable,
} from './samplers.js';
import type { ServingTraffic } from './serving-traffic.js';

/** Where prompt lengths come from, in tokens. */
export type PromptSource =
  | { readonly kind: 'uniform'; readonly min: number; readonly max: number }
  | {
      readonly kind: 'lognormal';
      readonly mu: number;
      readonly sigma: number;
      readonly min: number;
      readonly max: number;
    }
  | { readonly kind: 'mixture'; readonly pieces: readonly Piece[] }
  | { readonly kind: 'quantiles'; readonly knots: readonly number[] }
  | { readonly kind: 'profile' };

export const SPEC_CHOICES = [0, 1, 2, 4, 8] as const;
export type SpecLength = (typeof SPEC_CHOICES)[number];

/** A configuration of the server by its wire names. */
export interface ServingAction {
  readonly kv_budget: number;
  readonly batch_size: number;
  readonly spec_length: SpecLength;
  readonly prefill_disagg: boolean | number;
  readonly quant_tier: number;
}

/** What both dynamics share. */
export interface ServingCommon {
  readonly table: PerfTable;
  readonly traffic: ServingTraffic;
  readonly prompt: PromptSource;
  readonly horizonSteps: number;
  readonly actionSpace: 'structured' | 'normalised' | 'discrete';
  readonly normalizeObservation: boolean;
  readonly activeActions: readonly (keyof ServingAction)[];
  readonly defaultAction: ServingAction;
  /** Standard deviation of the three latency factors. */
  readonly noiseStd: number;
  readonly memoryMaxGb: number;
  readonly priorityMix: readonly [number, number, number];
}

/** The origin's dynamics: weights and limits by the origin's names. */
export interface ServingOrigin extends ServingCommon {
  readonly dynamics: 'origin';
  readonly alpha: number;
  readonly beta: number;
  readonly gamma: number;
  readonly delta: number;
  readonly maxThroughput: number;
  readonly costCeiling: number;
  readonly sloTargetMs: number;
  readonly sloBatchMs: number;
  readonly priorityRouting: boolean;
  readonly acceptBase: number;
}

/** The measured dynamics. */
export interface ServingMeasured extends ServingCommon {
  readonly dynamics: 'measured';
  readonly outputTokens: number;
  readonly sloTtftMs: number;
  readonly sloTpotMs: number;
  readonly qualityLoss: readonly [number, number, number];
  readonly gpuPenalty: number;
  readonly rolloutCapacity: number;
  readonly rolloutSteps: {
    readonly spec_length: number;
    readonly prefill_disagg: number;
    readonly quant_tier: number;
  };
  /** Capacity of the default configuration at the start, requests/s, observed at reset. */
  readonly resetCapacityRps: number;
}

export type ServingConfig = ServingOrigin | ServingMeasured;

const QUANT_FACTORS = [1, 0.82, 0.68] as const;
const PROMPT_EDGES = [64, 128, 256, 512, 1024, 2048, 4096] as const;
const DISAGG = { from: 512, to: 2048, ttft: 0.3, tpot: 0.1, cost: 1.3, memory: 1.1 } as const;
const RESET = { ttftP50: 200, ttftP99: 350, tpot: 20, tps: 2000, memory: 24, cost: 0.001 } as const;
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
  const scalars: ServingScalars = {
    ...commonScalars(config, configurations.length),
    ...prompt.scalars,
    ...(config.dynamics === 'origin' ? originScalars(config) : measuredScalars(config)),
  };
  const tables: ServingTables = {
    ...actionTables(config, configurations.length),
    ...arrivalTables(config.traffic),
    ...prompt.tables,
    ...gridTables(config, axes),
    ...factorTables(config),
    noise: normalFactorTable(config.noiseStd),
    configurations: Float32Array.from(configurations.flat()),
  };
  return encodeProgram(servingLayout, scalars, tables);
}

/** The published grid of the discrete action space: active fields over the table's nodes. */
export function configurationGrid(config: ServingCommon): number[][] {
  const { table, activeActions, defaultAction } = config;
  const nodes: Record<keyof ServingAction, readonly number[]> = {
    kv_budget: table.kv,
    batch_size: table.batch,
    spec_length: table.measuredSpeculation ? table.spec : SPEC_CHOICES,
    prefill_disagg: [0, 1],
    quant_tier: table.quantTiers.length > 1 ? table.quantTiers : [0, 1, 2],
  };
  return ACTION_NAMES.reduce<number[][]>(
    (rows, name) => {
      const key = name as keyof ServingAction;
      const values = activeActions.includes(key) ? nodes[key] : [Number(defaultAction[key])];
      return rows.flatMap((row) => values.map((value) => [...row, value]));
    },
    [[]],
  );
}

function commonScalars(config: ServingCommon, numActions: number) {
  const { table, traffic, defaultAction, priorityMix } = config;
  const lockMask = ACTION_NAMES.reduce(
    (mask, name, i) => mask + (config.activeActions.some((active) => active === name) ? 0 : 1 << i),
    0,
  );
  const specIndex = SPEC_CHOICES.indexOf(defaultAction.spec_length);
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
    arrivalBits: arrivalBits(traffic),
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

/** One row of kind, choices and range per action number, for the random policy of the core. */
function actionTables(config: ServingCommon, numActions: number) {
  const rows =
    config.actionSpace === 'discrete'
      ? [{ kind: actionKind.index, low: 0, high: numActions - 1, choices: [] as number[] }]
      : servingLayout.actions.map((action) => {
          if (config.actionSpace === 'normalised') {
            return { kind: actionKind.real, low: -1, high: 1, choices: [] };
          }
          const choices = [...(action.choices ?? [])];
          const kind = choices.length > 0 ? actionKind.choice : rangeKind(action.integer);
          const high = action.high ?? choices[choices.length - 1] ?? 0;
          return { kind, low: action.low ?? choices[0] ?? 0, high, choices };
        });
  return {
    actionKind: Uint32Array.from(rows, (row) => row.kind),
    actionNumChoices: Uint32Array.from(rows, (row) => row.choices.length),
    actionRanges: Float32Array.from(rows.flatMap((row) => [row.low, row.high])),
    actionChoices: Float32Array.from(
      rows.flatMap(({ choices }) => Array.from({ length: 8 }, (_, i) => choices[i] ?? 0)),
    ),
  };
}

const rangeKind = (integer: boolean | undefined): number =>
  integer === true ? actionKind.integer : actionKind.real;

function arrivalBits(traffic: ServingTraffic): number {
  const widest = traffic.rates.reduce((most, rate) => {
    const columns = poissonProbabilities(rate).probabilities.length;
    return columns > most ? columns : most;
  }, 2);
  let bits = 1;
  while (2 << (bits - 1) < widest) bits++;
  return bits;
}

function arrivalTables(traffic: ServingTraffic) {
  const bits = arrivalBits(traffic);
  const tables = traffic.rates.map((rate) => {
    const { offset, probabilities } = poissonProbabilities(rate);
    return buildAlias(probabilities, offset, bits);
  });
  return {
    arrivalAlias: Uint32Array.from(tables.flatMap((table) => Array.from(table.columns))),
    arrivalOffset: Uint32Array.from(tables, (table) => table.offset),
    levelRate: Float32Array.from(traffic.rates),
    profileLevel: Uint32Array.from(traffic.levels),
    profilePhase: Uint32Array.from(traffic.phases),
    profilePrompt: Float32Array.from(traffic.promptLens),
  };
}

/** The prompt sampler; the tables of the kinds that are not used are as short as they may be. */
function compilePrompt(source: PromptSource) {
  const scalars = {
    promptKind: promptKind.profile as number,
    promptBits: 1,
    promptCells: 1,
    promptMin: 0,
    promptMax: QUEUE_MAX,
    promptStart: 0,
  };
  const tables: Pick<
    ServingTables,
    'promptAlias' | 'promptQuantile' | 'promptPieces' | 'promptCell'
  > = {
    promptAlias: new Uint32Array(2),
    promptQuantile: new Float32Array(QUANTILE_TABLE_LENGTH),
    promptPieces: new Float32Array(8),
    promptCell: new Float32Array(2),
  };
  if (source.kind === 'profile') return { scalars, tables };
  scalars.promptStart = promptMean(source);
  if (source.kind === 'uniform' || source.kind === 'lognormal') {
    scalars.promptKind = promptKind.quantile;
    scalars.promptMin = source.min;
    scalars.promptMax = source.max;
    tables.promptQuantile =
      source.kind === 'uniform'
        ? uniformTable(source.min, source.max)
        : lognormalTable(source.mu, source.sigma);
  } else if (source.kind === 'mixture') {
    const table = buildPieces(source.pieces);
    scalars.promptKind = promptKind.pieces;
    scalars.promptBits = table.bits;
    tables.promptAlias = table.columns;
    tables.promptPieces = table.coefficients;
  } else {
    scalars.promptKind = promptKind.equalCells;
    tables.promptCell = buildEqualCells(source.knots);
    scalars.promptCells = tables.promptCell.length / 2;
  }
  return { scalars, tables };
}

/** The distribution's mean, clamps included, where the running mean starts. */
export function promptMean(source: Exclude<PromptSource, { kind: 'profile' }>): number {
  switch (source.kind) {
    case 'uniform':
      return (source.min + source.max) / 2;
    case 'lognormal':
      return clampedTableMean(lognormalTable(source.mu, source.sigma), source.min, source.max);
    case 'mixture': {
      const weight = source.pieces.reduce((sum, piece) => sum + piece.weight, 0);
      const sum = source.pieces.reduce((s, p) => s + (p.weight * (p.lo + p.hi)) / 2, 0);
      return sum / weight;
    }
    default: {
      const cells = source.knots.length - 1;
      const inner = source.knots.reduce((sum, knot) => sum + knot, 0);
      return (inner - (source.knots[0] + source.knots[cells]) / 2) / cells;
    }
  }
}

/** Mean of a quantile table under clamps, summed cell by cell over its reachable inputs. */
function clampedTableMean(table: Float32Array, min: number, max: number): number {
  let sum = 0;
  for (let tail = 0; tail < 2; tail++) {
    for (let y = 1; y < 16777216; y += 256) {
      // Every 128th odd input: the quantile function is smooth, and a start needs no more.
      const z = Math.clz32(y);
      const i = tail * 2048 + (30 - z) * 64 + ((y << z) >>> 25);
      const value = table[2 * i] + table[2 * i + 1] * y;
      const above = value > min ? value : min;
      sum += above < max ? above : max;
    }
  }
  return sum / 131072;
}

function gridTables(config: ServingConfig, axes: Record<'batch' | 'kv' | 'prompt', Axis>) {
  const { table } = config;
  return {
    batchNodes: axes.batch.nodes,
    batchInv: axes.batch.inv,
    kvNodes: axes.kv.nodes,
    kvInv: axes.kv.inv,
    promptNodes: axes.prompt.nodes,
    promptInv: axes.prompt.inv,
    promptEdges: Float32Array.from(PROMPT_EDGES),
    specPlane: Uint32Array.from(SPEC_CHOICES, (length) => specPlane(table, length)),
    quantPlane: Uint32Array.from([0, 1, 2], (tier) => quantPlane(table, tier)),
    grid: packGrid(config),
  };
}

/** The table's plane for a draft length: the node itself, else the nearest one below. */
function specPlane(table: PerfTable, length: number): number {
  return table.spec.reduce((plane, node, i) => (node <= length ? i : plane), 0);
}

/** The table's plane for a tier: its own rows, else the first, to which the factors apply. */
function quantPlane(table: PerfTable, tier: number): number {
  const plane = table.quantTiers.indexOf(tier);
  return plane < 0 ? 0 : plane;
}

/** [quant][spec][batch][kv][prompt][8], see the layout's `grid`. */
function packGrid(config: ServingConfig): Float32Array {
  const { table } = config;
  const cells = table.values.length / PERF_METRICS.length;
  const prompts = table.promptLen.length;
  const perQuant = cells / table.quantTiers.length;
  const grid = new Float32Array(cells * GRID_METRICS);
  for (let cell = 0; cell < cells; cell++) {
    const at = cell * GRID_METRICS;
    const quant = Math.floor(cell / perQuant);
    grid.set(table.values.subarray(cell * 6, cell * 6 + 6), at);
    if (config.dynamics === 'measured') grid[at + 5] = table.kvUsageRatio?.[cell] ?? 0;
    grid[at + 6] = table.prefillMs?.[quant * prompts + (cell % prompts)] ?? 0;
    grid[at + 7] = table.specAcceptRate?.[cell] ?? 0;
  }
  return grid;
}

function factorTables(config: ServingConfig) {
  const base = config.dynamics === 'origin' ? config.acceptBase : 0;
  const accept = new Float32Array(NUM_SPEC_CHOICES * NUM_BUCKETS);
  const speed = new Float32Array(NUM_SPEC_CHOICES * NUM_BUCKETS);
  SPEC_CHOICES.forEach((length, spec) => {
    for (let bucket = 0; bucket < NUM_BUCKETS; bucket++) {
      const rate = (base * (1 - 0.1 * bucket)) / (1 + 0.15 * length);
      const clipped = rate < 1 ? (rate > 0 ? rate : 0) : 1;
      const own = config.table.measuredSpeculation ? 0 : 0.1 * clipped * length;
      accept[spec * NUM_BUCKETS + bucket] = clipped;
      speed[spec * NUM_BUCKETS + bucket] = 1 / (1 + own);
    }
  });
  return {
    accept,
    speed,
    quantFactors: quantFactors(config.table),
    batchOfUnit: Float32Array.from({ length: UNIT_STEPS }, (_, i) => {
      return Math.floor(pow(2, (9 * i) / (UNIT_STEPS - 1)) + 0.5);
    }),
    resetMetrics: resetMetrics(config),
    observationScale: observationScale(config),
  };
}

/** Factors of the tiers the table has no rows for: ttft, p99, tpot ×, tps ÷, memory and cost ×. */
function quantFactors(table: PerfTable): Float32Array {
  const factors = new Float32Array(NUM_QUANT_TIERS * GRID_METRICS).fill(1);
  QUANT_FACTORS.forEach((tierFactor, tier) => {
    if (table.quantTiers.includes(tier)) return;
    const factor = tierFactor / QUANT_FACTORS[table.quantTiers[0]];
    factors.set([factor, factor, factor, 1 / factor, factor, factor], tier * GRID_METRICS);
  });
  return factors;
}

function resetMetrics(config: ServingConfig): Float32Array {
  const row = new Float32Array(servingLayout.metrics.length);
  const { defaultAction } = config;
  row[metric.ttftP50Ms] = RESET.ttftP50;
  row[metric.ttftP99Ms] = RESET.ttftP99;
  row[metric.tpotMs] = RESET.tpot;
  row[metric.tokensPerSec] = RESET.tps;
  row[metric.gpuMemoryGb] = RESET.memory;
  row[metric.costPer1k] = RESET.cost;
  row[metric.kvCacheUsageRatio] = 1;
  row[metric.phase] = config.traffic.phases[0];
  row[metric.appliedBatchSize] = defaultAction.batch_size;
  row[metric.appliedKvBudget] = defaultAction.kv_budget;
  row[metric.appliedSpecLength] = defaultAction.spec_length;
  row[metric.appliedPrefillDisagg] = Number(defaultAction.prefill_disagg);
  row[metric.appliedQuantTier] = defaultAction.quant_tier;
  return row;
}

function observationScale(config: ServingConfig): Float32Array {
  const fields = servingLayout.observations.filter(
    (o) => o.variant === '' || o.variant === config.dynamics,
  );
  return Float32Array.from(fields, (o) => (config.normalizeObservation ? o.scale : 1));
}
