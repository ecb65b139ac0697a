/** The measured dynamics, four environments at a time; serving-measured.ts for lanes. */
import { Channels } from '../../channels';
import {
  GRID_METRICS,
  METRIC_APPLIED_BATCH_SIZE,
  METRIC_APPLIED_KV_BUDGET,
  METRIC_ARRIVALS,
  METRIC_COST_PER_1K,
  METRIC_DROPPED,
  METRIC_EVICTION_EVENTS,
  METRIC_GOOD,
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
  REAL_CREDIT,
  REAL_KV_BUDGET,
  REAL_QUEUE,
  s_decode_s_min,
  s_has_kv_usage,
  s_memory_max_gb,
  s_output_tokens,
  s_prefill_s_min,
  s_price_usd_per_step,
  s_quality_loss_0,
  s_quality_loss_1,
  s_quality_loss_2,
  s_queue_max,
  s_reward_good,
  s_reward_gpu,
  s_rollout_capacity,
  s_rollout_disagg,
  s_rollout_quant,
  s_rollout_spec,
  s_slo_tpot_ms,
  s_slo_ttft_ms,
  s_table_output_tokens,
  s_tps_min,
  STATISTIC_GOOD_SUM,
  WORD_PREFILL_DISAGG,
  WORD_QUANT_TIER,
  WORD_ROLLOUT_LEFT,
  WORD_SPEC_INDEX,
} from '../../generated/serving';
import { convertPair, narrowRow, storeNarrow, widenPair } from '../../lanes';
import {
  LANES,
  realPair,
  realsOf,
  setRealPair,
  setWordRow,
  statisticsOf,
  wordRow,
  wordsOf,
} from '../../state';
import { addPair } from '../../statistics';
import {
  promptBuckets,
  ROW_CAPACITY_RPS,
  ROW_KV_OCCUPANCY,
  ROW_NOISE_TPOT,
  ROW_NOISE_TTFT_P50,
  ROW_NOISE_TTFT_P99,
  ROW_PREFILL_DISAGG,
  ROW_PROMPT_LEN,
  ROW_QUANT_TIER,
  ROW_SPEC_INDEX,
  ROW_VIOLATION_RATE,
  ROWS_GRID,
  ROWS_PLACE,
  rowsOf,
} from './traffic-lanes';
import { foldConfiguration, foldSums } from './fold-lanes';
import {
  gridLanes,
  keptLanes,
  locateLanes,
  lookUpLanes,
  WANTED_BATCH_SIZE,
  WANTED_KV_BUDGET,
  WANTED_QUANT_TIER,
  WANTED_SPEC_INDEX,
} from './decode-lanes';
import {
  GRID_ACCEPT,
  GRID_COST_OR_KV_USAGE,
  GRID_MEMORY,
  GRID_PREFILL_MS,
  GRID_TPOT,
  GRID_TPS,
  GRID_TTFT_P50,
  GRID_TTFT_P99,
} from './decode';

/**
 * Puts the configurations in force, or keeps what is where they do not fit the device; what changes
 * of the slow knobs begins a rollout.
 */
export function configureMeasuredLanes(first: i32, end: i32): void {
  for (let i = first; i < end; i += LANES) {
    const w = wordsOf(i);
    const at = rowsOf(i);
    const grid = at + ROWS_GRID;
    lookUpLanes(at + ROWS_PLACE, v128.load(at, ROW_QUANT_TIER), grid);
    const memoryMax = f32x4.splat(<f32>s_memory_max_gb);
    const fits = f32x4.le(v128.load(grid, 16 * GRID_MEMORY), memoryMax);
    v128.store(at, v128.andnot(f32x4.splat(1), fits), 16 * METRIC_OOM);
    if (!i32x4.all_true(fits)) keepWhere(i, w, at, v128.not(fits));
    applySlowKnobs(w, at);
    const bucket = promptBuckets(v128.load(at, ROW_PROMPT_LEN));
    v128.store(at, f32x4.convert_i32x4_s(bucket), 16 * METRIC_PROMPT_LEN_BUCKET);
    v128.store(at, v128.load(grid, 16 * GRID_MEMORY), 16 * METRIC_GPU_MEMORY_GB);
    v128.store(at, v128.load(grid, 16 * GRID_ACCEPT), 16 * METRIC_SPEC_ACCEPT_RATE);
  }
}

