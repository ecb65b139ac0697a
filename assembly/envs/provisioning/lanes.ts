/**
 * A step of provisioning for four environments at a time, with the bits of provisioning.ts. A chunk
 * goes through stages, each a short loop over its groups of four, so that the processor overlaps
 * the chains of dependent operations of neighbouring groups.
 */
import { CHUNK } from '../../batch';
import { Channels } from '../../channels';
import { STREAM_STEP, WORD_STEP } from '../../generated/common';
import {
  METRIC_APPLIED_GPUS,
  METRIC_ARRIVALS,
  METRIC_BOOTING_GPUS,
  METRIC_BUDGET_EXHAUSTED,
  METRIC_BUDGET_USD,
  METRIC_CLAMPED_GPUS,
  METRIC_COST_USD,
  METRIC_COUNT,
  METRIC_PROCESSED,
  METRIC_QUEUE,
  METRIC_REGIME,
  METRIC_RUNNING_GPUS,
  OBSERVATION_ACTIVE_GPUS,
  OBSERVATION_BOOTING_GPUS,
  OBSERVATION_CURRENT_BUDGET,
  OBSERVATION_INCOMING_JOBS,
  OBSERVATION_QUEUE_SIZE,
  OBSERVATION_TIME_STEP,
  REAL_BUDGET,
  s_arrival_bits,
  s_boot_delay,
  s_change_max,
  s_gpu_cost,
  s_gpus_max,
  s_horizon,
  s_job_value,
  s_profile_steps,
  s_wait_cost,
  STATISTIC_ARRIVALS_SUM,
  STATISTIC_BUDGET_EXHAUSTED_SUM,
  STATISTIC_COST_USD_SUM,
  STATISTIC_EPISODE_COST,
  STATISTIC_EPISODE_RETURN,
  STATISTIC_LENGTH_STEPS,
  STATISTIC_PROCESSED_SUM,
  STATISTIC_QUEUE_MAX,
  STATISTIC_QUEUE_SUM,
  t_arrival_alias,
  t_arrival_offset,
  t_observation_scale,
  t_profile_level,
  t_regime_alias,
  WORD_BOOTING_0,
  WORD_QUEUE,
  WORD_REGIME,
  WORD_RUNNING,
} from '../../generated/provisioning';
import {
  convertPair,
  gather,
  roundPair,
  scaled,
  storeColumns,
  storeFlagPair,
  storeFlags,
  storeMetrics,
  storeNarrow,
  storeTwoColumns,
  widenPair,
} from '../../lanes';
import { drawBlocks } from '../../rng';
import { sampleAliases } from '../../sampling';
import {
  LANES, realPair, realsOf, setRealPair, setWordRow, statisticsOf, wordRow, wordsOf,
} from '../../state';
import { addPair } from '../../statistics';

// The values that the stages hand on: rows of four, the metrics by their index, then these words.
const ROW_ARRIVALS: usize = 16 * METRIC_COUNT;
const ROW_RENTED: usize = ROW_ARRIVALS + 16;
const GROUP_BYTES: usize = ROW_ARRIVALS + 32;
const rows = memory.data(<i32>GROUP_BYTES * (CHUNK / LANES), 16);
const blocks = memory.data(64, 16);

@inline
function rowsOf(i: i32): usize {
  return rows + <usize>((i % CHUNK) / LANES) * GROUP_BYTES;
}

/** Draws the step's arrivals and the next step's regime. */
export function drawLanes(first: i32, end: i32): void {
  const bits = <i32>s_arrival_bits;
  const profileSteps = i32x4.splat(<i32>s_profile_steps);
  const last = i32x4.splat(<i32>s_profile_steps - 1);
  for (let i = first; i < end; i += LANES) {
    const w = wordsOf(i);
    const at = rowsOf(i);
    drawBlocks(i, STREAM_STEP, 0, blocks);
    const regime = wordRow(w, WORD_REGIME);
    const now = i32x4.min_u(wordRow(w, WORD_STEP), last);
    const level = gather(t_profile_level, i32x4.add(i32x4.mul(regime, profileSteps), now));
    const least = gather(t_arrival_offset, level);
    const columns = i32x4.shl(level, bits);
    const more = sampleAliases(t_arrival_alias, columns, bits, v128.load(blocks));
    const next = sampleAliases(t_regime_alias, i32x4.shl(regime, 1), 1, v128.load(blocks, 16));
    setWordRow(w, WORD_REGIME, next);
    v128.store(at, i32x4.add(least, more), ROW_ARRIVALS);
    v128.store(at, f32x4.convert_i32x4_s(regime), 16 * METRIC_REGIME);
  }
}

