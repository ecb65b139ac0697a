/** The request rate of an autoscaling task: a profile, and the windows of it that are episodes. */
import type { RateTrace } from '../../data/rate-trace.js';
import { cos2pi } from '../../program/math.js';

/**
 * Mean requests of each step. An episode that begins at `starts[k]` reads the rate there at its
 * reset and the following ones in its steps, times `scales[k]`.
 */
export interface RateLoad {
  /** Requests per step. */
  readonly rates: readonly number[];
  readonly starts: readonly number[];
  readonly scales: readonly number[];
}

/** A rate that does not change. */
export function constantLoad(rate: number): RateLoad {
  return { rates: [rate], starts: [0], scales: [1] };
}

/** A day and a week in the load. */
interface WeeklyPattern {
  /** Mean requests per step of a weekday. */
  readonly baseRate: number;
  /** Swing about the mean within a day, 0 .. 1; the day begins at its lowest rate. */
  readonly amplitude: number;
  /** Factor on the last two days of the week. */
  readonly weekendFactor: number;
  readonly stepsPerDay: number;
}

const DAYS_PER_WEEK = 7;
const WEEKDAYS = 5;

/** A week that repeats; an episode can begin at any step of it. */
export function weeklyLoad(pattern: WeeklyPattern, horizonSteps: number): RateLoad {
  const { baseRate, amplitude, weekendFactor, stepsPerDay } = pattern;
  const stepsPerWeek = DAYS_PER_WEEK * stepsPerDay;
  const week = Array.from({ length: stepsPerWeek }, (_, step) => {
    const day = Math.floor(step / stepsPerDay);
    const swing = 1 - amplitude * cos2pi((step - day * stepsPerDay) / stepsPerDay);
    return baseRate * swing * (day < WEEKDAYS ? 1 : weekendFactor);
  });
  return {
    rates: Array.from({ length: stepsPerWeek + horizonSteps }, (_, i) => week[i % stepsPerWeek]),
    starts: week.map((_, step) => step),
    scales: week.map(() => 1),
  };
}

/**
 * The windows of a trace, each scaled so that the mean of its steps is `meanRate`. Windows without
 * requests, and windows that peak above `peakRate`, are left out.
 *
 * @throws RangeError where the trace is shorter than an episode, or no window is left.
 */
export function traceLoad(
  trace: RateTrace,
  horizonSteps: number,
  meanRate: number,
  peakRate: number,
): RateLoad {
  const { requests, name } = trace;
  const last = requests.length - 1 - horizonSteps;
  if (last < 0) {
    const needed = `max_steps + 1 = ${horizonSteps + 1} are needed`;
    throw new RangeError(`trace "${name}" has ${requests.length} entries: ${needed}`);
  }
  const starts: number[] = [];
  const scales: number[] = [];
  let sum = 0;
  for (let i = 1; i <= horizonSteps; i++) sum += requests[i];
  for (let start = 0; start <= last; start++) {
    const scale = (meanRate * horizonSteps) / sum;
    if (sum > 0 && peakOf(requests, start, horizonSteps) * scale <= peakRate) {
      starts.push(start);
      scales.push(scale);
    }
    sum += (requests[start + horizonSteps + 1] ?? 0) - requests[start + 1];
  }
  if (starts.length === 0) {
    const limit = `scaled to mean ${meanRate} peaks at ${peakRate} or less`;
    throw new RangeError(`trace "${name}": no window of ${horizonSteps} steps ${limit}`);
  }
  return { rates: requests, starts, scales };
}

function peakOf(requests: readonly number[], start: number, steps: number): number {
  let peak = 0;
  for (let i = start; i <= start + steps; i++) peak = requests[i] > peak ? requests[i] : peak;
  return peak;
}
