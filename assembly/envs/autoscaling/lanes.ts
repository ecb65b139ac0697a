/**
 * A step of plain fleets, whose instances are of one type and serve at once, for four environments
 * at a time, with the bits of autoscaling.ts. Stage by stage, so that the processor overlaps the
 * divisions of neighbouring environments.
 */
import { CHUNK } from '../../batch';
import { Channels } from '../../channels';
import {
  OBSERVATION_CPU,
  OBSERVATION_INSTANCES,
  OBSERVATION_MEMORY,
  OBSERVATION_REQUEST_RATE,
  REAL_BUDGET_LEFT,
  REAL_REQUEST_RATE,
  REAL_WINDOW_SCALE,
  s_above_penalty,
  s_below_penalty,
  s_capacity_0,
  s_cost_weight,
  s_cpu_centre,
  s_cpu_factor,
  s_cpu_gain,
  s_cpu_high,
  s_cpu_low,
  s_distance_weight,
  s_has_budget,
  s_horizon,
  s_latency_sla,
  s_max_delta,
  s_max_instances,
  s_memory_centre,
  s_memory_factor,
  s_memory_gain,
  s_memory_high,
  s_memory_low,
  s_mixed_penalty,
  s_price_0,
  s_profile_steps,
  s_reward_gain,
  s_reward_offset,
  s_utilization_limit,
  STATISTIC_CPU_MEAN,
  STATISTIC_EPISODE_COST,
  STATISTIC_EPISODE_RETURN,
  STATISTIC_INSTANCES_SUM,
  STATISTIC_LATENCY_SUM,
  STATISTIC_LENGTH_STEPS,
  STATISTIC_MEMORY_MEAN,
  STATISTIC_OVER_BUDGET_SUM,
  STATISTIC_PRICE_SUM,
  STATISTIC_SLA_VIOLATION_SUM,
  t_noise,
  t_observation_scale,
  t_profile_rate,
  WORD_COUNT_0,
  WORD_WINDOW_START,
} from '../../generated/autoscaling';
import { STREAM_STEP, WORD_STEP } from '../../generated/common';
import {
  convertPair, gather, narrowRow, roundPair, scaled, storeColumns, storeFlagPair, storeNarrow,
} from '../../lanes';
import { drawBlocks } from '../../rng';
import { sampleQuantiles } from '../../sampling';
import {
  LANES, realPair, realsOf, setRealPair, setWordRow, statisticsOf, wordRow, wordsOf,
} from '../../state';
import { addPair, foldWelfordPair } from '../../statistics';

// The measurements, f32: rows of four for each group.
const ROW_CPU: usize = 0;
const ROW_MEMORY: usize = 16;
const GROUP_BYTES: usize = 32;
const rows = memory.data(<i32>GROUP_BYTES * (CHUNK / LANES), 16);
const blocks = memory.data(64, 16);

@inline
function rowsOf(i: i32): usize {
  return rows + <usize>((i % CHUNK) / LANES) * GROUP_BYTES;
}

/** Applies the changes asked for, within their bounds, and draws the step's requests. */
export function admitLanes(first: i32, end: i32): void {
  const one = i32x4.splat(1);
  const maxDelta = i32x4.splat(<i32>s_max_delta);
  const maxInstances = i32x4.splat(<i32>s_max_instances);
  const lastRate = i32x4.splat(<i32>s_profile_steps - 1);
  for (let i = first; i < end; i += LANES) {
    const w = wordsOf(i);
    const r = realsOf(i);
    drawBlocks(i, STREAM_STEP, 0, blocks);
    const action = i32x4.max_s(v128.load(Channels.actionsOf(i)), i32x4.splat(0));
    const asked = i32x4.sub(i32x4.min_s(action, i32x4.shl(maxDelta, 1)), maxDelta);
    const count = wordRow(w, WORD_COUNT_0);
    const above = i32x4.max_s(asked, i32x4.sub(one, count));
    const change = i32x4.min_s(above, i32x4.sub(maxInstances, count));
    const step = i32x4.add(wordRow(w, WORD_STEP), one);
    const now = i32x4.min_u(i32x4.add(wordRow(w, WORD_WINDOW_START), step), lastRate);
    const scale = narrowRow(r + 32 * REAL_WINDOW_SCALE);
    const mean = f32x4.mul(gather(t_profile_rate, now), scale);
    const rate = f32x4.add(mean, sampleQuantiles(t_noise, v128.load(blocks)));
    const least = f32x4.pmax(f32x4.splat(0), rate);
    const upper = v128.shuffle<i64>(least, least, 1, 1);
    setWordRow(w, WORD_COUNT_0, i32x4.add(count, change));
    setWordRow(w, WORD_STEP, step);
    setRealPair(r, REAL_REQUEST_RATE, f64x2.promote_low_f32x4(least));
    setRealPair(r + 16, REAL_REQUEST_RATE, f64x2.promote_low_f32x4(upper));
  }
}