/** Rents or releases within the limits, moves the boot queue on and serves the jobs. */
export function serveLanes(first: i32, end: i32): void {
  const none = i32x4.splat(0);
  const changeMax = i32x4.splat(<i32>s_change_max);
  const changeMin = i32x4.neg(changeMax);
  const gpusMax = i32x4.splat(<i32>s_gpus_max);
  const delay = <i32>s_boot_delay;
  for (let i = first; i < end; i += LANES) {
    const w = wordsOf(i);
    const at = rowsOf(i);
    let rented = wordRow(w, WORD_RUNNING);
    for (let k = 0; k < delay; k++) rented = i32x4.add(rented, wordRow(w, WORD_BOOTING_0 + k));
    const asked = v128.load(Channels.actionsOf(i));
    const request = i32x4.min_s(i32x4.max_s(asked, changeMin), changeMax);
    const room = i32x4.max_s(i32x4.sub(gpusMax, rented), none);
    const change = i32x4.min_s(i32x4.max_s(request, i32x4.neg(rented)), room);
    const running = startAndRelease(w, delay, change);
    rented = i32x4.add(rented, change);
    const waiting = wordRow(w, WORD_QUEUE);
    const processed = i32x4.min_s(waiting, running);
    const queue = i32x4.add(i32x4.sub(waiting, processed), v128.load(at, ROW_ARRIVALS));
    setWordRow(w, WORD_RUNNING, running);
    setWordRow(w, WORD_QUEUE, queue);
    v128.store(at, rented, ROW_RENTED);
    storeFloats(at, METRIC_ARRIVALS, v128.load(at, ROW_ARRIVALS));
    storeFloats(at, METRIC_PROCESSED, processed);
    storeFloats(at, METRIC_QUEUE, queue);
    storeFloats(at, METRIC_RUNNING_GPUS, running);
    storeFloats(at, METRIC_BOOTING_GPUS, i32x4.sub(rented, running));
    storeFloats(at, METRIC_APPLIED_GPUS, change);
  }
}

/**
 * Starts the GPUs whose boot delay has passed, moves the others one step on and applies a change in
 * the same pass over them, the newest first: what is rented comes behind all of them, so that a
 * release meets only those that were there. Returns the running GPUs.
 */
@inline
function startAndRelease(w: usize, delay: i32, change: v128): v128 {
  const none = i32x4.splat(0);
  let moving = i32x4.max_s(change, none);
  let release = i32x4.sub(moving, change);
  for (let k = delay - 1; k > 0; k--) {
    const booting = wordRow(w, WORD_BOOTING_0 + k);
    const taken = i32x4.min_s(release, booting);
    setWordRow(w, WORD_BOOTING_0 + k, moving);
    moving = i32x4.sub(booting, taken);
    release = i32x4.sub(release, taken);
  }
  if (delay > 0) {
    const started = wordRow(w, WORD_BOOTING_0);
    setWordRow(w, WORD_BOOTING_0, moving);
    moving = started;
  }
  return i32x4.sub(i32x4.add(wordRow(w, WORD_RUNNING), moving), release);
}

@inline
function storeFloats(at: usize, metric: usize, words: v128): void {
  v128.store(at + 16 * metric, f32x4.convert_i32x4_s(words));
}

/** Pays the rent, rewards the step and folds the statistics: f64, a pair at a time. */
export function rewardLanes(first: i32, end: i32): void {
  const zero = f64x2.splat(0);
  const gpuCost = f64x2.splat(s_gpu_cost);
  const jobValue = f64x2.splat(s_job_value);
  const waitCost = f64x2.splat(s_wait_cost);
  for (let i = first; i < end; i += 2) {
    const r = realsOf(i);
    const at = rowsOf(i) + (<usize>(i % LANES) << 2);
    const queue = convertPair(wordsOf(i) + 16 * WORD_QUEUE);
    const rented = convertPair(at + ROW_RENTED);
    const cost = f64x2.mul(gpuCost, rented);
    const budget = f64x2.sub(realPair(r, REAL_BUDGET), cost);
    // A fleet is small enough for f32: this is the number of jobs, not a rounded one.
    const value = f64x2.mul(jobValue, widenPair(at + 16 * METRIC_PROCESSED));
    const reward = roundPair(f64x2.sub(f64x2.sub(value, cost), f64x2.mul(waitCost, queue)));
    const lacking = v128.and(f64x2.sub(zero, budget), f64x2.lt(budget, zero));
    const overrun = roundPair(lacking);
    const isExhausted = f64x2.le(budget, zero);
    setRealPair(r, REAL_BUDGET, budget);
    storeNarrow(at + 16 * METRIC_COST_USD, cost);
    storeNarrow(at + 16 * METRIC_BUDGET_USD, budget);
    storeNarrow(Channels.rewards + (<usize>i << 2), reward);
    storeNarrow(Channels.costs + (<usize>i << 2), overrun);
    storeFlagPair(Channels.terminated + i, isExhausted);
    fold(statisticsOf(i), at, reward, overrun, v128.and(isExhausted, f64x2.splat(1)));
  }
}

