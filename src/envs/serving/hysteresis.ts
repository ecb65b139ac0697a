/** The constants of the hysteresis policy in a task's configuration. */

import type { JsonObject } from '../../base/json.js';
import { ConfigReader } from '../config-reader.js';
import { ACTION_FIELDS, readAction } from './common.js';
import { BASELINE_ACTION } from './defaults.js';

/**
 * Two configurations and when to change between them: to `busy` where the queue or the arrival
 * rate reaches its high mark, back to `calm` where neither is above its low mark. A null mark
 * is not looked at.
 */
export interface HysteresisRule {
  /** kv_budget, batch_size, spec_length, prefill_disagg, quant_tier. */
  readonly calm: readonly number[];
  readonly busy: readonly number[];
  /** Requests. */
  readonly queueHigh: number | null;
  readonly queueLow: number | null;
  /** Requests per second, of the observed 10-step mean. */
  readonly rateHighRps: number | null;
  readonly rateLowRps: number | null;
}

const RULE_DEFAULTS: JsonObject = {
  calm: null,
  busy: null,
  queue_high: null,
  queue_low: null,
  rate_high_rps: null,
  rate_low_rps: null,
};
const LEVEL = { min: 0, max: 1_048_576 };

/** The rule of a configuration, or null where it has none. Throws RangeError naming an entry. */
export function readHysteresis(json: JsonObject): HysteresisRule | null {
  if (json['hysteresis'] === null || json['hysteresis'] === undefined) return null;
  const reader = ConfigReader.over(json, []).object('hysteresis', RULE_DEFAULTS);
  const rowOf = (name: string) => {
    const action = readAction(reader.object(name, BASELINE_ACTION));
    return ACTION_FIELDS.map((field) => Number(action[field]));
  };
  return {
    calm: rowOf('calm'),
    busy: rowOf('busy'),
    queueHigh: reader.optionalNumber('queue_high', LEVEL),
    queueLow: reader.optionalNumber('queue_low', LEVEL),
    rateHighRps: reader.optionalNumber('rate_high_rps', LEVEL),
    rateLowRps: reader.optionalNumber('rate_low_rps', LEVEL),
  };
}

/** A rule as it stands in a task's configuration. */
export function hysteresisJson(rule: HysteresisRule): JsonObject {
  const action = (row: readonly number[]): JsonObject =>
    Object.fromEntries(
      ACTION_FIELDS.map((name, i) => [name, name === 'prefill_disagg' ? row[i] === 1 : row[i]]),
    );
  return {
    calm: action(rule.calm),
    busy: action(rule.busy),
    queue_high: rule.queueHigh,
    queue_low: rule.queueLow,
    rate_high_rps: rule.rateHighRps,
    rate_low_rps: rule.rateLowRps,
  };
}
