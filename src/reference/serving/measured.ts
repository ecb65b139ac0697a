/**
 * The measured dynamics: a server of finite capacity behind a queue, where a change of
 * speculation, disaggregation or quantisation has to be rolled out.
 */
import type { ServingScalars } from '../../generated/serving.js';
import * as generated from '../../generated/serving.js';
import type { Outputs } from '../environment.js';
import {
  type Configuration,
  copyConfiguration,
  gridMetric,
  kvOccupancy,
  type ServingProgram,
} from './decode.js';
import type { ServingState, StepScratch } from './state.js';

// Held here: V8 folds a constant of the module itself, but reads an imported one at every use.
const { metric } = generated;

const f = Math.fround;

/** One step as docs/environments/serving.md says under "Measured tables and traffic". */
export function advanceMeasured(
  program: ServingProgram,
  state: ServingState,
  scratch: StepScratch,
  out: Outputs,
): void {
  configure(program, state, scratch, out);
  const capacityRps = capacity(program, state, scratch, out);
  serve(program, state, scratch, capacityRps, out);
  rewardStep(program, state, scratch, out);
  state.rolloutLeft = state.rolloutLeft > 0 ? state.rolloutLeft - 1 : 0;
}

/**
 * Batch and KV are hot; the slow knobs change only when no rollout is under way, and begin one. A
 * configuration that does not fit the device at the present prompt is not applied.
 */
function configure(
  program: ServingProgram,
  state: ServingState,
  scratch: StepScratch,
  out: Outputs,
): void {
  const { s } = program;
  const { wanted, grid, promptLen } = scratch;
  out.metrics[metric.promptLenBucket] = program.promptBucket(promptLen);
  if (state.rolloutLeft > 0) keepSlowKnobs(state, wanted);
  program.gridMetrics(wanted, promptLen, grid);
  const fits = grid[gridMetric.memory] <= f(s.memoryMaxGb);
  out.metrics[metric.oom] = fits ? 0 : 1;
  if (!fits) {
    program.gridMetrics(state, promptLen, grid);
    return;
  }
  const spec = wanted.specIndex !== state.specIndex ? s.rolloutSpec : 0;
  const disagg = wanted.prefillDisagg !== state.prefillDisagg ? s.rolloutDisagg : 0;
  const quant = wanted.quantTier !== state.quantTier ? s.rolloutQuant : 0;
  const longer = spec > disagg ? spec : disagg;
  const longest = longer > quant ? longer : quant;
  state.rolloutLeft = longest > state.rolloutLeft ? longest : state.rolloutLeft;
  copyConfiguration(wanted, state);
}

function keepSlowKnobs(state: ServingState, wanted: Configuration): void {
  wanted.specIndex = state.specIndex;
  wanted.prefillDisagg = state.prefillDisagg;
  wanted.quantTier = state.quantTier;
}

/** Requests per second, f64, and the time per output token that goes with it, into the metrics. */
function capacity(
  { s }: ServingProgram,
  state: ServingState,
  { grid, noiseTpot }: StepScratch,
  out: Outputs,
): number {
  const measuredPrefill = grid[gridMetric.prefillMs] * 0.001;
  const prefill = measuredPrefill > s.prefillSMin ? measuredPrefill : s.prefillSMin;
  const request = s.tableOutputTokens / throughput(s, grid);
  const rest = (request - prefill) / s.tableOutputTokens;
  const decode = rest > s.decodeSMin ? rest : s.decodeSMin;
  const answer = s.outputTokens * decode;
  const tableAnswer = decode * s.tableOutputTokens;
  const disaggregated = state.prefillDisagg === 1;
  const slower = prefill > answer ? prefill : answer;
  const full = 1 / (disaggregated ? slower : prefill + answer);
  const tpotShare = disaggregated ? tableAnswer / (tableAnswer + prefill) : 1;
  const tpot = f(grid[gridMetric.tpot] * tpotShare * noiseTpot);
  out.metrics[metric.tpotMs] = tpot > 1 ? tpot : 1;
  return state.rolloutLeft > 0 ? full * s.rolloutCapacity : full;
}

