/** The rate traces an autoscaling task can name. */

import { Named } from '../../data/named.js';
import type { RateTrace } from '../../data/rate-trace.js';

/** Traces by name; Node's entry also finds the shipped ones and CSV files by their paths. */
export const rateTraces = new Named<RateTrace>('rate trace');

/**
 * Makes a rate trace known under a name, for `config.request_pattern` of autoscaling tasks:
 * `{ kind: 'trace', trace: name }`. `readRateTrace` makes one from a CSV file.
 */
export function registerRateTrace(name: string, trace: RateTrace): void {
  rateTraces.register(name, trace);
}
