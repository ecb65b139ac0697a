/**
 * Provisioning: rent GPUs for a job queue under a budget. What a step computes is said in
 * docs/environments/provisioning.md and specified, bit for bit, by
 * src/reference/provisioning/provisioning.ts.
 *
 * Counts are integers, money is f64; outputs are rounded to f32 once.
 */
import { Channels } from '../../channels';
import { FIRST_HEURISTIC, STREAM_STEP, WORD_STEP } from '../../generated/common';
import {
  BOOT_DELAY_MAX,
  HEURISTIC_HOLD,
  HEURISTIC_MATCH_QUEUE,
  Layout,
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
  s_budget_start,
  s_change_max,
  s_gpu_cost,
  s_gpus_max,
  s_gpus_start,
  s_horizon,
  s_job_value,
  s_profile_steps,
  s_wait_cost,
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
import { Out } from '../../outputs';
import { drawBlock, Words } from '../../rng';
import { sampleAlias } from '../../sampling';
import { real, realsOf, setReal, setWord, word, wordsOf } from '../../state';
import {
  drawLanes, rewardLanes, observeLanes, reportLanes, serveLanes,
} from './lanes';

/** The scalars that a step reads as integers. */
class Params {
  static horizon: u32 = 0;
  static gpusMax: i32 = 0;
  static changeMax: i32 = 0;
  static bootDelay: i32 = 0;
  static arrivalBits: u32 = 0;
  static profileSteps: u32 = 0;
}

export class Provisioning extends Layout {
  begin(): void {
    Params.horizon = <u32>s_horizon;
    Params.gpusMax = <i32>s_gpus_max;
    Params.changeMax = <i32>s_change_max;
    Params.bootDelay = <i32>s_boot_delay;
    Params.arrivalBits = <u32>s_arrival_bits;
    Params.profileSteps = <u32>s_profile_steps;
  }

  stepGroups(first: i32, end: i32): bool {
    drawLanes(first, end);
    serveLanes(first, end);
    rewardLanes(first, end);
    observeLanes(first, end);
    if (Channels.metricsBytes > 0) reportLanes(first, end);
    return true;
  }

  reset(i: i32): void {
    const w = wordsOf(i);
    const m = Channels.metricsOf(i);
    setWord(w, WORD_STEP, 0);
    setWord(w, WORD_RUNNING, <u32>s_gpus_start);
    setWord(w, WORD_QUEUE, 0);
    setWord(w, WORD_REGIME, 0);
    for (let k = 0; k < BOOT_DELAY_MAX; k++) setWord(w, WORD_BOOTING_0 + k, 0);
    setReal(realsOf(i), REAL_BUDGET, s_budget_start);
    memory.fill(m, 0, 4 * METRIC_COUNT);
    put(m, METRIC_RUNNING_GPUS, <f32>s_gpus_start);
    put(m, METRIC_BUDGET_USD, <f32>s_budget_start);
    observe(i, w, s_budget_start, 0, 0);
  }

  notePrevious(i: i32): void {}

  step(i: i32): void {
    const w = wordsOf(i);
    const r = realsOf(i);
    const m = Channels.metricsOf(i);
    const asked = load<i32>(Channels.actionsOf(i));
    startBooted(w);
    const rented = <i32>word(w, WORD_RUNNING) + bootingGpus(w);
    const change = provision(w, asked, rented);
    const regime = word(w, WORD_REGIME);
    const arrivals = admitArrivals(i, w, regime);
    const running = <i32>word(w, WORD_RUNNING);
    const booting = rented + change - running;
    const waiting = <i32>word(w, WORD_QUEUE);
    const processed = waiting < running ? waiting : running;
    const queue = waiting - processed + arrivals;
    const cost = s_gpu_cost * <f64>(running + booting);
    const budget = real(r, REAL_BUDGET) - cost;
    const now = word(w, WORD_STEP) + 1;
    setWord(w, WORD_QUEUE, <u32>queue);
    setWord(w, WORD_STEP, now);
    setReal(r, REAL_BUDGET, budget);
    Out.reward = <f32>(s_job_value * <f64>processed - cost - s_wait_cost * <f64>queue);
    Out.cost = <f32>(budget < 0 ? 0 - budget : 0);
    Out.terminated = budget <= 0;
    Out.truncated = now >= Params.horizon;
    put(m, METRIC_ARRIVALS, <f32>arrivals);
    put(m, METRIC_PROCESSED, <f32>processed);
    put(m, METRIC_QUEUE, <f32>queue);
    put(m, METRIC_COST_USD, <f32>cost);
    put(m, METRIC_BUDGET_EXHAUSTED, budget <= 0 ? 1 : 0);
    if (Channels.metricsBytes != 0) {
      put(m, METRIC_RUNNING_GPUS, <f32>running);
      put(m, METRIC_BOOTING_GPUS, <f32>booting);
      put(m, METRIC_BUDGET_USD, <f32>budget);
      put(m, METRIC_APPLIED_GPUS, <f32>change);
      put(m, METRIC_CLAMPED_GPUS, <f32>(<f64>asked - <f64>change));
      put(m, METRIC_REGIME, <f32>regime);
    }
    observe(i, w, budget, arrivals, booting);
  }

  act(policy: u32, i: i32): void {
    const row = Channels.actionsOf(i);
    if (policy == FIRST_HEURISTIC + HEURISTIC_HOLD) store<i32>(row, 0);
    if (policy == FIRST_HEURISTIC + HEURISTIC_MATCH_QUEUE) store<i32>(row, matchQueue(wordsOf(i)));
  }
}

/** As many GPUs as jobs wait. */
function matchQueue(w: usize): i32 {
  const queue = <i32>word(w, WORD_QUEUE);
  const wanted = queue < Params.gpusMax ? queue : Params.gpusMax;
  const rented = <i32>word(w, WORD_RUNNING) + bootingGpus(w);
  return clamp(wanted - rented, -Params.changeMax, Params.changeMax);
}

/** GPUs whose boot delay has passed start running. */
function startBooted(w: usize): void {
  const delay = Params.bootDelay;
  if (delay == 0) return;
  setWord(w, WORD_RUNNING, word(w, WORD_RUNNING) + word(w, WORD_BOOTING_0));
  for (let k = 1; k < delay; k++) {
    setWord(w, WORD_BOOTING_0 + k - 1, word(w, WORD_BOOTING_0 + k));
  }
  setWord(w, WORD_BOOTING_0 + delay - 1, 0);
}

/**
 * Rents or releases, within what a step and the fleet allow; a release takes the booting GPUs
 * first, the newest of them first. Returns the change.
 */
function provision(w: usize, asked: i32, rented: i32): i32 {
  const delay = Params.bootDelay;
  const request = clamp(asked, -Params.changeMax, Params.changeMax);
  const room = Params.gpusMax > rented ? Params.gpusMax - rented : 0;
  const change = clamp(request, -rented, room);
  const rent = change > 0 ? change : 0;
  const newest = delay == 0 ? WORD_RUNNING : WORD_BOOTING_0 + delay - 1;
  setWord(w, newest, word(w, newest) + rent);
  let release = rent - change;
  if (release == 0) return change;
  for (let k = delay - 1; k >= 0; k--) {
    const booting = <i32>word(w, WORD_BOOTING_0 + k);
    const taken = release < booting ? release : booting;
    setWord(w, WORD_BOOTING_0 + k, booting - taken);
    release -= taken;
  }
  setWord(w, WORD_RUNNING, word(w, WORD_RUNNING) - release);
  return change;
}

function bootingGpus(w: usize): i32 {
  let sum: u32 = 0;
  for (let k = 0; k < Params.bootDelay; k++) sum += word(w, WORD_BOOTING_0 + k);
  return sum;
}

/**
 * Draws the step's arrivals and moves on to the next step's regime: one Philox block, its first
 * word for the arrivals, its second for the regime.
 */
function admitArrivals(i: i32, w: usize, regime: u32): i32 {
  drawBlock(i, STREAM_STEP, 0);
  const step = word(w, WORD_STEP);
  const last = Params.profileSteps - 1;
  const now = step < last ? step : last;
  const level = wordAt(t_profile_level, regime * Params.profileSteps + now);
  const columns = t_arrival_alias + (<usize>level << (Params.arrivalBits + 2));
  const next = t_regime_alias + (<usize>regime << 3);
  setWord(w, WORD_REGIME, sampleAlias(next, 1, Words.x1));
  return wordAt(t_arrival_offset, level) + sampleAlias(columns, Params.arrivalBits, Words.x0);
}

/** The observation row: rounded to f32, then scaled by the program's fixed scalings. */
function observe(i: i32, w: usize, budget: f64, arrivals: i32, booting: i32): void {
  const o = Channels.observationsOf(i);
  show(o, OBSERVATION_TIME_STEP, <f32>word(w, WORD_STEP));
  show(o, OBSERVATION_ACTIVE_GPUS, <f32>word(w, WORD_RUNNING));
  show(o, OBSERVATION_QUEUE_SIZE, <f32>word(w, WORD_QUEUE));
  show(o, OBSERVATION_CURRENT_BUDGET, <f32>budget);
  show(o, OBSERVATION_INCOMING_JOBS, <f32>arrivals);
  show(o, OBSERVATION_BOOTING_GPUS, <f32>booting);
}

@inline
function show(observation: usize, index: usize, value: f32): void {
  const at = index << 2;
  store<f32>(observation + at, value * load<f32>(t_observation_scale + at));
}

@inline
function put(metrics: usize, index: usize, value: f32): void {
  store<f32>(metrics + (index << 2), value);
}

@inline
function wordAt(table: usize, index: usize): u32 {
  return load<u32>(table + (index << 2));
}

/** x clamped to low .. high, where high is not below low. */
@inline
function clamp(x: i32, low: i32, high: i32): i32 {
  const above = x > low ? x : low;
  return above < high ? above : high;
}
