/**
 * A workload that no change of the library can make faster or slower: multiplications of integers
 * and of f64 over 64 kB, like a step's, in plain JavaScript. Every group times it in each of its
 * rounds, and two runs, on other days or machines, are compared by ratios to it.
 */
import type { Workload } from './workload.js';

export const CALIBRATION = 'calibration';
const WORDS = 8192;

export function calibration(): Workload {
  const values = new Float64Array(WORDS).fill(1);
  let word = 1;
  const run = () => {
    for (let i = 0; i < WORDS; i++) {
      word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d) + i;
      values[i] = values[i] * 0.5 + (word >>> 8) * 2 ** -24;
    }
  };
  return { id: CALIBRATION, run, units: WORDS, close: () => {} };
}
