/** Losses as the engines take them: arrays checked, and what is summed over rows in binary64. */
import type { Engine, Rows } from './engine.js';
import { STATS } from './engine.js';
import type { ModelLayout } from './layout.js';
import type {
  CloneBatch,
  Losses,
  LossName,
  PpoBatch,
  PpoCoefficients,
  TdBatch,
  TdCoefficients,
  ValueBatch,
  ValueCoefficients,
} from './types.js';

/** The parts of a model that a loss needs. */
export interface LossHost {
  readonly layout: ModelLayout;
  readonly engine: Engine;
  readonly params: Float32Array;
  readonly call: Rows;
  /** Index of a net; throws for a name that there is none of. */
  net(name: string): number;
}

type LossCalls = {
  readonly [L in LossName]: (
    host: LossHost,
    batch: Losses[L][0],
    coefficients: Losses[L][1],
  ) => Losses[L][2];
};

export const lossCalls: LossCalls = { ppo, clone, td, value };

function ppo(host: LossHost, batch: PpoBatch, coefficients: PpoCoefficients) {
  const { call, engine } = host;
  const { clip = 0.2, valueClip = Infinity, value = 0.5, entropy = 0 } = coefficients;
  const check = lengths(host, batch.observations);
  const { weights = null, returns = null } = batch;
  check({ logProbs: batch.logProbs, advantages: batch.advantages, weights, returns });
  const isClipped = returns !== null && valueClip < Infinity;
  if (isClipped && batch.values === undefined) {
    throw new RangeError('values is absent: valueClip is finite and needs them');
  }
  const total = sumOf(weights, call.rows);
  const { normalizeAdvantages = true } = coefficients;
  const [mean, inverse] = normalizeAdvantages
    ? moments(batch.advantages, weights, call.rows, total)
    : [0, 1];
  const sums = new Float64Array(STATS);
  engine.policy(
    {
      ...call,
      actions: actionsOf(host, batch.observations, batch.actions),
      logProbs: batch.logProbs,
      advantages: batch.advantages,
      weights,
      returns,
      values: isClipped ? checked(check, 'values', batch.values!) : null,
      critic: returns === null ? -1 : host.net('critic'),
      mean,
      inverse,
      scale: inverseOf(total),
      valueScale: 1 / call.rows.length,
      clip,
      valueClip,
      value,
      entropy,
    },
    sums,
  );
  const share = inverseOf(total);
  return {
    policyLoss: sums[0] * share,
    valueLoss: sums[1] / call.rows.length,
    entropy: sums[2] * share,
    approxKl: sums[3] * share,
    clipFraction: sums[4] * share,
  };
}

function clone(host: LossHost, batch: CloneBatch, { entropy = 0 }: { entropy?: number }) {
  const { call, engine } = host;
  const { weights = null } = batch;
  lengths(host, batch.observations)({ weights });
  const share = inverseOf(sumOf(weights, call.rows));
  const sums = new Float64Array(STATS);
  engine.policy(
    {
      ...call,
      actions: actionsOf(host, batch.observations, batch.actions),
      logProbs: null,
      advantages: null,
      weights,
      returns: null,
      values: null,
      critic: -1,
      mean: 0,
      inverse: 1,
      scale: share,
      valueScale: 0,
      clip: Infinity,
      valueClip: Infinity,
      value: 0,
      entropy,
    },
    sums,
  );
  return { loss: sums[0] * share, entropy: sums[2] * share };
}

