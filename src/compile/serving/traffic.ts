/** Traffic of a serving task: which arrival rate, phase and mean prompt hold at each step. */
import type { TrafficProfile } from '../../data/traffic-profile.js';
import { phase } from '../../generated/serving.js';

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
function tagPhases(bursts: readonly boolean[]): number[] {
  let cooldownLeft = 0;
  return bursts.map((burst, step) => {
    const cooling = cooldownLeft > 0;
    cooldownLeft = burst ? COOLDOWN_STEPS : cooldownLeft - 1;
    if (burst) return phase.burst;
    if (step < WARMUP_STEPS) return phase.warmup;
    return cooling ? phase.cooldown : phase.steady;
  });
}

/** Most arrival-rate levels: each has an alias table of its own. */
const RATE_LEVELS_MAX = 64;
/** A step is a burst where its rate is above this many times the mean. */
const BURST_RATIO = 1.5;

/** A recording's traffic with its rates scaled so that their mean is `meanRateRps`. */
export function recordedTraffic(profile: TrafficProfile, meanRateRps: number): ServingTraffic {
  const { ratesRps, promptLens } = profile;
  const mean = ratesRps.reduce((sum, rate) => sum + rate, 0) / ratesRps.length;
  const scaled = ratesRps.map((rate) => (rate * meanRateRps) / mean);
  const top = scaled.reduce((most, rate) => (rate > most ? rate : most), 0);
  const width = top / (RATE_LEVELS_MAX - 1);
  const nearest = scaled.map((rate) => Math.floor(rate / width + 0.5));
  const used = [...new Set(nearest)].sort((a, b) => a - b);
  const rates = used.map((level) => level * width);
  const levels = nearest.map((level) => used.indexOf(level));
  const meanRate = levels.reduce((sum, level) => sum + rates[level], 0) / levels.length;
  const bursts = levels.map((level) => rates[level] > BURST_RATIO * meanRate);
  return { rates, levels, phases: tagPhases(bursts), promptLens: [...promptLens], meanRate };
}
