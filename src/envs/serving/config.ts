/** From a task's JSON configuration to what the compiler takes. */

import type { JsonObject } from '../../base/json.js';
import type { ServingConfig } from '../../compile/serving/serving.js';
import { ConfigReader } from '../config-reader.js';
import type { TaskSpec } from '../family.js';
import { MEASURED_DEFAULTS, ORIGIN_DEFAULTS } from './defaults.js';
import { readHysteresis } from './hysteresis.js';
import { readMeasured } from './measured.js';
import { readOrigin } from './origin.js';

/** A task's configuration, read: what the compiler takes, and the JSON it came from. */
export interface ReadConfig {
  readonly config: ServingConfig;
  readonly json: JsonObject;
}

/**
 * Reads a task's configuration with some entries replaced.
 *
 * @throws RangeError naming an entry that is unknown, mistyped or out of range.
 */
export function readConfig(spec: TaskSpec, overrides: JsonObject): ReadConfig {
  const dynamics = overrides['dynamics'] ?? spec.config['dynamics'] ?? 'origin';
  const defaults = dynamics === 'measured' ? MEASURED_DEFAULTS : ORIGIN_DEFAULTS;
  const reader = ConfigReader.over(defaults, [spec.config, overrides]);
  const isMeasured = reader.choice('dynamics', ['origin', 'measured']) === 'measured';
  readHysteresis(reader.json);
  return { config: isMeasured ? readMeasured(reader) : readOrigin(reader), json: reader.json };
}
