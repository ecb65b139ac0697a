/**
 * Scheduling: jobs on servers, one decision a step. What a step computes is said in
 * docs/environments/scheduling.md and specified, bit for bit, by
 * src/reference/scheduling/scheduling.ts.
 *
 * Units and milliwatts are integers, so that sums do not depend on their order. The reward is f64.
 */
import { Channels } from '../../channels';
import { STREAM_RESET, STREAM_STEP, WORD_STEP } from '../../generated/common';
import {
  a_backlog_arrival,
  a_fresh_waiting,
  a_late_waiting,
  a_server_event,
  a_server_mode,
  a_slot_arrival,
  BACKLOG_MAX,
  Layout,
  METRIC_ARRIVALS,
  METRIC_ASLEEP,
  METRIC_BACKLOG,
  METRIC_COMPLETED,
  METRIC_COUNT,
  METRIC_DROPPED,
  METRIC_INVALID_ACTIONS,
  METRIC_PLACED,
  METRIC_POWER_WATTS,
  METRIC_RUNNING,
  METRIC_TOGGLES,
  METRIC_UTILIZATION_RATIO,
  METRIC_VIOLATED_JOBS,
  METRIC_VIOLATIONS,
  METRIC_WAIT_BIN,
  METRIC_WAIT_STEPS,
  METRIC_WAITING,
  METRIC_WAKING,
  s_arrival_bits,
  s_cpu_bits,
  s_duration_bits,
  s_fleet_cpu,
  s_from_trace,
  s_horizon,
  s_idle_power_mw,
  s_mem_bits,
  s_num_actions,
  s_num_windows,
  s_profile_steps,
  s_reward_power,
  s_reward_toggle,
  s_reward_violation,
  s_trace_jobs,
  s_trace_ticks,
  SERVER_MODE_ACTIVE,
  SERVER_MODE_ASLEEP,
  SERVER_MODE_WAKING,
  STATISTIC_WAIT_HISTOGRAM_0,
  t_arrival_alias,
  t_cpu_alias,
  t_cpu_value,
  t_duration_alias,
  t_duration_value,
  t_mem_alias,
  t_mem_value,
  t_profile_level,
  t_running_first,
  t_trace_cpu,
  t_trace_duration,
  t_trace_end,
  t_trace_first,
  t_trace_mem,
  t_window_starts,
  WAIT_BINS,
  WORD_BACKLOG_HEAD,
  WORD_CPU_IN_USE,
  WORD_LAST_ARRIVALS,
  WORD_LAST_SERVER,
  WORD_NUM_BACKLOG,
  WORD_NUM_RUNNING,
  WORD_NUM_VISIBLE,
  WORD_POWER_MW,
  WORD_WINDOW_START,
} from '../../generated/scheduling';
import { Out } from '../../outputs';
import { drawBlock, wordBelow, Words } from '../../rng';
import { sampleAlias } from '../../sampling';
import { foldHistogram } from '../../statistics';
import {
  admitRunning,
  at,
  canToggle,
  count,
  enqueue,
  enter,
  fits,
  Fleet,
  get,
  Here,
  minus,
  place,
  prepareFleet,
  release,
  setAt,
  setCount,
  toggle,
  waited,
} from './cluster';
import { observe, put } from './observe';
import { decide, hasPolicy } from './policies';

/** The scalars that a step reads as integers. */
class Params {
  static horizon: u32 = 0;
  static numActions: u32 = 0;
  static fromTrace: bool = false;
  static profileSteps: u32 = 0;
  static arrivalBits: u32 = 0;
  static cpuBits: u32 = 0;
  static memBits: u32 = 0;
  static durationBits: u32 = 0;
  static traceTicks: u32 = 0;
  static traceJobs: u32 = 0;
}

/** Jobs of the step that is being taken. */
class Arrived {
  static jobs: u32 = 0;
  static dropped: u32 = 0;
}

export class Scheduling extends Layout {
  begin(): void {
    Params.horizon = <u32>s_horizon;
    Params.numActions = <u32>s_num_actions;
    Params.fromTrace = s_from_trace == 1;
    Params.profileSteps = <u32>s_profile_steps;
    Params.arrivalBits = <u32>s_arrival_bits;
    Params.cpuBits = <u32>s_cpu_bits;
    Params.memBits = <u32>s_mem_bits;
    Params.durationBits = <u32>s_duration_bits;
    Params.traceTicks = <u32>s_trace_ticks;
    Params.traceJobs = <u32>s_trace_jobs;
    prepareFleet();
  }

  /** There is no step of four for this family. */
  stepGroups(first: i32, end: i32): bool {
    return false;
  }

  notePrevious(i: i32): void {}