/** Keeps the configuration in force, and its place in the grid, where a mask says so. */
function keepWhere(i: i32, w: usize, at: usize, mask: v128): void {
  const r = realsOf(i);
  const promptLen = v128.load(at, ROW_PROMPT_LEN);
  const quant = wordRow(w, WORD_QUANT_TIER);
  v128.store(keptLanes, narrowRow(r + 32 * REAL_KV_BUDGET), WANTED_KV_BUDGET);
  v128.store(keptLanes, narrowRow(r + 32 * REAL_BATCH_SIZE), WANTED_BATCH_SIZE);
  v128.store(keptLanes, wordRow(w, WORD_SPEC_INDEX), WANTED_SPEC_INDEX);
  v128.store(keptLanes, quant, WANTED_QUANT_TIER);
  locateLanes(keptLanes, promptLen, at + ROWS_PLACE);
  lookUpLanes(at + ROWS_PLACE, quant, gridLanes);
  for (let k: usize = 0; k < 16 * GRID_METRICS; k += 16) {
    keep(at + ROWS_GRID + k, v128.load(gridLanes + k), mask);
  }
  keep(at + 16 * METRIC_APPLIED_KV_BUDGET, v128.load(keptLanes, WANTED_KV_BUDGET), mask);
  keep(at + 16 * METRIC_APPLIED_BATCH_SIZE, v128.load(keptLanes, WANTED_BATCH_SIZE), mask);
  keep(at + ROW_SPEC_INDEX, wordRow(w, WORD_SPEC_INDEX), mask);
  keep(at + ROW_PREFILL_DISAGG, wordRow(w, WORD_PREFILL_DISAGG), mask);
  keep(at + ROW_QUANT_TIER, quant, mask);
}

@inline
function keep(at: usize, kept: v128, mask: v128): void {
  v128.store(at, v128.bitselect(kept, v128.load(at), mask));
}

@inline
function applySlowKnobs(w: usize, at: usize): void {
  const left = wordRow(w, WORD_ROLLOUT_LEFT);
  const spec = rollout(w, WORD_SPEC_INDEX, v128.load(at, ROW_SPEC_INDEX), s_rollout_spec);
  const disaggregated = v128.load(at, ROW_PREFILL_DISAGG);
  const disagg = rollout(w, WORD_PREFILL_DISAGG, disaggregated, s_rollout_disagg);
  const quant = rollout(w, WORD_QUANT_TIER, v128.load(at, ROW_QUANT_TIER), s_rollout_quant);
  const longest = i32x4.max_s(i32x4.max_s(spec, disagg), quant);
  setWordRow(w, WORD_ROLLOUT_LEFT, i32x4.max_s(left, longest));
}

/** Applies a slow knob; the steps that its rollout takes, 0 where it stays as it is. */
@inline
function rollout(w: usize, slot: i32, wanted: v128, steps: f64): v128 {
  const changes = i32x4.ne(wanted, wordRow(w, slot));
  setWordRow(w, slot, wanted);
  return v128.and(changes, i32x4.splat(<i32>steps));
}

/** Capacity, queue, reward and statistics: f64, a pair of environments at a time. */
export function serveMeasuredLanes(first: i32, end: i32): void {
  for (let i = first; i < end; i += 2) {
    const w = wordsOf(i);
    const r = realsOf(i);
    const at = rowsOf(i) + (<usize>(i % LANES) << 2);
    foldConfiguration(i, r, at);
    const capacityRps = capacity(w, at);
    storeNarrow(at + ROW_CAPACITY_RPS, capacityRps);
    serve(r, at, capacityRps);
    rewardStep(i, w, r, at);
    foldSums(i, at);
    addPair(statisticsOf(i), STATISTIC_GOOD_SUM, widenPair(at + 16 * METRIC_GOOD));
  }
}

/** Requests per second, and the time per output token that goes with it, into the metrics. */
@inline
function capacity(w: usize, at: usize): v128 {
  const one = f64x2.splat(1);
  const grid = at + ROWS_GRID;
  const tokens = f64x2.splat(s_table_output_tokens);
  const measured = f64x2.mul(widenPair(grid + 16 * GRID_PREFILL_MS), f64x2.splat(0.001));
  const prefill = f64x2.pmax(f64x2.splat(s_prefill_s_min), measured);
  const request = f64x2.div(tokens, throughput(grid));
  const rest = f64x2.div(f64x2.sub(request, prefill), tokens);
  const decode = f64x2.pmax(f64x2.splat(s_decode_s_min), rest);
  const answer = f64x2.mul(f64x2.splat(s_output_tokens), decode);
  const tableAnswer = f64x2.mul(decode, tokens);
  const isApart = f64x2.gt(convertPair(w + 16 * WORD_PREFILL_DISAGG), f64x2.splat(0));
  const slower = f64x2.pmax(answer, prefill);
  const seconds = v128.bitselect(slower, f64x2.add(prefill, answer), isApart);
  const full = f64x2.div(one, seconds);
  const share = f64x2.div(tableAnswer, f64x2.add(tableAnswer, prefill));
  const tpotShare = v128.bitselect(share, one, isApart);
  const gridTpot = f64x2.mul(widenPair(grid + 16 * GRID_TPOT), tpotShare);
  const tpot = f32x4.demote_f64x2_zero(f64x2.mul(gridTpot, widenPair(at + ROW_NOISE_TPOT)));
  v128.store64_lane(at + 16 * METRIC_TPOT_MS, f32x4.pmax(f32x4.splat(1), tpot), 0);
  const isRolling = f64x2.gt(convertPair(w + 16 * WORD_ROLLOUT_LEFT), f64x2.splat(0));
  return v128.bitselect(f64x2.mul(full, f64x2.splat(s_rollout_capacity)), full, isRolling);
}