function td(host: LossHost, batch: TdBatch, coefficients: TdCoefficients) {
  const { call, engine, layout } = host;
  const { gamma = 0.99, huber = Infinity, double = true, conservative = 0 } = coefficients;
  const check = lengths(host, batch.observations);
  const { discounts = null, targets = null, weights = null, errors = null } = batch;
  const { rewards = null, terminated = null, nextObservations = null, nextMasks = null } = batch;
  check({ rewards, terminated, discounts, targets, weights });
  check({ nextObservations }, layout.observationDim);
  check({ nextMasks }, layout.outputs);
  if (targets === null && (rewards === null || nextObservations === null)) {
    throw new RangeError('rewards or nextObservations is absent: td needs both, or targets');
  }
  if (errors !== null && errors.length !== call.rows.length) {
    const needed = `one for each of ${call.rows.length} rows is needed`;
    throw new RangeError(`errors has ${errors.length} numbers: ${needed}`);
  }
  const net = coefficients.net === undefined ? 0 : host.net(coefficients.net);
  if (layout.head.kind !== 'categorical' || layout.nets[net].outputs !== layout.outputs) {
    throw new RangeError(`td needs a categorical head and a net of ${layout.outputs} outputs`);
  }
  const targetParams = coefficients.target?.params ?? host.params;
  if (targetParams.length !== host.params.length) {
    const needed = `${host.params.length} are needed`;
    throw new RangeError(`target has ${targetParams.length} parameters: ${needed}`);
  }
  const sums = new Float64Array(STATS);
  const share = 1 / call.rows.length;
  engine.td(
    {
      ...call,
      net,
      actions: actionsOf(host, batch.observations, batch.actions),
      rewards,
      terminated,
      nextObservations,
      nextMasks,
      discounts,
      targets,
      weights,
      errors,
      targetParams,
      scale: share,
      gamma,
      huber,
      double,
      conservative,
      cost: coefficients.cost ?? false,
    },
    sums,
  );
  return {
    loss: sums[0] * share,
    value: sums[1] * share,
    absError: sums[2] * share,
    conservativeGap: sums[3] * share,
  };
}

function value(host: LossHost, batch: ValueBatch, coefficients: ValueCoefficients) {
  const { call, engine } = host;
  const { targets, weights = null } = batch;
  lengths(host, batch.observations)({ targets, weights });
  const share = inverseOf(sumOf(weights, call.rows));
  const sums = new Float64Array(STATS);
  const { huber = Infinity, net = 'critic' } = coefficients;
  engine.value({ ...call, net: host.net(net), targets, weights, scale: share, huber }, sums);
  return { loss: sums[0] * share };
}

type Arrays = Readonly<Record<string, { readonly length: number } | null | undefined>>;
type Check = (arrays: Arrays, width?: number) => void;

/** A check of arrays with one row of `width` numbers for each row of the batch. */
function lengths({ layout }: LossHost, observations: Float32Array): Check {
  const count = observations.length / layout.observationDim;
  return (arrays, width = 1) => {
    for (const [name, array] of Object.entries(arrays)) {
      if (array === null || array === undefined || array.length === count * width) continue;
      throw new RangeError(`${name} has ${array.length} numbers: ${count * width} are needed`);
    }
  };
}

function checked<T extends { readonly length: number }>(check: Check, name: string, array: T): T {
  check({ [name]: array });
  return array;
}

/** The words of a batch's actions. */
function actionsOf(
  host: LossHost,
  observations: Float32Array,
  actions: Int32Array | Float32Array,
): Uint32Array {
  const isIndex = host.layout.head.kind === 'categorical';
  if (isIndex !== actions instanceof Int32Array) {
    const needed = isIndex ? 'an Int32Array' : 'a Float32Array';
    throw new RangeError(`actions is a ${actions.constructor.name}: ${needed} is needed`);
  }
  lengths(host, observations)({ actions }, host.layout.actionDim);
  return new Uint32Array(actions.buffer, actions.byteOffset, actions.length);
}

/** 1 / total, and 0 where there is nothing to learn of. */
const inverseOf = (total: number): number => (total > 0 ? 1 / total : 0);

function sumOf(weights: Float32Array | null, rows: Uint32Array): number {
  if (weights === null) return rows.length;
  let sum = 0;
  for (let i = 0; i < rows.length; i++) sum += weights[rows[i]];
  return sum;
}

/** Weighted mean of the rows, and one by their deviation (of n − 1) + 1e-8. */
function moments(
  values: Float32Array,
  weights: Float32Array | null,
  rows: Uint32Array,
  total: number,
): readonly [mean: number, inverse: number] {
  let sum = 0;
  for (let i = 0; i < rows.length; i++) sum += (weights?.[rows[i]] ?? 1) * values[rows[i]];
  const mean = sum * inverseOf(total);
  let squares = 0;
  for (let i = 0; i < rows.length; i++) {
    const error = values[rows[i]] - mean;
    squares += (weights?.[rows[i]] ?? 1) * error * error;
  }
  return [mean, 1 / (Math.sqrt(squares / (total > 2 ? total - 1 : 1)) + 1e-8)];
}