  reset(i: i32): void {
    enter(i);
    drawBlock(i, STREAM_RESET, 0);
    memory.fill(Here.arrays, 0, <usize>this.numArrayElements << 2);
    setCount(WORD_STEP, 0);
    const window = <u32>wordBelow(Words.x0, s_num_windows);
    setCount(WORD_WINDOW_START, get(t_window_starts, window));
    setCount(WORD_NUM_VISIBLE, 0);
    setCount(WORD_BACKLOG_HEAD, 0);
    setCount(WORD_NUM_BACKLOG, 0);
    setCount(WORD_NUM_RUNNING, 0);
    setCount(WORD_LAST_SERVER, Fleet.numServers - 1);
    setCount(WORD_POWER_MW, <u32>s_idle_power_mw);
    setCount(WORD_CPU_IN_USE, 0);
    setCount(WORD_LAST_ARRIVALS, 0);
    admitAllRunning();
    const m = Channels.metricsOf(i);
    memory.fill(m, 0, 4 * METRIC_COUNT);
    report(m);
    observe(i);
  }

  step(i: i32): void {
    enter(i);
    const m = Channels.metricsOf(i);
    memory.fill(m, 0, 4 * METRIC_COUNT);
    applyAction(load<i32>(Channels.actionsOf(i)), m);
    admitArrivals(i, m);
    const step = count(WORD_STEP) + 1;
    setCount(WORD_STEP, step);
    advance(m);
    report(m);
    const violations = load<f32>(m, 4 * METRIC_VIOLATIONS);
    const power = <f64>count(WORD_POWER_MW) * s_reward_power;
    const late = <f64>violations * s_reward_violation;
    const toggles = <f64>load<f32>(m, 4 * METRIC_TOGGLES) * s_reward_toggle;
    Out.reward = <f32>(0 - power - late - toggles);
    Out.cost = violations;
    Out.terminated = false;
    Out.truncated = step >= Params.horizon;
    observe(i);
  }

  foldStatistics(at: usize, metrics: usize, step: u32): void {
    super.foldStatistics(at, metrics, step);
    if (Out.truncated) foldEnd(at);
  }

  act(policy: u32, i: i32): void {
    if (!hasPolicy(policy)) return;
    enter(i);
    store<u32>(Channels.actionsOf(i), decide(policy));
  }
}

/** Jobs that still wait at the end have waited so long at least: censored, not left out. */
function foldEnd(statistics: usize): void {
  const step = count(WORD_STEP);
  for (let k: u32 = 0; k < count(WORD_NUM_VISIBLE); k++) foldWait(statistics, waited(k));
  for (let i: u32 = 0; i < count(WORD_NUM_BACKLOG); i++) {
    const place = (count(WORD_BACKLOG_HEAD) + i) % BACKLOG_MAX;
    foldWait(statistics, minus(step, at(a_backlog_arrival, place)));
  }
}

@inline
function foldWait(statistics: usize, steps: u32): void {
  foldHistogram(statistics, STATISTIC_WAIT_HISTOGRAM_0, <f64>(waitBin(steps) + 1));
}

/** The jobs of the recording that run when the window begins, in the order of arrival. */
function admitAllRunning(): void {
  const tick = count(WORD_WINDOW_START);
  const end = get(t_trace_first, tick);
  let taken: u32 = 0;
  for (let j = get(t_running_first, tick); j < end && j < Params.traceJobs; j++) {
    const until = get(t_trace_end, j);
    if (until <= tick) continue;
    taken = admitRunning(get(t_trace_cpu, j), get(t_trace_mem, j), until - tick, taken);
  }
}

/** Takes a number that is no decision, or none that is feasible now, for a wait, and counts it. */
function applyAction(index: i32, m: usize): void {
  // A negative number is, as an unsigned one, beyond every space.
  const decision = <u32>index;
  if (decision == Fleet.wait) return;
  if (decision >= Params.numActions) {
    put(m, METRIC_INVALID_ACTIONS, 1);
    return;
  }
  if (decision > Fleet.wait) {
    const n = decision - Fleet.wait - 1;
    const feasible = canToggle(n);
    if (feasible) toggle(n);
    put(m, feasible ? METRIC_TOGGLES : METRIC_INVALID_ACTIONS, 1);
    return;
  }
  const k = decision / Fleet.numServers;
  const n = decision % Fleet.numServers;
  if (!fits(k, n)) {
    put(m, METRIC_INVALID_ACTIONS, 1);
    return;
  }
  countWait(k, m);
  place(k, n);
}

/** The job of slot k starts now: it no longer waits. */
function countWait(k: u32, m: usize): void {
  const steps = waited(k);
  const waiting = steps > Fleet.deadline ? a_late_waiting : a_fresh_waiting;
  const arrival = at(a_slot_arrival, k) % Fleet.deadline;
  setAt(waiting, arrival, at(waiting, arrival) - 1);
  put(m, METRIC_PLACED, 1);
  put(m, METRIC_WAIT_STEPS, <f32>steps);
  put(m, METRIC_WAIT_BIN, <f32>(waitBin(steps) + 1));
}

