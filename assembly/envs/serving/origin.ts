/** The origin's dynamics: a whole batch is served each step, and its latency is the table's. */
import {
  METRIC_COST_PER_1K,
  METRIC_DROPPED,
  METRIC_EVICTION_EVENTS,
  METRIC_GOOD,
  METRIC_GPU_MEMORY_GB,
  METRIC_KV_CACHE_USAGE_RATIO,
  METRIC_OOM,
  METRIC_SERVED,
  METRIC_SLO_VIOLATIONS,
  METRIC_SPEC_ACCEPT_RATE,
  METRIC_TOKENS_PER_SEC,
  METRIC_TPOT_MS,
  METRIC_TTFT_P50_MS,
  METRIC_TTFT_P99_MS,
  NUM_BUCKETS,
  REAL_BATCH_SIZE,
  REAL_COST_SO_FAR,
  REAL_KV_BUDGET,
  REAL_QUEUE,
  s_disagg_cost,
  s_disagg_memory,
  s_disagg_prompt_from,
  s_disagg_prompt_gain,
  s_disagg_tpot,
  s_disagg_ttft,
  s_held_batch,
  s_held_interactive,
  s_memory_max_gb,
  s_queue_max,
  s_reward_cost,
  s_reward_tps,
  s_reward_ttft,
  s_reward_violations,
  s_slo_batch_ms,
  s_slo_interactive_ms,
  t_accept,
  t_speed,
} from '../../generated/serving';
import { Out } from '../../outputs';
import { real, setReal } from '../../state';
import {
  applyWanted,
  clip,
  floatAt,
  GRID_COST_OR_KV_USAGE,
  GRID_MEMORY,
  GRID_TPOT,
  GRID_TPS,
  GRID_TTFT_P50,
  GRID_TTFT_P99,
  gridMetric,
  kvOccupancy,
  lookUp,
  put,
  Traffic,
  Wanted,
} from './decode';

/** Steps 2 to 8 of docs/environments/serving.md. */
export function advanceOrigin(w: usize, r: usize, m: usize): void {
  applyWanted(w, r);
  serve(r, m);
  measure(m);
  rewardStep(r, m);
}

/** The queue: arrivals join, a batch leaves, what passes the bound is dropped. */
function serve(r: usize, m: usize): void {
  const batchSize = real(r, REAL_BATCH_SIZE);
  const waiting = real(r, REAL_QUEUE) + Traffic.arrivals;
  const served = batchSize < waiting ? batchSize : waiting;
  const left = waiting - served;
  const queue = left < s_queue_max ? left : s_queue_max;
  const evictions = Math.floor((1 - real(r, REAL_KV_BUDGET)) * queue);
  setReal(r, REAL_QUEUE, queue);
  put(m, METRIC_SERVED, <f32>served);
  put(m, METRIC_DROPPED, <f32>(left - queue));
  put(m, METRIC_EVICTION_EVENTS, <f32>evictions);
  put(m, METRIC_KV_CACHE_USAGE_RATIO, <f32>kvOccupancy(queue, evictions));
}

/** The table's metrics with quantisation, speculation, disaggregation, noise and the floor. */
function measure(m: usize): void {
  const promptLen = Traffic.promptLen;
  lookUp(Wanted.batchSize, Wanted.kvBudget, Wanted.specIndex, Wanted.quantTier, promptLen);
  const bucket = Wanted.specIndex * NUM_BUCKETS + Traffic.promptBucket;
  const speed = floatAt(t_speed, bucket);
  const tps = gridMetric(GRID_TPS);
  let ttftFactor: f32 = 1;
  let tpotFactor: f32 = 1;
  let costFactor: f32 = 1;
  let memoryFactor: f32 = 1;
  if (Wanted.prefillDisagg == 1) {
    const over = (promptLen - <f32>s_disagg_prompt_from) * <f32>s_disagg_prompt_gain;
    const long = clip(over, 0, 1);
    ttftFactor = 1 - <f32>s_disagg_ttft * long;
    tpotFactor = 1 - <f32>s_disagg_tpot * long;
    costFactor = <f32>s_disagg_cost;
    memoryFactor = <f32>s_disagg_memory;
  }
  const ttftP50 = gridMetric(GRID_TTFT_P50) * speed * ttftFactor * Traffic.noiseTtftP50;
  const ttftP99 = gridMetric(GRID_TTFT_P99) * Traffic.noiseTtftP99;
  const tpot = gridMetric(GRID_TPOT) * speed * tpotFactor * Traffic.noiseTpot;
  const memoryGb = gridMetric(GRID_MEMORY) * memoryFactor;
  const memoryMax = <f32>s_memory_max_gb;
  put(m, METRIC_TTFT_P50_MS, ttftP50 > 1 ? ttftP50 : 1);
  put(m, METRIC_TTFT_P99_MS, ttftP99 > 1 ? ttftP99 : 1);
  put(m, METRIC_TPOT_MS, tpot > 1 ? tpot : 1);
  put(m, METRIC_TOKENS_PER_SEC, tps > 0 ? tps : 0);
  put(m, METRIC_OOM, memoryGb > memoryMax ? 1 : 0);
  put(m, METRIC_GPU_MEMORY_GB, memoryGb > memoryMax ? memoryMax : memoryGb);
  put(m, METRIC_COST_PER_1K, gridMetric(GRID_COST_OR_KV_USAGE) * costFactor);
  put(m, METRIC_SPEC_ACCEPT_RATE, floatAt(t_accept, bucket));
  put(m, METRIC_GOOD, 0);
}

/** SLO violations, cost and reward. */
function rewardStep(r: usize, m: usize): void {
  const ttft = <f64>floatAt(m, METRIC_TTFT_P50_MS);
  const cost = <f64>floatAt(m, METRIC_COST_PER_1K);
  const queue = real(r, REAL_QUEUE);
  const heldInteractive = ttft > s_slo_interactive_ms ? s_held_interactive : 0;
  const heldBatch = ttft > s_slo_batch_ms ? s_held_batch : 0;
  const failed = floatAt(m, METRIC_OOM) == 1 ? real(r, REAL_BATCH_SIZE) : 0;
  const violations = failed + queue * (heldInteractive + heldBatch);
  const rate = violations / (queue > 1 ? queue : 1);
  const reward =
    s_reward_tps * <f64>floatAt(m, METRIC_TOKENS_PER_SEC) -
    s_reward_ttft * ttft -
    s_reward_violations * rate -
    s_reward_cost * cost;
  const above = reward > -1 ? reward : -1;
  setReal(r, REAL_COST_SO_FAR, real(r, REAL_COST_SO_FAR) + cost);
  put(m, METRIC_SLO_VIOLATIONS, <f32>violations);
  Traffic.violationRate = rate < 1 ? rate : 1;
  Traffic.capacityRps = 0;
  Out.reward = <f32>(above < 1 ? above : 1);
  Out.cost = <f32>violations;
}
