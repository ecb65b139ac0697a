/** From a recommendation to a size: stabilization windows and limits on the rate of change. */
import type { HpaSpec, ScalingRules } from './object.js';

/** Numbers with the times they were recorded at, oldest first; a sync reads the last few. */
class TimedList {
  private times_s: number[] = [];
  private values: number[] = [];
  private head = 0;

  get length(): number {
    return this.times_s.length - this.head;
  }

  push(time_s: number, value: number): void {
    this.times_s.push(time_s);
    this.values.push(value);
  }

  dropBefore(before_s: number): void {
    while (this.head < this.times_s.length && this.times_s[this.head]! < before_s) this.head++;
    // Moving the rest at every sync would cost more than the sync.
    if (this.head < 1024) return;
    this.times_s = this.times_s.slice(this.head);
    this.values = this.values.slice(this.head);
    this.head = 0;
  }

  highestAfter(from_s: number, least: number): number {
    let best = least;
    for (let i = this.head; i < this.values.length; i++) {
      if (this.values[i]! > best && this.times_s[i]! > from_s) best = this.values[i]!;
    }
    return best;
  }

  lowestAfter(from_s: number, most: number): number {
    let best = most;
    for (let i = this.head; i < this.values.length; i++) {
      if (this.values[i]! < best && this.times_s[i]! > from_s) best = this.values[i]!;
    }
    return best;
  }

  sumAfter(from_s: number): number {
    let sum = 0;
    for (let i = this.head; i < this.values.length; i++) {
      if (this.times_s[i]! > from_s) sum += this.values[i]!;
    }
    return sum;
  }
}

/** Limits that held a size back, by the words of the controller's conditions. */
export type Limit =
  | 'none'
  | 'ScaleUpStabilized'
  | 'ScaleDownStabilized'
  | 'ScaleUpLimit'
  | 'ScaleDownLimit'
  | 'TooManyReplicas'
  | 'TooFewReplicas';

export interface Normalized {
  readonly replicas: number;
  readonly limit: Limit;
}

/** Recommendations and scale events of one autoscaler, forgotten once no rule asks for them. */
export class ScalingMemory {
  private readonly recommendations = new TimedList();
  private readonly ups = new TimedList();
  private readonly downs = new TimedList();

  /** Whether no recommendation is remembered. */
  get isEmpty(): boolean {
    return this.recommendations.length === 0;
  }

  recommend(time_s: number, replicas: number): void {
    this.recommendations.push(time_s, replicas);
  }

  /** A change of size by `change` pods. */
  scaled(time_s: number, change: number): void {
    if (change > 0) this.ups.push(time_s, change);
    else this.downs.push(time_s, -change);
  }

  /** Drops what is older than the longest window, and events older than the longest period. */
  forget(before_s: number, eventsBefore_s: number): void {
    this.recommendations.dropBefore(before_s);
    this.ups.dropBefore(eventsBefore_s);
    this.downs.dropBefore(eventsBefore_s);
  }

  /** Highest recommendation after a moment, at least `least`. */
  highest(least: number, from_s: number): number {
    return this.recommendations.highestAfter(from_s, least);
  }

  /** Lowest recommendation after a moment, at most `most`. */
  lowest(most: number, from_s: number): number {
    return this.recommendations.lowestAfter(from_s, most);
  }

  /** Size at the beginning of the period that ends now. */
  sizeBefore(replicas: number, period_s: number, now_s: number): number {
    const from_s = now_s - period_s;
    return replicas - this.ups.sumAfter(from_s) + this.downs.sumAfter(from_s);
  }
}

/**
 * Size after stabilization and limits, where the object states no behavior: a window downwards,
 * and at most twice the size, or 4, upwards.
 */
