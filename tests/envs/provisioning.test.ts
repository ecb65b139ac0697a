import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeRng, parseSeed } from '../../src/base/seeding.js';
import { provisioningArrivals, provisioningConfig } from '../../src/envs/provisioning/family.js';
import { describeStep } from '../../src/envs/report.js';
import { observation } from '../../src/generated/provisioning.js';
import { Fleet, playEpisode, provisioning } from '../support/provisioning.js';

const f = Math.fround;

const configs = fc.record({
  max_steps: fc.integer({ min: 1, max: 40 }),
  boot_delay: fc.integer({ min: 0, max: 8 }),
  budget_usd: fc.double({ min: 1, max: 3000, noNaN: true }),
  start_gpus: fc.integer({ min: 0, max: 9 }),
  max_gpus: fc.integer({ min: 9, max: 64 }),
  max_change: fc.integer({ min: 1, max: 20 }),
  job_value_usd: fc.double({ min: 6.1, max: 20, noNaN: true }),
  gpu_cost_usd: fc.double({ min: 0, max: 4, noNaN: true }),
  wait_cost_usd: fc.double({ min: 0, max: 2, noNaN: true }),
  arrival_rate: fc.double({ min: 0, max: 20, noNaN: true }),
  arrival_swing: fc.double({ min: 0, max: 1, noNaN: true }),
  surge_rate: fc.option(fc.double({ min: 0, max: 60, noNaN: true })),
  surge_enter_probability: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe('a step', () => {
  it('is what a list of GPUs with their starting times says', () => {
    fc.assert(
      fc.property(configs, fc.nat(), (config, seed) => {
        const task = provisioning('easy', config);
        const fleet = new Fleet(provisioningConfig(task));
        const rng = makeRng(seed);
        const choose = () => (rng.nextUint32() % 61) - 30;
        const asked: number[] = [];
        const { steps } = playEpisode(task, seed, () => asked[asked.push(choose()) - 1]!);
        steps.forEach(({ metrics, observation: row, reward, cost, terminated }, t) => {
          const expected = fleet.take(asked[t]!, metrics['arrivals']!);
          expect(metrics).toMatchObject({
            processed: expected.processed,
            queue: fleet.queue,
            running_gpus: expected.running,
            booting_gpus: expected.booting,
            applied_gpus: expected.applied,
            clamped_gpus: asked[t]! - expected.applied,
            cost_usd: f(expected.cost),
            budget_usd: f(fleet.budget),
          });
          expect(reward).toBe(f(expected.reward));
          expect(cost).toBe(f(Math.max(0, -fleet.budget)));
          expect(terminated).toBe(fleet.budget <= 0);
          fleet.step++;
          const { queue, budget, step } = fleet;
          const wanted = [step, expected.running, queue, budget, metrics['arrivals']!];
          expect([...row]).toEqual([...wanted, expected.booting].map(f));
        });
      }),
      { numRuns: 150, seed: 3 },
    );
  });

  it('loses no job, and overdraws the budget by less than one step costs', () => {
    fc.assert(
      fc.property(configs, fc.nat(), (config, seed) => {
        const task = provisioning('easy', config);
        const rng = makeRng(seed);
        const { steps, statistics: s } = playEpisode(task, seed, () => (rng.nextUint32() % 9) - 3);
        const last = steps.at(-1)!;
        expect(s['arrivals_sum']).toBe(s['processed_sum']! + last.metrics['queue']!);
        expect(last.terminated).toBe(last.metrics['budget_usd']! <= 0);
        if (last.terminated && config.gpu_cost_usd > 1e-3) {
          expect(-last.metrics['budget_usd']!).toBeLessThan(last.metrics['cost_usd']!);
        }
        expect(steps.slice(0, -1).every((step) => step.metrics['budget_usd']! > 0)).toBe(true);
        expect(steps.length).toBe(s['length_steps']);
        expect(last.truncated).toBe(steps.length === config.max_steps);
      }),
      { numRuns: 100, seed: 4 },
    );
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])('boots a GPU in exactly %i further steps', (delay) => {
    const task = provisioning('easy', { boot_delay: delay, start_gpus: 0, budget_usd: 1e6 });
    const { steps } = playEpisode(task, 1, (step) => (step === 2 ? 3 : 0));
    steps.forEach(({ metrics }, t) => {
      expect(metrics['running_gpus'], `step ${t}`).toBe(t >= 2 + delay ? 3 : 0);
      expect(metrics['booting_gpus'], `step ${t}`).toBe(t >= 2 && t < 2 + delay ? 3 : 0);
    });
  });

  it('releases booting GPUs first, the newest of them first', () => {
    const task = provisioning('easy', { boot_delay: 3, start_gpus: 5, budget_usd: 1e6 });
    // 2 that run from step 3 on, 4 from step 4 on; then 5 go: the 4, and 1 of the 2.
    const changes = [2, 4, -5];
    const { steps } = playEpisode(task, 1, (step) => changes[step] ?? 0);
    const fleet = steps.map(({ metrics: m }) => [m['running_gpus'], m['booting_gpus']]);
    expect(fleet.slice(0, 5)).toEqual([
      [5, 2],
      [5, 6],
      [5, 1],
      [6, 0],
      [6, 0],
    ]);
    const both = playEpisode(task, 1, (step) => [3, -5][step] ?? 0).steps[1]!.metrics;
    expect([both['running_gpus'], both['booting_gpus']]).toEqual([3, 0]);
  });

  it('clamps a request and says by how much', () => {
    const task = provisioning('easy', { start_gpus: 60, budget_usd: 1e6 });
    const { metrics } = playEpisode(task, 1, () => 10).steps[0]!;
    const unread = new Float32Array(0);
    const rows = {
      metrics: Float32Array.from(Object.values(metrics)),
      observation: unread,
      action: unread,
    };
    expect(describeStep(task.report, rows)).toMatchObject({
      applied_gpus: 4,
      clamped_gpus: 6,
      metrics: { booting_gpus: 4, running_gpus: 60 },
      regime: 'calm',
    });
    const few = playEpisode(provisioning(), 1, () => -5).steps[0]!.metrics;
    expect([few['applied_gpus'], few['clamped_gpus']]).toEqual([-2, -3]);
  });
});

describe('arrivals', () => {
  it('are those the episode meets, whatever is done in it', () => {
    for (const name of ['easy', 'medium', 'hard']) {
      const task = provisioning(name, { budget_usd: 1e8 });
      const known = provisioningArrivals(task, parseSeed(5));
      for (const change of [0, 3, -1]) {
        const { steps } = playEpisode(task, 5, () => change);
        expect(steps.map(({ metrics }) => metrics['arrivals'])).toEqual(known);
      }
    }
  });

  const sample = (name: string, numEpisodes: number) => {
    const task = provisioning(name);
    const episodes = Array.from({ length: numEpisodes }, (_, i) =>
      provisioningArrivals(task, parseSeed(7), i),
    );
    const mean = (from: number, to: number) => {
      const jobs = episodes.flatMap((episode) => episode.slice(from, to));
      return jobs.reduce((sum, n) => sum + n, 0) / jobs.length;
    };
    return { episodes, mean };
  };

  it('have the rates of the tasks', () => {
    // 400 episodes: four standard errors are 0.05 (easy), and below 0.25 for a quarter wave.
    expect(Math.abs(sample('easy', 400).mean(0, 50) - 3)).toBeLessThan(0.05);
    const medium = sample('medium', 400);
    const halfWave = (6 * 0.5 * 2) / Math.PI;
    expect(Math.abs(medium.mean(0, 25) - (6 + halfWave))).toBeLessThan(0.15);
    expect(Math.abs(medium.mean(25, 50) - (6 - halfWave))).toBeLessThan(0.15);
    expect(Math.abs(medium.mean(50, 75) - (6 + halfWave))).toBeLessThan(0.15);
    // Calm for p 0.25 / 0.33 of the time, once the start is forgotten.
    const share = 0.25 / 0.33;
    const hard = sample('hard', 400).mean(30, 200);
    expect(Math.abs(hard - (5 * share + 20 * (1 - share)))).toBeLessThan(0.35);
  });

  it('begin calm and change regime with the probabilities of the task', () => {
    const task = provisioning('hard', { budget_usd: 1e8, max_steps: 20_000 });
    const regimes = playEpisode(task, 9, () => 0).steps.map(({ metrics }) => metrics['regime']!);
    const leaves = (from: number) => {
      const next = regimes.slice(1).filter((_, t) => regimes[t] === from);
      return next.filter((regime) => regime !== from).length / next.length;
    };
    expect(regimes[0]).toBe(0);
    expect(Math.abs(leaves(0) - 0.08)).toBeLessThan(0.01);
    expect(Math.abs(leaves(1) - 0.25)).toBeLessThan(0.025);
  });
});

describe('the tasks', () => {
  it('have the numbers of the design', () => {
    const read = (name: string) => provisioningConfig(provisioning(name));
    const common = { gpusStart: 2, gpusMax: 64, changeMax: 16, jobValueUsd: 10, gpuCostUsd: 2.5 };
    const easy = { horizonSteps: 50, bootDelaySteps: 1, budgetUsd: 800 };
    const medium = { horizonSteps: 100, bootDelaySteps: 1, budgetUsd: 1600 };
    const hard = { horizonSteps: 200, bootDelaySteps: 2, budgetUsd: 4500 };
    expect(read('easy')).toMatchObject({ ...common, ...easy, traffic: { rate: 3, swing: 0 } });
    expect(read('medium')).toMatchObject({
      ...common,
      ...medium,
      traffic: { rate: 6, swing: 0.5, swingPeriodSteps: 50 },
    });
    expect(read('hard')).toMatchObject({
      ...common,
      ...hard,
      traffic: {
        rate: 5,
        surgeRate: 20,
        surgeEnterProbability: 0.08,
        surgeLeaveProbability: 0.25,
      },
    });
  });

  it.each([
    [{ job_value_usd: 3.5 }, /config\.job_value_usd is 3\.5: more than gpu_cost_usd/],
    [{ job_value_usd: 6, gpu_cost_usd: 5 }, /config\.job_value_usd is 6/],
    [{ boot_delay: 9 }, /config\.boot_delay is 9: an integer from 0 to 8/],
    [{ max_steps: 0 }, /config\.max_steps/],
    [{ budget_usd: -1 }, /config\.budget_usd/],
    [{ arrival_rate: Number.NaN }, /config\.arrival_rate is NaN/],
    [{ arrival_rate: -1 }, /config\.arrival_rate is -1/],
    [{ surge_enter_probability: 1.5 }, /config\.surge_enter_probability/],
    [{ start_gpus: 65 }, /config\.start_gpus is 65: an integer from 0 to 64/],
    [{ gpus: 3 }, /config\.gpus is unknown/],
  ])('refuse %o', (config, message) => {
    expect(() => provisioning('hard', config)).toThrow(message);
  });

  it('take an action as a number, by name or in an array, and refuse others', () => {
    const { encodeAction } = provisioning();
    const row = new Int32Array(1);
    for (const action of [-16, { gpus_to_provision: -16 }, [-16], Int32Array.of(-16)]) {
      row[0] = 0;
      encodeAction(action, row);
      expect(row[0]).toBe(-16);
    }
    for (const action of [17, -17, 0.5, Number.NaN, 'two', null, { gpus: 1 }]) {
      expect(() => encodeAction(action, row)).toThrow(/gpus_to_provision/);
    }
  });

  it('keep observations inside their space, scaled or not', () => {
    for (const normalize_observation of [false, true]) {
      const task = provisioning('hard', { normalize_observation });
      const rng = makeRng('inside');
      for (let seed = 0; seed < 20; seed++) {
        const choose = () => (rng.nextUint32() % 33) - 14;
        for (const { observation: row } of playEpisode(task, seed, choose).steps) {
          expect(task.observationSpace.describe(row, 'observation')).toBeNull();
          if (normalize_observation) expect(row[observation.timeStep]).toBeLessThan(1.001);
        }
      }
    }
  });
});
