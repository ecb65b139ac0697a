/**
 * Autoscaling: how many instances keep a service inside its utilisation band. What a step computes
 * is said in docs/environments/autoscaling.md; this file is the specification that every backend
 * follows bit for bit.
 *
 * The request rate is f32 (table part), and utilisations and latency are rounded to f32 where they
 * arise: reward, flags and statistics read what the agent reads, so a log of states is enough to
 * compute them again. Everything else is f64.
 */

import type { AutoscalingScalars, AutoscalingTables } from '../../generated/autoscaling.js';
import * as generated from '../../generated/autoscaling.js';
import { FIRST_HEURISTIC, stream } from '../../generated/common.js';
import type { DecodedProgram } from '../../program/program.js';
import { sampleQuantile } from '../../program/sample.js';
import { drawBlock, wordBelow } from '../draws.js';
import type { ActionRow, CommonState, Outputs, ReferenceEnvironment } from '../environment.js';
import { scaleRow } from '../rows.js';
import { chooseChange, clip, type Service } from './policies.js';

// Held here: V8 folds a constant of the module itself, but reads an imported one at every use.
const { heuristic, metric, observation } = generated;

const f = Math.fround;

/** The state of one service. Instances of the three types; `starting` is a queue of two-bit
 * counts, the lowest of which serve from the next step on. */
interface AutoscalingState extends CommonState {
  windowStart: number;
  count0: number;
  count1: number;
  count2: number;
  starting0: number;
  starting1: number;
  starting2: number;
  recommendedLo: number;
  recommendedHi: number;
  requestRate: number;
  windowScale: number;
  budgetLeft: number;
}

/** Instances of all types, the starting ones included. */
const instancesOf = ({ count0, count1, count2 }: AutoscalingState): number =>
  count0 + count1 + count2;

/** Instances of a type, the starting ones included. */
function countOf({ count0, count1, count2 }: AutoscalingState, type: number): number {
  if (type === 0) return count0;
  return type === 1 ? count1 : count2;
}

/** The starting instances of a type. */
function startingOf({ starting0, starting1, starting2 }: AutoscalingState, type: number): number {
  if (type === 0) return starting0;
  return type === 1 ? starting1 : starting2;
}

function setType(state: AutoscalingState, type: number, count: number, starting: number): void {
  if (type === 0) {
    state.count0 = count;
    state.starting0 = starting;
  } else if (type === 1) {
    state.count1 = count;
    state.starting1 = starting;
  } else {
    state.count2 = count;
    state.starting2 = starting;
  }
}

/** Sum of a word's sixteen two-bit counts. */
function sumOfPairs(word: number): number {
  const fours = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  const eights = (fours + (fours >>> 4)) & 0x0f0f0f0f;
  return Math.imul(eights, 0x01010101) >>> 24;
}

export class AutoscalingEnvironment implements ReferenceEnvironment<AutoscalingState> {
  private readonly s: AutoscalingScalars;
  private readonly t: AutoscalingTables;
  private readonly words = new Uint32Array(4);

  constructor({ scalars, tables }: DecodedProgram<AutoscalingScalars, AutoscalingTables>) {
    this.s = scalars;
    this.t = tables;
  }

  createState(): AutoscalingState {
    return {
      seedLo: 0,
      seedHi: 0,
      episode: 0,
      step: 0,
      finished: 0,
      windowStart: 0,
      count0: 0,
      count1: 0,
      count2: 0,
      starting0: 0,
      starting1: 0,
      starting2: 0,
      recommendedLo: 0,
      recommendedHi: 0,
      requestRate: 0,
      windowScale: 0,
      budgetLeft: 0,
    };
  }

  previousMetrics(): void {}

