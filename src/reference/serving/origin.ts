/** The origin's dynamics: a whole batch is served each step, and its latency is the table's. */
import * as generated from '../../generated/serving.js';
import type { Outputs } from '../environment.js';
import { clip, copyConfiguration, gridMetric, kvOccupancy, type ServingProgram } from './decode.js';
import type { ServingState, StepScratch } from './state.js';

// Held here: V8 folds a constant of the module itself, but reads an imported one at every use.
const { metric, NUM_BUCKETS } = generated;

const f = Math.fround;

/** Steps 2 to 8 of docs/environments/serving.md. */
export function advanceOrigin(
  program: ServingProgram,
  state: ServingState,
  scratch: StepScratch,
  out: Outputs,
): void {
  copyConfiguration(scratch.wanted, state);
  serve(program, state, scratch, out);
  measure(program, state, scratch, out);
  rewardStep(program, state, scratch, out);
}

/** The queue: arrivals join, a batch leaves, what passes the bound is dropped. */
function serve(
  { s }: ServingProgram,
  state: ServingState,
  { arrivals }: StepScratch,
  out: Outputs,
) {
  const waiting = state.queue + arrivals;
  const served = state.batchSize < waiting ? state.batchSize : waiting;
  const left = waiting - served;
  state.queue = left < s.queueMax ? left : s.queueMax;
  const evictions = Math.floor((1 - state.kvBudget) * state.queue);
  out.metrics[metric.served] = served;
  out.metrics[metric.dropped] = left - state.queue;
  out.metrics[metric.evictionEvents] = evictions;
  out.metrics[metric.kvCacheUsageRatio] = kvOccupancy(state.queue, evictions);
}

/** The table's metrics with quantisation, speculation, disaggregation, noise and the floor. */
function measure(
  program: ServingProgram,
  state: ServingState,
  scratch: StepScratch,
  out: Outputs,
): void {
  const { s, t } = program;
  const { grid, promptLen } = scratch;
  program.gridMetrics(state, promptLen, grid);
  const bucket = program.promptBucket(promptLen);
  const row = state.specIndex * NUM_BUCKETS + bucket;
  const long = clip(f(f(promptLen - f(s.disaggPromptFrom)) * f(s.disaggPromptGain)), 0, 1);
  const disaggregated = state.prefillDisagg === 1;
  const ttftFactor = disaggregated ? f(1 - f(f(s.disaggTtft) * long)) : 1;
  const tpotFactor = disaggregated ? f(1 - f(f(s.disaggTpot) * long)) : 1;
  const costFactor = disaggregated ? f(s.disaggCost) : 1;
  const memoryFactor = disaggregated ? f(s.disaggMemory) : 1;
  const speed = t.speed[row];
  const ttftP50 = f(f(f(grid[gridMetric.ttftP50] * speed) * ttftFactor) * scratch.noiseTtftP50);
  const ttftP99 = f(grid[gridMetric.ttftP99] * scratch.noiseTtftP99);
  const tpot = f(f(f(grid[gridMetric.tpot] * speed) * tpotFactor) * scratch.noiseTpot);
  const tps = grid[gridMetric.tps];
  const memory = f(grid[gridMetric.memory] * memoryFactor);
  const memoryMax = f(s.memoryMaxGb);
  const m = out.metrics;
  m[metric.promptLenBucket] = bucket;
  m[metric.ttftP50Ms] = ttftP50 > 1 ? ttftP50 : 1;
  m[metric.ttftP99Ms] = ttftP99 > 1 ? ttftP99 : 1;
  m[metric.tpotMs] = tpot > 1 ? tpot : 1;
  m[metric.tokensPerSec] = tps > 0 ? tps : 0;
  m[metric.oom] = memory > memoryMax ? 1 : 0;
  m[metric.gpuMemoryGb] = memory > memoryMax ? memoryMax : memory;
  m[metric.costPer1k] = f(grid[gridMetric.costOrKvUsage] * costFactor);
  m[metric.specAcceptRate] = t.accept[row];
  m[metric.good] = 0;
}

/** SLO violations, cost and reward. */
function rewardStep(
  { s }: ServingProgram,
  state: ServingState,
  scratch: StepScratch,
  out: Outputs,
) {
  const m = out.metrics;
  const ttft = m[metric.ttftP50Ms];
  const heldInteractive = ttft > s.sloInteractiveMs ? s.heldInteractive : 0;
  const heldBatch = ttft > s.sloBatchMs ? s.heldBatch : 0;
  const failed = m[metric.oom] === 1 ? state.batchSize : 0;
  const violations = failed + state.queue * (heldInteractive + heldBatch);
  const rate = violations / (state.queue > 1 ? state.queue : 1);
  const reward =
    s.rewardTps * m[metric.tokensPerSec] -
    s.rewardTtft * ttft -
    s.rewardViolations * rate -
    s.rewardCost * m[metric.costPer1k];
  state.costSoFar += m[metric.costPer1k];
  m[metric.sloViolations] = violations;
  scratch.violationRate = rate < 1 ? rate : 1;
  scratch.capacityRps = 0;
  out.reward = f(clip(reward, -1, 1));
  out.cost = f(violations);
}
