/**
 * The heuristics: masked policies that read the state of the cluster and nothing else. They never
 * take an infeasible decision, and wait where no visible job fits anywhere. Only `power_aware`
 * toggles servers. Scores are f64 that hold whole numbers exactly.
 */
import { FIRST_HEURISTIC } from '../../generated/common';
import {
  a_server_cpu,
  a_server_event,
  a_server_mode,
  a_slot_cpu,
  a_slot_duration,
  a_slot_mem,
  HEURISTIC_BEST_FIT,
  HEURISTIC_FFD,
  HEURISTIC_POWER_AWARE,
  HEURISTIC_RR,
  HEURISTIC_SJF,
  HEURISTIC_TETRIS,
  SERVER_MODE_ACTIVE,
  SERVER_MODE_ASLEEP,
  SERVER_MODE_WAKING,
  WORD_LAST_SERVER,
  WORD_NUM_VISIBLE,
} from '../../generated/scheduling';
import { at, count, fits, Fleet, freeCpu, freeMem, get, power, waited } from './cluster';


/** More than the room of any server, CPU and memory together. */
const ROOM: f64 = 262144;

/** More than any rise of a server's power, in mW. */
const POWER: f64 = 67108864;

/** Whether the family has a policy of this number. */
export function hasPolicy(policy: u32): bool {
  return policy - FIRST_HEURISTIC <= HEURISTIC_POWER_AWARE;
}

/** The decision of one of the family's policies. */
export function decide(policy: u32): u32 {
  const heuristic = policy - FIRST_HEURISTIC;
  if (heuristic == HEURISTIC_RR) return roundRobin();
  const decision = best(heuristic);
  const isSleepy = heuristic == HEURISTIC_POWER_AWARE && Fleet.sleepAware;
  if (decision != Fleet.wait || !isSleepy) return decision;
  return count(WORD_NUM_VISIBLE) > 0 ? wake() : sleep();
}

/**
 * The placement with the greatest score; of equals the oldest job's, then the first server's. A
 * score that does not depend on the server is therefore first fit.
 */
function best(heuristic: u32): u32 {
  const numVisible = count(WORD_NUM_VISIBLE);
  let decision = Fleet.wait;
  let most = -Infinity;
  for (let k: u32 = 0; k < numVisible; k++) {
    for (let n: u32 = 0; n < Fleet.numServers; n++) {
      if (!fits(k, n)) continue;
      const value = score(heuristic, k, n);
      if (value <= most) continue;
      most = value;
      decision = k * Fleet.numServers + n;
    }
  }
  return decision;
}

/** How good it is to put the job of slot k on server n, where it fits. */
function score(heuristic: u32, k: u32, n: u32): f64 {
  const cpu = <f64>at(a_slot_cpu, k);
  const mem = <f64>at(a_slot_mem, k);
  switch (heuristic) {
    case HEURISTIC_SJF: return 0 - <f64>at(a_slot_duration, k);
    case HEURISTIC_FFD: return cpu + mem;
    case HEURISTIC_BEST_FIT: return 0 - <f64>k * ROOM - (<f64>freeCpu(n) + <f64>freeMem(n));
    case HEURISTIC_TETRIS: return cpu * <f64>freeCpu(n) + mem * <f64>freeMem(n);
    default: return powerScore(k, n, cpu + mem);
  }
}

/**
 * The largest job where power rises least. In the sleep-aware variant jobs near their deadline go
 * before it, the oldest first, and an idle server counts with what it would save asleep.
 */
function powerScore(k: u32, n: u32, size: f64): f64 {
  const used = at(a_server_cpu, n);
  const rise = <f64>power(n, used + at(a_slot_cpu, k)) - <f64>power(n, used);
  const isIdle = Fleet.sleepAware && at(a_server_event, n) == 0;
  const cost = rise + (isIdle ? saving(n) : 0);
  const urgent = Fleet.sleepAware && isUrgent(k);
  return (urgent ? ROOM - <f64>k : size) * POWER - cost;
}

/** Whether the job of slot k has waited two thirds of its deadline, and not yet all of it. */
function isUrgent(k: u32): bool {
  const steps = waited(k);
  return steps <= Fleet.deadline && 3 * steps >= 2 * Fleet.deadline;
}

/** The power that server n saves asleep, in mW. */
function saving(n: u32): f64 {
  return <f64><i32>get(Fleet.saving, n);
}

/** The oldest job alone, on the next server in turn that can take it. */
function roundRobin(): u32 {
  const last = count(WORD_LAST_SERVER);
  for (let i: u32 = 1; i <= Fleet.numServers; i++) {
    const n = (last + i) % Fleet.numServers;
    if (fits(0, n)) return n;
  }
  return Fleet.wait;
}

/**
 * Wakes, of the servers that a visible job would fit on, the one of least power; as many as jobs
 * are visible may be waking at once.
 */
function wake(): u32 {
  let numWaking: u32 = 0;
  let decision = Fleet.wait;
  let least = Infinity;
  for (let n: u32 = 0; n < Fleet.numServers; n++) {
    const mode = at(a_server_mode, n);
    if (mode == SERVER_MODE_WAKING) numWaking++;
    if (mode != SERVER_MODE_ASLEEP || !couldTake(n) || saving(n) >= least) continue;
    least = saving(n);
    decision = Fleet.wait + 1 + n;
  }
  return numWaking < count(WORD_NUM_VISIBLE) ? decision : Fleet.wait;
}

/** Whether a visible job would fit on server n if it were awake and idle. */
function couldTake(n: u32): bool {
  const cpu = freeCpu(n);
  const mem = freeMem(n);
  for (let k: u32 = 0; k < count(WORD_NUM_VISIBLE); k++) {
    if (at(a_slot_cpu, k) <= cpu && at(a_slot_mem, k) <= mem) return true;
  }
  return false;
}

/** Sends the idle server that saves most to sleep; nothing waits. */
function sleep(): u32 {
  let decision = Fleet.wait;
  let most: f64 = 0;
  for (let n: u32 = 0; n < Fleet.numServers; n++) {
    const isIdle = at(a_server_mode, n) == SERVER_MODE_ACTIVE && at(a_server_event, n) == 0;
    if (!isIdle || saving(n) <= most) continue;
    most = saving(n);
    decision = Fleet.wait + 1 + n;
  }
  return decision;
}
