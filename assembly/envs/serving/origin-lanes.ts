/** The origin's dynamics for a chunk's traffic; origin.ts for lanes. */
import { Channels } from '../../channels';
import {
  METRIC_APPLIED_BATCH_SIZE,
  METRIC_APPLIED_KV_BUDGET,
  METRIC_ARRIVALS,
  METRIC_COST_PER_1K,
  METRIC_DROPPED,
  METRIC_EVICTION_EVENTS,
  METRIC_GPU_MEMORY_GB,
  METRIC_KV_CACHE_USAGE_RATIO,
  METRIC_OOM,
  METRIC_PROMPT_LEN_BUCKET,
  METRIC_SERVED,
  METRIC_SLO_VIOLATIONS,
  METRIC_SPEC_ACCEPT_RATE,
  METRIC_TOKENS_PER_SEC,
  METRIC_TPOT_MS,
  METRIC_TTFT_P50_MS,
  METRIC_TTFT_P99_MS,
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
  WORD_PREFILL_DISAGG,
  WORD_QUANT_TIER,
  WORD_SPEC_INDEX,
} from '../../generated/serving';
import { clipLanes, gather, storeNarrow, widenPair } from '../../lanes';
import { LANES, realPair, realsOf, setRealPair, setWordRow, wordsOf } from '../../state';
import {
  promptBuckets,
  ROW_KV_OCCUPANCY,
  ROW_NOISE_TPOT,
  ROW_NOISE_TTFT_P50,
  ROW_NOISE_TTFT_P99,
  ROW_PREFILL_DISAGG,
  ROW_PROMPT_LEN,
  ROW_QUANT_TIER,
  ROW_SPEC_INDEX,
  ROW_VIOLATION_RATE,
  ROWS_PLACE,
  rowsOf,
} from './traffic-lanes';
import { foldConfiguration, foldSums } from './fold-lanes';
import { gridLanes, lookUpLanes } from './decode-lanes';
import {
  GRID_COST_OR_KV_USAGE,
  GRID_MEMORY,
  GRID_TPOT,
  GRID_TPS,
  GRID_TTFT_P50,
  GRID_TTFT_P99,
} from './decode';

/** The table's metrics with quantisation, speculation, disaggregation, noise and the floor. */
export function measureLanes(first: i32, end: i32): void {
  for (let i = first; i < end; i += LANES) {
    const w = wordsOf(i);
    const at = rowsOf(i);
    const promptLen = v128.load(at, ROW_PROMPT_LEN);
    const bucket = promptBuckets(promptLen);
    const spec = v128.load(at, ROW_SPEC_INDEX);
    const disagg = v128.load(at, ROW_PREFILL_DISAGG);
    const quant = v128.load(at, ROW_QUANT_TIER);
    const classes = i32x4.add(i32x4.shl(spec, 3), bucket);
    const isApart = i32x4.gt_s(disagg, i32x4.splat(0));
    setWordRow(w, WORD_SPEC_INDEX, spec);
    setWordRow(w, WORD_PREFILL_DISAGG, disagg);
    setWordRow(w, WORD_QUANT_TIER, quant);
    lookUpLanes(at + ROWS_PLACE, quant, gridLanes);
    measure(at, promptLen, classes, isApart);
    v128.store(at, f32x4.convert_i32x4_s(bucket), 16 * METRIC_PROMPT_LEN_BUCKET);
  }
}

/** The metrics of a group; `classes` chooses among lengths of draft and prompt. */
@inline
function measure(at: usize, promptLen: v128, classes: v128, isApart: v128): void {
  const one = f32x4.splat(1);
  const speed = gather(t_speed, classes);
  const over = f32x4.sub(promptLen, f32x4.splat(<f32>s_disagg_prompt_from));
  const long = clipLanes(f32x4.mul(over, f32x4.splat(<f32>s_disagg_prompt_gain)), 0, 1);
  const apartTtft = f32x4.sub(one, f32x4.mul(f32x4.splat(<f32>s_disagg_ttft), long));
  const apartTpot = f32x4.sub(one, f32x4.mul(f32x4.splat(<f32>s_disagg_tpot), long));
  const ttftFactor = v128.bitselect(apartTtft, one, isApart);
  const tpotFactor = v128.bitselect(apartTpot, one, isApart);
  const costFactor = v128.bitselect(f32x4.splat(<f32>s_disagg_cost), one, isApart);
  const memoryFactor = v128.bitselect(f32x4.splat(<f32>s_disagg_memory), one, isApart);
  const ttftP50 = f32x4.mul(
    f32x4.mul(f32x4.mul(v128.load(gridLanes, 16 * GRID_TTFT_P50), speed), ttftFactor),
    v128.load(at, ROW_NOISE_TTFT_P50),
  );
  const ttftP99 = f32x4.mul(
    v128.load(gridLanes, 16 * GRID_TTFT_P99),
    v128.load(at, ROW_NOISE_TTFT_P99),
  );
  const tpot = f32x4.mul(
    f32x4.mul(f32x4.mul(v128.load(gridLanes, 16 * GRID_TPOT), speed), tpotFactor),
    v128.load(at, ROW_NOISE_TPOT),
  );
  const cost = f32x4.mul(v128.load(gridLanes, 16 * GRID_COST_OR_KV_USAGE), costFactor);
  const memoryGb = f32x4.mul(v128.load(gridLanes, 16 * GRID_MEMORY), memoryFactor);
  const memoryMax = f32x4.splat(<f32>s_memory_max_gb);
  const tps = v128.load(gridLanes, 16 * GRID_TPS);
  v128.store(at, f32x4.pmax(one, ttftP50), 16 * METRIC_TTFT_P50_MS);
  v128.store(at, f32x4.pmax(one, ttftP99), 16 * METRIC_TTFT_P99_MS);
  v128.store(at, f32x4.pmax(one, tpot), 16 * METRIC_TPOT_MS);
  v128.store(at, f32x4.pmax(f32x4.splat(0), tps), 16 * METRIC_TOKENS_PER_SEC);
  v128.store(at, v128.and(f32x4.gt(memoryGb, memoryMax), one), 16 * METRIC_OOM);
  v128.store(at, f32x4.pmin(memoryGb, memoryMax), 16 * METRIC_GPU_MEMORY_GB);
  v128.store(at, cost, 16 * METRIC_COST_PER_1K);
  v128.store(at, gather(t_accept, classes), 16 * METRIC_SPEC_ACCEPT_RATE);
}