  reset(state: AutoscalingState, out: Outputs): void {
    const { s, t } = this;
    const words = drawBlock(state, stream.reset, 0, this.words);
    const window = wordBelow(words[0], s.numWindows);
    const spread = wordBelow(words[1], 2 * s.initialSpread + 1) - s.initialSpread;
    state.step = 0;
    state.windowStart = t.windowStarts[window];
    state.windowScale = t.windowScales[window];
    state.count0 = clip(t.windowInstances[window] + spread, 1, s.maxInstances);
    state.count1 = 0;
    state.count2 = 0;
    state.starting0 = 0;
    state.starting1 = 0;
    state.starting2 = 0;
    state.recommendedLo = 0;
    state.recommendedHi = 0;
    state.budgetLeft = s.budget;
    state.requestRate = f(t.profileRate[state.windowStart] * state.windowScale);
    out.metrics.fill(0);
    this.measure(state, out);
    this.observe(state, out);
  }

  step(state: AutoscalingState, action: ActionRow, out: Outputs): void {
    const { s } = this;
    this.applyAction(state, action);
    this.admitArrivals(state);
    state.step += 1;
    this.measure(state, out);
    this.rewardStep(state, out);
    this.observe(state, out);
    const m = out.metrics;
    const limit = s.utilizationLimit;
    out.terminated = m[metric.cpu] > limit || m[metric.memory] > limit;
    out.truncated = state.step >= s.horizon;
  }

  act(policy: number, state: AutoscalingState, action: ActionRow): boolean {
    const kind = policy - FIRST_HEURISTIC;
    if (kind < heuristic.threshold || kind > heuristic.bestConstant) return false;
    const change = chooseChange(kind, this.s, this.serviceOf(state), state);
    const { maxDelta } = this.s;
    action.index[0] = 0;
    action.index[action.index.length - 1] = clip(change, -maxDelta, maxDelta) + maxDelta;
    return true;
  }

  /** The knowledge of the policies. */
  private serviceOf(state: AutoscalingState): Service {
    const servingReplicas = this.units(state, true);
    return {
      cpu: f((state.requestRate / servingReplicas) * this.s.cpuFactor),
      instances: instancesOf(state),
      replicas: this.units(state, false),
      servingReplicas,
    };
  }

  /** Capacity units of the instances that serve, or of all; at least 1. */
  private units(state: AutoscalingState, areServing: boolean): number {
    const { s } = this;
    const of = (count: number, starting: number, capacity: number): number =>
      (count - (areServing ? sumOfPairs(starting) : 0)) * capacity;
    const units =
      of(state.count0, state.starting0, s.capacity0) +
      of(state.count1, state.starting1, s.capacity1) +
      of(state.count2, state.starting2, s.capacity2);
    return units > 1 ? units : 1;
  }

  /** Who was starting comes closer to serving; then the change, within its bounds. */
  private applyAction(state: AutoscalingState, { index }: ActionRow): void {
    const { s } = this;
    state.starting0 >>>= 2;
    state.starting1 >>>= 2;
    state.starting2 >>>= 2;
    const type = s.isFleet === 1 ? clip(index[0], 0, s.numTypes - 1) : 0;
    const asked = clip(index[index.length - 1], 0, 2 * s.maxDelta) - s.maxDelta;
    const total = instancesOf(state);
    const count = countOf(state, type);
    const least = 1 - total > -count ? 1 - total : -count;
    const change = clip(asked, least, s.maxInstances - total);
    setType(state, type, count + change, this.startingAfter(startingOf(state, type), change));
  }

  /** The starting instances of a type after a change: the newest start last and leave first. */
  private startingAfter(starting: number, change: number): number {
    const { coldStartSteps } = this.s;
    if (coldStartSteps === 0) return starting;
    if (change > 0) return (starting | (change << (2 * (coldStartSteps - 1)))) >>> 0;
    let left = starting;
    for (let i = change; i < 0; i++) left = withoutNewest(left);
    return left >>> 0;
  }

  /** The step's requests: the profile's rate and a normal deviation, at least 0. */
  private admitArrivals(state: AutoscalingState): void {
    const { s, t } = this;
    const words = drawBlock(state, stream.step, 0, this.words);
    const next = state.windowStart + state.step + 1;
    const now = next < s.profileSteps ? next : s.profileSteps - 1;
    const mean = f(t.profileRate[now] * f(state.windowScale));
    const rate = f(mean + sampleQuantile(t.noise, words[0]));
    state.requestRate = rate > 0 ? rate : 0;
  }

