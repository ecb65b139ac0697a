/** The common part of both dynamics' configurations. */

import type { ServingAction, ServingCommon } from '../../compile/serving/serving.js';
import type { PerfTable } from '../../data/perf-table.js';
import { SPEC_LENGTH_CHOICES, servingLayout } from '../../generated/serving.js';
import type { ConfigReader } from '../config-reader.js';

export const ACTION_FIELDS = servingLayout.actions.map(
  (action) => action.name as keyof ServingAction,
);

export const LATENCY_MS = { min: 0.001, max: 1e7 };
export const SHARE = { min: 0, max: 1 };

/** The entries that both dynamics read alike. */
export function readCommon(
  reader: ConfigReader,
  table: PerfTable,
): Omit<ServingCommon, 'traffic' | 'prompt' | 'horizonSteps' | 'defaultAction'> {
  return {
    table,
    actionSpace: reader.choice('action_space', ['structured', 'normalised', 'discrete']),
    normalizeObservation: reader.boolean('normalize_observation'),
    activeActions: reader.names('active_actions', ACTION_FIELDS),
    noiseStd: reader.number('noise_std', { min: 0, max: 0.5 }),
    memoryMaxGb:
      reader.optionalNumber('max_memory_gb', { min: 0.1, max: 100_000 }) ?? table.deviceMemoryGb,
    priorityMix: readShares(reader),
  };
}

function readShares(reader: ConfigReader): [number, number, number] {
  const shares = reader.numbers('priority_distribution', SHARE, 3);
  const sum = shares[0] + shares[1] + shares[2];
  if (Math.abs(sum - 1) > 1e-9)
    reader.refuse('priority_distribution', 'three shares that sum to 1');
  return [shares[0], shares[1], shares[2]];
}

/** A configuration of the server, in JSON. */
export function readAction(reader: ConfigReader): ServingAction {
  const length = reader.number('spec_length', { min: 0, max: 8, integer: true });
  const spec = SPEC_LENGTH_CHOICES.find((choice) => choice === length);
  return {
    kv_budget: reader.number('kv_budget', { min: 0.1, max: 1 }),
    batch_size: reader.number('batch_size', { min: 1, max: 512, integer: true }),
    spec_length: spec ?? reader.refuse('spec_length', `one of ${SPEC_LENGTH_CHOICES.join(', ')}`),
    prefill_disagg: reader.boolean('prefill_disagg'),
    quant_tier: reader.number('quant_tier', { min: 0, max: 2, integer: true }),
  };
}

/** A configuration row as an action by names; the draft length is one of the choices. */
export function namedAction(row: readonly number[]): ServingAction {
  const [kv_budget, batch_size, length, prefill_disagg, quant_tier] = row;
  const spec_length = SPEC_LENGTH_CHOICES.findLast((choice) => choice <= length) ?? 0;
  return { kv_budget, batch_size, spec_length, prefill_disagg, quant_tier };
}
