/**
 * The measured dynamics: a server of finite capacity behind a queue, where a change of
 * speculation, disaggregation or quantisation has to be rolled out.
 */
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
  WORD_PREFILL_DISAGG,
  WORD_QUANT_TIER,
  WORD_ROLLOUT_LEFT,
  WORD_SPEC_INDEX,
} from '../../generated/serving';
import { Out } from '../../outputs';
import { real, setReal, setWord, word } from '../../state';
import {
  applyWanted,
  floatAt,
  GRID_ACCEPT,
  GRID_COST_OR_KV_USAGE,
  GRID_MEMORY,
  GRID_PREFILL_MS,
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

/** One step as docs/environments/serving.md says under "Measured tables and traffic". */
export function advanceMeasured(w: usize, r: usize, m: usize): void {
  configure(w, r, m);
  const capacityRps = capacity(w, m);
  serve(r, m, capacityRps);
  rewardStep(w, r, m);
  const left = word(w, WORD_ROLLOUT_LEFT);
  setWord(w, WORD_ROLLOUT_LEFT, left > 0 ? left - 1 : 0);
}

/**
 * Batch and KV are hot; the slow knobs change only when no rollout is under way, and begin one. A
 * configuration that does not fit the device at the present prompt is not applied.
 */
function configure(w: usize, r: usize, m: usize): void {
  const promptLen = Traffic.promptLen;
  const left = word(w, WORD_ROLLOUT_LEFT);
  if (left > 0) keepSlowKnobs(w);
  lookUp(Wanted.batchSize, Wanted.kvBudget, Wanted.specIndex, Wanted.quantTier, promptLen);
  const fits = gridMetric(GRID_MEMORY) <= <f32>s_memory_max_gb;
  put(m, METRIC_OOM, fits ? 0 : 1);
  const specNow = <i32>word(w, WORD_SPEC_INDEX);
  const quantNow = <i32>word(w, WORD_QUANT_TIER);
  if (!fits) {
    const batchSize = <f32>real(r, REAL_BATCH_SIZE);
    lookUp(batchSize, <f32>real(r, REAL_KV_BUDGET), specNow, quantNow, promptLen);
    return;
  }
  const spec = Wanted.specIndex != specNow ? <u32>s_rollout_spec : 0;
  const disaggregated = <i32>word(w, WORD_PREFILL_DISAGG);
  const disagg = Wanted.prefillDisagg != disaggregated ? <u32>s_rollout_disagg : 0;
  const quant = Wanted.quantTier != quantNow ? <u32>s_rollout_quant : 0;
  const longer = spec > disagg ? spec : disagg;
  const longest = longer > quant ? longer : quant;
  setWord(w, WORD_ROLLOUT_LEFT, longest > left ? longest : left);
  applyWanted(w, r);
}

function keepSlowKnobs(w: usize): void {
  Wanted.specIndex = word(w, WORD_SPEC_INDEX);
  Wanted.prefillDisagg = word(w, WORD_PREFILL_DISAGG);
  Wanted.quantTier = word(w, WORD_QUANT_TIER);
}

/** Requests per second, and the time per output token that goes with it, into the metrics. */
function capacity(w: usize, m: usize): f64 {
  const measuredPrefill = <f64>gridMetric(GRID_PREFILL_MS) * 0.001;
  const prefill = measuredPrefill > s_prefill_s_min ? measuredPrefill : s_prefill_s_min;
  const request = s_table_output_tokens / throughput();
  const rest = (request - prefill) / s_table_output_tokens;
  const decode = rest > s_decode_s_min ? rest : s_decode_s_min;
  const answer = s_output_tokens * decode;
  const tableAnswer = decode * s_table_output_tokens;
  const disaggregated = word(w, WORD_PREFILL_DISAGG) == 1;
  const slower = prefill > answer ? prefill : answer;
  const full = 1 / (disaggregated ? slower : prefill + answer);
  const tpotShare = disaggregated ? tableAnswer / (tableAnswer + prefill) : 1;
  const tpot = <f32>(<f64>gridMetric(GRID_TPOT) * tpotShare * <f64>Traffic.noiseTpot);
  put(m, METRIC_TPOT_MS, tpot > 1 ? tpot : 1);
  return word(w, WORD_ROLLOUT_LEFT) > 0 ? full * s_rollout_capacity : full;
}

/** The grid's tokens per second, above zero. */
function throughput(): f64 {
  const tps = <f64>gridMetric(GRID_TPS);
  return tps > s_tps_min ? tps : s_tps_min;
}

/** The queue, served by credit, and the latency of what is served. */
function serve(r: usize, m: usize, capacityRps: f64): void {
  const before = real(r, REAL_QUEUE);
  const waitMs = (1000 * before) / capacityRps;
  const p50 = <f32>((waitMs + <f64>gridMetric(GRID_TTFT_P50)) * <f64>Traffic.noiseTtftP50);
  const p99 = <f32>((waitMs + <f64>gridMetric(GRID_TTFT_P99)) * <f64>Traffic.noiseTtftP99);
  const ttftP50 = p50 > 1 ? p50 : 1;
  const least = ttftP50 * <f32>1.05;
  put(m, METRIC_TTFT_P50_MS, ttftP50);
  put(m, METRIC_TTFT_P99_MS, p99 > least ? p99 : least);
  const waiting = before + Traffic.arrivals;
  const credit = real(r, REAL_CREDIT) + capacityRps;
  const whole = Math.floor(credit);
  const served = whole < waiting ? whole : waiting;
  const most = capacityRps > 1 ? capacityRps : 1;
  const left = waiting - served;
  const queue = left < s_queue_max ? left : s_queue_max;
  setReal(r, REAL_CREDIT, credit - served < most ? credit - served : most);
  setReal(r, REAL_QUEUE, queue);
  Traffic.capacityRps = capacityRps;
  put(m, METRIC_SERVED, <f32>served);
  put(m, METRIC_DROPPED, <f32>(left - queue));
}

/** Requests served in time, cost in dollars, and the reward. */
function rewardStep(w: usize, r: usize, m: usize): void {
  const served = <f64>floatAt(m, METRIC_SERVED);
  const ttftP50 = <f64>floatAt(m, METRIC_TTFT_P50_MS);
  const ttft = ttftShare(ttftP50, <f64>floatAt(m, METRIC_TTFT_P99_MS), s_slo_ttft_ms);
  const good = served * ttft * tpotShare(<f64>floatAt(m, METRIC_TPOT_MS), s_slo_tpot_ms);
  const gpus = 1 + <f64>word(w, WORD_PREFILL_DISAGG);
  const loss = qualityLoss(word(w, WORD_QUANT_TIER));
  const queue = real(r, REAL_QUEUE);
  const evictions = Math.floor((1 - real(r, REAL_KV_BUDGET)) * queue);
  const tps = throughput();
  const physical = <f64>gridMetric(GRID_COST_OR_KV_USAGE);
  const usage = s_has_kv_usage == 1 ? physical : kvOccupancy(queue, evictions);
  setReal(r, REAL_COST_SO_FAR, real(r, REAL_COST_SO_FAR) + s_price_usd_per_step * gpus);
  put(m, METRIC_GOOD, <f32>good);
  put(m, METRIC_SLO_VIOLATIONS, <f32>(served - good));
  put(m, METRIC_TOKENS_PER_SEC, <f32>tps);
  put(m, METRIC_GPU_MEMORY_GB, gridMetric(GRID_MEMORY));
  put(m, METRIC_COST_PER_1K, <f32>((s_price_usd_per_step * gpus * 1000) / tps));
  put(m, METRIC_SPEC_ACCEPT_RATE, gridMetric(GRID_ACCEPT));
  put(m, METRIC_EVICTION_EVENTS, <f32>evictions);
  put(m, METRIC_KV_CACHE_USAGE_RATIO, <f32>usage);
  Traffic.violationRate = served > 0 ? 1 - good / served : 0;
  Out.reward = <f32>((good - loss * served) * s_reward_good - s_reward_gpu * (gpus - 1));
  Out.cost = <f32>(served - good);
}

function qualityLoss(quantTier: u32): f64 {
  if (quantTier == 0) return s_quality_loss_0;
  return quantTier == 1 ? s_quality_loss_1 : s_quality_loss_2;
}

/** Share of requests whose first token is in time, piecewise linear in the limit. */
function ttftShare(p50: f64, p99: f64, limit: f64): f64 {
  if (limit <= 0.5 * p50) return 0;
  if (limit <= p50) return limit / p50 - 0.5;
  if (limit <= p99) return 0.5 + (0.49 * (limit - p50)) / (p99 - p50);
  if (limit <= 1.25 * p99) return 0.99 + (0.01 * (limit - p99)) / (0.25 * p99);
  return 1;
}

/** Share of requests whose time per token is in time: 1 up to 0.8 limits, 0 from 1.2 on. */
function tpotShare(tpot: f64, limit: f64): f64 {
  const share = (1.2 * limit - tpot) / (0.4 * limit);
  const above = share > 0 ? share : 0;
  return above < 1 ? above : 1;
}
