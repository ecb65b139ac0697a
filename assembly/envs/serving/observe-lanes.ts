/** The observations of a serving step, four environments at a time. */
import { Channels } from '../../channels';
import { WORD_STEP } from '../../generated/common';
import {
  DYNAMICS_MEASURED,
  METRIC_APPLIED_PREFILL_DISAGG,
  METRIC_APPLIED_QUANT_TIER,
  METRIC_APPLIED_SPEC_LENGTH,
  METRIC_COUNT,
  METRIC_GPU_MEMORY_GB,
  METRIC_SPEC_ACCEPT_RATE,
  METRIC_TPOT_MS,
  METRIC_TTFT_P50_MS,
  OBSERVATION_ACTIVE_PREFILL_DISAGG,
  OBSERVATION_ACTIVE_QUANT_TIER,
  OBSERVATION_ACTIVE_SPEC_LENGTH,
  OBSERVATION_ARRIVAL_RATE,
  OBSERVATION_CAPACITY_RPS,
  OBSERVATION_COST_SO_FAR,
  OBSERVATION_GPU_MEMORY_USED_GB,
  OBSERVATION_KV_CACHE_OCCUPANCY,
  OBSERVATION_MEAN_PROMPT_LEN,
  OBSERVATION_PRIORITY_BATCH,
  OBSERVATION_PRIORITY_BEST_EFFORT,
  OBSERVATION_PRIORITY_INTERACTIVE,
  OBSERVATION_QUEUE_DEPTH,
  OBSERVATION_ROLLOUT_STEPS_LEFT,
  OBSERVATION_SLO_VIOLATION_RATE,
  OBSERVATION_SPEC_ACCEPT_RATE,
  OBSERVATION_TIMESTEP,
  OBSERVATION_TPOT_P50,
  OBSERVATION_TTFT_P50,
  OBSERVATION_WINDOW_POSITION,
  REAL_ARRIVAL_EMA,
  REAL_COST_SO_FAR,
  REAL_QUEUE,
  s_dynamics,
  s_horizon,
  s_profile_inv,
  s_share_batch,
  s_share_best_effort,
  s_share_interactive,
  t_observation_scale,
  WORD_PREFILL_DISAGG,
  WORD_QUANT_TIER,
  WORD_ROLLOUT_LEFT,
  WORD_SPEC_INDEX,
  WORD_STEP,
  WORD_WINDOW_START,
  SPEC_LENGTH_CHOICES,
} from '../../generated/serving';
import {
  gather, narrowRow, scaled, storeColumns, storeFlags, storeMetrics, storeTwoColumns,
} from '../../lanes';
import { LANES, realsOf, setWordRow, wordRow, wordsOf } from '../../state';
import {
  ROW_CAPACITY_RPS,
  ROW_KV_OCCUPANCY,
  ROW_PROMPT_LEN,
  ROW_VIOLATION_RATE,
  rowsOf,
} from './traffic-lanes';

/** The observations, the flags and, where they are kept, the metrics. */
export function observeLanes(first: i32, end: i32): void {
  const horizon = i32x4.splat(<i32>s_horizon);
  for (let i = first; i < end; i += LANES) {
    const w = wordsOf(i);
    const at = rowsOf(i);
    const now = i32x4.add(wordRow(w, WORD_STEP), i32x4.splat(1));
    setWordRow(w, WORD_STEP, now);
    observe(i, at, f32x4.convert_i32x4_s(now));
    if (s_dynamics == DYNAMICS_MEASURED) observeServer(i, w, at);
    storeFlags(Channels.truncated + i, i32x4.ge_s(now, horizon));
    store<u32>(Channels.terminated + i, 0);
    if (Channels.metricsBytes > 0) reportMetrics(i, w, at);
  }
}

