/**
 * Scheduling: jobs on servers, one decision a step. What a step computes is said in
 * docs/environments/scheduling.md; this file and its companions (jobs, cluster, policies) are the
 * specification that every backend follows bit for bit.
 *
 * Units and milliwatts are integers, so that sums do not depend on their order. The reward is f64;
 * observations are divided in binary64 and rounded once.
 */

import type { SchedulingScalars, SchedulingTables } from '../../generated/scheduling.js';
import * as generated from '../../generated/scheduling.js';
import type { DecodedProgram } from '../../program/program.js';
import type { ActionRow, Outputs, ReferenceEnvironment } from '../environment.js';
import { SchedulingCluster, type SchedulingState } from './cluster.js';
import { SchedulingJobs } from './jobs.js';
import { SchedulingPolicies } from './policies.js';

// Held here: V8 folds a constant of the module itself, but reads an imported one at every use.
const {
  ARRIVALS_SCALE,
  BACKLOG_MAX,
  fleetField,
  metric,
  serverField,
  serverMode,
  slotField,
  WAIT_BINS,
} = generated;

const NUM_SERVER_FIELDS = Object.keys(serverField).length;
const NUM_SLOT_FIELDS = Object.keys(slotField).length;

export class SchedulingEnvironment implements ReferenceEnvironment<SchedulingState> {
  private readonly s: SchedulingScalars;
  private readonly t: SchedulingTables;
  private readonly cluster: SchedulingCluster;
  private readonly jobs: SchedulingJobs;
  private readonly policies: SchedulingPolicies;
  /** The decision that waits; those below it place jobs, those above it toggle servers. */
  private readonly wait: number;

  constructor({ scalars, tables }: DecodedProgram<SchedulingScalars, SchedulingTables>) {
    this.s = scalars;
    this.t = tables;
    this.cluster = new SchedulingCluster(scalars, tables);
    this.jobs = new SchedulingJobs(scalars, tables);
    this.policies = new SchedulingPolicies(this.cluster);
    this.wait = scalars.numSlots * scalars.numServers;
  }

  createState(): SchedulingState {
    const { numServers, numSlots, deadlineSteps, runningSlots } = this.s;
    const array = (length: number) => new Uint32Array(length);
    return {
      seedLo: 0,
      seedHi: 0,
      episode: 0,
      step: 0,
      finished: 0,
      windowStart: 0,
      numVisible: 0,
      backlogHead: 0,
      numBacklog: 0,
      numRunning: 0,
      lastServer: 0,
      powerMw: 0,
      cpuInUse: 0,
      lastArrivals: 0,
      serverMode: array(numServers),
      serverCpu: array(numServers),
      serverMem: array(numServers),
      serverEvent: array(numServers),
      serverHead: array(numServers),
      slotCpu: array(numSlots),
      slotMem: array(numSlots),
      slotDuration: array(numSlots),
      slotArrival: array(numSlots),
      freshWaiting: array(deadlineSteps),
      lateWaiting: array(deadlineSteps),
      runEnd: array(runningSlots),
      runCpu: array(runningSlots),
      runMem: array(runningSlots),
      runNext: array(runningSlots),
      backlogCpu: array(BACKLOG_MAX),
      backlogMem: array(BACKLOG_MAX),
      backlogDuration: array(BACKLOG_MAX),
      backlogArrival: array(BACKLOG_MAX),
    };
  }

  previousMetrics(): void {}

  reset(state: SchedulingState, out: Outputs): void {
    this.begin(state);
    out.metrics.fill(0);
    this.report(state, out);
    this.observe(state, out);
  }

  /** The state at the beginning of the episode that seed and episode number name. */
  begin(state: SchedulingState): void {
    for (const value of Object.values(state)) if (value instanceof Uint32Array) value.fill(0);
    state.step = 0;
    state.windowStart = this.jobs.windowStart(state);
    state.numVisible = 0;
    state.backlogHead = 0;
    state.numBacklog = 0;
    state.numRunning = 0;
    state.lastServer = this.s.numServers - 1;
    state.powerMw = this.s.idlePowerMw;
    state.cpuInUse = 0;
    state.lastArrivals = 0;
    let warm = 0;
    this.jobs.running(state, (job) => {
      warm = this.cluster.admitRunning(state, job, warm);
    });
  }

