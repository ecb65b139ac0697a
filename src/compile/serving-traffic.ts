/** Traffic of a serving task: which arrival rate, phase and mean prompt hold at each step. */
import { phase } from '../generated/serving.js';

/** A profile of the traffic, one entry per step; a window of it is an episode. */
export interface ServingTraffic {
  /** Mean arrivals per step, by level. */
  readonly rates: readonly number[];
  /** Level of each step. */
  readonly levels: readonly number[];
  /** Index into phases of each step. */
  readonly phases: readonly number[];
  /** Mean prompt of each step in tokens; zeros where prompts are drawn. */
  readonly promptLens: readonly number[];
  /** Mean arrivals per step over the profile. */
  readonly meanRate: number;
}

const WARMUP_STEPS = 10;
const COOLDOWN_STEPS = 10;

/** Two rates: a step is a burst where `isBurst` says so. */
export function burstTraffic(
  steps: number,
  rate: number,
  burstRate: number,
  isBurst: (step: number) => boolean,
): ServingTraffic {
  const bursts = Array.from({ length: steps }, (_, step) => isBurst(step));
  const levels = bursts.map((burst) => (burst ? 1 : 0));
  const numBursts = levels.reduce<number>((sum, level) => sum + level, 0);
  return {
    rates: [rate, burstRate],
    levels,
    phases: tagPhases(bursts),
    promptLens: new Array<number>(steps).fill(0),
    meanRate: (rate * (steps - numBursts) + burstRate * numBursts) / steps,
  };
}

/** Warm-up for ten steps, bursts, ten steps of cooldown after each, else steady. */
export function tagPhases(bursts: readonly boolean[]): number[] {
  let cooldownLeft = 0;
  return bursts.map((burst, step) => {
    const cooling = cooldownLeft > 0;
    cooldownLeft = burst ? COOLDOWN_STEPS : cooldownLeft - 1;
    if (burst) return phase.burst;
    if (step < WARMUP_STEPS) return phase.warmup;
    return cooling ? phase.cooldown : phase.steady;
  });
}
