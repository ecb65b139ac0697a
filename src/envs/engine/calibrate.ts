/**
 * Calibration: the four numbers of a server that no fact gives, fitted on its measured runs by
 * Nelder-Mead on their logarithms. A prior keeps each near what servers like it have, so that a
 * number which the runs say nothing about stays there.
 */
import type { EngineCalibration } from '../../data/engine/calibrations.js';
import { compareRun, lossOf, type MeasuredRun } from './measured.js';

/** The numbers that are fitted, with the width of its prior in natural logarithms. */
export const FITTED = {
  layer_s: 0.7,
  sequence_s: 2,
  prefill_s: 0.7,
  arrival_s: 0.7,
} as const satisfies Partial<Record<keyof EngineCalibration, number>>;

const NAMES = Object.keys(FITTED) as (keyof typeof FITTED)[];
const PRIOR_WEIGHT = 0.02;

export interface Fit {
  readonly calibration: EngineCalibration;
  readonly kvBlocks: number | null;
  readonly loss: number;
}

/**
 * Fits a server's calibration.
 *
 * @param runs of one server, the calibration runs only
 * @param start the numbers to begin with, and the priors' centres
 * @param kvBlocks candidates where the engine's log is not at hand; the best is taken
 */
export function fitCalibration(
  runs: readonly MeasuredRun[],
  start: EngineCalibration,
  kvBlocks: readonly number[] = [],
): Fit {
  const candidates: readonly (number | null)[] = kvBlocks.length > 0 ? kvBlocks : [null];
  const fits = candidates.map((blocks) => fitWith(runs, start, blocks));
  return fits.reduce((best, fit) => (fit.loss < best.loss ? fit : best));
}

function fitWith(runs: readonly MeasuredRun[], start: EngineCalibration, kvBlocks: number | null) {
  const decode = (x: readonly number[]): EngineCalibration => {
    const fitted = NAMES.map((name, i) => [name, start[name] * Math.exp(x[i]!)]);
    return { ...start, ...Object.fromEntries(fitted) };
  };
  const loss = (x: readonly number[]): number => {
    const calibration = decode(x);
    let sum = 0;
    for (const run of runs) {
      const blocks = kvBlocks === null ? {} : { num_gpu_blocks: kvBlocks };
      const config = {
        ...run.config,
        ...blocks,
        calibration: { ...calibration, ...run.config.calibration },
      };
      sum += lossOf(compareRun({ ...run, config }, 2)) / runs.length;
    }
    NAMES.forEach((name, i) => {
      const z = x[i]! / FITTED[name];
      sum += PRIOR_WEIGHT * z * z;
    });
    return sum;
  };
  const best = minimize(
    loss,
    NAMES.map(() => 0),
    0.3,
    120,
  );
  return { calibration: decode(best.x), kvBlocks, loss: best.y };
}

interface Point {
  readonly x: readonly number[];
  readonly y: number;
}

/** Nelder-Mead with the usual coefficients. */
export function minimize(
  f: (x: readonly number[]) => number,
  start: readonly number[],
  step: number,
  iterations: number,
): Point {
  const at = (x: readonly number[]): Point => ({ x, y: f(x) });
  const moved = (i: number) => start.map((v, j) => (j === i ? v + step : v));
  let simplex = [at(start), ...start.map((_, i) => at(moved(i)))];
  for (let k = 0; k < iterations; k++) {
    simplex.sort((a, b) => a.y - b.y);
    const [best, worst] = [simplex[0]!, simplex.at(-1)!];
    const others = simplex.slice(0, -1);
    const centre = start.map((_, j) => others.reduce((s, p) => s + p.x[j]! / others.length, 0));
    const along = (t: number) => at(centre.map((v, j) => v + t * (worst.x[j]! - v)));
    const reflected = along(-1);
    if (reflected.y < best.y) {
      const expanded = along(-2);
      simplex = [...others, expanded.y < reflected.y ? expanded : reflected];
    } else if (reflected.y < others.at(-1)!.y) {
      simplex = [...others, reflected];
    } else {
      const inner = along(reflected.y < worst.y ? -0.5 : 0.5);
      if (inner.y < Math.min(reflected.y, worst.y)) simplex = [...others, inner];
      else simplex = [best, ...simplex.slice(1).map((p) => at(halfway(p.x, best.x)))];
    }
  }
  return simplex.reduce((a, b) => (b.y < a.y ? b : a));
}

const halfway = (a: readonly number[], b: readonly number[]) => a.map((v, j) => (v + b[j]!) / 2);