@inline
function fold(s: usize, at: usize, reward: v128, overrun: v128, exhausted: v128): void {
  const queue = widenPair(at + 16 * METRIC_QUEUE);
  // No queue is shorter than the 0 that the statistic begins with.
  const longest = f64x2.pmax(realPair(s, STATISTIC_QUEUE_MAX), queue);
  setRealPair(s, STATISTIC_QUEUE_MAX, longest);
  addPair(s, STATISTIC_LENGTH_STEPS, f64x2.splat(1));
  addPair(s, STATISTIC_EPISODE_RETURN, reward);
  addPair(s, STATISTIC_EPISODE_COST, overrun);
  addPair(s, STATISTIC_ARRIVALS_SUM, widenPair(at + 16 * METRIC_ARRIVALS));
  addPair(s, STATISTIC_PROCESSED_SUM, widenPair(at + 16 * METRIC_PROCESSED));
  addPair(s, STATISTIC_QUEUE_SUM, queue);
  addPair(s, STATISTIC_COST_USD_SUM, widenPair(at + 16 * METRIC_COST_USD));
  addPair(s, STATISTIC_BUDGET_EXHAUSTED_SUM, exhausted);
}

/** Counts the step; the observation rows, scaled by the program's fixed scalings. */
export function observeLanes(first: i32, end: i32): void {
  const horizon = i32x4.splat(<i32>s_horizon);
  const scale = t_observation_scale;
  const bytes = Channels.observationBytes;
  for (let i = first; i < end; i += LANES) {
    const w = wordsOf(i);
    const at = rowsOf(i);
    const o = Channels.observationsOf(i);
    const now = i32x4.add(wordRow(w, WORD_STEP), i32x4.splat(1));
    setWordRow(w, WORD_STEP, now);
    storeFlags(Channels.truncated + i, i32x4.ge_s(now, horizon));
    storeColumns(
      scaled(scale, OBSERVATION_TIME_STEP, f32x4.convert_i32x4_s(now)),
      scaled(scale, OBSERVATION_ACTIVE_GPUS, v128.load(at, 16 * METRIC_RUNNING_GPUS)),
      scaled(scale, OBSERVATION_QUEUE_SIZE, v128.load(at, 16 * METRIC_QUEUE)),
      scaled(scale, OBSERVATION_CURRENT_BUDGET, v128.load(at, 16 * METRIC_BUDGET_USD)),
      o, bytes,
    );
    storeTwoColumns(
      scaled(scale, OBSERVATION_INCOMING_JOBS, v128.load(at, 16 * METRIC_ARRIVALS)),
      scaled(scale, OBSERVATION_BOOTING_GPUS, v128.load(at, 16 * METRIC_BOOTING_GPUS)),
      o + 4 * OBSERVATION_INCOMING_JOBS, bytes,
    );
  }
}

/** The metrics rows; what only they show is put into the group's rows first. */
export function reportLanes(first: i32, end: i32): void {
  for (let i = first; i < end; i += 2) {
    const at = rowsOf(i) + (<usize>(i % LANES) << 2);
    const asked = convertPair(Channels.actionsOf(i));
    const clamped = f64x2.sub(asked, widenPair(at + 16 * METRIC_APPLIED_GPUS));
    const isExhausted = f64x2.le(realPair(realsOf(i), REAL_BUDGET), f64x2.splat(0));
    storeNarrow(at + 16 * METRIC_CLAMPED_GPUS, clamped);
    storeNarrow(at + 16 * METRIC_BUDGET_EXHAUSTED, v128.and(isExhausted, f64x2.splat(1)));
  }
  for (let i = first; i < end; i += LANES) storeMetrics(i, rowsOf(i), METRIC_COUNT);
}
