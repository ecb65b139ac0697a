/** An upper bound of what any policy can return in an episode of scheduling. */

import type { Seed } from '../../base/seeding.js';
import {
  BACKLOG_MAX,
  type SchedulingScalars,
  type SchedulingTables,
} from '../../generated/scheduling.js';
import type { DecodedProgram } from '../../program/program.js';
import { type ArrivedJob, jobsOfEpisode } from '../../reference/scheduling/jobs.js';
import { runningAtStart } from '../../reference/scheduling/scheduling.js';
import { FleetPower } from './fleet-power.js';

type Program = DecodedProgram<SchedulingScalars, SchedulingTables>;

/** Rounds in which prices are adjusted to loads and loads to prices. */
const NUM_ROUNDS = 30;
/** Every reward is rounded to f32, which takes at most half an ulp from what it costs. */
const ROUNDING = 1 - 2 ** -23;

/**
 * The dual bound. Whatever the price p_t of a unit of CPU in step t, a fleet with x units in use
 * draws at least h(p_t) + p_t x, h(p) being the least of P(x) - p x over what the fleet can hold.
 * Summed over steps: power costs at least the sum of h(p_t), and every job pays the prices of the
 * steps it runs in. A job picks the cheapest start, its violations included, or none. That holds
 * for any prices; good ones come from Frank and Wolfe's rounds: prices are the rise of power at
 * the mean of the loads so far, and every job moves to its cheapest start.
 *
 * Loose still, as it knows neither memory nor packing, one decision a step, nor what waking costs.
 *
 * @returns at least the return of any policy; exact to rounding where no job arrives
 */
export function returnBound(program: Program, seed: Seed, episode: number): number {
  const { arrived } = jobsOfEpisode(program, seed, episode);
  const running = runningAtStart(program, seed, episode);
  return 0 - new DualBound(program, arrived, running).leastCost() * ROUNDING;
}

/** A job that holds its CPU from the first step on. */
interface RunningJob {
  readonly cpu: number;
  readonly duration: number;
}

class DualBound {
  private readonly s: SchedulingScalars;
  private readonly fleet: FleetPower;
  /** [steps] mW a unit, and [steps + 1] their sums before each step. */
  private readonly prices: Float64Array;
  private readonly sums: Float64Array;
  /** [steps] units in use: the mean of the rounds, and of this round. */
  private readonly load: Float64Array;
  private readonly chosen: Float64Array;
  /** [jobs] the least cost of each job at the prices. */
  private readonly jobCosts: Float64Array;

  constructor(
    program: Program,
    private readonly arrived: readonly ArrivedJob[],
    private readonly running: readonly RunningJob[],
  ) {
    this.s = program.scalars;
    const steps = this.s.horizon;
    this.fleet = new FleetPower(program);
    this.prices = new Float64Array(steps);
    this.sums = new Float64Array(steps + 1);
    this.load = new Float64Array(steps);
    this.chosen = new Float64Array(steps);
    this.jobCosts = new Float64Array(arrived.length);
  }

  /** The least that any policy loses. */
  leastCost(): number {
    let most = -Infinity;
    let jobCosts = this.jobCosts;
    for (let round = 0; round < NUM_ROUNDS; round++) {
      const cost = this.costAtPrices();
      if (cost > most) {
        most = cost;
        jobCosts = this.jobCosts.slice();
      }
      const share = 2 / (round + 2);
      for (let t = 0; t < this.s.horizon; t++) {
        this.load[t] += share * (this.chosen[t] - this.load[t]);
        this.prices[t] = this.fleet.priceAt(this.load[t]);
      }
    }
    return most - this.savedByDrops(jobCosts);
  }

  /** The bound by the prices as they are; notes the loads of the starts that jobs choose. */
  private costAtPrices(): number {
    const { s, prices, sums, chosen, arrived } = this;
    let power = 0;
    for (let t = 0; t < s.horizon; t++) {
      power += this.fleet.floor(prices[t]);
      sums[t + 1] = sums[t] + prices[t];
    }
    chosen.fill(0);
    for (const { cpu, duration } of this.running) {
      power += cpu * sums[this.occupy(0, cpu, duration)];
    }
    let cost = power * s.rewardPower;
    for (let i = 0; i < arrived.length; i++) {
      this.jobCosts[i] = this.chooseStart(arrived[i]);
      cost += this.jobCosts[i];
    }
    for (let t = 1; t < s.horizon; t++) chosen[t] += chosen[t - 1];
    return cost;
  }

  /** Notes that a job runs from a step on, as a change of load; returns the step it is gone at. */
  private occupy(start: number, cpu: number, duration: number): number {
    // A job releases what it used before the power of its last step is read.
    const end = Math.min(start + duration - 1, this.s.horizon);
    if (start >= this.s.horizon) return end;
    this.chosen[start] += cpu;
    if (end < this.s.horizon) this.chosen[end] -= cpu;
    return end;
  }

  /** The cheapest start of a job: step c costs what it then runs for, and the deadlines passed. */
  private chooseStart({ arrival, cpu, duration }: ArrivedJob): number {
    const { horizon, deadlineSteps, rewardViolation, rewardPower } = this.s;
    const { sums } = this;
    const unit = cpu * rewardPower;
    let least = Infinity;
    let best = horizon;
    // To start at the end is not to start at all.
    for (let m = 0, c = arrival + 1; c <= horizon; m++) {
      const penalty = m * rewardViolation;
      if (penalty >= least) break;
      const last = Math.min(c + deadlineSteps - 1, horizon);
      for (; c <= last; c++) {
        const end = c + duration - 1;
        const cost = penalty + unit * (sums[end < horizon ? end : horizon] - sums[c]);
        if (cost >= least) continue;
        least = cost;
        best = c;
      }
    }
    this.occupy(best, cpu, duration);
    return least;
  }

  /**
   * The most that dropping jobs could save. A drop costs one violation in the place of what the
   * job would cost, but needs a full queue: at the first drop, as many jobs as the queue holds
   * have waited since they came, which costs least where they are the last that came.
   */
  private savedByDrops(jobCosts: Float64Array): number {
    const { arrived } = this;
    const { numSlots, rewardViolation, deadlineSteps } = this.s;
    const full = BACKLOG_MAX + numSlots;
    let saved = 0;
    for (let i = full; i < arrived.length; i++) {
      saved += Math.max(0, jobCosts[i] - rewardViolation);
    }
    if (saved === 0) return 0;
    // The jobs of the queue would cost so much at most in any case.
    const counted = jobCosts
      .toSorted()
      .subarray(-full)
      .reduce((sum, cost) => sum + cost, 0);
    let least = Infinity;
    for (let i = full; i < arrived.length; i++) {
      let passed = 0;
      for (let j = i - full; j < i; j++) {
        passed += Math.floor((arrived[i].arrival - arrived[j].arrival) / deadlineSteps);
      }
      least = Math.min(least, Math.max(0, passed * rewardViolation - counted));
    }
    return Math.max(0, saved - least);
  }
}
