/** Shows an environment: its observation row and its mask. */
import { Channels } from '../../channels';
import { WORD_STEP } from '../../generated/common';
import {
  a_server_cpu,
  a_server_event,
  a_server_mem,
  a_server_mode,
  a_slot_cpu,
  a_slot_duration,
  a_slot_mem,
  ARRIVALS_SCALE,
  BACKLOG_MAX,
  FLEET_FIELD_ARRIVALS,
  FLEET_FIELD_BACKLOG,
  FLEET_FIELD_ELAPSED,
  FLEET_FIELD_POWER,
  s_fleet_power_mw,
  s_horizon,
  SERVER_FIELD_ACTIVE,
  SERVER_FIELD_ASLEEP,
  SERVER_FIELD_CAPACITY,
  SERVER_FIELD_COUNT,
  SERVER_FIELD_CPU_USED,
  SERVER_FIELD_MEM_USED,
  SERVER_FIELD_NEXT_EVENT,
  SERVER_FIELD_WAKING,
  SERVER_MODE_ACTIVE,
  SERVER_MODE_ASLEEP,
  SERVER_MODE_WAKING,
  SLOT_FIELD_COUNT,
  SLOT_FIELD_CPU,
  SLOT_FIELD_DURATION,
  SLOT_FIELD_MEM,
  SLOT_FIELD_PRESENT,
  SLOT_FIELD_WAIT,
  WORD_LAST_ARRIVALS,
  WORD_NUM_BACKLOG,
  WORD_NUM_VISIBLE,
  WORD_POWER_MW,
} from '../../generated/scheduling';
import { Common } from '../../program';
import { at, canToggle, count, Fleet, freeCpu, freeMem, get, minus, waited } from './cluster';

@inline
export function put(row: usize, index: u32, value: f32): void {
  store<f32>(row + (<usize>index << 2), value);
}

/** The observation row, servers then slots then fleet, and the mask of what is feasible now. */
export function observe(i: i32): void {
  let row = Channels.observationsOf(i);
  const step = count(WORD_STEP);
  for (let n: u32 = 0; n < Fleet.numServers; n++) {
    observeServer(row, n, step);
    row += 4 * SERVER_FIELD_COUNT;
  }
  for (let k: u32 = 0; k < Fleet.numSlots; k++) {
    observeSlot(row, k);
    row += 4 * SLOT_FIELD_COUNT;
  }
  put(row, FLEET_FIELD_BACKLOG, <f32>(<f64>count(WORD_NUM_BACKLOG) / <f64>BACKLOG_MAX));
  put(row, FLEET_FIELD_POWER, <f32>(<f64>count(WORD_POWER_MW) / s_fleet_power_mw));
  put(row, FLEET_FIELD_ARRIVALS, <f32>(<f64>count(WORD_LAST_ARRIVALS) / <f64>ARRIVALS_SCALE));
  put(row, FLEET_FIELD_ELAPSED, <f32>(<f64>step / s_horizon));
  writeMask(Channels.masks + <usize>i * Common.maskDim);
}

/** Quotients of numbers that f32 holds exactly are divided in f32: it gives the same. */
@inline
function observeServer(row: usize, n: u32, step: u32): void {
  const mode = at(a_server_mode, n);
  const left = minus(at(a_server_event, n), step);
  put(row, SERVER_FIELD_CPU_USED, <f32>at(a_server_cpu, n) / <f32>get(Fleet.cpu, n));
  put(row, SERVER_FIELD_MEM_USED, <f32>at(a_server_mem, n) / <f32>get(Fleet.mem, n));
  put(row, SERVER_FIELD_CAPACITY, load<f32>(Fleet.share + (<usize>n << 2)));
  put(row, SERVER_FIELD_ACTIVE, <f32>u32(mode == SERVER_MODE_ACTIVE));
  put(row, SERVER_FIELD_WAKING, <f32>u32(mode == SERVER_MODE_WAKING));
  put(row, SERVER_FIELD_ASLEEP, <f32>u32(mode == SERVER_MODE_ASLEEP));
  put(row, SERVER_FIELD_NEXT_EVENT, <f32>(<f64>left / 100));
}

@inline
function observeSlot(row: usize, k: u32): void {
  if (k >= count(WORD_NUM_VISIBLE)) {
    memory.fill(row, 0, 4 * SLOT_FIELD_COUNT);
    return;
  }
  put(row, SLOT_FIELD_PRESENT, 1);
  put(row, SLOT_FIELD_CPU, <f32>at(a_slot_cpu, k) / 100);
  put(row, SLOT_FIELD_MEM, <f32>at(a_slot_mem, k) / 100);
  put(row, SLOT_FIELD_DURATION, <f32>at(a_slot_duration, k) / 100);
  put(row, SLOT_FIELD_WAIT, <f32>waited(k) / <f32>Fleet.deadline);
}

/** Server by server, so that what is free is computed once for all slots. */
function writeMask(mask: usize): void {
  const numServers = Fleet.numServers;
  const numVisible = count(WORD_NUM_VISIBLE);
  memory.fill(mask + numVisible * numServers, 0, Fleet.wait - numVisible * numServers);
  for (let n: u32 = 0; n < numServers; n++) {
    const isActive = at(a_server_mode, n) == SERVER_MODE_ACTIVE;
    const cpu = freeCpu(n);
    const mem = freeMem(n);
    let to = mask + n;
    for (let k: u32 = 0; k < numVisible; k++) {
      const fits = u8(at(a_slot_cpu, k) <= cpu) & u8(at(a_slot_mem, k) <= mem) & u8(isActive);
      store<u8>(to, fits);
      to += numServers;
    }
  }
  store<u8>(mask + Fleet.wait, 1);
  if (!Fleet.sleepAware) return;
  for (let n: u32 = 0; n < numServers; n++) {
    store<u8>(mask + Fleet.wait + 1 + n, u8(canToggle(n)));
  }
}
