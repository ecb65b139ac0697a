/** The episode statistics of the origin's dynamics, a pair of environments at a time. */
import { Channels } from '../../channels';
import { WORD_STEP } from '../../generated/common';
import {
  METRIC_APPLIED_BATCH_SIZE,
  METRIC_APPLIED_KV_BUDGET,
  METRIC_ARRIVALS,
  METRIC_COST_PER_1K,
  METRIC_DROPPED,
  METRIC_GPU_MEMORY_GB,
  METRIC_OOM,
  METRIC_SERVED,
  METRIC_SLO_VIOLATIONS,
  METRIC_TOKENS_PER_SEC,
  METRIC_TTFT_P50_MS,
  REAL_BATCH_SIZE,
  REAL_KV_BUDGET,
  STATISTIC_ARRIVALS_SUM,
  STATISTIC_BATCH_SIZE_DELTA_MEAN,
  STATISTIC_COST_PER_1K_SUM,
  STATISTIC_DROPPED_SUM,
  STATISTIC_EPISODE_COST,
  STATISTIC_EPISODE_RETURN,
  STATISTIC_GPU_MEMORY_GB_MAX,
  STATISTIC_KV_BUDGET_DELTA_MEAN,
  STATISTIC_LENGTH_STEPS,
  STATISTIC_OOM_SUM,
  STATISTIC_SERVED_SUM,
  STATISTIC_SLO_VIOLATIONS_SUM,
  STATISTIC_TOKENS_PER_SEC_SUM,
  STATISTIC_TTFT_P50_MS_SUM,
  WORD_STEP,
} from '../../generated/serving';
import { convertPair, widenPair } from '../../lanes';
import { realPair, setRealPair, statisticsOf, wordsOf } from '../../state';
import { addPair, foldWelfordPair } from '../../statistics';

/** The statistics that are sums and the greatest; `good`, 0 in these dynamics, adds nothing. */
@inline
export function foldSums(i: i32, at: usize): void {
  const s = statisticsOf(i);
  const step = stepsBefore(i);
  const memory = widenPair(at + 16 * METRIC_GPU_MEMORY_GB);
  const most = f64x2.pmax(realPair(s, STATISTIC_GPU_MEMORY_GB_MAX), memory);
  const isFirst = f64x2.eq(step, f64x2.splat(0));
  setRealPair(s, STATISTIC_GPU_MEMORY_GB_MAX, v128.bitselect(memory, most, isFirst));
  addPair(s, STATISTIC_LENGTH_STEPS, f64x2.splat(1));
  addPair(s, STATISTIC_EPISODE_RETURN, widenPair(Channels.rewards + (<usize>i << 2)));
  addPair(s, STATISTIC_EPISODE_COST, widenPair(at + 16 * METRIC_SLO_VIOLATIONS));
  addPair(s, STATISTIC_TOKENS_PER_SEC_SUM, widenPair(at + 16 * METRIC_TOKENS_PER_SEC));
  addPair(s, STATISTIC_TTFT_P50_MS_SUM, widenPair(at + 16 * METRIC_TTFT_P50_MS));
  addPair(s, STATISTIC_SLO_VIOLATIONS_SUM, widenPair(at + 16 * METRIC_SLO_VIOLATIONS));
  addPair(s, STATISTIC_COST_PER_1K_SUM, widenPair(at + 16 * METRIC_COST_PER_1K));
  addPair(s, STATISTIC_ARRIVALS_SUM, widenPair(at + 16 * METRIC_ARRIVALS));
  addPair(s, STATISTIC_SERVED_SUM, widenPair(at + 16 * METRIC_SERVED));
  addPair(s, STATISTIC_DROPPED_SUM, widenPair(at + 16 * METRIC_DROPPED));
  addPair(s, STATISTIC_OOM_SUM, widenPair(at + 16 * METRIC_OOM));
}

/** Steps that the episodes of a pair have behind them, as f64. */
@inline
function stepsBefore(i: i32): v128 {
  return convertPair(wordsOf(i) + 16 * WORD_STEP);
}

/** Folds the changes of batch and KV; the state still holds what they were. */
@inline
export function foldConfiguration(i: i32, r: usize, at: usize): void {
  const s = statisticsOf(i);
  const count = stepsBefore(i);
  const batchSize = widenPair(at + 16 * METRIC_APPLIED_BATCH_SIZE);
  const kvBudget = widenPair(at + 16 * METRIC_APPLIED_KV_BUDGET);
  const ofBatch = f64x2.sub(batchSize, realPair(r, REAL_BATCH_SIZE));
  const ofKv = f64x2.sub(kvBudget, realPair(r, REAL_KV_BUDGET));
  foldWelfordPair(s, STATISTIC_BATCH_SIZE_DELTA_MEAN, ofBatch, count);
  foldWelfordPair(s, STATISTIC_KV_BUDGET_DELTA_MEAN, ofKv, count);
}
