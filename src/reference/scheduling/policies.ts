/**
 * The heuristics: masked policies that read the state of the cluster and nothing else. They never
 * take an infeasible decision, and wait where no visible job fits anywhere. Only `power_aware`
 * toggles servers.
 */
import { FIRST_HEURISTIC } from '../../generated/common.js';
import { heuristic, serverMode } from '../../generated/scheduling.js';
import type { SchedulingCluster, SchedulingState } from './cluster.js';

/** More than the room of any server, CPU and memory together. */
const ROOM = 262144;

/** More than any rise of a server's power, in mW. */
const POWER = 67108864;

/** How good it is to put the job of slot k on server n, where it fits; the greatest wins. */
type Score = (k: number, n: number) => number;

export class SchedulingPolicies {
  constructor(private readonly cluster: SchedulingCluster) {}

  /** The decision of a policy of the core, or null where the family has no such policy. */
  decide(policy: number, state: SchedulingState): number | null {
    const { slotCpu, slotMem, slotDuration } = state;
    const size = (k: number) => slotCpu[k] + slotMem[k];
    switch (policy - FIRST_HEURISTIC) {
      case heuristic.rr:
        return this.roundRobin(state);
      case heuristic.sjf:
        return this.best(state, (k) => -slotDuration[k]);
      case heuristic.ffd:
        return this.best(state, size);
      case heuristic.bestFit:
        return this.bestFit(state);
      case heuristic.tetris:
        return this.best(state, (k, n) => {
          const { cluster } = this;
          return slotCpu[k] * cluster.freeCpu(state, n) + slotMem[k] * cluster.freeMem(state, n);
        });
      case heuristic.powerAware:
        return this.powerAware(state);
      default:
        return null;
    }
  }

  /** The decision that waits. */
  private get wait(): number {
    return this.cluster.s.numSlots * this.cluster.s.numServers;
  }

  /**
   * The placement with the greatest score; of equals the oldest job's, then the first server's.
   * A score that does not depend on the server is therefore first fit.
   */
  private best(state: SchedulingState, score: Score): number {
    const { numServers } = this.cluster.s;
    let decision = this.wait;
    let most = -Infinity;
    for (let k = 0; k < state.numVisible; k++) {
      for (let n = 0; n < numServers; n++) {
        if (!this.cluster.fits(state, k, n)) continue;
        const value = score(k, n);
        if (value <= most) continue;
        most = value;
        decision = k * numServers + n;
      }
    }
    return decision;
  }

  /** The oldest job alone, on the next server in turn that can take it. */
  private roundRobin(state: SchedulingState): number {
    const { numServers } = this.cluster.s;
    for (let i = 1; i <= numServers; i++) {
      const n = (state.lastServer + i) % numServers;
      if (this.cluster.fits(state, 0, n)) return n;
    }
    return this.wait;
  }

  /** The oldest job that fits, where it leaves least room. */
  private bestFit(state: SchedulingState): number {
    const { cluster } = this;
    const room = (n: number) => cluster.freeCpu(state, n) + cluster.freeMem(state, n);
    return this.best(state, (k, n) => 0 - k * ROOM - room(n));
  }

  /**
   * The largest job where power rises least. In the sleep-aware variant jobs near their deadline
   * go before it, the oldest first, an idle server counts with what it would save asleep, and
   * where nothing can be placed servers are woken or sent to sleep.
   */
  private powerAware(state: SchedulingState): number {
    const { cluster } = this;
    const isSleepAware = cluster.s.sleepAware === 1;
    const decision = this.best(state, (k, n) => {
      const urgent = isSleepAware && this.isUrgent(state, k);
      const size = state.slotCpu[k] + state.slotMem[k];
      const cpu = state.serverCpu[n];
      const rise = cluster.power(n, cpu + state.slotCpu[k]) - cluster.power(n, cpu);
      const isIdle = isSleepAware && state.serverEvent[n] === 0;
      const cost = rise + (isIdle ? cluster.sleepSaving(n) : 0);
      return (urgent ? ROOM - k : size) * POWER - cost;
    });
    if (decision !== this.wait || !isSleepAware) return decision;
    return state.numVisible > 0 ? this.wake(state) : this.sleep(state);
  }

  /** Whether the job of slot k has waited two thirds of its deadline, and not yet all of it. */
  private isUrgent(state: SchedulingState, k: number): boolean {
    const { deadlineSteps } = this.cluster.s;
    const waited = this.cluster.waited(state, k);
    return 3 * waited >= 2 * deadlineSteps && waited <= deadlineSteps;
  }

  /**
   * Wakes, of the servers that a visible job would fit on, the one of least power; as many as jobs
   * are visible may be waking at once.
   */
  private wake(state: SchedulingState): number {
    const { cluster, wait } = this;
    let numWaking = 0;
    let decision = wait;
    let least = Infinity;
    for (let n = 0; n < cluster.s.numServers; n++) {
      numWaking += state.serverMode[n] === serverMode.waking ? 1 : 0;
      if (state.serverMode[n] !== serverMode.asleep || !this.couldTake(state, n)) continue;
      if (cluster.sleepSaving(n) >= least) continue;
      least = cluster.sleepSaving(n);
      decision = wait + 1 + n;
    }
    return numWaking < state.numVisible ? decision : wait;
  }

  /** Whether a visible job would fit on server n if it were awake and idle. */
  private couldTake(state: SchedulingState, n: number): boolean {
    const cpu = this.cluster.freeCpu(state, n);
    const mem = this.cluster.freeMem(state, n);
    for (let k = 0; k < state.numVisible; k++) {
      if (state.slotCpu[k] <= cpu && state.slotMem[k] <= mem) return true;
    }
    return false;
  }

  /** Sends the idle server that saves most to sleep; nothing waits. */
  private sleep(state: SchedulingState): number {
    const { cluster, wait } = this;
    let decision = wait;
    let most = 0;
    for (let n = 0; n < cluster.s.numServers; n++) {
      const isIdle = state.serverMode[n] === serverMode.active && state.serverEvent[n] === 0;
      if (!isIdle || cluster.sleepSaving(n) <= most) continue;
      most = cluster.sleepSaving(n);
      decision = wait + 1 + n;
    }
    return decision;
  }
}