  step(state: SchedulingState, action: ActionRow, out: Outputs): void {
    const { s } = this;
    const m = out.metrics;
    m.fill(0);
    this.applyAction(state, action.index[0], m);
    this.admitArrivals(state, m);
    state.step += 1;
    this.advance(state, m);
    this.report(state, out);
    const power = state.powerMw * s.rewardPower;
    const late = m[metric.violations] * s.rewardViolation;
    out.reward = Math.fround(0 - power - late - m[metric.toggles] * s.rewardToggle);
    out.cost = m[metric.violations];
    out.terminated = false;
    out.truncated = state.step >= s.horizon;
    this.observe(state, out);
  }

  /** Jobs that still wait at the end have waited so long at least: censored, not left out. */
  foldEnd(state: SchedulingState, statistics: Float64Array, at: number): void {
    const first = at + generated.statistic.waitHistogram0;
    for (let k = 0; k < state.numVisible; k++) {
      statistics[first + waitBin(this.cluster.waited(state, k))] += 1;
    }
    for (let i = 0; i < state.numBacklog; i++) {
      const arrival = state.backlogArrival[(state.backlogHead + i) % BACKLOG_MAX];
      statistics[first + waitBin(state.step > arrival ? state.step - arrival : 0)] += 1;
    }
  }

  act(policy: number, state: SchedulingState, action: ActionRow): boolean {
    const decision = this.policies.decide(policy, state);
    if (decision === null) return false;
    action.index[0] = decision;
    return true;
  }

  /** Takes a number that is no decision, or none feasible now, for a wait, and counts it. */
  private applyAction(state: SchedulingState, decision: number, m: Float32Array): void {
    const { cluster, wait, s } = this;
    if (decision === wait) return;
    if (decision < 0 || decision >= s.numActions) {
      m[metric.invalidActions] = 1;
      return;
    }
    if (decision > wait) {
      const n = decision - wait - 1;
      const feasible = cluster.canToggle(state, n);
      if (feasible) cluster.toggle(state, n);
      m[feasible ? metric.toggles : metric.invalidActions] = 1;
      return;
    }
    const n = decision % s.numServers;
    const k = (decision - n) / s.numServers;
    if (!cluster.fits(state, k, n)) {
      m[metric.invalidActions] = 1;
      return;
    }
    this.countWait(state, k, m);
    cluster.place(state, k, n);
  }

  /** The job of slot k starts now: it no longer waits. */
  private countWait(state: SchedulingState, k: number, m: Float32Array): void {
    const waited = this.cluster.waited(state, k);
    const waiting = waited > this.s.deadlineSteps ? state.lateWaiting : state.freshWaiting;
    waiting[state.slotArrival[k] % this.s.deadlineSteps] -= 1;
    m[metric.placed] = 1;
    m[metric.waitSteps] = waited;
    m[metric.waitBin] = waitBin(waited) + 1;
  }

  /**
   * The jobs of this tick join the queue, and the waits that pass a multiple of the deadline are
   * counted. Those are the waits of the jobs that arrived a multiple of the deadline ago, and
   * their number is kept, so that nothing is searched.
   */
  private admitArrivals(state: SchedulingState, m: Float32Array): void {
    const { freshWaiting, lateWaiting } = state;
    const now = state.step % this.s.deadlineSteps;
    const newlyLate = freshWaiting[now];
    lateWaiting[now] += newlyLate;
    freshWaiting[now] = 0;
    let arrivals = 0;
    let dropped = 0;
    this.jobs.arrive(state, (job) => {
      arrivals += 1;
      if (!this.cluster.enqueue(state, job)) dropped += 1;
    });
    freshWaiting[now] = arrivals - dropped;
    state.lastArrivals = arrivals;
    m[metric.arrivals] = arrivals;
    m[metric.dropped] = dropped;
    m[metric.violations] = lateWaiting[now] + dropped;
    m[metric.violatedJobs] = newlyLate + dropped;
  }

  /** The events due at the new step: jobs end, woken servers become active. */
  private advance(state: SchedulingState, m: Float32Array): void {
    let completed = 0;
    for (let n = 0; n < this.s.numServers; n++) {
      if (state.serverEvent[n] !== state.step) continue;
      if (state.serverMode[n] === serverMode.waking) {
        state.serverMode[n] = serverMode.active;
        state.serverEvent[n] = 0;
      } else {
        completed += this.cluster.release(state, n);
      }
    }
    m[metric.completed] = completed;
  }

