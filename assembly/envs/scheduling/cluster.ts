/**
 * The cluster: which job runs on which server, what that uses, and what power it draws.
 *
 * One job at most starts in a step, so the running table is indexed by start step: no job is still
 * there when its place comes round again. Behind those places are the places of the jobs that ran
 * already when the episode began. Each server chains its jobs by their ends; a place in a chain is
 * counted from 1, and 0 is none.
 */
import { WORD_STEP } from '../../generated/common';
import {
  a_backlog_arrival,
  a_backlog_cpu,
  a_backlog_duration,
  a_backlog_mem,
  a_run_cpu,
  a_run_end,
  a_run_mem,
  a_run_next,
  a_server_cpu,
  a_server_event,
  a_server_head,
  a_server_mem,
  a_server_mode,
  a_slot_arrival,
  a_slot_cpu,
  a_slot_duration,
  a_slot_mem,
  BACKLOG_MAX,
  s_capacity_max,
  s_deadline_steps,
  s_num_servers,
  s_num_slots,
  s_power_stride,
  s_running_slots,
  s_sleep_aware,
  s_start_slots,
  s_wake_delay_steps,
  s_warm_slots,
  SERVER_MODE_ACTIVE,
  SERVER_MODE_ASLEEP,
  SERVER_MODE_WAKING,
  t_server_tier,
  t_tier_cpu,
  t_tier_mem,
  t_tier_power_mw,
  t_tier_sleep_mw,
  WORD_BACKLOG_HEAD,
  WORD_CPU_IN_USE,
  WORD_LAST_SERVER,
  WORD_NUM_BACKLOG,
  WORD_NUM_RUNNING,
  WORD_NUM_VISIBLE,
  WORD_POWER_MW,
} from '../../generated/scheduling';
import { allocate } from '../../memory';
import { arraysOf, setWord, word, wordsOf } from '../../state';

/** The parts that stay the same during an episode. */
export class Fleet {
  static numServers: u32 = 0;
  static numSlots: u32 = 0;
  /** The decision that waits; those below it place jobs, those above it toggle servers. */
  static wait: u32 = 0;
  static deadline: u32 = 0;
  /** Places of the running table: for jobs that start, for those that ran before, and in all. */
  static startSlots: u32 = 0;
  static warmSlots: u32 = 0;
  static runningSlots: u32 = 0;
  static wakeDelay: u32 = 0;
  static sleepAware: bool = false;
  /** By server, 4 bytes each: capacities, where the power table begins, mW saved asleep, share. */
  static cpu: usize = 0;
  static mem: usize = 0;
  static power: usize = 0;
  static saving: usize = 0;
  static share: usize = 0;
}

/** The environment that is being stepped: where its words and its arrays are. */
export class Here {
  static words: usize = 0;
  static arrays: usize = 0;
}

/** Prepares what the fleet's program says of each server. */
export function prepareFleet(): void {
  Fleet.numServers = <u32>s_num_servers;
  Fleet.numSlots = <u32>s_num_slots;
  Fleet.wait = Fleet.numServers * Fleet.numSlots;
  Fleet.deadline = <u32>s_deadline_steps;
  Fleet.startSlots = <u32>s_start_slots;
  Fleet.warmSlots = <u32>s_warm_slots;
  Fleet.runningSlots = <u32>s_running_slots;
  Fleet.wakeDelay = <u32>s_wake_delay_steps;
  Fleet.sleepAware = s_sleep_aware == 1;
  const bytes = 4 * Fleet.numServers;
  Fleet.cpu = allocate(bytes);
  Fleet.mem = allocate(bytes);
  Fleet.power = allocate(bytes);
  Fleet.saving = allocate(bytes);
  Fleet.share = allocate(bytes);
  for (let n: u32 = 0; n < Fleet.numServers; n++) {
    const tier = get(t_server_tier, n);
    const power = tier * <u32>s_power_stride;
    const cpu = get(t_tier_cpu, tier);
    set(Fleet.cpu, n, cpu);
    set(Fleet.mem, n, get(t_tier_mem, tier));
    set(Fleet.power, n, power);
    set(Fleet.saving, n, get(t_tier_power_mw, power) - get(t_tier_sleep_mw, tier));
    store<f32>(Fleet.share + (<usize>n << 2), <f32>(<f64>cpu / s_capacity_max));
  }
}

/** Makes environment i the one that is being stepped. */
@inline
export function enter(i: i32): void {
  Here.words = wordsOf(i);
  Here.arrays = arraysOf(i);
}

