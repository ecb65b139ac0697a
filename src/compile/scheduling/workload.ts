/** Workloads of scheduling tasks: how many jobs arrive in a step, and what they ask for. */
import type { JobTrace } from '../../data/job-trace.js';
import { sin2pi } from '../../program/math.js';

/** A discrete distribution: at most 512 values, with weights that need not sum to 1. */
export interface Distribution {
  readonly values: readonly number[];
  readonly weights: readonly number[];
}

/** Jobs that are drawn: Poisson arrivals; demands independent of each other. */
export interface DrawnWorkload {
  readonly kind: 'drawn';
  /** Mean arrivals of each step of a period. */
  readonly rates: readonly number[];
  readonly cpu: Distribution;
  readonly mem: Distribution;
  /** Steps. */
  readonly duration: Distribution;
}

/** Jobs that were recorded; an episode is a window of the recording. */
export interface RecordedWorkload {
  readonly kind: 'trace';
  readonly trace: JobTrace;
  /** Whether the jobs that run when a window begins are there. */
  readonly warmStart: boolean;
}

export type Workload = DrawnWorkload | RecordedWorkload;

/** Every integer from `min` to `max`, equally likely. */
export function uniformIntegers(min: number, max: number): Distribution {
  const values = Array.from({ length: max - min + 1 }, (_, i) => min + i);
  return { values, weights: values.map(() => 1) };
}

/**
 * A geometric number of steps, 1, 2, …, of the given mean; what is longer than `max` lasts `max`.
 * Weights by the recurrence w(d + 1) = w(d) (1 - 1 / mean).
 */
export function geometricSteps(mean: number, max: number): Distribution {
  const values = Array.from({ length: max }, (_, i) => i + 1);
  let left = 1;
  const weights = values.map((steps) => {
    const weight = steps < max ? left / mean : left;
    left -= steps < max ? weight : 0;
    return weight;
  });
  return { values, weights };
}

/** Equally likely samples, scaled, rounded and held within [min, max]; equal ones are merged. */
export function scaledSamples(
  samples: readonly number[],
  scale: number,
  [min, max]: readonly [number, number],
): Distribution {
  const counts = new Map<number, number>();
  for (const sample of samples) {
    const rounded = Math.floor(sample * scale + 0.5);
    const above = rounded > min ? rounded : min;
    const value = above < max ? above : max;
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const values = [...counts.keys()].sort((a, b) => a - b);
  return { values, weights: values.map((value) => counts.get(value) as number) };
}

export function meanOf({ values, weights }: Distribution): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return values.reduce((sum, value, i) => sum + value * weights[i], 0) / total;
}

/** The scale at which samples, held within `range`, have a mean; it must be within their reach. */
export function scaleToMean(
  samples: readonly number[],
  mean: number,
  range: readonly [number, number],
): number {
  let low = 0;
  let high = 1;
  while (meanOf(scaledSamples(samples, high, range)) < mean) high *= 2;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (meanOf(scaledSamples(samples, middle, range)) < mean) low = middle;
    else high = middle;
  }
  return high;
}

/** A mean rate that swings by a share of itself: rate (1 + swing sin(2 pi t / period)). */
export function swingingRates(rate: number, swing: number, period: number): number[] {
  return Array.from({ length: period }, (_, t) => rate * (1 + swing * sin2pi(t / period)));
}
