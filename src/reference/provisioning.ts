/**
 * Provisioning: rent GPUs for a job queue under a budget. What a step computes is said in
 * docs/environments/provisioning.md; this file is the specification that every backend follows
 * bit for bit. Counts are integers, money is f64; outputs are rounded to f32 once.
 */
import type { DecodedProgram } from '../compile/program.js';
import { sampleAlias } from '../compile/sample.js';
import { FIRST_HEURISTIC, stream } from '../generated/common.js';
import {
  heuristic,
  metric,
  observation,
  type ProvisioningScalars,
  type ProvisioningTables,
} from '../generated/provisioning.js';
import { drawBlock } from './draws.js';
import type { ActionRow, CommonState, Outputs, ReferenceEnvironment } from './environment.js';
import { scaleRow } from './rows.js';

const f = Math.fround;

/** The program in named form. */
export type ProvisioningProgram = DecodedProgram<ProvisioningScalars, ProvisioningTables>;

/** `booting0` start running in the next step, `booting1` a step later, and so on. */
const BOOTING = [
  'booting0',
  'booting1',
  'booting2',
  'booting3',
  'booting4',
  'booting5',
  'booting6',
  'booting7',
] as const;

/** What arrivals depend on: seed, episode, step and regime, never the actions. */
export interface TrafficState extends CommonState {
  /** Index into regimes. */
  regime: number;
}

export interface ProvisioningState extends TrafficState, Record<(typeof BOOTING)[number], number> {
  running: number;
  queue: number;
  budget: number;
}

const words = new Uint32Array(4);

export class ProvisioningEnvironment implements ReferenceEnvironment<ProvisioningState> {
  private readonly s: ProvisioningScalars;
  private readonly t: ProvisioningTables;

  constructor(private readonly program: ProvisioningProgram) {
    this.s = program.scalars;
    this.t = program.tables;
  }

  createState(): ProvisioningState {
    const common = { seedLo: 0, seedHi: 0, episode: 0, step: 0, finished: 0 };
    const booting = Object.fromEntries(BOOTING.map((slot) => [slot, 0]));
    const server = { running: 0, queue: 0, regime: 0, budget: 0 };
    return { ...common, ...server, ...booting } as ProvisioningState;
  }

  previousMetrics(): void {}

  reset(state: ProvisioningState, out: Outputs): void {
    const { s } = this;
    state.step = 0;
    state.running = s.gpusStart;
    state.queue = 0;
    state.regime = 0;
    for (const slot of BOOTING) state[slot] = 0;
    state.budget = s.budgetStart;
    out.metrics.fill(0);
    out.metrics[metric.runningGpus] = state.running;
    out.metrics[metric.budgetUsd] = state.budget;
    this.observe(state, out);
  }

  step(state: ProvisioningState, action: ActionRow, out: Outputs): void {
    const { s } = this;
    const m = out.metrics;
    this.startBooted(state);
    const applied = this.provision(state, action.index[0]);
    const processed = state.queue < state.running ? state.queue : state.running;
    state.queue -= processed;
    m[metric.regime] = state.regime;
    const arrivals = admitArrivals(this.program, state);
    state.queue += arrivals;
    const booting = this.bootingGpus(state);
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
    const change = wanted - (state.running + this.bootingGpus(state));
    return clamp(change, -changeMax, changeMax);
  }

  /** GPUs whose boot delay has passed start running. */
  private startBooted(state: ProvisioningState): void {
    const { bootDelay } = this.s;
    if (bootDelay === 0) return;
    state.running += state.booting0;
    for (let k = 1; k < bootDelay; k++) state[BOOTING[k - 1]] = state[BOOTING[k]];
    state[BOOTING[bootDelay - 1]] = 0;
  }

  /**
   * Rents or releases, within what a step and the fleet allow; a release takes the booting GPUs
   * first, the newest of them first. Returns the change.
   */
  private provision(state: ProvisioningState, asked: number): number {
    const { gpusMax, changeMax, bootDelay } = this.s;
    const rented = state.running + this.bootingGpus(state);
    const request = clamp(asked, -changeMax, changeMax);
    const change = clamp(request, 0 - rented, gpusMax > rented ? gpusMax - rented : 0);
    const rent = change > 0 ? change : 0;
    if (bootDelay === 0) state.running += rent;
    else state[BOOTING[bootDelay - 1]] += rent;
    let release = rent - change;
    for (let k = bootDelay - 1; k >= 0; k--) {
      const slot = BOOTING[k];
      const taken = release < state[slot] ? release : state[slot];
      state[slot] -= taken;
      release -= taken;
    }
    state.running -= release;
    return change;
  }

  private bootingGpus(state: ProvisioningState): number {
    let sum = 0;
    for (let k = 0; k < this.s.bootDelay; k++) sum += state[BOOTING[k]];
    return sum;
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

/**
 * Draws the arrivals of the step that `state.step` names and moves on to the next step's regime:
 * one Philox block, its first word for the arrivals, its second for the regime.
 */
export function admitArrivals({ scalars: s, tables: t }: ProvisioningProgram, state: TrafficState) {
  drawBlock(state, stream.step, 0, words);
  const last = s.profileSteps - 1;
  const now = state.step < last ? state.step : last;
  const level = t.profileLevel[state.regime * s.profileSteps + now];
  const width = 1 << s.arrivalBits;
  const columns = t.arrivalAlias.subarray(level * width, (level + 1) * width);
  const table = { bits: s.arrivalBits, offset: t.arrivalOffset[level], columns };
  const next = t.regimeAlias.subarray(2 * state.regime, 2 * state.regime + 2);
  const arrivals = sampleAlias(table, words[0]);
  state.regime = sampleAlias({ bits: 1, offset: 0, columns: next }, words[1]);
  return arrivals;
}

/** The arrivals of an episode's steps up to its horizon, whatever is done in it. */
export function arrivalsOfEpisode(
  program: ProvisioningProgram,
  seed: { readonly lo: number; readonly hi: number },
  episode: number,
): number[] {
  const state = { seedLo: seed.lo, seedHi: seed.hi, episode, step: 0, finished: 0, regime: 0 };
  return Array.from({ length: program.scalars.horizon }, () => {
    const arrivals = admitArrivals(program, state);
    state.step += 1;
    return arrivals;
  });
}