/** The grid's tokens per second, above zero. */
function throughput(s: ServingScalars, grid: Float32Array): number {
  const tps = grid[gridMetric.tps];
  return tps > s.tpsMin ? tps : s.tpsMin;
}

/** The queue, served by credit, and the latency of what is served. */
function serve(
  { s }: ServingProgram,
  state: ServingState,
  scratch: StepScratch,
  capacityRps: number,
  out: Outputs,
): void {
  const { grid } = scratch;
  const m = out.metrics;
  const waitMs = (1000 * state.queue) / capacityRps;
  const ttftP50 = f((waitMs + grid[gridMetric.ttftP50]) * scratch.noiseTtftP50);
  const ttftP99 = f((waitMs + grid[gridMetric.ttftP99]) * scratch.noiseTtftP99);
  m[metric.ttftP50Ms] = ttftP50 > 1 ? ttftP50 : 1;
  const least = f(m[metric.ttftP50Ms] * f(1.05));
  m[metric.ttftP99Ms] = ttftP99 > least ? ttftP99 : least;
  const waiting = state.queue + scratch.arrivals;
  const credit = state.credit + capacityRps;
  const whole = Math.floor(credit);
  const served = whole < waiting ? whole : waiting;
  const most = capacityRps > 1 ? capacityRps : 1;
  const left = waiting - served;
  state.credit = credit - served < most ? credit - served : most;
  state.queue = left < s.queueMax ? left : s.queueMax;
  scratch.capacityRps = capacityRps;
  m[metric.served] = served;
  m[metric.dropped] = left - state.queue;
}

/** Requests served in time, cost in dollars, and the reward. */
function rewardStep(
  { s }: ServingProgram,
  state: ServingState,
  scratch: StepScratch,
  out: Outputs,
): void {
  const { grid } = scratch;
  const m = out.metrics;
  const served = m[metric.served];
  const ttft = ttftShare(m[metric.ttftP50Ms], m[metric.ttftP99Ms], s.sloTtftMs);
  const good = served * ttft * tpotShare(m[metric.tpotMs], s.sloTpotMs);
  const gpus = 1 + state.prefillDisagg;
  const loss = qualityLoss(s, state.quantTier);
  const evictions = Math.floor((1 - state.kvBudget) * state.queue);
  const tps = throughput(s, grid);
  state.costSoFar += s.priceUsdPerStep * gpus;
  m[metric.good] = good;
  m[metric.sloViolations] = served - good;
  m[metric.tokensPerSec] = tps;
  m[metric.gpuMemoryGb] = grid[gridMetric.memory];
  m[metric.costPer1k] = (s.priceUsdPerStep * gpus * 1000) / tps;
  m[metric.specAcceptRate] = grid[gridMetric.accept];
  m[metric.evictionEvents] = evictions;
  m[metric.kvCacheUsageRatio] =
    s.hasKvUsage === 1 ? grid[gridMetric.costOrKvUsage] : kvOccupancy(state.queue, evictions);
  const missed = served > 0 ? 1 - good / served : 0;
  scratch.violationRate = missed;
  out.reward = f((good - loss * served) * s.rewardGood - s.rewardGpu * (gpus - 1));
  out.cost = f(served - good);
}

/** Quality lost at a quantisation tier. */
function qualityLoss(s: ServingScalars, quantTier: number): number {
  if (quantTier === 0) return s.qualityLoss0;
  return quantTier === 1 ? s.qualityLoss1 : s.qualityLoss2;
}

/** Share of requests whose first token is in time, piecewise linear in the limit. */
export function ttftShare(p50: number, p99: number, limit: number): number {
  if (limit <= 0.5 * p50) return 0;
  if (limit <= p50) return limit / p50 - 0.5;
  if (limit <= p99) return 0.5 + (0.49 * (limit - p50)) / (p99 - p50);
  if (limit <= 1.25 * p99) return 0.99 + (0.01 * (limit - p99)) / (0.25 * p99);
  return 1;
}

/** Share of requests whose time per token is in time: 1 up to 0.8 limits, 0 from 1.2 on. */
export function tpotShare(tpot: number, limit: number): number {
  const share = (1.2 * limit - tpot) / (0.4 * limit);
  const above = share > 0 ? share : 0;
  return above < 1 ? above : 1;
}
