/** The origin's dynamics: bursts and prompt distributions by the origin's names. */

import type { JsonObject } from '../../base/json.js';
import type { PromptSource, ServingOrigin } from '../../compile/serving/serving.js';
import { burstTraffic, type ServingTraffic } from '../../compile/serving/traffic.js';
import type { ConfigReader } from '../config-reader.js';
import { LATENCY_MS, readAction, readCommon, SHARE } from './common.js';
import { BASELINE_ACTION } from './defaults.js';
import { servingTables } from './registered.js';

const WEIGHT = { min: -1000, max: 1000 };
const TOKENS = { min: 1, max: 131072 };
const STEPS = { min: 1, max: 1_000_000, integer: true };
/** Above it the Poisson distribution no longer fits an alias table. */
const RATE_RPS = { min: 0, max: 1000 };

/** Reads a task of the origin's dynamics. */
export function readOrigin(reader: ConfigReader): ServingOrigin {
  const table = servingTables.find(reader.text('table'));
  const horizonSteps = reader.number('episode_len', STEPS);
  return {
    dynamics: 'origin',
    ...readCommon(reader, table),
    horizonSteps,
    defaultAction: readAction(reader.object('default_action', BASELINE_ACTION)),
    traffic: readTraffic(reader, horizonSteps),
    prompt: readPrompts(reader),
    alpha: reader.number('alpha', WEIGHT),
    beta: reader.number('beta', WEIGHT),
    gamma: reader.number('gamma', WEIGHT),
    delta: reader.number('delta', WEIGHT),
    maxThroughput: reader.number('max_throughput', { min: 1, max: 1e9 }),
    costCeiling: reader.number('cost_ceiling', { min: 1e-6, max: 1e6 }),
    sloTargetMs: reader.number('slo_target_ms', LATENCY_MS),
    sloBatchMs: reader.number('slo_batch_ms', LATENCY_MS),
    priorityRouting: reader.boolean('priority_routing'),
    acceptBase: reader.number('spec_accept_base', SHARE),
  };
}

/** Steady arrivals, or bursts in every second window, or bursts at an interval. */
function readTraffic(reader: ConfigReader, steps: number): ServingTraffic {
  const rate = reader.number('arrival_rate_rps', RATE_RPS);
  const burstRate = reader.optionalNumber('arrival_rate_burst', RATE_RPS);
  const period = reader.optionalNumber('burst_period_steps', STEPS);
  const multiplier = reader.optionalNumber('burst_multiplier', { min: 0, max: 1000 });
  const interval = reader.optionalNumber('burst_interval_steps', STEPS);
  const duration = reader.optionalNumber('burst_duration_steps', STEPS);
  if (burstRate !== null && multiplier !== null) {
    reader.refuse('burst_multiplier', 'null, beside arrival_rate_burst,');
  }
  if (burstRate !== null) {
    if (period === null) return reader.refuse('burst_period_steps', 'a number of steps');
    return burstTraffic(steps, rate, burstRate, (step) => Math.floor(step / period) % 2 === 1);
  }
  if (multiplier === null) return burstTraffic(steps, rate, rate, () => false);
  if (interval === null) return reader.refuse('burst_interval_steps', 'a number of steps');
  if (duration === null) return reader.refuse('burst_duration_steps', 'a number of steps');
  if (rate * multiplier > RATE_RPS.max) {
    reader.refuse('burst_multiplier', `a burst of at most ${RATE_RPS.max} requests per step`);
  }
  const isBurst = (step: number) => step >= interval && step % interval < duration;
  return burstTraffic(steps, rate, rate * multiplier, isBurst);
}

const PROMPT_DEFAULTS: Record<string, JsonObject> = {
  uniform: { kind: 'uniform', min: null, max: null },
  lognormal: { kind: 'lognormal', mu: null, sigma: null, min: 1, max: 131072 },
  mixture: { kind: 'mixture', pieces: null },
  quantiles: { kind: 'quantiles', knots: null },
};
const PIECE_DEFAULTS: JsonObject = { weight: null, min: null, max: null };

function readPrompts(reader: ConfigReader): PromptSource {
  const kinds = Object.keys(PROMPT_DEFAULTS);
  const given = reader.json['prompt_len_dist'];
  const kind = (given as JsonObject | null)?.['kind'];
  const defaults = PROMPT_DEFAULTS[String(kind)];
  if (defaults === undefined) {
    return reader.refuse('prompt_len_dist', `an object whose kind is one of ${kinds.join(', ')}`);
  }
  const prompt = reader.object('prompt_len_dist', defaults);
  if (kind === 'uniform') return { kind, ...readInterval(prompt) };
  if (kind === 'lognormal') {
    const mu = prompt.number('mu', { min: -10, max: 12 });
    return { kind, mu, sigma: prompt.number('sigma', { min: 0, max: 3 }), ...readInterval(prompt) };
  }
  if (kind === 'mixture') {
    const pieces = prompt.objects('pieces', PIECE_DEFAULTS).map((piece) => {
      const { min, max } = readInterval(piece);
      return { weight: piece.number('weight', { min: 0, max: 1e6 }), lo: min, hi: max };
    });
    if (pieces.length === 0) prompt.refuse('pieces', 'at least one piece');
    return { kind, pieces };
  }
  const knots = prompt.numbers('knots', TOKENS);
  const ascend = knots.every((knot, i) => i === 0 || knot >= knots[i - 1]);
  if (knots.length < 2 || knots.length > 129 || !ascend) {
    prompt.refuse('knots', '2 to 129 numbers that do not decrease');
  }
  return { kind: 'quantiles', knots };
}

function readInterval(reader: ConfigReader): { min: number; max: number } {
  const min = reader.number('min', TOKENS);
  const max = reader.number('max', TOKENS);
  if (max < min) reader.refuse('max', `a number of at least min, ${min},`);
  return { min, max };
}