/** The grid's tokens per second, above zero. */
@inline
function throughput(grid: usize): v128 {
  return f64x2.pmax(f64x2.splat(s_tps_min), widenPair(grid + 16 * GRID_TPS));
}

/** The queue, served by credit, and the latency of what is served. */
@inline
function serve(r: usize, at: usize, capacityRps: v128): void {
  const grid = at + ROWS_GRID;
  const before = realPair(r, REAL_QUEUE);
  const waitMs = f64x2.div(f64x2.mul(f64x2.splat(1000), before), capacityRps);
  const atP50 = f64x2.add(waitMs, widenPair(grid + 16 * GRID_TTFT_P50));
  const atP99 = f64x2.add(waitMs, widenPair(grid + 16 * GRID_TTFT_P99));
  const p50 = f32x4.demote_f64x2_zero(f64x2.mul(atP50, widenPair(at + ROW_NOISE_TTFT_P50)));
  const p99 = f32x4.demote_f64x2_zero(f64x2.mul(atP99, widenPair(at + ROW_NOISE_TTFT_P99)));
  const ttftP50 = f32x4.pmax(f32x4.splat(1), p50);
  const least = f32x4.mul(ttftP50, f32x4.splat(1.05));
  v128.store64_lane(at + 16 * METRIC_TTFT_P50_MS, ttftP50, 0);
  v128.store64_lane(at + 16 * METRIC_TTFT_P99_MS, f32x4.pmax(least, p99), 0);
  const waiting = f64x2.add(before, widenPair(at + 16 * METRIC_ARRIVALS));
  const credit = f64x2.add(realPair(r, REAL_CREDIT), capacityRps);
  const served = f64x2.pmin(waiting, f64x2.floor(credit));
  const most = f64x2.pmax(f64x2.splat(1), capacityRps);
  const left = f64x2.sub(waiting, served);
  const queue = f64x2.pmin(f64x2.splat(s_queue_max), left);
  setRealPair(r, REAL_BATCH_SIZE, widenPair(at + 16 * METRIC_APPLIED_BATCH_SIZE));
  setRealPair(r, REAL_KV_BUDGET, widenPair(at + 16 * METRIC_APPLIED_KV_BUDGET));
  setRealPair(r, REAL_CREDIT, f64x2.pmin(most, f64x2.sub(credit, served)));
  setRealPair(r, REAL_QUEUE, queue);
  storeNarrow(at + 16 * METRIC_SERVED, served);
  storeNarrow(at + 16 * METRIC_DROPPED, f64x2.sub(left, queue));
}

/** Requests served in time, cost in dollars, and the reward. */
@inline
function rewardStep(i: i32, w: usize, r: usize, at: usize): void {
  const zero = f64x2.splat(0);
  const one = f64x2.splat(1);
  const served = widenPair(at + 16 * METRIC_SERVED);
  const p50 = widenPair(at + 16 * METRIC_TTFT_P50_MS);
  const p99 = widenPair(at + 16 * METRIC_TTFT_P99_MS);
  const inTime = f64x2.mul(served, ttftShare(p50, p99, f64x2.splat(s_slo_ttft_ms)));
  const good = f64x2.mul(inTime, tpotShare(widenPair(at + 16 * METRIC_TPOT_MS), s_slo_tpot_ms));
  const missed = f64x2.sub(served, good);
  const gpus = f64x2.add(one, convertPair(w + 16 * WORD_PREFILL_DISAGG));
  const lost = f64x2.mul(qualityLoss(convertPair(w + 16 * WORD_QUANT_TIER)), served);
  const value = f64x2.mul(f64x2.sub(good, lost), f64x2.splat(s_reward_good));
  const ofGpus = f64x2.mul(f64x2.splat(s_reward_gpu), f64x2.sub(gpus, one));
  const rate = f64x2.sub(one, f64x2.div(good, served));
  storeNarrow(at + 16 * METRIC_GOOD, good);
  storeNarrow(at + 16 * METRIC_SLO_VIOLATIONS, missed);
  storeNarrow(at + ROW_VIOLATION_RATE, v128.and(f64x2.gt(served, zero), rate));
  storeNarrow(Channels.rewards + (<usize>i << 2), f64x2.sub(value, ofGpus));
  storeNarrow(Channels.costs + (<usize>i << 2), missed);
  account(r, at, f64x2.mul(f64x2.splat(s_price_usd_per_step), gpus));
}