@inline
export function get(table: usize, index: u32): u32 {
  return load<u32>(table + (<usize>index << 2));
}

@inline
export function set(table: usize, index: u32, value: u32): void {
  store<u32>(table + (<usize>index << 2), value);
}

/** An element of an array of the state, by the array's generated offset. */
@inline
export function at(array: usize, index: u32): u32 {
  return get(Here.arrays + array, index);
}

@inline
export function setAt(array: usize, index: u32, value: u32): void {
  set(Here.arrays + array, index, value);
}

@inline
export function count(slot: i32): u32 {
  return word(Here.words, slot);
}

@inline
export function setCount(slot: i32, value: u32): void {
  setWord(Here.words, slot, value);
}

/** a - b, or 0: a restored state may not add up, and must not index out of a table. */
@inline
export function minus(a: u32, b: u32): u32 {
  return a > b ? a - b : 0;
}

@inline
export function freeCpu(n: u32): u32 {
  return minus(get(Fleet.cpu, n), at(a_server_cpu, n));
}

@inline
export function freeMem(n: u32): u32 {
  return minus(get(Fleet.mem, n), at(a_server_mem, n));
}

/** Power in mW of server n awake with so much CPU in use. */
@inline
export function power(n: u32, cpu: u32): u32 {
  return get(t_tier_power_mw, get(Fleet.power, n) + cpu);
}

/** Steps that the job of slot k has waited. */
@inline
export function waited(k: u32): u32 {
  return minus(count(WORD_STEP), at(a_slot_arrival, k));
}

/** Whether slot k holds a job that server n can take now. */
@inline
export function fits(k: u32, n: u32): bool {
  return (
    k < count(WORD_NUM_VISIBLE) &&
    at(a_server_mode, n) == SERVER_MODE_ACTIVE &&
    at(a_slot_cpu, k) <= freeCpu(n) &&
    at(a_slot_mem, k) <= freeMem(n)
  );
}

/** Whether server n can be toggled now: it sleeps, or it is active and idle. */
@inline
export function canToggle(n: u32): bool {
  const mode = at(a_server_mode, n);
  return mode == SERVER_MODE_ASLEEP || (mode == SERVER_MODE_ACTIVE && at(a_server_event, n) == 0);
}

/** Starts the job of slot k on server n, which can take it. */
export function place(k: u32, n: u32): void {
  const step = count(WORD_STEP);
  const end = step + at(a_slot_duration, k);
  run(n, step % Fleet.startSlots, at(a_slot_cpu, k), at(a_slot_mem, k), end);
  removeSlot(k);
}

/**
 * Lets a job run that ran already when the episode began: on the next server in turn with room, as
 * round-robin would have placed it. One that fits on none is left out. Returns the places of such
 * jobs taken now.
 */
export function admitRunning(cpu: u32, mem: u32, duration: u32, taken: u32): u32 {
  if (taken >= Fleet.warmSlots) return taken;
  for (let i: u32 = 1; i <= Fleet.numServers; i++) {
    const n = (count(WORD_LAST_SERVER) + i) % Fleet.numServers;
    if (cpu > freeCpu(n) || mem > freeMem(n)) continue;
    run(n, Fleet.startSlots + taken, cpu, mem, duration);
    return taken + 1;
  }
  return taken;
}

/** A job runs on server n until a step, at a place of the running table. */
function run(n: u32, place: u32, cpu: u32, mem: u32, end: u32): void {
  setAt(a_run_end, place, end);
  setAt(a_run_cpu, place, cpu);
  setAt(a_run_mem, place, mem);
  chain(n, place);
  useCpu(n, at(a_server_cpu, n) + cpu);
  setAt(a_server_mem, n, at(a_server_mem, n) + mem);
  setCount(WORD_NUM_RUNNING, count(WORD_NUM_RUNNING) + 1);
  setCount(WORD_LAST_SERVER, n);
}

/** Puts a place of the running table into its server's chain, behind the jobs not after it. */
function chain(n: u32, place: u32): void {
  const end = at(a_run_end, place);
  let before: u32 = 0;
  let next = at(a_server_head, n);
  for (let i: u32 = 0; i < Fleet.runningSlots && next != 0; i++) {
    if (at(a_run_end, next - 1) > end) break;
    before = next;
    next = at(a_run_next, next - 1);
  }
  setAt(a_run_next, place, next);
  if (before == 0) setAt(a_server_head, n, place + 1);
  else setAt(a_run_next, before - 1, place + 1);
  setAt(a_server_event, n, at(a_run_end, at(a_server_head, n) - 1));
}