/** Latency, utilisations, reward, statistics and flags: f64, a pair at a time. */
export function rewardLanes(first: i32, end: i32): void {
  const horizon = f64x2.splat(s_horizon);
  const limit = f64x2.splat(s_utilization_limit);
  for (let i = first; i < end; i += 2) {
    const w = wordsOf(i);
    const r = realsOf(i);
    const at = rowsOf(i) + (<usize>(i % LANES) << 2);
    const step = convertPair(w + 16 * WORD_STEP);
    const count = convertPair(w + 16 * WORD_COUNT_0);
    const serving = f64x2.pmax(f64x2.splat(1), f64x2.mul(count, f64x2.splat(s_capacity_0)));
    const latency = f64x2.div(realPair(r, REAL_REQUEST_RATE), serving);
    const cpu = roundPair(f64x2.mul(latency, f64x2.splat(s_cpu_factor)));
    const memory = roundPair(f64x2.mul(latency, f64x2.splat(s_memory_factor)));
    const price = f64x2.mul(count, f64x2.splat(s_price_0));
    storeNarrow(at + ROW_CPU, cpu);
    storeNarrow(at + ROW_MEMORY, memory);
    rewardStep(i, r, cpu, memory, roundPair(latency), price);
    fold(statisticsOf(i), step, cpu, memory, count);
    const isOver = v128.or(f64x2.gt(cpu, limit), f64x2.gt(memory, limit));
    storeFlagPair(Channels.terminated + i, isOver);
    storeFlagPair(Channels.truncated + i, f64x2.ge(step, horizon));
  }
}

/** The step's price and its reward. */
@inline
function rewardStep(i: i32, r: usize, cpu: v128, memory: v128, latency: v128, price: v128): void {
  const zero = f64x2.splat(0);
  const one = f64x2.splat(1);
  const s = statisticsOf(i);
  const spent = f64x2.mul(f64x2.splat(s_has_budget), price);
  const left = f64x2.sub(realPair(r, REAL_BUDGET_LEFT), spent);
  const late = v128.and(f64x2.gt(latency, f64x2.splat(s_latency_sla)), one);
  const over = v128.and(f64x2.lt(left, zero), one);
  const ofCpu = valueOf(cpu, s_cpu_low, s_cpu_high, s_cpu_centre, s_cpu_gain);
  const ofMemory = valueOf(memory, s_memory_low, s_memory_high, s_memory_centre, s_memory_gain);
  const cost = f64x2.mul(f64x2.splat(s_cost_weight), price);
  const areGood = v128.and(f64x2.ge(ofCpu, zero), f64x2.ge(ofMemory, zero));
  const mixed = v128.andnot(f64x2.splat(s_mixed_penalty), areGood);
  const raw = f64x2.sub(f64x2.sub(f64x2.add(ofCpu, ofMemory), cost), mixed);
  const offset = f64x2.add(raw, f64x2.splat(s_reward_offset));
  const scaled = f64x2.mul(offset, f64x2.splat(s_reward_gain));
  const reward = roundPair(f64x2.pmin(one, f64x2.pmax(zero, scaled)));
  const costs = f64x2.add(late, over);
  setRealPair(r, REAL_BUDGET_LEFT, left);
  storeNarrow(Channels.rewards + (<usize>i << 2), reward);
  storeNarrow(Channels.costs + (<usize>i << 2), costs);
  addPair(s, STATISTIC_EPISODE_RETURN, reward);
  addPair(s, STATISTIC_EPISODE_COST, costs);
  addPair(s, STATISTIC_LATENCY_SUM, latency);
  addPair(s, STATISTIC_PRICE_SUM, roundPair(price));
  addPair(s, STATISTIC_SLA_VIOLATION_SUM, late);
  addPair(s, STATISTIC_OVER_BUDGET_SUM, over);
}

/** The rest of the statistics; the sums are beside what they add. */
@inline
function fold(s: usize, step: v128, cpu: v128, memory: v128, instances: v128): void {
  addPair(s, STATISTIC_LENGTH_STEPS, f64x2.splat(1));
  addPair(s, STATISTIC_INSTANCES_SUM, instances);
  foldWelfordPair(s, STATISTIC_CPU_MEAN, cpu, step);
  foldWelfordPair(s, STATISTIC_MEMORY_MEAN, memory, step);
}

/** The reward of one utilisation: 1 in the middle of its range, 0 at its ends, less outside. */
@inline
function valueOf(u: v128, low: f64, high: f64, centre: f64, gain: f64): v128 {
  const zero = f64x2.splat(0);
  const weight = f64x2.splat(s_distance_weight);
  const isBelow = f64x2.lt(u, f64x2.splat(low));
  const isAbove = f64x2.gt(u, f64x2.splat(high));
  const lacking = f64x2.mul(f64x2.sub(f64x2.splat(low), u), weight);
  const exceeding = f64x2.mul(f64x2.sub(u, f64x2.splat(high)), weight);
  const below = f64x2.sub(f64x2.splat(0 - s_below_penalty), lacking);
  const above = f64x2.sub(f64x2.splat(0 - s_above_penalty), exceeding);
  const distance = f64x2.abs(f64x2.sub(u, f64x2.splat(centre)));
  const value = f64x2.sub(f64x2.splat(1), f64x2.mul(distance, f64x2.splat(gain)));
  const inside = f64x2.pmax(zero, value);
  return v128.bitselect(below, v128.bitselect(above, inside, isAbove), isBelow);
}

/** The observation rows: rounded to f32, then scaled by the program's fixed scalings. */
export function observeLanes(first: i32, end: i32): void {
  const scale = t_observation_scale;
  for (let i = first; i < end; i += LANES) {
    const at = rowsOf(i);
    const instances = f32x4.convert_i32x4_s(wordRow(wordsOf(i), WORD_COUNT_0));
    storeColumns(
      scaled(scale, OBSERVATION_CPU, v128.load(at, ROW_CPU)),
      scaled(scale, OBSERVATION_MEMORY, v128.load(at, ROW_MEMORY)),
      scaled(scale, OBSERVATION_REQUEST_RATE, narrowRow(realsOf(i) + 32 * REAL_REQUEST_RATE)),
      scaled(scale, OBSERVATION_INSTANCES, instances),
      Channels.observationsOf(i), Channels.observationBytes,
    );
  }
}