/** The step's price in dollars, and the occupancy of the KV cache. */
@inline
function account(r: usize, at: usize, price: v128): void {
  const one = f64x2.splat(1);
  const tps = throughput(at + ROWS_GRID);
  const queue = realPair(r, REAL_QUEUE);
  const evictions = f64x2.floor(f64x2.mul(f64x2.sub(one, realPair(r, REAL_KV_BUDGET)), queue));
  const occupancy = f64x2.sub(one, f64x2.div(evictions, f64x2.pmax(one, queue)));
  const physical = widenPair(at + ROWS_GRID + 16 * GRID_COST_OR_KV_USAGE);
  const usage = s_has_kv_usage == 1 ? physical : occupancy;
  setRealPair(r, REAL_COST_SO_FAR, f64x2.add(realPair(r, REAL_COST_SO_FAR), price));
  storeNarrow(at + 16 * METRIC_TOKENS_PER_SEC, tps);
  storeNarrow(at + 16 * METRIC_COST_PER_1K, f64x2.div(f64x2.mul(price, f64x2.splat(1000)), tps));
  storeNarrow(at + 16 * METRIC_EVICTION_EVENTS, evictions);
  storeNarrow(at + 16 * METRIC_KV_CACHE_USAGE_RATIO, usage);
  storeNarrow(at + ROW_KV_OCCUPANCY, occupancy);
}

@inline
function qualityLoss(quantTier: v128): v128 {
  const isSecond = f64x2.gt(quantTier, f64x2.splat(1));
  const isQuantised = f64x2.gt(quantTier, f64x2.splat(0));
  const loss = v128.bitselect(
    f64x2.splat(s_quality_loss_2), f64x2.splat(s_quality_loss_1), isSecond,
  );
  return v128.bitselect(loss, f64x2.splat(s_quality_loss_0), isQuantised);
}

/**
 * Share of requests whose first token is in time: each piece is a quotient and a number added to
 * it, so one division serves all of them.
 */
@inline
function ttftShare(p50: v128, p99: v128, limit: v128): v128 {
  const isBeyondP50 = f64x2.gt(limit, p50);
  const isBeyondP99 = f64x2.gt(limit, p99);
  const upper = f64x2.mul(f64x2.splat(0.01), f64x2.sub(limit, p99));
  const lower = f64x2.mul(f64x2.splat(0.49), f64x2.sub(limit, p50));
  const width = f64x2.mul(f64x2.splat(0.25), p99);
  const above = v128.bitselect(upper, lower, isBeyondP99);
  const below = v128.bitselect(width, f64x2.sub(p99, p50), isBeyondP99);
  const reached = v128.bitselect(f64x2.splat(0.99), f64x2.splat(0.5), isBeyondP99);
  const quotient = f64x2.div(
    v128.bitselect(above, limit, isBeyondP50),
    v128.bitselect(below, p50, isBeyondP50),
  );
  const shift = v128.bitselect(reached, f64x2.splat(-0.5), isBeyondP50);
  const isWhole = f64x2.gt(limit, f64x2.mul(f64x2.splat(1.25), p99));
  const share = v128.bitselect(f64x2.splat(1), f64x2.add(shift, quotient), isWhole);
  return v128.and(share, f64x2.gt(limit, f64x2.mul(f64x2.splat(0.5), p50)));
}

/** Share of requests whose time per token is in time: 1 up to 0.8 limits, 0 from 1.2 on. */
@inline
function tpotShare(tpot: v128, limit: f64): v128 {
  const share = f64x2.div(f64x2.sub(f64x2.splat(1.2 * limit), tpot), f64x2.splat(0.4 * limit));
  return f64x2.pmin(f64x2.splat(1), f64x2.pmax(f64x2.splat(0), share));
}
