/**
 * The draws of autoscaling and provisioning against the distributions they state: fixed seeds, and
 * a chance below 1e-4 that a right sampler fails one of these tests.
 */
import { describe, expect, it } from 'vitest';
import '../../src/envs/autoscaling/node.js';
import { metric as autoscalingMetric } from '../../src/generated/autoscaling.js';
import { metric as provisioningMetric } from '../../src/generated/provisioning.js';
import { autoscaling } from '../support/autoscaling.js';
import {
  chiSquareTest,
  correlationTest,
  ksTest,
  normalCdf,
  poissonProbability,
  poolCells,
} from '../support/distribution.js';
import { readMetric, readSlot, startBatch } from '../support/exogenous.js';
import { provisioning } from '../support/provisioning.js';

const P_MIN = 1e-4;
const concat = (columns: readonly Float64Array[]) => columns.flatMap((column) => [...column]);

describe('autoscaling', () => {
  it('has request rates that are normal about their mean, and independent', async () => {
    const [mean, std] = [100, 12];
    const task = autoscaling('medium', {
      ...{ base_request_rate: mean, request_rate_std: std, initial_resources: 8 },
      ...{ utilization_limit: 1000, max_steps: 50 },
    });
    const batch = await startBatch(task, 1000);
    const rates: Float64Array[] = [];
    for (let step = 0; step < 40; step++) {
      batch.step();
      rates.push(readMetric(task, batch, autoscalingMetric.requestRate));
    }
    expect(batch.episodes()).toBe(0);
    batch.close();
    const { pValue } = ksTest(concat(rates), (x) => normalCdf((x - mean) / std));
    expect(pValue).toBeGreaterThan(P_MIN);
    const bySeed = [rates.map((row) => row.slice(1)), rates.map((row) => row.slice(0, -1))];
    const byStep = [rates.slice(1), rates.slice(0, -1)];
    for (const [a, b] of [bySeed, byStep]) {
      expect(correlationTest(concat(a), concat(b)).pValue).toBeGreaterThan(P_MIN);
    }
  });

  it('begins an episode at each step of the week alike', async () => {
    const task = autoscaling('diurnal');
    const numStarts = 2016;
    const batch = await startBatch(task, 30_000);
    const starts = readSlot(task, batch, 'window_start');
    batch.close();
    const observed = new Array<number>(numStarts).fill(0);
    for (const start of starts) observed[start]++;
    expect(observed.length).toBe(numStarts);
    const expected = observed.map(() => starts.length / numStarts);
    expect(chiSquareTest(observed, expected).pValue).toBeGreaterThan(P_MIN);
  });
});

describe('provisioning', () => {
  it('surges as its probabilities say, and has Poisson arrivals in both regimes', async () => {
    const [calmRate, surgeRate, enter, leave] = [3, 14, 0.15, 0.3];
    const task = provisioning('hard', {
      ...{ arrival_rate: calmRate, arrival_swing: 0, surge_rate: surgeRate },
      ...{ surge_enter_probability: enter, surge_leave_probability: leave },
      ...{ budget_usd: 1e9, max_steps: 100 },
    });
    const batch = await startBatch(task, 1000);
    const moves = [0, 0, 0, 0]; // [from][to]
    const counts: number[][] = [[], []];
    let regimes = readSlot(task, batch, 'regime');
    for (let step = 0; step < 40; step++) {
      batch.step();
      const next = readSlot(task, batch, 'regime');
      const arrivals = readMetric(task, batch, provisioningMetric.arrivals);
      regimes.forEach((regime, i) => {
        counts[regime].push(arrivals[i]);
        moves[2 * regime + next[i]]++;
      });
      regimes = next;
    }
    expect(batch.episodes()).toBe(0);
    batch.close();
    for (const [regime, probability] of [enter, 1 - leave].entries()) {
      const observed = moves.slice(2 * regime, 2 * regime + 2);
      const total = observed[0] + observed[1];
      const expected = [(1 - probability) * total, probability * total];
      expect(chiSquareTest(observed, expected).pValue).toBeGreaterThan(P_MIN);
    }
    for (const [regime, rate] of [calmRate, surgeRate].entries()) {
      const observed = new Array<number>(60).fill(0);
      for (const count of counts[regime]) observed[count]++;
      const expected = observed.map((_, n) => counts[regime].length * poissonProbability(rate, n));
      const pooled = poolCells(observed, expected);
      expect(chiSquareTest(pooled.observed, pooled.expected).pValue).toBeGreaterThan(P_MIN);
    }
  });
});
