/**
 * Provisioning: rent GPUs for a job queue under a budget. What a step computes is said in
 * docs/environments/provisioning.md; this file is the specification that every backend follows
 * bit for bit. Counts are integers, money is f64; outputs are rounded to f32 once.
 */

import { FIRST_HEURISTIC, stream } from '../../generated/common.js';
import type { ProvisioningScalars, ProvisioningTables } from '../../generated/provisioning.js';
import * as generated from '../../generated/provisioning.js';
import type { DecodedProgram } from '../../program/program.js';
import { type AliasTable, sampleAlias } from '../../program/sample.js';
import { drawBlock } from '../draws.js';
import type { ActionRow, CommonState, Outputs, ReferenceEnvironment } from '../environment.js';
import { scaleRow } from '../rows.js';

// Held here: V8 folds a constant of the module itself, but reads an imported one at every use.
const { heuristic, metric, observation } = generated;

const f = Math.fround;

/** The program in named form. */
type ProvisioningProgram = DecodedProgram<ProvisioningScalars, ProvisioningTables>;

/** The inputs of arrivals: seed, episode, step and regime, never the actions. */
interface TrafficState extends CommonState {
  /** Index into regimes. */
  regime: number;
}

/** `booting0` start running in the next step, `booting1` a step later, and so on. */
interface ProvisioningState extends TrafficState {
  running: number;
  queue: number;
  booting0: number;
  booting1: number;
  booting2: number;
  booting3: number;
  booting4: number;
  booting5: number;
  booting6: number;
  booting7: number;
  budget: number;
}

export class ProvisioningEnvironment implements ReferenceEnvironment<ProvisioningState> {
  private readonly s: ProvisioningScalars;
  private readonly t: ProvisioningTables;
  private readonly traffic: Traffic;
  /** The stepping state's booting GPUs, by the steps until they run. */
  private readonly booting = new Uint32Array(8);

  constructor(program: ProvisioningProgram) {
    this.s = program.scalars;
    this.t = program.tables;
    this.traffic = new Traffic(program);
  }

  createState(): ProvisioningState {
    return {
      seedLo: 0,
      seedHi: 0,
      episode: 0,
      step: 0,
      finished: 0,
      running: 0,
      queue: 0,
      regime: 0,
      budget: 0,
      booting0: 0,
      booting1: 0,
      booting2: 0,
      booting3: 0,
      booting4: 0,
      booting5: 0,
      booting6: 0,
      booting7: 0,
    };
  }

  previousMetrics(): void {}

  reset(state: ProvisioningState, out: Outputs): void {
    const { s } = this;
    state.step = 0;
    state.running = s.gpusStart;
    state.queue = 0;
    state.regime = 0;
    this.booting.fill(0);
    this.writeBooting(state);
    state.budget = s.budgetStart;
    out.metrics.fill(0);
    out.metrics[metric.runningGpus] = state.running;
    out.metrics[metric.budgetUsd] = state.budget;
    this.observe(state, out);
  }

  step(state: ProvisioningState, action: ActionRow, out: Outputs): void {
    const { s } = this;
    const m = out.metrics;
    this.readBooting(state);
    this.startBooted(state);
    const applied = this.provision(state, action.index[0]);
    const processed = state.queue < state.running ? state.queue : state.running;
    state.queue -= processed;
    m[metric.regime] = state.regime;
    const arrivals = this.traffic.admitArrivals(state);
    state.queue += arrivals;
    const booting = this.bootingGpus();
    this.writeBooting(state);
    const cost = s.gpuCost * (state.running + booting);
    state.budget -= cost;
    state.step += 1;
    out.reward = f(s.jobValue * processed - cost - s.waitCost * state.queue);
    out.cost = f(state.budget < 0 ? 0 - state.budget : 0);
    out.terminated = state.budget <= 0;
    out.truncated = state.step >= s.horizon;
    m[metric.arrivals] = arrivals;
    m[metric.processed] = processed;
    m[metric.queue] = state.queue;
    m[metric.runningGpus] = state.running;
    m[metric.bootingGpus] = booting;
    m[metric.costUsd] = cost;
    m[metric.budgetUsd] = state.budget;
    m[metric.appliedGpus] = applied;
    m[metric.clampedGpus] = action.index[0] - applied;
    m[metric.budgetExhausted] = out.terminated ? 1 : 0;
    this.observe(state, out);
  }

  act(policy: number, state: ProvisioningState, action: ActionRow): boolean {
    const own = policy - FIRST_HEURISTIC;
    if (own === heuristic.hold) action.index[0] = 0;
    else if (own === heuristic.matchQueue) action.index[0] = this.matchQueue(state);
    else return false;
    return true;
  }

  /** As many GPUs as jobs wait. */
  private matchQueue(state: ProvisioningState): number {
    const { gpusMax, changeMax } = this.s;
    const wanted = state.queue < gpusMax ? state.queue : gpusMax;
    this.readBooting(state);
    const change = wanted - (state.running + this.bootingGpus());
    return clamp(change, -changeMax, changeMax);
  }

