/** The cluster: which job runs on which server, what that uses, and what power it draws. */
import {
  BACKLOG_MAX,
  type SchedulingScalars,
  type SchedulingTables,
  serverMode,
} from '../../generated/scheduling.js';
import type { CommonState } from '../environment.js';
import type { Job } from './jobs.js';

/**
 * Servers, visible jobs, backlog and running jobs. One job at most starts in a step, so the
 * running table is indexed by start step: no job is still there when its place comes round again.
 * Behind those places are the places of the jobs that ran already when the episode began. Each
 * server chains its jobs by their ends. A place in a chain is counted from 1; 0 is none.
 */
export interface SchedulingState extends CommonState {
  windowStart: number;
  numVisible: number;
  backlogHead: number;
  numBacklog: number;
  numRunning: number;
  lastServer: number;
  powerMw: number;
  cpuInUse: number;
  lastArrivals: number;
  readonly serverMode: Uint32Array; // [servers]
  readonly serverCpu: Uint32Array;
  readonly serverMem: Uint32Array;
  readonly serverEvent: Uint32Array;
  readonly serverHead: Uint32Array;
  readonly slotCpu: Uint32Array; // [slots]
  readonly slotMem: Uint32Array;
  readonly slotDuration: Uint32Array;
  readonly slotArrival: Uint32Array;
  readonly freshWaiting: Uint32Array; // [deadline]
  readonly lateWaiting: Uint32Array;
  readonly runEnd: Uint32Array; // [running slots]
  readonly runCpu: Uint32Array;
  readonly runMem: Uint32Array;
  readonly runNext: Uint32Array;
  readonly backlogCpu: Uint32Array; // [512]
  readonly backlogMem: Uint32Array;
  readonly backlogDuration: Uint32Array;
  readonly backlogArrival: Uint32Array;
}

/** a - b, or 0: a restored state may not add up, and must not index out of a table. */
const minus = (a: number, b: number): number => (a > b ? a - b : 0);

export class SchedulingCluster {
  constructor(
    readonly s: SchedulingScalars,
    readonly t: SchedulingTables,
  ) {}

  freeCpu(state: SchedulingState, n: number): number {
    return minus(this.t.tierCpu[this.t.serverTier[n]], state.serverCpu[n]);
  }

  freeMem(state: SchedulingState, n: number): number {
    return minus(this.t.tierMem[this.t.serverTier[n]], state.serverMem[n]);
  }

  /** Power in mW of server n awake with so much CPU in use. */
  power(n: number, cpu: number): number {
    return this.t.tierPowerMw[this.t.serverTier[n] * this.s.powerStride + cpu];
  }

  /** The power that server n saves asleep, in mW. */
  sleepSaving(n: number): number {
    return this.power(n, 0) - this.t.tierSleepMw[this.t.serverTier[n]];
  }

  /** Steps that the job of slot k has waited. */
  waited(state: SchedulingState, k: number): number {
    return minus(state.step, state.slotArrival[k]);
  }

  /** Whether slot k holds a job that server n can take now. */
  fits(state: SchedulingState, k: number, n: number): boolean {
    return (
      k < state.numVisible &&
      state.serverMode[n] === serverMode.active &&
      state.slotCpu[k] <= this.freeCpu(state, n) &&
      state.slotMem[k] <= this.freeMem(state, n)
    );
  }

  /** Whether server n can be toggled now: it sleeps, or it is active and idle. */
  canToggle(state: SchedulingState, n: number): boolean {
    const mode = state.serverMode[n];
    return mode === serverMode.asleep || (mode === serverMode.active && state.serverEvent[n] === 0);
  }

  /** Starts the job of slot k on server n, which can take it. */
  place(state: SchedulingState, k: number, n: number): void {
    const place = state.step % this.s.startSlots;
    const cpu = state.slotCpu[k];
    state.runEnd[place] = state.step + state.slotDuration[k];
    this.run(state, n, place, cpu, state.slotMem[k]);
    this.removeSlot(state, k);
  }

  /**
   * Lets a job run that ran already when the episode began: on the next server in turn with room,
   * as round-robin would have placed it. One that fits on none is left out.
   *
   * @returns the places of such jobs taken now
   */
  admitRunning(state: SchedulingState, job: Job, taken: number): number {
    const { numServers, startSlots, warmSlots } = this.s;
    if (taken >= warmSlots) return taken;
    for (let i = 1; i <= numServers; i++) {
      const n = (state.lastServer + i) % numServers;
      if (job.cpu > this.freeCpu(state, n) || job.mem > this.freeMem(state, n)) continue;
      state.runEnd[startSlots + taken] = job.duration;
      this.run(state, n, startSlots + taken, job.cpu, job.mem);
      return taken + 1;
    }
    return taken;
  }

