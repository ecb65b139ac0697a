/** The origin's TraceSimulator: one configuration in one state of the workload, no environment. */

import { parseSeed } from '../../base/seeding.js';
import {
  compileServing,
  type ServingAction,
  type ServingOrigin,
} from '../../compile/serving/serving.js';
import { burstTraffic } from '../../compile/serving/traffic.js';
import type { PerfTable } from '../../data/perf-table.js';
import { stream } from '../../generated/common.js';
import { type ServingScalars, type ServingTables, servingLayout } from '../../generated/serving.js';
import { decodeProgram } from '../../program/program.js';
import { sampleQuantile } from '../../program/sample.js';
import { drawBlock } from '../../reference/draws.js';
import { ServingProgram } from '../../reference/serving/decode.js';
import { advanceOrigin } from '../../reference/serving/origin.js';
import { ServingEnvironment } from '../../reference/serving/serving.js';
import { encodeFields } from './actions.js';
import { ACTION_FIELDS } from './common.js';
import { SNAPSHOT_METRICS, type SnapshotMetric } from './describe.js';
import { servingTables } from './registered.js';

/** The fields of the origin's WorkloadState that are read; its others may be there too. */
export interface WorkloadState {
  /** Tokens. */
  readonly mean_prompt_len: number;
  /** Requests waiting after this step's service. */
  readonly queue_depth: number;
}

/** The origin's MetricsSnapshot. */
export type MetricsSnapshot = Readonly<Record<SnapshotMetric, number>> & { readonly oom: boolean };

export interface SimulateOptions {
  /** Latency noise: of this seed's environment at `step`; null, the default, is without noise. */
  readonly seed?: number | bigint | string | null;
  /** Step of the episode whose noise is drawn. Default 0. */
  readonly step?: number;
  /** Standard deviation of the three latency factors. Default 0.05. */
  readonly noiseStd?: number;
  /** Acceptance of draft tokens before prompt and depth. Default 0.8, the first task's. */
  readonly acceptBase?: number;
  /** Out of memory above it, in GB. Default 40. */
  readonly maxMemoryGb?: number;
}

/**
 * The metrics of a configuration in a state of the workload, by the origin's dynamics: the same
 * functions that the reference steps with. `slo_violations` counts what fails for lack of memory
 * (the whole batch); violations of a latency limit are the environment's to add.
 *
 * @param action the five fields by name (an absent one reads the baseline's) or in an array
 * @param table a table or the name of one; default the origin's synthetic table
 * @throws RangeError naming the field that is out of range
 * @example
 * simulate({ batch_size: 128, kv_budget: 0.5 }, { mean_prompt_len: 96, queue_depth: 0 });
 */
export function simulate(
  action: unknown,
  workload: WorkloadState,
  table: PerfTable | string = 'synthetic-a',
  options: SimulateOptions = {},
): MetricsSnapshot {
  const { program, environment } = simulatorOf(
    typeof table === 'string' ? servingTables.find(table) : table,
    options,
  );
  checkWorkload(workload);
  const row = new Float32Array(ACTION_FIELDS.length);
  encodeFields(action, BASELINE, row);
  const wanted = { kvBudget: 0, batchSize: 0, specIndex: 0, prefillDisagg: 0, quantTier: 0 };
  program.decodeAction({ real: row, index: new Int32Array(row.buffer) }, wanted);
  const state = { ...environment.createState(), queue: workload.queue_depth };
  const out = {
    observation: new Float32Array(0),
    metrics: new Float32Array(servingLayout.metrics.length),
    mask: new Uint8Array(0),
    reward: 0,
    cost: 0,
    terminated: false,
    truncated: false,
  };
  const scratch = {
    wanted,
    grid: new Float32Array(8),
    // A full batch arrives and is served, so that what waited before waits after.
    arrivals: wanted.batchSize,
    promptLen: Math.fround(workload.mean_prompt_len),
    ...noiseOf(program, options),
    capacityRps: 0,
    violationRate: 0,
  };
  advanceOrigin(program, state, scratch, out);
  const entries = SNAPSHOT_METRICS.map((name) => [name, out.metrics[metricIndex(name)]]);
  return { ...Object.fromEntries(entries), oom: out.metrics[metricIndex('oom')] === 1 };
}

