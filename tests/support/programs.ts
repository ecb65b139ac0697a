/** Random valid programs, for tests that hold backends to the reference. */

import type { Rng } from '../../src/base/seeding.js';
import { actionKind } from '../../src/generated/common.js';
import {
  AXIS_NODES_MAX,
  actionMode,
  dynamics,
  GRID_METRICS,
  promptKind,
  type ServingScalars,
  type ServingTables,
  servingLayout,
} from '../../src/generated/serving.js';
import { buildAxis } from '../../src/program/grid.js';
import { encodeProgram } from '../../src/program/program.js';

const uniform = (rng: Rng, low: number, high: number) => low + (high - low) * rng.nextFloat();
const integer = (rng: Rng, low: number, high: number) =>
  low + Math.floor((high - low + 1) * rng.nextFloat());
const pick = <T>(rng: Rng, values: readonly T[]): T => values[integer(rng, 0, values.length - 1)]!;

const floats = (rng: Rng, length: number, low: number, high: number) =>
  Float32Array.from({ length }, () => uniform(rng, low, high));
const words = (rng: Rng, length: number, below: number) =>
  Uint32Array.from({ length }, () => rng.nextUint32() % below);

/**
 * A valid serving program: any dynamics, action mode, prompt kind, grid shape and locks, with
 * numbers in the range where everything stays finite. `fixed` sets scalars that a test needs.
 */
export function randomServingProgram(rng: Rng, fixed: Partial<ServingScalars> = {}): Uint8Array {
  const scalars = { ...randomScalars(rng), ...fixed };
  scalars.actionDim = scalars.actionMode === actionMode.discrete ? 1 : 5;
  scalars.observationDim = scalars.dynamics === dynamics.origin ? 14 : 20;
  scalars.profileSteps = scalars.horizon + scalars.windowStartMax;
  scalars.profileInv = 1 / scalars.profileSteps;
  return encodeProgram(servingLayout, scalars, randomTables(rng, scalars));
}

function randomScalars(rng: Rng): ServingScalars {
  return {
    ...randomTask(rng),
    ...randomTraffic(rng),
    ...randomGridShape(rng),
    ...randomOrigin(rng),
    ...randomMeasured(rng),
  };
}

function randomTask(rng: Rng) {
  return {
    horizon: integer(rng, 1, 9),
    actionDim: 0,
    observationDim: 0,
    maskDim: 0,
    dynamics: integer(rng, 0, 1),
    actionMode: integer(rng, 0, 2),
    numActions: pick(rng, [1, 2, 60]),
    lockMask: pick(rng, [0, 0, 31, integer(rng, 0, 31)]),
    defaultKvBudget: uniform(rng, 0.1, 1),
    defaultBatchSize: integer(rng, 1, 512),
    defaultSpecIndex: integer(rng, 0, 4),
    defaultPrefillDisagg: integer(rng, 0, 1),
    defaultQuantTier: integer(rng, 0, 2),
    queueMax: pick(rng, [1, 100, 1048576]),
    memoryMaxGb: uniform(rng, 10, 60),
  };
}

function randomTraffic(rng: Rng) {
  return {
    numLevels: integer(rng, 1, 4),
    arrivalBits: integer(rng, 1, 9),
    profileSteps: 0,
    windowStartMax: pick(rng, [0, 1, 50]),
    profileInv: 0,
    promptKind: integer(rng, 0, 3),
    promptBits: integer(rng, 1, 9),
    promptCells: pick(rng, [1, 7, 128]),
    promptMin: uniform(rng, 0, 100),
    promptMax: uniform(rng, 100, 9000),
    promptStart: uniform(rng, 1, 2000),
    arrivalGain: uniform(rng, 0, 1),
    promptGain: uniform(rng, 0, 1),
  };
}

function randomGridShape(rng: Rng) {
  const nodes = () => pick(rng, [1, 2, 3, 5, 11]);
  return {
    numBatch: pick(rng, [nodes(), AXIS_NODES_MAX]),
    numKv: nodes(),
    numSpec: pick(rng, [1, 5]),
    numPrompt: pick(rng, [nodes(), AXIS_NODES_MAX]),
    numQuant: integer(rng, 1, 3),
  };
}

function randomOrigin(rng: Rng) {
  return {
    sloInteractiveMs: uniform(rng, 1, 2000),
    sloBatchMs: uniform(rng, 1, 4000),
    heldInteractive: rng.nextFloat(),
    heldBatch: rng.nextFloat(),
    shareInteractive: rng.nextFloat(),
    shareBatch: rng.nextFloat(),
    shareBestEffort: rng.nextFloat(),
    rewardTps: uniform(rng, 0, 0.0003),
    rewardTtft: uniform(rng, 0, 0.001),
    rewardViolations: uniform(rng, -1, 1),
    rewardCost: uniform(rng, 0, 50),
    disaggPromptFrom: uniform(rng, 0, 1000),
    disaggPromptGain: uniform(rng, 0, 0.01),
    disaggTtft: rng.nextFloat(),
    disaggTpot: rng.nextFloat(),
    disaggCost: uniform(rng, 0, 3),
    disaggMemory: uniform(rng, 0, 3),
  };
}

