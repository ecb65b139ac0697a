/**
 * The draws of serving against the distributions it states. Seeds are fixed, so a verdict is the
 * same each time; a right sampler would fail one of these tests with a chance below 1e-4.
 */
import { describe, expect, it } from 'vitest';
import '../../src/envs/serving/node.js';
import { compileTask } from '../../src/api/registry.js';
import {
  chiSquareTest,
  correlationTest,
  ksTest,
  normalCdf,
  poissonProbability,
  poolCells,
  zTest,
} from '../support/distribution.js';
import { drawServing, readSlot, startBatch } from '../support/exogenous.js';

const P_MIN = 1e-4;
const NOISE_STD = 0.05;

const TASKS = {
  uniform: 'serving/static-uniform-v1',
  lognormal: 'serving/bursty-sharegpt-v1',
  mixture: 'serving/adversarial-multi-tenant-v1',
  recorded: 'serving/llama3-8b-a100-40gb-azure-conv-v1',
} as const;

const concat = (columns: readonly Float64Array[]) => columns.flatMap((column) => [...column]);

const first = await drawServing(compileTask(TASKS.uniform), 1000, 40);

/** The p-value of counts against the Poisson distribution of a mean. */
function poissonPValue(counts: readonly number[], mean: number): number {
  const numCells = Math.ceil(mean + 12 * Math.sqrt(mean) + 20);
  const observed = new Array<number>(numCells).fill(0);
  for (const count of counts) observed[count]++;
  const expected = observed.map((_, n) => counts.length * poissonProbability(mean, n));
  const pooled = poolCells(observed, expected);
  return chiSquareTest(pooled.observed, pooled.expected).pValue;
}

describe('arrivals are Poisson at every rate', () => {
  it.each([
    [TASKS.uniform, 40, 1],
    [TASKS.lognormal, 40, 2],
    [TASKS.mixture, 140, 2], // its first spike begins at step 120
    [TASKS.recorded, 40, 40], // the other 15 hold in the recording's ends, which few windows reach
  ])('of %s', async (id, steps, leastRates) => {
    const { arrivals, rates } = await drawServing(compileTask(id), 1000, steps);
    const byRate = new Map<number, number[]>();
    const counts = concat(arrivals);
    concat(rates).forEach((rate, i) => {
      const sample = byRate.get(rate) ?? [];
      sample.push(counts[i]);
      byRate.set(rate, sample);
    });
    let tested = 0;
    for (const [rate, sample] of byRate) {
      if (sample.length < 100) continue;
      // As many tests as rates: each has its share of the bound.
      expect(poissonPValue(sample, rate), `rate ${rate}`).toBeGreaterThan(P_MIN / byRate.size);
      tested++;
    }
    expect(tested).toBeGreaterThanOrEqual(leastRates);
  });
});

describe('prompts are drawn', () => {
  const promptsOf = async (id: string) => {
    const { prompts } = await drawServing(compileTask(id), 1000, 40);
    return concat(prompts);
  };

  it('uniformly on 64 .. 128', () => {
    const result = ksTest(concat(first.prompts), (x) => (x - 64) / 64);
    expect(result.pValue).toBeGreaterThan(P_MIN);
  });

  it('from the lognormal between its clamps, which are atoms', async () => {
    const [mu, sigma, min, max] = [5.2, 1.3, 32, 8192];
    const cdf = (x: number) => normalCdf((Math.log(x) - mu) / sigma);
    const prompts = await promptsOf(TASKS.lognormal);
    const count = (isOne: (x: number) => boolean) => prompts.filter(isOne).length;
    const inner = prompts.filter((x) => x > min && x < max);
    const observed = [count((x) => x <= min), inner.length, count((x) => x >= max)];
    const shares = [cdf(min), cdf(max) - cdf(min), 1 - cdf(max)];
    const expected = shares.map((share) => share * prompts.length);
    expect(chiSquareTest(observed, expected).pValue).toBeGreaterThan(P_MIN);
    const conditional = (x: number) => (cdf(x) - shares[0]) / shares[1];
    expect(ksTest(inner, conditional).pValue).toBeGreaterThan(P_MIN);
    expect(Math.min(...prompts)).toBe(min);
    expect(Math.max(...prompts)).toBe(max);
  });

  it('from the mixture, never from the gap between its pieces', async () => {
    const part = (x: number, low: number, high: number) =>
      Math.min(Math.max((x - low) / (high - low), 0), 1);
    const cdf = (x: number) => 0.7 * part(x, 32, 128) + 0.3 * part(x, 4096, 8192);
    const prompts = await promptsOf(TASKS.mixture);
    expect(ksTest(prompts, cdf).pValue).toBeGreaterThan(P_MIN);
    expect(prompts.filter((x) => x > 128 && x < 4096)).toEqual([]);
  });
});

describe('the three noises', () => {
  const columns = [0, 1, 2].map((k) => concat(first.noises.map((noises) => noises[k])));

  it('are Normal(1, 0.05), in shape and in moments', () => {
    for (const column of columns) {
      const z = column.map((factor) => (factor - 1) / NOISE_STD);
      const n = z.length;
      const moment = (k: number) => z.reduce((sum, x) => sum + x ** k, 0) / n;
      expect(ksTest(z, normalCdf).pValue).toBeGreaterThan(P_MIN);
      // The k-th moment's variance is (E z^2k - (E z^k)²) / n.
      for (const [k, mean, variance] of [
        ...[[1, 0, 1]],
        ...[[2, 1, 2]],
        ...[[3, 0, 15]],
        ...[[4, 3, 96]],
      ]) {
        const { pValue } = zTest((moment(k) - mean) / Math.sqrt(variance / n));
        expect(pValue, `moment ${k}`).toBeGreaterThan(P_MIN);
      }
    }
  });

  it('go neither with each other nor with arrivals and prompts', () => {
    const all = [...columns, concat(first.arrivals), concat(first.prompts)];
    for (let i = 0; i < all.length; i++) {
      for (let j = 0; j < i; j++) {
        expect(correlationTest(all[i], all[j]).pValue, `${i}, ${j}`).toBeGreaterThan(P_MIN);
      }
    }
  });
});

describe('neighbouring seeds and steps', () => {
  const { arrivals, prompts, noises } = first;
  const sources = { arrivals, prompts, noise: noises.map((step) => step[0]) };

  it.each(Object.entries(sources))('do not show in %s', (_, columns) => {
    for (let lag = 1; lag <= 16; lag++) {
      const seeds = [columns.map((c) => c.slice(lag)), columns.map((c) => c.slice(0, -lag))];
      const steps = [columns.slice(lag), columns.slice(0, -lag)];
      for (const [a, b] of [seeds, steps]) {
        const { pValue } = correlationTest(concat(a), concat(b));
        expect(pValue, `lag ${lag}`).toBeGreaterThan(P_MIN);
      }
    }
  });
});

it('an episode begins at each place of the recording alike', async () => {
  const task = compileTask(TASKS.recorded);
  const batch = await startBatch(task, 40_000);
  const starts = readSlot(task, batch, 'window_start');
  batch.close();
  const numStarts = 2903;
  const observed = new Array<number>(numStarts).fill(0);
  for (const start of starts) observed[start]++;
  const expected = observed.map(() => starts.length / numStarts);
  expect(observed.length).toBe(numStarts);
  expect(chiSquareTest(observed, expected).pValue).toBeGreaterThan(P_MIN);
});