  /** GPUs whose boot delay has passed start running. */
  private startBooted(state: ProvisioningState): void {
    const { booting } = this;
    const { bootDelay } = this.s;
    if (bootDelay === 0) return;
    state.running += booting[0];
    for (let k = 1; k < bootDelay; k++) booting[k - 1] = booting[k];
    booting[bootDelay - 1] = 0;
  }

  /**
   * Rents or releases, within what a step and the fleet allow; a release takes the booting GPUs
   * first, the newest of them first. Returns the change.
   */
  private provision(state: ProvisioningState, asked: number): number {
    const { booting } = this;
    const { gpusMax, changeMax, bootDelay } = this.s;
    const rented = state.running + this.bootingGpus();
    const request = clamp(asked, -changeMax, changeMax);
    const change = clamp(request, 0 - rented, gpusMax > rented ? gpusMax - rented : 0);
    const rent = change > 0 ? change : 0;
    if (bootDelay === 0) state.running += rent;
    else booting[bootDelay - 1] += rent;
    let release = rent - change;
    for (let k = bootDelay - 1; k >= 0; k--) {
      const taken = release < booting[k] ? release : booting[k];
      booting[k] -= taken;
      release -= taken;
    }
    state.running -= release;
    return change;
  }

  private bootingGpus(): number {
    let sum = 0;
    for (let k = 0; k < this.s.bootDelay; k++) sum += this.booting[k];
    return sum;
  }

  private readBooting(state: ProvisioningState): void {
    const { booting } = this;
    booting[0] = state.booting0;
    booting[1] = state.booting1;
    booting[2] = state.booting2;
    booting[3] = state.booting3;
    booting[4] = state.booting4;
    booting[5] = state.booting5;
    booting[6] = state.booting6;
    booting[7] = state.booting7;
  }

  private writeBooting(state: ProvisioningState): void {
    const { booting } = this;
    state.booting0 = booting[0];
    state.booting1 = booting[1];
    state.booting2 = booting[2];
    state.booting3 = booting[3];
    state.booting4 = booting[4];
    state.booting5 = booting[5];
    state.booting6 = booting[6];
    state.booting7 = booting[7];
  }

  /** The observation row: rounded to f32, then scaled by the program's fixed scalings. */
  private observe(state: ProvisioningState, out: Outputs): void {
    const row = out.observation;
    row[observation.timeStep] = state.step;
    row[observation.activeGpus] = state.running;
    row[observation.queueSize] = state.queue;
    row[observation.currentBudget] = state.budget;
    row[observation.incomingJobs] = out.metrics[metric.arrivals];
    row[observation.bootingGpus] = out.metrics[metric.bootingGpus];
    scaleRow(row, this.t.observationScale);
  }
}

/** x clamped to low .. high, where high is not below low. */
function clamp(x: number, low: number, high: number): number {
  const above = x > low ? x : low;
  return above < high ? above : high;
}

/** The arrivals and the regimes that they follow. */
class Traffic {
  /** [regime][profile step]: the level of arrivals. */
  private readonly levels: Uint32Array;
  private readonly profileSteps: number;
  private readonly arrivals: readonly AliasTable[];
  private readonly nextRegime: readonly AliasTable[];
  private readonly words = new Uint32Array(4);

  constructor({ scalars: s, tables: t }: ProvisioningProgram) {
    const width = 1 << s.arrivalBits;
    this.levels = t.profileLevel;
    this.profileSteps = s.profileSteps;
    this.arrivals = Array.from(t.arrivalOffset, (offset, level) => ({
      bits: s.arrivalBits,
      offset,
      columns: t.arrivalAlias.subarray(level * width, (level + 1) * width),
    }));
    this.nextRegime = Array.from({ length: t.regimeAlias.length / 2 }, (_, regime) => ({
      bits: 1,
      offset: 0,
      columns: t.regimeAlias.subarray(2 * regime, 2 * regime + 2),
    }));
  }

  /**
   * Draws the arrivals of the step that `state.step` names and moves on to the next step's regime:
   * one Philox block, its first word for the arrivals, its second for the regime.
   */
  admitArrivals(state: TrafficState): number {
    const words = drawBlock(state, stream.step, 0, this.words);
    const last = this.profileSteps - 1;
    const now = state.step < last ? state.step : last;
    const level = this.levels[state.regime * this.profileSteps + now];
    const arrivals = sampleAlias(this.arrivals[level], words[0]);
    state.regime = sampleAlias(this.nextRegime[state.regime], words[1]);
    return arrivals;
  }
}

/** The arrivals of an episode's steps up to its horizon, whatever is done in it. */
export function arrivalsOfEpisode(
  program: ProvisioningProgram,
  seed: { readonly lo: number; readonly hi: number },
  episode: number,
): number[] {
  const traffic = new Traffic(program);
  const state = { seedLo: seed.lo, seedHi: seed.hi, episode, step: 0, finished: 0, regime: 0 };
  return Array.from({ length: program.scalars.horizon }, () => {
    const arrivals = traffic.admitArrivals(state);
    state.step += 1;
    return arrivals;
  });
}