const metricIndex = (name: string): number =>
  servingLayout.metrics.findIndex((metric) => metric.name === name);

/** The values of absent fields. */
const BASELINE: ServingAction = {
  kv_budget: 1,
  batch_size: 32,
  spec_length: 0,
  prefill_disagg: false,
  quant_tier: 0,
};

function compileSimulator(table: PerfTable, options: SimulateOptions) {
  const bytes = compileServing({ ...simulatorConfig(table), ...optionsOf(options) });
  const decoded = decodeProgram<ServingScalars, ServingTables>(servingLayout, bytes);
  return {
    program: new ServingProgram(decoded.scalars, decoded.tables),
    environment: new ServingEnvironment(decoded),
  };
}

function optionsOf({ noiseStd = 0.05, acceptBase = 0.8, maxMemoryGb = 40 }: SimulateOptions) {
  for (const [name, value, max] of [
    ['noiseStd', noiseStd, 0.5],
    ['acceptBase', acceptBase, 1],
    ['maxMemoryGb', maxMemoryGb, 100_000],
  ] as const) {
    if (value >= 0 && value <= max) continue;
    throw new RangeError(`${name} is ${String(value)}: a number from 0 to ${max} is needed`);
  }
  return { noiseStd, acceptBase, memoryMaxGb: maxMemoryGb };
}

/** Limits that no latency reaches and weights of no reward: what is left is the simulator. */
function simulatorConfig(table: PerfTable): Omit<ServingOrigin, 'noiseStd' | 'acceptBase'> {
  return {
    dynamics: 'origin',
    table,
    traffic: burstTraffic(1, 0, 0, () => false),
    prompt: { kind: 'uniform', min: 1, max: 1 },
    horizonSteps: 1,
    actionSpace: 'structured',
    normalizeObservation: false,
    activeActions: ACTION_FIELDS,
    defaultAction: BASELINE,
    memoryMaxGb: 40,
    priorityMix: [1, 0, 0],
    alpha: 0,
    beta: 0,
    gamma: 0,
    delta: 0,
    maxThroughput: 1,
    costCeiling: 1,
    sloTargetMs: 1e7,
    sloBatchMs: 1e7,
    priorityRouting: false,
  };
}

type Simulator = ReturnType<typeof compileSimulator>;
const simulators = new WeakMap<PerfTable, Map<string, Simulator>>();

/** The table's simulator under these options; compiled once. */
function simulatorOf(table: PerfTable, options: SimulateOptions): Simulator {
  const ofTable = simulators.get(table) ?? new Map<string, Simulator>();
  simulators.set(table, ofTable);
  const key = JSON.stringify(optionsOf(options));
  const known = ofTable.get(key) ?? compileSimulator(table, options);
  ofTable.set(key, known);
  return known;
}

function checkWorkload({ mean_prompt_len, queue_depth }: WorkloadState): void {
  if (!(mean_prompt_len >= 1 && mean_prompt_len <= 1_048_576)) {
    const needed = 'a number of tokens from 1 to 1048576 is needed';
    throw new RangeError(`workload.mean_prompt_len is ${String(mean_prompt_len)}: ${needed}`);
  }
  if (Number.isInteger(queue_depth) && queue_depth >= 0 && queue_depth <= 1_048_576) return;
  const needed = 'an integer from 0 to 1048576 is needed';
  throw new RangeError(`workload.queue_depth is ${String(queue_depth)}: ${needed}`);
}

/** The three latency factors of a step, as the reference draws them; 1 without noise. */
function noiseOf({ t }: ServingProgram, { seed = null, step = 0 }: SimulateOptions) {
  if (seed === null) return { noiseTtftP50: 1, noiseTtftP99: 1, noiseTpot: 1 };
  const { lo, hi } = parseSeed(seed);
  const at = { seedLo: lo, seedHi: hi, episode: 0, step, finished: 0 };
  const words = drawBlock(at, stream.step, 0, new Uint32Array(4));
  return {
    noiseTtftP50: sampleQuantile(t.noise, words[1]),
    noiseTtftP99: sampleQuantile(t.noise, words[2]),
    noiseTpot: sampleQuantile(t.noise, words[3]),
  };
}