  /** Latency and utilisations under the present rate. */
  private measure(state: AutoscalingState, { metrics: m }: Outputs): void {
    const serving = this.units(state, true);
    const latency = state.requestRate / serving;
    m[metric.cpu] = latency * this.s.cpuFactor;
    m[metric.memory] = latency * this.s.memoryFactor;
    m[metric.requestRate] = state.requestRate;
    m[metric.instances] = instancesOf(state);
    m[metric.latency] = latency;
    m[metric.startingInstances] =
      sumOfPairs(state.starting0) + sumOfPairs(state.starting1) + sumOfPairs(state.starting2);
    m[metric.capacityUnits] = this.units(state, false);
    m[metric.servingUnits] = serving;
    m[metric.budgetLeft] = state.budgetLeft;
    m[metric.step] = state.step;
  }

  /** The step's price and its reward. */
  private rewardStep(state: AutoscalingState, out: Outputs): void {
    const { s } = this;
    const m = out.metrics;
    const price = state.count0 * s.price0 + state.count1 * s.price1 + state.count2 * s.price2;
    state.budgetLeft -= s.hasBudget * price;
    m[metric.price] = price;
    m[metric.budgetLeft] = state.budgetLeft;
    m[metric.slaViolation] = m[metric.latency] > s.latencySla ? 1 : 0;
    m[metric.overBudget] = state.budgetLeft < 0 ? 1 : 0;
    const cpu = this.valueOf(m[metric.cpu], s.cpuLow, s.cpuHigh, s.cpuCentre, s.cpuGain);
    const memory = this.valueOf(
      m[metric.memory],
      s.memoryLow,
      s.memoryHigh,
      s.memoryCentre,
      s.memoryGain,
    );
    const cost = s.costWeight * price;
    // Inside a range the value is not negative, outside it always is.
    const mixed = cpu >= 0 && memory >= 0 ? 0 : s.mixedPenalty;
    const raw = cpu + memory - cost - mixed;
    m[metric.rewardCpu] = cpu;
    m[metric.rewardMemory] = memory;
    m[metric.rewardCost] = 0 - cost;
    m[metric.rewardMixed] = 0 - mixed;
    out.reward = f(clip((raw + s.rewardOffset) * s.rewardGain, 0, 1));
    out.cost = m[metric.slaViolation] + m[metric.overBudget];
  }

  /** The reward of one utilisation: 1 in the middle of its range, 0 at its ends, less outside. */
  private valueOf(u: number, low: number, high: number, centre: number, gain: number): number {
    const { s } = this;
    if (u < low) return 0 - s.belowPenalty - (low - u) * s.distanceWeight;
    if (u > high) return 0 - s.abovePenalty - (u - high) * s.distanceWeight;
    const distance = u > centre ? u - centre : centre - u;
    const value = 1 - distance * gain;
    return value > 0 ? value : 0;
  }

  /** The observation row: rounded to f32, then scaled by the program's fixed scalings. */
  private observe(state: AutoscalingState, { observation: row, metrics: m }: Outputs): void {
    row[observation.cpu] = m[metric.cpu];
    row[observation.memory] = m[metric.memory];
    row[observation.requestRate] = state.requestRate;
    row[observation.instances] = m[metric.instances];
    if (this.s.isFleet === 1) {
      row[observation.instancesType0] = state.count0;
      row[observation.instancesType1] = state.count1;
      row[observation.instancesType2] = state.count2;
      row[observation.budgetLeft] = state.budgetLeft;
    }
    if (this.s.hasColdStart === 1) row[row.length - 1] = m[metric.startingInstances];
    scaleRow(row, this.t.observationScale);
  }
}

/** One starting instance less, of those that would serve last; nothing where none is starting. */
function withoutNewest(starting: number): number {
  if (starting === 0) return 0;
  const slot = (31 - Math.clz32(starting)) >>> 1;
  return starting - (1 << (2 * slot));
}
