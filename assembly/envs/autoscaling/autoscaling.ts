/**
 * Autoscaling: how many instances keep a service inside its utilisation band. What a step computes
 * is said in docs/environments/autoscaling.md and specified, bit for bit, by
 * src/reference/autoscaling/autoscaling.ts.
 *
 * The request rate is f32, utilisations and latency are rounded to f32 where they arise; the rest
 * is f64.
 */
import { Batch, CHUNK } from '../../batch';
import { Channels } from '../../channels';
import { FIRST_HEURISTIC, STREAM_RESET, STREAM_STEP, WORD_STEP } from '../../generated/common';
import {
  HEURISTIC_COUNT,
  Layout,
  METRIC_BUDGET_LEFT,
  METRIC_CAPACITY_UNITS,
  METRIC_COUNT,
  METRIC_CPU,
  METRIC_INSTANCES,
  METRIC_LATENCY,
  METRIC_MEMORY,
  METRIC_REQUEST_RATE,
  METRIC_SERVING_UNITS,
  METRIC_STARTING_INSTANCES,
  METRIC_STEP,
  OBSERVATION_BUDGET_LEFT,
  OBSERVATION_CPU,
  OBSERVATION_INSTANCES,
  OBSERVATION_INSTANCES_TYPE_0,
  OBSERVATION_INSTANCES_TYPE_1,
  OBSERVATION_INSTANCES_TYPE_2,
  OBSERVATION_MEMORY,
  OBSERVATION_REQUEST_RATE,
  REAL_BUDGET_LEFT,
  REAL_REQUEST_RATE,
  REAL_WINDOW_SCALE,
  s_budget,
  s_capacity_0,
  s_capacity_1,
  s_capacity_2,
  s_cold_start_steps,
  s_cpu_factor,
  s_has_cold_start,
  s_horizon,
  s_initial_spread,
  s_is_fleet,
  s_max_delta,
  s_max_instances,
  s_memory_factor,
  s_num_types,
  s_num_windows,
  s_observation_dim,
  s_profile_steps,
  s_utilization_limit,
  t_noise,
  t_observation_scale,
  t_profile_rate,
  t_window_instances,
  t_window_scales,
  t_window_starts,
  WORD_COUNT,
  WORD_COUNT_0,
  WORD_COUNT_1,
  WORD_COUNT_2,
  WORD_STARTING_0,
  WORD_STARTING_1,
  WORD_STARTING_2,
  WORD_WINDOW_START,
} from '../../generated/autoscaling';
import { Out } from '../../outputs';
import { drawBlock, drawBlocks, wordBelow, Words } from '../../rng';
import { sampleQuantile, sampleQuantiles } from '../../sampling';
import { LANES, real, realsOf, setReal, setWord, word, wordsOf } from '../../state';
import { metricOf } from '../../statistics';
import { priceOf, put, report, rewardStep } from './reward';
import { admitLanes, rewardLanes, observeLanes } from './lanes';
import { chooseChange, clipReal, Service } from './policies';

/** The scalars that a step reads as integers. */
class Params {
  static horizon: u32 = 0;
  static numTypes: i32 = 0;
  static maxDelta: i32 = 0;
  static maxInstances: i32 = 0;
  static coldStartSteps: u32 = 0;
  static lastRate: u32 = 0;
  static observationDim: i32 = 0;
  static isFleet: bool = false;
  static hasColdStart: bool = false;
  /** Counts, starting instances and units reduce to one number. */
  static isPlain: bool = false;
}

/** The findings of `measure`: the capacity units that serve, and those of all instances. */
class Units {
  static serving: f64 = 0;
  static all: f64 = 0;
}

// The deviations of the request rate that `prepare` drew, f32[4] for each block of four.
const DRAWS_BYTES: usize = 16;
const draws = memory.data(DRAWS_BYTES * (CHUNK / LANES), 16);
const blocks = memory.data(64, 16);

