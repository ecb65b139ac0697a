/** An upper bound of what any policy can return in an episode of scheduling. */

import {
  BACKLOG_MAX,
  type SchedulingScalars,
  type SchedulingTables,
} from '../../generated/scheduling.js';
import type { DecodedProgram } from '../../program/program.js';
import type { ArrivedJob } from '../../reference/scheduling/jobs.js';

type Program = DecodedProgram<SchedulingScalars, SchedulingTables>;

/** Halvings of the interval in which the price of work is sought. */
const NUM_HALVINGS = 40;
/** Every reward is rounded to f32, which takes at most half an ulp from what it costs. */
const ROUNDING = 1 - 2 ** -23;

/**
 * The dual bound. Whatever the price p of a unit of CPU for a step, a server with x units in use
 * draws at least h(p) + p x, h(p) being the least of P(x) - p x over x (and the standby power,
 * where servers may sleep). Summed over servers and steps: power costs at least the sum of h(p),
 * and every job pays p for the work that it does within the episode. A job picks the cheapest
 * number of violations: with m of them it starts by arrival + (m + 1) deadlines at the latest,
 * and the later it starts, the less of it falls into the episode. The greatest cost over p is a
 * bound; it is concave in p, so bisection finds it.
 *
 * Loose, as it knows neither memory nor packing, one decision a step, nor what waking costs.
 *
 * @returns at least the return of any policy; exact to rounding where no job arrives
 */
export function returnBound(program: Program, jobs: readonly ArrivedJob[]): number {
  let low = 0;
  let high = steepestRise(program);
  for (let i = 0; i < NUM_HALVINGS; i++) {
    const third = (high - low) / 3;
    if (leastCost(program, jobs, low + third) < leastCost(program, jobs, high - third)) {
      low += third;
    } else {
      high -= third;
    }
  }
  return 0 - leastCost(program, jobs, (low + high) / 2) * ROUNDING;
}

/** The steepest rise of any server's power, mW a unit: no price above it makes sense. */
function steepestRise({ scalars: s, tables: t }: Program): number {
  let steepest = 0;
  t.tierCpu.forEach((capacity, tier) => {
    for (let x = 0; x < capacity; x++) {
      const rise =
        t.tierPowerMw[tier * s.powerStride + x + 1] - t.tierPowerMw[tier * s.powerStride + x];
      steepest = Math.max(steepest, rise, t.tierPowerMw[tier * s.powerStride + x]);
    }
  });
  return steepest;
}

/** The least loss of any policy, by a price of mW a unit. */
function leastCost(program: Program, jobs: readonly ArrivedJob[], price: number): number {
  const { scalars: s, tables: t } = program;
  const floors = Array.from(t.tierCpu, (_, tier) => powerFloor(program, tier, price));
  const fleet = t.serverTier.reduce((sum, tier) => sum + floors[tier], 0);
  let cost = fleet * s.horizon * s.rewardPower;
  // A job can be dropped only where more have come than can wait.
  const mayDrop = jobs.length > BACKLOG_MAX + s.numSlots;
  for (const job of jobs) {
    const jobCost = leastJobCost(s, job, price);
    cost += mayDrop ? Math.min(jobCost, s.rewardViolation) : jobCost;
  }
  return cost;
}

/** The least of P(x) - price x over what a server of this tier can be in. */
function powerFloor({ scalars: s, tables: t }: Program, tier: number, price: number): number {
  let least = s.sleepAware === 1 ? t.tierSleepMw[tier] : Infinity;
  for (let x = 0; x <= t.tierCpu[tier]; x++) {
    least = Math.min(least, t.tierPowerMw[tier * s.powerStride + x] - price * x);
  }
  return least;
}

/** The cheapest number of violations, with the work that is then left within the episode. */
function leastJobCost(s: SchedulingScalars, job: ArrivedJob, price: number): number {
  let least = Infinity;
  for (let m = 0; ; m++) {
    const latest = job.arrival + s.deadlineSteps * (m + 1);
    const left = Math.max(0, s.horizon - latest);
    // A job releases what it used before the power of its last step is read.
    const steps = Math.min(job.duration - 1, left);
    const work = price * job.cpu * steps * s.rewardPower;
    least = Math.min(least, work + m * s.rewardViolation);
    if (steps === 0 || (m + 1) * s.rewardViolation >= least) return least;
  }
}