  /** A job runs on server n, at a place of the running table that knows its end already. */
  private run(state: SchedulingState, n: number, place: number, cpu: number, mem: number): void {
    state.runCpu[place] = cpu;
    state.runMem[place] = mem;
    this.chain(state, n, place);
    this.useCpu(state, n, state.serverCpu[n] + cpu);
    state.serverMem[n] += mem;
    state.numRunning += 1;
    state.lastServer = n;
  }

  /** Puts a place of the running table into its server's chain, behind the jobs not after it. */
  private chain(state: SchedulingState, n: number, place: number): void {
    const { runEnd, runNext, serverHead, serverEvent } = state;
    let before = 0;
    let next = serverHead[n];
    for (let i = 0; i < this.s.runningSlots && next !== 0; i++) {
      if (runEnd[next - 1] > runEnd[place]) break;
      before = next;
      next = runNext[next - 1];
    }
    runNext[place] = next;
    if (before === 0) serverHead[n] = place + 1;
    else runNext[before - 1] = place + 1;
    serverEvent[n] = runEnd[serverHead[n] - 1];
  }

  /** Closes the gap of slot k with the jobs behind it, the oldest of the backlog included. */
  private removeSlot(state: SchedulingState, k: number): void {
    const { slotCpu, slotMem, slotDuration, slotArrival, backlogHead: head } = state;
    for (const slots of [slotCpu, slotMem, slotDuration, slotArrival]) slots.copyWithin(k, k + 1);
    const hasBacklog = state.numBacklog > 0;
    const last = state.numVisible - 1;
    slotCpu[last] = hasBacklog ? state.backlogCpu[head] : 0;
    slotMem[last] = hasBacklog ? state.backlogMem[head] : 0;
    slotDuration[last] = hasBacklog ? state.backlogDuration[head] : 0;
    slotArrival[last] = hasBacklog ? state.backlogArrival[head] : 0;
    if (!hasBacklog) {
      state.numVisible = last;
      return;
    }
    state.backlogHead = (head + 1) % BACKLOG_MAX;
    state.numBacklog -= 1;
  }

  /** Queues a job that arrives now; false where the backlog is full. */
  enqueue(state: SchedulingState, job: Job): boolean {
    if (state.numVisible < this.s.numSlots) {
      const k = state.numVisible;
      state.slotCpu[k] = job.cpu;
      state.slotMem[k] = job.mem;
      state.slotDuration[k] = job.duration;
      state.slotArrival[k] = state.step;
      state.numVisible += 1;
      return true;
    }
    if (state.numBacklog >= BACKLOG_MAX) return false;
    const at = (state.backlogHead + state.numBacklog) % BACKLOG_MAX;
    state.backlogCpu[at] = job.cpu;
    state.backlogMem[at] = job.mem;
    state.backlogDuration[at] = job.duration;
    state.backlogArrival[at] = state.step;
    state.numBacklog += 1;
    return true;
  }

  /** Sends server n to sleep or wakes it; it can be toggled. */
  toggle(state: SchedulingState, n: number): void {
    const saving = this.sleepSaving(n);
    if (state.serverMode[n] === serverMode.asleep) {
      state.serverMode[n] = serverMode.waking;
      state.serverEvent[n] = state.step + 1 + this.s.wakeDelaySteps;
      state.powerMw = (state.powerMw + saving) >>> 0;
    } else {
      state.serverMode[n] = serverMode.asleep;
      state.powerMw = (state.powerMw - saving) >>> 0;
    }
  }

  /** Ends the jobs of server n that are due at the state's step; returns how many. */
  release(state: SchedulingState, n: number): number {
    const { runEnd, runCpu, runMem, runNext, serverHead, serverMem, serverEvent } = state;
    let completed = 0;
    let cpu = state.serverCpu[n];
    let head = serverHead[n];
    while (completed < this.s.runningSlots && head !== 0 && runEnd[head - 1] === state.step) {
      cpu = minus(cpu, runCpu[head - 1]);
      serverMem[n] = minus(serverMem[n], runMem[head - 1]);
      head = runNext[head - 1];
      completed += 1;
    }
    serverHead[n] = head;
    serverEvent[n] = head === 0 ? 0 : runEnd[head - 1];
    this.useCpu(state, n, cpu);
    state.numRunning = minus(state.numRunning, completed);
    return completed;
  }

  /** Sets the CPU in use of server n, and with it the fleet's CPU and power. */
  private useCpu(state: SchedulingState, n: number, cpu: number): void {
    const before = state.serverCpu[n];
    state.serverCpu[n] = cpu;
    state.cpuInUse = (state.cpuInUse + cpu - before) >>> 0;
    state.powerMw = (state.powerMw + this.power(n, cpu) - this.power(n, before)) >>> 0;
  }
}