export class Autoscaling extends Layout {
  begin(): void {
    Params.horizon = <u32>s_horizon;
    Params.numTypes = <i32>s_num_types;
    Params.maxDelta = <i32>s_max_delta;
    Params.maxInstances = <i32>s_max_instances;
    Params.coldStartSteps = <u32>s_cold_start_steps;
    Params.lastRate = <u32>s_profile_steps - 1;
    Params.observationDim = <i32>s_observation_dim;
    Params.isFleet = s_is_fleet == 1;
    Params.hasColdStart = s_has_cold_start == 1;
    const extras = s_is_fleet + s_cold_start_steps + s_has_cold_start;
    Params.isPlain = s_num_types == 1 && extras == 0;
  }

  /** Plain fleets have a step of four. */
  stepGroups(first: i32, end: i32): bool {
    if (!Params.isPlain) return false;
    admitLanes(first, end);
    rewardLanes(first, end);
    observeLanes(first, end);
    if (Channels.metricsBytes > 0) reportEach(first, end);
    return true;
  }

  prepare(first: i32, end: i32): void {
    let at = draws + (<usize>(first % CHUNK) << 2);
    for (let i = first; i < end; i += LANES) {
      drawBlocks(i, STREAM_STEP, 0, blocks);
      v128.store(at, sampleQuantiles(t_noise, v128.load(blocks)));
      at += DRAWS_BYTES;
    }
  }

  reset(i: i32): void {
    const w = wordsOf(i);
    const r = realsOf(i);
    const m = Channels.metricsOf(i);
    drawBlock(i, STREAM_RESET, 0);
    const window = <usize>wordBelow(Words.x0, s_num_windows);
    const moved = <i32>(wordBelow(Words.x1, 2 * s_initial_spread + 1) - s_initial_spread);
    const start = load<u32>(t_window_starts + (window << 2));
    const scale = load<f32>(t_window_scales + (window << 2));
    const count = <i32>load<u32>(t_window_instances + (window << 2)) + moved;
    setWord(w, WORD_STEP, 0);
    setWord(w, WORD_WINDOW_START, start);
    setWord(w, WORD_COUNT_0, <u32>clip(count, 1, Params.maxInstances));
    for (let slot = WORD_COUNT_1; slot < WORD_COUNT; slot++) setWord(w, slot, 0);
    setReal(r, REAL_WINDOW_SCALE, <f64>scale);
    setReal(r, REAL_BUDGET_LEFT, s_budget);
    setReal(r, REAL_REQUEST_RATE, <f64>(rateAt(start) * scale));
    memory.fill(m, 0, 4 * METRIC_COUNT);
    measure(w, r, m);
    observe(i, w, r, m);
  }

  notePrevious(i: i32): void {}

  step(i: i32): void {
    const w = wordsOf(i);
    const r = realsOf(i);
    const m = Channels.metricsOf(i);
    applyAction(w, Channels.actionsOf(i));
    admitArrivals(i, w, r);
    const now = word(w, WORD_STEP) + 1;
    setWord(w, WORD_STEP, now);
    measure(w, r, m);
    rewardStep(w, r, m);
    observe(i, w, r, m);
    const limit = s_utilization_limit;
    Out.terminated = metricOf(m, METRIC_CPU) > limit || metricOf(m, METRIC_MEMORY) > limit;
    Out.truncated = now >= Params.horizon;
  }

  /** Writes the action of policy number 16 + index; other numbers do nothing. */
  act(policy: u32, i: i32): void {
    const kind = policy - FIRST_HEURISTIC;
    if (kind >= <u32>HEURISTIC_COUNT) return;
    const w = wordsOf(i);
    findUnits(w);
    Service.cpu = <f64><f32>((real(realsOf(i), REAL_REQUEST_RATE) / Units.serving) * s_cpu_factor);
    Service.instances = <f64>instances(w);
    Service.replicas = Units.all;
    Service.servingReplicas = Units.serving;
    const change = clipReal(chooseChange(kind, w), 0 - s_max_delta, s_max_delta);
    const row = Channels.actionsOf(i);
    store<i32>(row, 0);
    store<i32>(row + (Params.isFleet ? 4 : 0), <i32>(change + s_max_delta));
  }
}

