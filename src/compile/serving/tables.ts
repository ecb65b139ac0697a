/** The tables of a serving program: actions, arrivals, the packed grid, factors. */

import { PERF_METRICS, type PerfTable } from '../../data/perf-table.js';
import { quantFactors } from '../../data/quant-factors.js';
import { actionKind } from '../../generated/common.js';
import {
  GRID_METRICS,
  metric,
  NUM_BUCKETS,
  NUM_QUANT_TIERS,
  NUM_SPEC_CHOICES,
  SPEC_LENGTH_CHOICES,
  servingLayout,
  UNIT_STEPS,
} from '../../generated/serving.js';
import type { Axis } from '../../program/grid.js';
import { pow } from '../../program/math.js';
import type { ArrivalTables } from '../arrivals.js';
import type { ServingCommon, ServingConfig } from './config.js';
import type { ServingTraffic } from './traffic.js';

const PROMPT_EDGES = [64, 128, 256, 512, 1024, 2048, 4096] as const;
const RESET = { ttftP50: 200, ttftP99: 350, tpot: 20, tps: 2000, memory: 24, cost: 0.001 } as const;

/** One row of kind, choices and range per action number, for the random policy of the core. */
export function actionTables(config: ServingCommon, numActions: number) {
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

export function trafficTables(traffic: ServingTraffic, arrivals: ArrivalTables) {
  return {
    arrivalAlias: arrivals.columns,
    arrivalOffset: arrivals.offsets,
    levelRate: Float32Array.from(traffic.rates),
    profileLevel: Uint32Array.from(traffic.levels),
    profilePhase: Uint32Array.from(traffic.phases),
    profilePrompt: Float32Array.from(traffic.promptLens),
  };
}

export function gridTables(config: ServingConfig, axes: Record<'batch' | 'kv' | 'prompt', Axis>) {
  const { table } = config;
  return {
    batchNodes: axes.batch.nodes,
    batchInv: axes.batch.inv,
    kvNodes: axes.kv.nodes,
    kvInv: axes.kv.inv,
    promptNodes: axes.prompt.nodes,
    promptInv: axes.prompt.inv,
    promptEdges: Float32Array.from(PROMPT_EDGES),
    specPlane: Uint32Array.from(SPEC_LENGTH_CHOICES, (length) => specPlane(table, length)),
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

export function factorTables(config: ServingConfig) {
  const base = config.dynamics === 'origin' ? config.acceptBase : 0;
  const accept = new Float32Array(NUM_SPEC_CHOICES * NUM_BUCKETS);
  const speed = new Float32Array(NUM_SPEC_CHOICES * NUM_BUCKETS);
  SPEC_LENGTH_CHOICES.forEach((length, spec) => {
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
    quantFactors: tierFactors(config.table),
    batchOfUnit: Float32Array.from({ length: UNIT_STEPS }, (_, i) => {
      return Math.floor(pow(2, (9 * i) / (UNIT_STEPS - 1)) + 0.5);
    }),
    resetMetrics: resetMetrics(config),
    observationScale: observationScale(config),
  };
}

/** Factors of the tiers the table has no rows for, relative to its first tier. */
function tierFactors(table: PerfTable): Float32Array {
  const factors = new Float32Array(NUM_QUANT_TIERS * GRID_METRICS).fill(1);
  const first = quantFactors(table.quantTiers[0]);
  for (let tier = 0; tier < NUM_QUANT_TIERS; tier++) {
    if (table.quantTiers.includes(tier)) continue;
    const own = quantFactors(tier);
    const row = PERF_METRICS.map((name) => own[name] / first[name]);
    factors.set(row, tier * GRID_METRICS);
  }
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