function randomMeasured(rng: Rng) {
  return {
    tableOutputTokens: uniform(rng, 1, 500),
    outputTokens: uniform(rng, 1, 500),
    prefillSMin: 1e-6,
    decodeSMin: 1e-6,
    tpsMin: pick(rng, [1e-3, 500]),
    rolloutCapacity: rng.nextFloat() * 0.9 + 0.1,
    rolloutSpec: integer(rng, 0, 4),
    rolloutDisagg: integer(rng, 0, 4),
    rolloutQuant: integer(rng, 0, 4),
    sloTtftMs: uniform(rng, 1, 4000),
    sloTpotMs: uniform(rng, 1, 100),
    rewardGood: uniform(rng, 0, 1),
    rewardGpu: uniform(rng, 0, 1),
    qualityLoss0: rng.nextFloat(),
    qualityLoss1: rng.nextFloat(),
    qualityLoss2: rng.nextFloat(),
    priceUsdPerStep: uniform(rng, 0, 0.01),
    resetCapacityRps: uniform(rng, 0, 100),
    hasKvUsage: integer(rng, 0, 1),
  };
}

function randomTables(rng: Rng, s: ServingScalars): ServingTables {
  return {
    ...actionTables(rng, s),
    ...trafficTables(rng, s),
    ...promptTables(rng, s),
    ...axisTables(rng, s),
    ...gridTables(rng, s),
    noise: cells(rng, 4096, 0.7, 1.3, 2e-8),
    resetMetrics: floats(rng, servingLayout.metrics.length, 0, 500),
    observationScale: floats(rng, s.observationDim, 0, 2),
  };
}

function actionTables(rng: Rng, s: ServingScalars) {
  const isDiscrete = s.actionMode === actionMode.discrete;
  const kinds = [actionKind.real, actionKind.integer, actionKind.choice];
  const low = floats(rng, s.actionDim, -2, 2);
  return {
    actionKind: Uint32Array.from(low, () => (isDiscrete ? actionKind.index : pick(rng, kinds))),
    actionNumChoices: words(rng, s.actionDim, 9),
    actionRanges: Float32Array.from({ length: 2 * s.actionDim }, (_, i) => {
      const first = low[i >> 1]!;
      return i % 2 === 0 ? first : first + pick(rng, [0, 1.5, 600, 1e6]);
    }),
    actionChoices: floats(rng, 8 * s.actionDim, -1, 10),
    batchOfUnit: Float32Array.from({ length: 1024 }, () => integer(rng, 1, 512)),
    configurations: Float32Array.from({ length: 5 * s.numActions }, (_, i) => {
      if (i % 5 === 0) return rng.nextFloat();
      return i % 5 === 1 ? integer(rng, -3, 600) : integer(rng, -1, 9);
    }),
  };
}

function trafficTables(rng: Rng, s: ServingScalars) {
  const columns = s.numLevels * 2 ** s.arrivalBits;
  return {
    arrivalAlias: Uint32Array.from({ length: columns }, () =>
      pick(rng, [0, 0xffffffff, rng.nextUint32(), rng.nextUint32()]),
    ),
    arrivalOffset: Uint32Array.from({ length: s.numLevels }, () => pick(rng, [0, 30, 1048575])),
    levelRate: floats(rng, s.numLevels, 0, 300),
    profileLevel: words(rng, s.profileSteps, s.numLevels),
    profilePhase: words(rng, s.profileSteps, 4),
    profilePrompt: floats(rng, s.profileSteps, 0, 9000),
  };
}

/** Cells (a, b) of a sampler: a in [low, high], b up to `slope`. */
function cells(rng: Rng, count: number, low: number, high: number, slope: number) {
  return Float32Array.from({ length: 2 * count }, (_, i) =>
    i % 2 === 0 ? uniform(rng, low, high) : uniform(rng, -slope, slope),
  );
}

function promptTables(rng: Rng, s: ServingScalars) {
  const columns = 2 ** s.promptBits;
  return {
    promptAlias: words(rng, columns, 2 ** 32),
    promptQuantile: cells(rng, 4096, 1, 5000, 1e-4),
    promptPieces: cells(rng, 2 * columns, 1, 5000, 1e-6),
    promptCell: cells(rng, s.promptCells, 1, 5000, 1e-4),
    promptEdges: Float32Array.of(64, 128, 256, 512, 1024, 2048, 4096),
  };
}

function axisTables(rng: Rng, s: ServingScalars) {
  const axis = (count: number, low: number, high: number) => {
    const width = (high - low) / count;
    return buildAxis(Array.from({ length: count }, (_, i) => low + width * (i + rng.nextFloat())));
  };
  const batch = axis(s.numBatch, 1, 512);
  const kv = axis(s.numKv, 0.1, 1);
  const prompt = axis(s.numPrompt, 32, 8192);
  return {
    batchNodes: batch.nodes,
    batchInv: batch.inv,
    kvNodes: kv.nodes,
    kvInv: kv.inv,
    promptNodes: prompt.nodes,
    promptInv: prompt.inv,
  };
}

function gridTables(rng: Rng, s: ServingScalars) {
  const highest = [1000, 3000, 90, 9000, 70, pick(rng, [0.02, 1]), 200, 1];
  const numCells = s.numQuant * s.numSpec * s.numBatch * s.numKv * s.numPrompt;
  return {
    specPlane: words(rng, 5, s.numSpec),
    quantPlane: words(rng, 3, s.numQuant),
    grid: Float32Array.from(
      { length: numCells * GRID_METRICS },
      (_, i) => rng.nextFloat() * highest[i % GRID_METRICS]!,
    ),
    quantFactors: floats(rng, 3 * GRID_METRICS, 0.5, 1.5),
    accept: floats(rng, 40, 0, 1),
    speed: floats(rng, 40, 0, 1),
  };
}

/** One scalar setting for each prompt kind under each dynamics, for tests that cover all. */
export const SERVING_VARIANTS = Object.values(dynamics).flatMap((d) =>
  Object.values(promptKind).map((p) => ({ dynamics: d, promptKind: p })),
);
