/** Models and batches for the tests of the learner: every head, every kind of net. */

import { makeRng } from '../../../src/base/seeding.js';
import {
  categorical,
  gaussian,
  headOutputs,
  type ModelSpec,
  pairs,
  squashedGaussian,
} from '../../../src/train/learner/index.js';

const entities = {
  servers: 3,
  slots: 2,
  serverDim: 3,
  slotDim: 2,
  globalDim: 2,
  pairDim: 1,
  toggles: true,
} as const;

const mlps = (activation: 'tanh' | 'relu', hidden: readonly number[]) => ({
  actor: { hidden, outputs: 'head', activation, lastGain: 0.5 } as const,
  critic: { hidden, activation },
});

export const specs: Readonly<Record<string, ModelSpec>> = {
  categorical: {
    seed: 1,
    observationDim: 5,
    nets: mlps('tanh', [7, 6]),
    head: categorical([3, 4], { lowest: [0, -1], masked: true }),
  },
  gaussian: { seed: 2, observationDim: 4, nets: mlps('relu', [9]), head: gaussian(2) },
  squashed: {
    seed: 3,
    observationDim: 4,
    nets: mlps('tanh', []),
    head: squashedGaussian(3, { low: [0, -1, 2], high: [1, 1, 4], logStd: -0.5 }),
  },
  pairs: {
    seed: 4,
    observationDim: 3 * 3 + 2 * 2 + 2 + 6,
    nets: {
      actor: { kind: 'pairs', hidden: [8, 8], lastGain: 0.5 },
      critic: { kind: 'set', embed: [6, 5], hidden: [7] },
    },
    head: pairs(entities),
  },
};

/** A batch with everything that a loss may read, from a seed. */
export function batchOf(spec: ModelSpec, count: number, seed = 7) {
  const rng = makeRng(seed);
  const uniform = (length: number, low = -1, high = 1) =>
    Float32Array.from({ length }, () => low + (high - low) * rng.nextFloat());
  const bits = (length: number, chance: number) =>
    Uint8Array.from({ length }, () => (rng.nextFloat() < chance ? 1 : 0));
  const { head } = spec;
  const outputs = headOutputs(head);
  const masked = head.kind === 'categorical' && head.masked;
  const masks = masked ? bits(count * outputs, 0.7) : undefined;
  const fields = head.kind === 'categorical' ? head.fields : [];
  // Rows take an allowed choice of every field, and in every eighth nothing is allowed.
  const index = new Int32Array(count * fields.length);
  for (let i = 0; i < count; i++) {
    let at = i * outputs;
    fields.forEach((n, k) => {
      const chosen = rng.nextUint32() % n;
      if (masks !== undefined && i % 8 === 0) masks.fill(0, at, at + n);
      else if (masks !== undefined) masks[at + chosen] = 1;
      index[i * fields.length + k] = chosen + (head.kind === 'categorical' ? head.lowest[k] : 0);
      at += n;
    });
  }
  const actions = head.kind === 'categorical' ? index : uniform(count * head.size);
  return {
    observations: uniform(count * spec.observationDim, -2, 2),
    ...(masks === undefined ? {} : { masks }),
    actions,
    logProbs: uniform(count, -3, -1),
    advantages: uniform(count, -2, 2),
    returns: uniform(count, -2, 2),
    values: uniform(count, -2, 2),
    weights: uniform(count, 0, 1),
    targets: uniform(count, -2, 2),
    rewards: uniform(count),
    terminated: bits(count, 0.2),
    nextObservations: uniform(count * spec.observationDim, -2, 2),
    ...(masks === undefined ? {} : { nextMasks: bits(count * outputs, 0.6) }),
  };
}