/** The bin of a wait: each of 0..39 its own, then 20 an octave; the last takes what is longer. */
function waitBin(steps: u32): u32 {
  if (steps < 40) return steps;
  const octave: u32 = 31 - clz(steps / 40);
  const bin: u32 = 20 * (octave + 1) + (steps >> (octave + 1));
  return bin < <u32>WAIT_BINS ? bin : WAIT_BINS - 1;
}

/**
 * The jobs of this tick join the queue, and the waits that pass a multiple of the deadline are
 * counted: those of the jobs that arrived a multiple of the deadline ago, whose number is kept.
 */
function admitArrivals(i: i32, m: usize): void {
  const now = count(WORD_STEP) % Fleet.deadline;
  const newlyLate = at(a_fresh_waiting, now);
  const late = at(a_late_waiting, now) + newlyLate;
  setAt(a_late_waiting, now, late);
  Arrived.jobs = 0;
  Arrived.dropped = 0;
  if (Params.fromTrace) replayJobs();
  else drawJobs(i);
  setAt(a_fresh_waiting, now, Arrived.jobs - Arrived.dropped);
  setCount(WORD_LAST_ARRIVALS, Arrived.jobs);
  put(m, METRIC_ARRIVALS, <f32>Arrived.jobs);
  put(m, METRIC_DROPPED, <f32>Arrived.dropped);
  put(m, METRIC_VIOLATIONS, <f32>(<f64>late + <f64>Arrived.dropped));
  put(m, METRIC_VIOLATED_JOBS, <f32>(<f64>newlyLate + <f64>Arrived.dropped));
}

function admit(cpu: u32, mem: u32, duration: u32): void {
  Arrived.jobs++;
  if (!enqueue(cpu, mem, duration)) Arrived.dropped++;
}

/** After its last tick a trace has no more jobs. */
function replayJobs(): void {
  const tick = count(WORD_WINDOW_START) + count(WORD_STEP);
  if (tick + 1 >= Params.traceTicks) return;
  const end = get(t_trace_first, tick + 1);
  for (let j = get(t_trace_first, tick); j < end && j < Params.traceJobs; j++) {
    admit(get(t_trace_cpu, j), get(t_trace_mem, j), get(t_trace_duration, j));
  }
}

/** Block 0: a word for the number, three for the first job; the others take a block each. */
function drawJobs(i: i32): void {
  drawBlock(i, STREAM_STEP, 0);
  const level = get(t_profile_level, count(WORD_STEP) % Params.profileSteps);
  const columns = t_arrival_alias + (<usize>(level << Params.arrivalBits) << 2);
  const numArrivals = sampleAlias(columns, Params.arrivalBits, Words.x0);
  if (numArrivals > 0) admitDrawn(Words.x1, Words.x2, Words.x3);
  for (let j: u32 = 1; j < numArrivals; j++) {
    drawBlock(i, STREAM_STEP, j);
    admitDrawn(Words.x0, Words.x1, Words.x2);
  }
}

function admitDrawn(cpu: u32, mem: u32, duration: u32): void {
  admit(
    get(t_cpu_value, sampleAlias(t_cpu_alias, Params.cpuBits, cpu)),
    get(t_mem_value, sampleAlias(t_mem_alias, Params.memBits, mem)),
    get(t_duration_value, sampleAlias(t_duration_alias, Params.durationBits, duration)),
  );
}

/** The events due at the new step: jobs end, woken servers become active. */
function advance(m: usize): void {
  const step = count(WORD_STEP);
  let completed: u32 = 0;
  for (let n: u32 = 0; n < Fleet.numServers; n++) {
    if (at(a_server_event, n) != step) continue;
    if (at(a_server_mode, n) == SERVER_MODE_WAKING) {
      setAt(a_server_mode, n, SERVER_MODE_ACTIVE);
      setAt(a_server_event, n, 0);
    } else {
      completed += release(n);
    }
  }
  put(m, METRIC_COMPLETED, <f32>completed);
}

function report(m: usize): void {
  const backlog = count(WORD_NUM_BACKLOG);
  let asleep: u32 = 0;
  let waking: u32 = 0;
  for (let n: u32 = 0; n < Fleet.numServers; n++) {
    const mode = at(a_server_mode, n);
    asleep += u32(mode == SERVER_MODE_ASLEEP);
    waking += u32(mode == SERVER_MODE_WAKING);
  }
  put(m, METRIC_POWER_WATTS, <f32>(<f64>count(WORD_POWER_MW) / 1000));
  put(m, METRIC_UTILIZATION_RATIO, <f32>(<f64>count(WORD_CPU_IN_USE) / s_fleet_cpu));
  put(m, METRIC_RUNNING, <f32>count(WORD_NUM_RUNNING));
  put(m, METRIC_WAITING, <f32>(count(WORD_NUM_VISIBLE) + backlog));
  put(m, METRIC_BACKLOG, <f32>backlog);
  put(m, METRIC_ASLEEP, <f32>asleep);
  put(m, METRIC_WAKING, <f32>waking);
}