/** Instances of all types, the starting ones included. */
@inline
function instances(w: usize): i32 {
  return <i32>(word(w, WORD_COUNT_0) + word(w, WORD_COUNT_1) + word(w, WORD_COUNT_2));
}

/** Sum of a word's sixteen two-bit counts. */
@inline
function sumOfPairs(word: u32): u32 {
  const fours = (word & 0x33333333) + ((word >> 2) & 0x33333333);
  const eights = (fours + (fours >> 4)) & 0x0f0f0f0f;
  return (eights * 0x01010101) >> 24;
}

@inline
function atLeastOne(units: f64): f64 {
  return units > 1 ? units : 1;
}

@inline
function unitsOf(count: u32, starting: u32, capacity: f64): f64 {
  return <f64><i32>(count - starting) * capacity;
}

/** Capacity units of the instances that serve, and of all; at least 1. */
function findUnits(w: usize): void {
  const first = word(w, WORD_COUNT_0);
  if (Params.isPlain) {
    Units.all = atLeastOne(unitsOf(first, 0, s_capacity_0));
    Units.serving = Units.all;
    return;
  }
  const second = word(w, WORD_COUNT_1);
  const third = word(w, WORD_COUNT_2);
  Units.all = atLeastOne(
    unitsOf(first, 0, s_capacity_0) +
      unitsOf(second, 0, s_capacity_1) +
      unitsOf(third, 0, s_capacity_2),
  );
  Units.serving = atLeastOne(
    unitsOf(first, sumOfPairs(word(w, WORD_STARTING_0)), s_capacity_0) +
      unitsOf(second, sumOfPairs(word(w, WORD_STARTING_1)), s_capacity_1) +
      unitsOf(third, sumOfPairs(word(w, WORD_STARTING_2)), s_capacity_2),
  );
}

/** Who was starting comes closer to serving; then the change, within its bounds. */
function applyAction(w: usize, row: usize): void {
  const number = load<i32>(row + (Params.isFleet ? 4 : 0));
  const asked = clip(number, 0, 2 * Params.maxDelta) - Params.maxDelta;
  const total = instances(w);
  const kind = Params.isFleet ? clip(load<i32>(row), 0, Params.numTypes - 1) : 0;
  const count = <i32>word(w, WORD_COUNT_0 + kind);
  const least = 1 - total > -count ? 1 - total : -count;
  const change = clip(asked, least, Params.maxInstances - total);
  setWord(w, WORD_COUNT_0 + kind, <u32>(count + change));
  if (Params.coldStartSteps > 0) startInstances(w, kind, change);
}

/** Moves the queues of starting instances on, and takes a change of one of them in. */
function startInstances(w: usize, kind: i32, change: i32): void {
  for (let slot = WORD_STARTING_0; slot <= WORD_STARTING_2; slot++) {
    setWord(w, slot, word(w, slot) >> 2);
  }
  let starting = word(w, WORD_STARTING_0 + kind);
  if (change > 0) starting |= <u32>change << (2 * (Params.coldStartSteps - 1));
  for (let left = change; left < 0; left++) starting = withoutNewest(starting);
  setWord(w, WORD_STARTING_0 + kind, starting);
}

/** One starting instance less, of those that would serve last; nothing where none is starting. */
function withoutNewest(starting: u32): u32 {
  if (starting == 0) return 0;
  const slot = (31 - clz(starting)) >> 1;
  return starting - (1 << (2 * slot));
}

@inline
function rateAt(now: u32): f32 {
  return load<f32>(t_profile_rate + (<usize>now << 2));
}

/** The step's requests: the profile's rate and a normal deviation, at least 0. */
function admitArrivals(i: i32, w: usize, r: usize): void {
  const next = word(w, WORD_WINDOW_START) + word(w, WORD_STEP) + 1;
  const now = next < Params.lastRate ? next : Params.lastRate;
  const rate = rateAt(now) * <f32>real(r, REAL_WINDOW_SCALE) + deviation(i);
  setReal(r, REAL_REQUEST_RATE, rate > 0 ? <f64>rate : 0);
}

