/** Gradients of the reference against differences of its own losses. */
import { describe, expect, it } from 'vitest';
import { createModel, type LossName, type Model } from '../../../src/train/learner/index.js';
import { referenceLearner } from '../../../src/train/learner/reference/index.js';
import { batchOf, specs } from './models.js';

const COUNT = 70;

interface Case {
  readonly spec: string;
  readonly loss: LossName;
  readonly coefficients: Record<string, unknown>;
  /** The loss from its statistics. */
  readonly total: (stats: Record<string, number>) => number;
}

const ppo = { clip: 0.2, valueClip: 0.3, value: 0.5, entropy: 0.1 };
const ofPpo = (s: Record<string, number>) => s.policyLoss + 0.5 * s.valueLoss - 0.1 * s.entropy;
const td = { gamma: 0.9, huber: 1, conservative: 0.3 };
const heads = Object.keys(specs);
const cases: Case[] = [
  ...heads.map((spec): Case => ({ spec, loss: 'ppo', coefficients: ppo, total: ofPpo })),
  ...heads.map((spec): Case => ({ spec, loss: 'clone', coefficients: {}, total: (s) => s.loss })),
  ...heads.map(
    (spec): Case => ({ spec, loss: 'value', coefficients: { huber: 0.8 }, total: (s) => s.loss }),
  ),
  ...['categorical', 'pairs'].flatMap((spec): Case[] => [
    { spec, loss: 'td', coefficients: td, total: (s) => s.loss + 0.3 * s.conservativeGap },
    {
      spec,
      loss: 'td',
      coefficients: { ...td, cost: true },
      total: (s) => s.loss + 0.3 * s.conservativeGap,
    },
  ]),
];

/** A smaller step would drown in the rounding of a loss in binary32, a larger one meet kinks. */
function difference(model: Model, i: number, lossOf: () => number): number {
  const step = 2 ** -8;
  const before = model.params[i];
  model.params[i] = before + step;
  const above = lossOf();
  model.params[i] = before - step;
  const below = lossOf();
  model.params[i] = before;
  return (above - below) / (2 * step);
}

describe('the reference', () => {
  it.each(cases)('has the gradient of $loss on $spec', ({ spec, loss, coefficients, total }) => {
    const model = createModel(referenceLearner, specs[spec]);
    const target = createModel(referenceLearner, { ...specs[spec], seed: 99 });
    const { targets, weights, ...batch } = batchOf(specs[spec], COUNT);
    const { values, ...rest } = batch;
    // td's mean gap is not weighted, so its rows are not either.
    const arrays = loss === 'td' ? rest : { ...batch, targets, weights };
    const options = loss === 'td' ? { ...coefficients, target, double: false } : coefficients;
    const lossOf = () => {
      const stats = model.gradient(loss, arrays as never, null, options as never);
      return total(stats as unknown as Record<string, number>);
    };
    lossOf();
    const gradient = model.gradients.slice();
    const largest = gradient.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
    expect(largest).toBeGreaterThan(0.001);
    for (let i = 0; i < gradient.length; i += 3) {
      expect(Math.abs(difference(model, i, lossOf) - gradient[i]) / largest).toBeLessThan(0.04);
    }
  });
});