/** The observation rows: rounded to f32, then scaled by the program's fixed scalings. */
@inline
function observe(i: i32, at: usize, step: v128): void {
  const r = realsOf(i);
  const o = Channels.observationsOf(i);
  const bytes = Channels.observationBytes;
  const scale = t_observation_scale;
  storeColumns(
    scaled(scale, OBSERVATION_QUEUE_DEPTH, narrowRow(r + 32 * REAL_QUEUE)),
    scaled(scale, OBSERVATION_MEAN_PROMPT_LEN, v128.load(at, ROW_PROMPT_LEN)),
    scaled(scale, OBSERVATION_ARRIVAL_RATE, narrowRow(r + 32 * REAL_ARRIVAL_EMA)),
    scaled(scale, OBSERVATION_KV_CACHE_OCCUPANCY, v128.load(at, ROW_KV_OCCUPANCY)),
    o, bytes,
  );
  storeColumns(
    scaled(scale, OBSERVATION_TTFT_P50, v128.load(at, 16 * METRIC_TTFT_P50_MS)),
    scaled(scale, OBSERVATION_TPOT_P50, v128.load(at, 16 * METRIC_TPOT_MS)),
    scaled(scale, OBSERVATION_SLO_VIOLATION_RATE, v128.load(at, ROW_VIOLATION_RATE)),
    scaled(scale, OBSERVATION_GPU_MEMORY_USED_GB, v128.load(at, 16 * METRIC_GPU_MEMORY_GB)),
    o + 4 * OBSERVATION_TTFT_P50, bytes,
  );
  storeColumns(
    scaled(scale, OBSERVATION_SPEC_ACCEPT_RATE, v128.load(at, 16 * METRIC_SPEC_ACCEPT_RATE)),
    scaled(scale, OBSERVATION_PRIORITY_INTERACTIVE, f32x4.splat(<f32>s_share_interactive)),
    scaled(scale, OBSERVATION_PRIORITY_BATCH, f32x4.splat(<f32>s_share_batch)),
    scaled(scale, OBSERVATION_PRIORITY_BEST_EFFORT, f32x4.splat(<f32>s_share_best_effort)),
    o + 4 * OBSERVATION_SPEC_ACCEPT_RATE, bytes,
  );
  storeTwoColumns(
    scaled(scale, OBSERVATION_TIMESTEP, step),
    scaled(scale, OBSERVATION_COST_SO_FAR, narrowRow(r + 32 * REAL_COST_SO_FAR)),
    o + 4 * OBSERVATION_TIMESTEP, bytes,
  );
}

/** The additions of the measured dynamics; a step of a rollout is over. */
@inline
function observeServer(i: i32, w: usize, at: usize): void {
  const o = Channels.observationsOf(i);
  const bytes = Channels.observationBytes;
  const scale = t_observation_scale;
  const left = i32x4.sub(wordRow(w, WORD_ROLLOUT_LEFT), i32x4.splat(1));
  const none = i32x4.splat(0);
  setWordRow(w, WORD_ROLLOUT_LEFT, i32x4.max_s(left, none));
  const now = i32x4.add(wordRow(w, WORD_WINDOW_START), wordRow(w, WORD_STEP));
  const upper = v128.shuffle<i64>(now, now, 1, 1);
  const inv = f64x2.splat(s_profile_inv);
  const low = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.convert_low_i32x4_s(now), inv));
  const high = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.convert_low_i32x4_s(upper), inv));
  const spec = gather(SPEC_LENGTH_CHOICES, wordRow(w, WORD_SPEC_INDEX));
  storeTwoColumns(
    scaled(scale, OBSERVATION_CAPACITY_RPS, v128.load(at, ROW_CAPACITY_RPS)),
    scaled(scale, OBSERVATION_ACTIVE_SPEC_LENGTH, spec),
    o + 4 * OBSERVATION_CAPACITY_RPS, bytes,
  );
  storeColumns(
    scaled(scale, OBSERVATION_ACTIVE_PREFILL_DISAGG, floats(wordRow(w, WORD_PREFILL_DISAGG))),
    scaled(scale, OBSERVATION_ACTIVE_QUANT_TIER, floats(wordRow(w, WORD_QUANT_TIER))),
    scaled(scale, OBSERVATION_ROLLOUT_STEPS_LEFT, floats(wordRow(w, WORD_ROLLOUT_LEFT))),
    scaled(scale, OBSERVATION_WINDOW_POSITION, v128.shuffle<i64>(low, high, 0, 2)),
    o + 4 * OBSERVATION_ACTIVE_PREFILL_DISAGG, bytes,
  );
}

@inline
function floats(words: v128): v128 {
  return f32x4.convert_i32x4_s(words);
}

/** The metrics rows; what only they show is put into the group's rows first. */
function reportMetrics(i: i32, w: usize, at: usize): void {
  const spec = wordRow(w, WORD_SPEC_INDEX);
  const disagg = wordRow(w, WORD_PREFILL_DISAGG);
  const quant = wordRow(w, WORD_QUANT_TIER);
  v128.store(at, gather(SPEC_LENGTH_CHOICES, spec), 16 * METRIC_APPLIED_SPEC_LENGTH);
  v128.store(at, f32x4.convert_i32x4_s(disagg), 16 * METRIC_APPLIED_PREFILL_DISAGG);
  v128.store(at, f32x4.convert_i32x4_s(quant), 16 * METRIC_APPLIED_QUANT_TIER);
  storeMetrics(i, at, METRIC_COUNT);
}
