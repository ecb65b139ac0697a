/** The least power of a fleet by the CPU in use: what a bound needs to know of its servers. */
import type { SchedulingScalars, SchedulingTables } from '../../generated/scheduling.js';
import type { DecodedProgram } from '../../program/program.js';

/** Past the fleet's CPU the price rises by its steepest rise for every so many parts of it. */
const OVERLOAD_PARTS = 50;

/**
 * The fleet as one server. Each server's power over its CPU is replaced by the greatest convex
 * curve below it (from standby, where servers may sleep), whose pieces, cheapest first, are what
 * the fleet as a whole draws at least.
 */
export class FleetPower {
  /** mW with nothing in use. */
  private base = 0;
  /** [pieces] by rising slope, mW a unit. */
  private readonly slopes: Float64Array;
  /** [pieces + 1] units, and mW, of the pieces before. */
  private readonly units: Float64Array;
  private readonly costs: Float64Array;

  constructor({ scalars: s, tables: t }: DecodedProgram<SchedulingScalars, SchedulingTables>) {
    const counts = Array.from(t.tierCpu, () => 0);
    for (const tier of t.serverTier) counts[tier] += 1;
    const pieces = counts.flatMap((count, tier) => {
      const from = tier * s.powerStride;
      const power = Array.from(t.tierPowerMw.subarray(from, from + t.tierCpu[tier] + 1));
      if (s.sleepAware === 1) power[0] = Math.min(power[0], t.tierSleepMw[tier]);
      this.base += count * power[0];
      return convexPieces(power).map(({ slope, width }) => ({ slope, width: width * count }));
    });
    pieces.sort((a, b) => a.slope - b.slope);
    this.slopes = Float64Array.from(pieces, ({ slope }) => slope);
    this.units = new Float64Array(pieces.length + 1);
    this.costs = new Float64Array(pieces.length + 1);
    pieces.forEach(({ slope, width }, i) => {
      this.units[i + 1] = this.units[i] + width;
      this.costs[i + 1] = this.costs[i] + slope * width;
    });
  }

  /** The least of P(x) - price x, in mW. */
  floor(price: number): number {
    const i = countBelow(this.slopes, price);
    return this.base + this.costs[i] - price * this.units[i];
  }

  /** The mW that a unit more would draw at a load; past the fleet's CPU ever more. */
  priceAt(load: number): number {
    const total = this.units[this.units.length - 1];
    const steepest = this.slopes[this.slopes.length - 1];
    if (load >= total) return steepest * (1 + (OVERLOAD_PARTS * (load - total)) / total);
    return this.slopes[Math.max(0, countBelow(this.units, load) - 1)];
  }
}

/** The pieces of the greatest convex curve below the points (x, power[x]). */
function convexPieces(power: readonly number[]): { slope: number; width: number }[] {
  const corners: number[] = [];
  const slope = (a: number, b: number) => (power[b] - power[a]) / (b - a);
  for (let x = 0; x < power.length; x++) {
    while (corners.length > 1) {
      const [a, b] = corners.slice(-2);
      if (slope(a, b) < slope(b, x)) break;
      corners.pop();
    }
    corners.push(x);
  }
  return corners.slice(1).map((x, i) => ({ slope: slope(corners[i], x), width: x - corners[i] }));
}

/** How many of the rising values are below a value. */
function countBelow(values: Float64Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