/** The deviation that `prepare` drew for this environment, or is drawn now. */
@inline
function deviation(i: i32): f32 {
  if (Batch.isSimd) return load<f32>(draws + (<usize>(i % CHUNK) << 2));
  drawBlock(i, STREAM_STEP, 0);
  return sampleQuantile(t_noise, Words.x0);
}

/** Latency and utilisations under the present rate. */
function measure(w: usize, r: usize, m: usize): void {
  findUnits(w);
  const rate = real(r, REAL_REQUEST_RATE);
  const latency = rate / Units.serving;
  put(m, METRIC_CPU, <f32>(latency * s_cpu_factor));
  put(m, METRIC_MEMORY, <f32>(latency * s_memory_factor));
  put(m, METRIC_INSTANCES, <f32>instances(w));
  put(m, METRIC_LATENCY, <f32>latency);
  if (!Params.isPlain) put(m, METRIC_STARTING_INSTANCES, <f32>startingInstances(w));
  if (Channels.metricsBytes == 0) return;
  put(m, METRIC_REQUEST_RATE, <f32>rate);
  put(m, METRIC_CAPACITY_UNITS, <f32>Units.all);
  put(m, METRIC_SERVING_UNITS, <f32>Units.serving);
  put(m, METRIC_BUDGET_LEFT, <f32>real(r, REAL_BUDGET_LEFT));
  put(m, METRIC_STEP, <f32>word(w, WORD_STEP));
}

function startingInstances(w: usize): u32 {
  let sum: u32 = 0;
  for (let slot = WORD_STARTING_0; slot <= WORD_STARTING_2; slot++) {
    sum += sumOfPairs(word(w, slot));
  }
  return sum;
}

/** The metrics, which nothing but `info` reads: from the state that a step of four left. */
function reportEach(first: i32, end: i32): void {
  for (let i = first; i < end; i++) {
    const w = wordsOf(i);
    const r = realsOf(i);
    const m = Channels.metricsOf(i);
    measure(w, r, m);
    report(real(r, REAL_BUDGET_LEFT), priceOf(w), m);
  }
}

/** The observation row: rounded to f32, then scaled by the program's fixed scalings. */
function observe(i: i32, w: usize, r: usize, m: usize): void {
  const o = Channels.observationsOf(i);
  show(o, OBSERVATION_CPU, load<f32>(m + (METRIC_CPU << 2)));
  show(o, OBSERVATION_MEMORY, load<f32>(m + (METRIC_MEMORY << 2)));
  show(o, OBSERVATION_REQUEST_RATE, <f32>real(r, REAL_REQUEST_RATE));
  show(o, OBSERVATION_INSTANCES, load<f32>(m + (METRIC_INSTANCES << 2)));
  if (Params.isPlain) return;
  if (Params.isFleet) {
    show(o, OBSERVATION_INSTANCES_TYPE_0, <f32>word(w, WORD_COUNT_0));
    show(o, OBSERVATION_INSTANCES_TYPE_1, <f32>word(w, WORD_COUNT_1));
    show(o, OBSERVATION_INSTANCES_TYPE_2, <f32>word(w, WORD_COUNT_2));
    show(o, OBSERVATION_BUDGET_LEFT, <f32>real(r, REAL_BUDGET_LEFT));
  }
  if (Params.hasColdStart) {
    show(o, Params.observationDim - 1, load<f32>(m + (METRIC_STARTING_INSTANCES << 2)));
  }
}

@inline
function show(observation: usize, index: usize, value: f32): void {
  store<f32>(observation + (index << 2), value * load<f32>(t_observation_scale + (index << 2)));
}

/** x clipped to [low, high]; what is not above low reads low. */
@inline
function clip(x: i32, low: i32, high: i32): i32 {
  const above = x > low ? x : low;
  return above < high ? above : high;
}