/** The queue, its reward, and the statistics: f64, a pair of environments at a time. */
export function serveLanes(first: i32, end: i32): void {
  for (let i = first; i < end; i += 2) {
    const r = realsOf(i);
    const at = rowsOf(i) + (<usize>(i % LANES) << 2);
    foldConfiguration(i, r, at);
    serve(r, at);
    rewardStep(i, r, at);
    foldSums(i, at);
  }
}

/** The queue: arrivals join, a batch leaves, what passes the bound is dropped. */
@inline
function serve(r: usize, at: usize): void {
  const one = f64x2.splat(1);
  const batchSize = widenPair(at + 16 * METRIC_APPLIED_BATCH_SIZE);
  const kvBudget = widenPair(at + 16 * METRIC_APPLIED_KV_BUDGET);
  const arrivals = widenPair(at + 16 * METRIC_ARRIVALS);
  const waiting = f64x2.add(realPair(r, REAL_QUEUE), arrivals);
  const served = f64x2.pmin(waiting, batchSize);
  const left = f64x2.sub(waiting, served);
  const queue = f64x2.pmin(f64x2.splat(s_queue_max), left);
  const evictions = f64x2.floor(f64x2.mul(f64x2.sub(one, kvBudget), queue));
  const occupancy = f64x2.sub(one, f64x2.div(evictions, f64x2.pmax(one, queue)));
  setRealPair(r, REAL_BATCH_SIZE, batchSize);
  setRealPair(r, REAL_KV_BUDGET, kvBudget);
  setRealPair(r, REAL_QUEUE, queue);
  storeNarrow(at + 16 * METRIC_SERVED, served);
  storeNarrow(at + 16 * METRIC_DROPPED, f64x2.sub(left, queue));
  storeNarrow(at + 16 * METRIC_EVICTION_EVENTS, evictions);
  storeNarrow(at + 16 * METRIC_KV_CACHE_USAGE_RATIO, occupancy);
  storeNarrow(at + ROW_KV_OCCUPANCY, occupancy);
}

/** SLO violations, cost and reward. */
@inline
function rewardStep(i: i32, r: usize, at: usize): void {
  const one = f64x2.splat(1);
  const ttft = widenPair(at + 16 * METRIC_TTFT_P50_MS);
  const cost = widenPair(at + 16 * METRIC_COST_PER_1K);
  const tps = widenPair(at + 16 * METRIC_TOKENS_PER_SEC);
  const isOom = f64x2.gt(widenPair(at + 16 * METRIC_OOM), f64x2.splat(0));
  const queue = realPair(r, REAL_QUEUE);
  const isSlow = f64x2.gt(ttft, f64x2.splat(s_slo_interactive_ms));
  const isSlower = f64x2.gt(ttft, f64x2.splat(s_slo_batch_ms));
  const heldInteractive = v128.and(isSlow, f64x2.splat(s_held_interactive));
  const heldBatch = v128.and(isSlower, f64x2.splat(s_held_batch));
  const failed = v128.and(isOom, realPair(r, REAL_BATCH_SIZE));
  const held = f64x2.mul(queue, f64x2.add(heldInteractive, heldBatch));
  const violations = f64x2.add(failed, held);
  const rate = f64x2.div(violations, f64x2.pmax(one, queue));
  const ofTps = f64x2.mul(f64x2.splat(s_reward_tps), tps);
  const ofTtft = f64x2.mul(f64x2.splat(s_reward_ttft), ttft);
  const ofViolations = f64x2.mul(f64x2.splat(s_reward_violations), rate);
  const ofCost = f64x2.mul(f64x2.splat(s_reward_cost), cost);
  const reward = f64x2.sub(f64x2.sub(f64x2.sub(ofTps, ofTtft), ofViolations), ofCost);
  const bounded = f64x2.pmin(one, f64x2.pmax(f64x2.splat(-1), reward));
  setRealPair(r, REAL_COST_SO_FAR, f64x2.add(realPair(r, REAL_COST_SO_FAR), cost));
  storeNarrow(at + 16 * METRIC_SLO_VIOLATIONS, violations);
  storeNarrow(at + ROW_VIOLATION_RATE, f64x2.pmin(one, rate));
  storeNarrow(Channels.rewards + (<usize>i << 2), bounded);
  storeNarrow(Channels.costs + (<usize>i << 2), violations);
}