  private report(state: SchedulingState, { metrics: m }: Outputs): void {
    m[metric.powerWatts] = state.powerMw / 1000;
    m[metric.utilizationRatio] = state.cpuInUse / this.s.fleetCpu;
    m[metric.running] = state.numRunning;
    m[metric.waiting] = state.numVisible + state.numBacklog;
    m[metric.backlog] = state.numBacklog;
    for (let n = 0; n < this.s.numServers; n++) {
      m[metric.asleep] += state.serverMode[n] === serverMode.asleep ? 1 : 0;
      m[metric.waking] += state.serverMode[n] === serverMode.waking ? 1 : 0;
    }
  }

  /** The observation row, servers then slots then fleet, and the mask of what is feasible now. */
  private observe(state: SchedulingState, { observation, mask }: Outputs): void {
    const { s } = this;
    for (let n = 0; n < s.numServers; n++) this.observeServer(state, n, observation);
    let at = s.numServers * NUM_SERVER_FIELDS;
    for (let k = 0; k < s.numSlots; k++, at += NUM_SLOT_FIELDS) {
      const present = k < state.numVisible;
      const waited = this.cluster.waited(state, k);
      observation[at + slotField.present] = present ? 1 : 0;
      observation[at + slotField.cpu] = present ? state.slotCpu[k] / 100 : 0;
      observation[at + slotField.mem] = present ? state.slotMem[k] / 100 : 0;
      observation[at + slotField.duration] = present ? state.slotDuration[k] / 100 : 0;
      observation[at + slotField.wait] = present ? waited / s.deadlineSteps : 0;
    }
    observation[at + fleetField.backlog] = state.numBacklog / BACKLOG_MAX;
    observation[at + fleetField.power] = state.powerMw / s.fleetPowerMw;
    observation[at + fleetField.arrivals] = state.lastArrivals / ARRIVALS_SCALE;
    observation[at + fleetField.elapsed] = state.step / s.horizon;
    this.writeMask(state, mask);
  }

  private observeServer(state: SchedulingState, n: number, observation: Float32Array): void {
    const { s, t } = this;
    const at = n * NUM_SERVER_FIELDS;
    const tier = t.serverTier[n];
    const mode = state.serverMode[n];
    const event = state.serverEvent[n];
    observation[at + serverField.cpuUsed] = state.serverCpu[n] / t.tierCpu[tier];
    observation[at + serverField.memUsed] = state.serverMem[n] / t.tierMem[tier];
    observation[at + serverField.capacity] = t.tierCpu[tier] / s.capacityMax;
    observation[at + serverField.active] = mode === serverMode.active ? 1 : 0;
    observation[at + serverField.waking] = mode === serverMode.waking ? 1 : 0;
    observation[at + serverField.asleep] = mode === serverMode.asleep ? 1 : 0;
    observation[at + serverField.nextEvent] = event > state.step ? (event - state.step) / 100 : 0;
  }

  private writeMask(state: SchedulingState, mask: Uint8Array): void {
    const { cluster, wait, s } = this;
    for (let n = 0; n < s.numServers; n++) {
      for (let k = 0; k < s.numSlots; k++) {
        mask[k * s.numServers + n] = cluster.fits(state, k, n) ? 1 : 0;
      }
    }
    mask[wait] = 1;
    for (let i = wait + 1; i < s.numActions; i++) {
      mask[i] = cluster.canToggle(state, i - wait - 1) ? 1 : 0;
    }
  }
}

/** The jobs that run when an episode begins, where it begins in the middle of a recording. */
export function runningAtStart(
  program: DecodedProgram<SchedulingScalars, SchedulingTables>,
  seed: { readonly lo: number; readonly hi: number },
  episode: number,
): { cpu: number; duration: number }[] {
  const { startSlots } = program.scalars;
  const environment = new SchedulingEnvironment(program);
  const state = environment.createState();
  Object.assign(state, { seedLo: seed.lo, seedHi: seed.hi, episode });
  environment.begin(state);
  return Array.from({ length: state.numRunning }, (_, i) => {
    return { cpu: state.runCpu[startSlots + i], duration: state.runEnd[startSlots + i] };
  });
}

/** The bin of a wait: each of 0..39 its own, then 20 an octave; the last takes what is longer. */
export function waitBin(steps: number): number {
  if (steps < 40) return steps;
  const octave = 31 - Math.clz32(Math.floor(steps / 40));
  const bin = 20 * (octave + 1) + (steps >>> (octave + 1));
  return bin < WAIT_BINS ? bin : WAIT_BINS - 1;
}