export function normalizePlain(
  memory: ScalingMemory,
  spec: HpaSpec,
  replicas: number,
  recommendation: number,
  now_s: number,
  downWindow_s: number,
): Normalized {
  const stabilized = memory.highest(recommendation, now_s - downWindow_s);
  memory.recommend(now_s, recommendation);
  const upLimit = Math.max(2 * replicas, 4);
  if (stabilized < spec.min_replicas) return { replicas: spec.min_replicas, limit: TOO_FEW };
  if (stabilized > Math.min(upLimit, spec.max_replicas)) {
    const isRate = upLimit < spec.max_replicas;
    return { replicas: isRate ? upLimit : spec.max_replicas, limit: isRate ? UP_RATE : TOO_MANY };
  }
  return { replicas: stabilized, limit: stabilized > recommendation ? HELD_UP : 'none' };
}

const TOO_FEW = 'TooFewReplicas';
const TOO_MANY = 'TooManyReplicas';
const UP_RATE = 'ScaleUpLimit';
const DOWN_RATE = 'ScaleDownLimit';
const HELD_UP = 'ScaleDownStabilized';
const HELD_DOWN = 'ScaleUpStabilized';

/** Recommendation within the windows of a behavior; records it. */
export function stabilize(
  memory: ScalingMemory,
  behavior: NonNullable<HpaSpec['behavior']>,
  replicas: number,
  recommendation: number,
  now_s: number,
): Normalized {
  const up = memory.lowest(recommendation, now_s - behavior.up.window_s);
  const down = memory.highest(recommendation, now_s - behavior.down.window_s);
  memory.recommend(now_s, recommendation);
  const stabilized = Math.min(Math.max(replicas, up), down);
  if (stabilized === recommendation) return { replicas: stabilized, limit: 'none' };
  return { replicas: stabilized, limit: stabilized > recommendation ? HELD_UP : HELD_DOWN };
}

/** Size within the policies of a behavior, the minimum and the maximum. */
export function limitRate(
  memory: ScalingMemory,
  spec: HpaSpec,
  replicas: number,
  desired: number,
  now_s: number,
): Normalized {
  const { up, down } = spec.behavior!;
  if (desired > replicas) {
    const limit = Math.max(replicas, upLimit(memory, up, replicas, now_s));
    const most = Math.min(spec.max_replicas, limit);
    if (desired <= most) return { replicas: desired, limit: 'none' };
    return { replicas: most, limit: spec.max_replicas > limit ? UP_RATE : TOO_MANY };
  }
  if (desired < replicas) {
    const limit = Math.min(replicas, downLimit(memory, down, replicas, now_s));
    const least = Math.max(spec.min_replicas, limit);
    if (desired >= least) return { replicas: desired, limit: 'none' };
    return { replicas: least, limit: spec.min_replicas < limit ? DOWN_RATE : TOO_FEW };
  }
  return { replicas: desired, limit: 'none' };
}

function upLimit(memory: ScalingMemory, rules: ScalingRules, size: number, now_s: number): number {
  if (rules.select === 'Disabled') return size;
  const takesLeast = rules.select === 'Min';
  let limit = takesLeast ? Infinity : -Infinity;
  for (const { type, value, period_s } of rules.policies) {
    const start = memory.sizeBefore(size, period_s, now_s);
    const proposed = type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100));
    limit = takesLeast ? Math.min(limit, proposed) : Math.max(limit, proposed);
  }
  return limit;
}

/** Downwards the least change is the highest size. */
function downLimit(
  memory: ScalingMemory,
  rules: ScalingRules,
  size: number,
  now_s: number,
): number {
  if (rules.select === 'Disabled') return size;
  const takesLeast = rules.select === 'Min';
  let limit = takesLeast ? -Infinity : Infinity;
  for (const { type, value, period_s } of rules.policies) {
    const start = memory.sizeBefore(size, period_s, now_s);
    const proposed = type === 'Pods' ? start - value : Math.trunc(start * (1 - value / 100));
    limit = takesLeast ? Math.max(limit, proposed) : Math.min(limit, proposed);
  }
  return limit;
}