/** Closes the gap of slot k with the jobs behind it, the oldest of the backlog included. */
function removeSlot(k: u32): void {
  const last = count(WORD_NUM_VISIBLE) - 1;
  for (let i = k; i < last; i++) {
    const next = i + 1;
    const duration = at(a_slot_duration, next);
    setSlot(i, at(a_slot_cpu, next), at(a_slot_mem, next), duration, at(a_slot_arrival, next));
  }
  const backlog = count(WORD_NUM_BACKLOG);
  if (backlog == 0) {
    setSlot(last, 0, 0, 0, 0);
    setCount(WORD_NUM_VISIBLE, last);
    return;
  }
  const head = count(WORD_BACKLOG_HEAD);
  const duration = at(a_backlog_duration, head);
  const arrival = at(a_backlog_arrival, head);
  setSlot(last, at(a_backlog_cpu, head), at(a_backlog_mem, head), duration, arrival);
  setCount(WORD_BACKLOG_HEAD, (head + 1) % BACKLOG_MAX);
  setCount(WORD_NUM_BACKLOG, backlog - 1);
}

@inline
function setSlot(k: u32, cpu: u32, mem: u32, duration: u32, arrival: u32): void {
  setAt(a_slot_cpu, k, cpu);
  setAt(a_slot_mem, k, mem);
  setAt(a_slot_duration, k, duration);
  setAt(a_slot_arrival, k, arrival);
}

/** Queues a job that arrives now; false where the backlog is full. */
export function enqueue(cpu: u32, mem: u32, duration: u32): bool {
  const step = count(WORD_STEP);
  const k = count(WORD_NUM_VISIBLE);
  if (k < Fleet.numSlots) {
    setSlot(k, cpu, mem, duration, step);
    setCount(WORD_NUM_VISIBLE, k + 1);
    return true;
  }
  const backlog = count(WORD_NUM_BACKLOG);
  if (backlog >= <u32>BACKLOG_MAX) return false;
  const place = (count(WORD_BACKLOG_HEAD) + backlog) % BACKLOG_MAX;
  setAt(a_backlog_cpu, place, cpu);
  setAt(a_backlog_mem, place, mem);
  setAt(a_backlog_duration, place, duration);
  setAt(a_backlog_arrival, place, step);
  setCount(WORD_NUM_BACKLOG, backlog + 1);
  return true;
}

/** Sends server n to sleep or wakes it; it can be toggled. */
export function toggle(n: u32): void {
  const saving = get(Fleet.saving, n);
  if (at(a_server_mode, n) == SERVER_MODE_ASLEEP) {
    setAt(a_server_mode, n, SERVER_MODE_WAKING);
    setAt(a_server_event, n, count(WORD_STEP) + 1 + Fleet.wakeDelay);
    setCount(WORD_POWER_MW, count(WORD_POWER_MW) + saving);
  } else {
    setAt(a_server_mode, n, SERVER_MODE_ASLEEP);
    setCount(WORD_POWER_MW, count(WORD_POWER_MW) - saving);
  }
}

/** Ends the jobs of server n that are due at the step; returns how many. */
export function release(n: u32): u32 {
  const step = count(WORD_STEP);
  let completed: u32 = 0;
  let cpu = at(a_server_cpu, n);
  let mem = at(a_server_mem, n);
  let head = at(a_server_head, n);
  while (completed < Fleet.runningSlots && head != 0 && at(a_run_end, head - 1) == step) {
    cpu = minus(cpu, at(a_run_cpu, head - 1));
    mem = minus(mem, at(a_run_mem, head - 1));
    head = at(a_run_next, head - 1);
    completed++;
  }
  setAt(a_server_mem, n, mem);
  setAt(a_server_head, n, head);
  setAt(a_server_event, n, head == 0 ? 0 : at(a_run_end, head - 1));
  useCpu(n, cpu);
  setCount(WORD_NUM_RUNNING, minus(count(WORD_NUM_RUNNING), completed));
  return completed;
}

/** Sets the CPU in use of server n, and with it the fleet's CPU and power. */
function useCpu(n: u32, cpu: u32): void {
  const before = at(a_server_cpu, n);
  setAt(a_server_cpu, n, cpu);
  setCount(WORD_CPU_IN_USE, count(WORD_CPU_IN_USE) + cpu - before);
  setCount(WORD_POWER_MW, count(WORD_POWER_MW) + power(n, cpu) - power(n, before));
}
