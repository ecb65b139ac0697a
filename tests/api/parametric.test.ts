/** Linear and tabular policies as users write them: what they play, and what is refused. */
import { describe, expect, it } from 'vitest';
import {
  compileTask,
  evaluateEpisodes,
  type LinearPolicy,
  makeVec,
  type ParametricPolicy,
  type Policy,
  parametricPolicy,
  policyRows,
  type TabularPolicy,
} from '../../src/index.js';

const SERVING = 'serving/static-uniform-v1';
const PROVISIONING = 'provisioning/easy-v1';

/** Seven different numbers by turns. */
const numbers = (length: number) =>
  Float32Array.from({ length }, (_, k) => (((k * 5) % 7) - 3) / 50);

function linear(id: string): LinearPolicy {
  const task = compileTask(id);
  const rows = policyRows(task);
  return { kind: 'linear', weights: numbers(rows * task.observationDim), bias: numbers(rows) };
}

const tabular: TabularPolicy = {
  kind: 'tabular',
  features: [
    { observation: 'queue_size', edges: [5, 20] },
    { observation: 1, edges: [4] },
  ],
  table: [2, -1, 4, 3, 8, -16], // [3 bins of the queue, 2 of the GPUs]
};

describe('a linear policy', () => {
  it('plays W · observation + b', async () => {
    const env = await makeVec(SERVING, { numEnvs: 5, seed: 1 });
    const { weights, bias } = linear(SERVING);
    const { actionDim, observationDim } = env.task;
    env.reset();
    const seen = env.observations.slice();
    env.rollout(linear(SERVING), 1);
    const expected = env.actions.map((_, at) => {
      const [i, j] = [Math.floor(at / actionDim), at % actionDim];
      let sum = bias![j];
      for (let k = 0; k < observationDim; k++) {
        sum += weights[j * observationDim + k] * seen[i * observationDim + k];
      }
      return sum;
    });
    expect(env.actions).toEqual(expected);
    env.close();
  });

  it('takes the highest logit, the first of equals', async () => {
    const env = await makeVec(PROVISIONING, { numEnvs: 2 });
    env.reset();
    const rows = policyRows(env.task);
    const weights = new Float32Array(rows * env.task.observationDim);
    env.rollout({ kind: 'linear', weights }, 1);
    expect([...env.actions]).toEqual([-16, -16]);
    const bias = new Float32Array(rows);
    bias[11] = bias[20] = 0.5;
    env.rollout({ kind: 'linear', weights, bias }, 1);
    expect([...env.actions]).toEqual([-5, -5]);
    env.close();
  });

  it('takes no choice that the mask forbids', async () => {
    const env = await makeVec('scheduling/base-v2', { numEnvs: 40 });
    const { observationDim, maskDim } = env.task;
    const rows = policyRows(env.task);
    expect(maskDim).toBe(rows);
    const policy = { kind: 'linear', weights: numbers(rows * observationDim) } as const;
    env.reset();
    for (let step = 0; step < 50; step++) {
      const masks = env.masks.slice();
      env.rollout(policy, 1);
      const allowed = Array.from(env.actions, (action, i) => masks[i * maskDim + action]);
      expect(allowed).toEqual(new Array(40).fill(1));
    }
    env.close();
  });
});

describe('a tabular policy', () => {
  it('plays the row of the cell', async () => {
    const env = await makeVec(PROVISIONING, { numEnvs: 64, seed: 3 });
    const { observationNames, observationDim } = env.task;
    const queue = observationNames.indexOf('queue_size');
    env.reset();
    for (let step = 0; step < 30; step++) {
      const seen = env.observations.slice();
      env.rollout(tabular, 1);
      const expected = Array.from(env.actions, (_, i) => {
        const row = seen.subarray(i * observationDim, (i + 1) * observationDim);
        const bin = row[queue] < 5 ? 0 : row[queue] < 20 ? 1 : 2;
        return tabular.table[2 * bin + (row[1] < 4 ? 0 : 1)];
      });
      expect([...env.actions]).toEqual(expected);
    }
    env.close();
  });

  it('evaluates as the same rule in TypeScript does', async () => {
    const task = compileTask(PROVISIONING);
    const queue = task.observationNames.indexOf('queue_size');
    const rule: Policy = {
      name: 'rule',
      act({ observations, actions, numEnvs }) {
        for (let i = 0; i < numEnvs; i++) {
          const row = observations.subarray(i * task.observationDim, (i + 1) * task.observationDim);
          const bin = row[queue] < 5 ? 0 : row[queue] < 20 ? 1 : 2;
          actions[i] = tabular.table[2 * bin + (row[1] < 4 ? 0 : 1)];
        }
      },
    };
    const played = await evaluateEpisodes(task, parametricPolicy(tabular), [0, 1, 2]);
    expect(played).toEqual(await evaluateEpisodes(task, rule, [0, 1, 2]));
  });
});

describe('what is refused', () => {
  const good = linear(PROVISIONING);
  const feature = tabular.features[0];
  it.each<[unknown, RegExp]>([
    ['linear', /policy is "linear": an object with its parameters is needed/],
    [{ kind: 'quadratic' }, /policy.kind is "quadratic": linear or tabular is needed/],
    [{ ...good, weights: [1] }, /weights has 1 numbers: rows × observationDim = \d+ × 6 are/],
    [{ ...good, bias: [1] }, /bias has 1 numbers: one for each row = \d+ are needed/],
    [{ ...good, bias: good.bias && [...numbers(32), NaN] }, /bias\[32\] is NaN: a finite f32/],
    [
      { ...good, weights: [...(good.weights as Float32Array)].fill(1e39) },
      /weights\[0\] is 1e\+39/,
    ],
    [{ ...tabular, table: [1] }, /table has 1 numbers: bins × actionDim = 3 × 2 × 1 are needed/],
    [{ ...tabular, table: [2, -1, 4, 3, 8, 2.5] }, /table\[5\] is 2.5/],
    [{ ...tabular, table: [2, -1, 4, 3, 8, 99] }, /table\[5\] is 99/],
    [
      { ...tabular, features: [{ observation: 'que', edges: [1] }] },
      /features\[0\].observation is "que": an index below 6 or one of /,
    ],
    [
      { ...tabular, features: [{ ...feature, edges: [5, 5] }] },
      /features\[0\].edges\[1\] is 5: more than the edge before, 5, is needed/,
    ],
    [{ ...tabular, features: [{ ...feature, edges: [NaN] }] }, /features\[0\].edges\[0\] is NaN/],
    [
      {
        ...tabular,
        features: [{ observation: 0, edges: Array.from({ length: 2 ** 18 }, (_, k) => k) }],
        table: new Int32Array(2 ** 18 + 1),
      },
      /the policy has \d+ numbers: at most 262144 have room/,
    ],
  ])('%o', async (policy, message) => {
    const env = await makeVec(PROVISIONING, { numEnvs: 2 });
    env.reset();
    const digest = env.digest();
    expect(() => env.rollout(policy as ParametricPolicy, 1)).toThrow(message);
    expect(env.digest()).toBe(digest);
    env.close();
  });
});
