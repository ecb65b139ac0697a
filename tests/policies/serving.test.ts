import { describe, expect, it } from 'vitest';
import {
  compileTask,
  evaluateEpisodes,
  familyOf,
  observationScales,
  readHysteresis,
  ServingModel,
  servingAction,
  servingGrid,
} from '../../src/index.js';
import { HysteresisState } from '../../src/policies/serving/hysteresis.js';
import { servingPolicies } from '../../src/policies/serving/index.js';
import {
  findBestConstant,
  rankConstants,
  scoreConstants,
} from '../../src/policies/serving/search.js';

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe('serving policies', () => {
  it('are those that the family names', () => {
    const { policies } = familyOf('1');
    expect(policies).toEqual(expect.arrayContaining(Object.keys(servingPolicies)));
  });

  it.each(Object.keys(servingPolicies))('%s plays every action space', async (name) => {
    for (const action_space of ['structured', 'normalised', 'discrete']) {
      const task = compileTask('1', { action_space, episode_len: 20 });
      const policy = await servingPolicies[name](task, { numSeeds: 2 });
      expect(policy.name).toBe(name);
      const [episode] = await evaluateEpisodes(task, policy, [0]);
      expect(episode.length).toBe(20);
    }
  });

  it('find the constant that solves the first task', async () => {
    const task = compileTask('1');
    const best = await findBestConstant(task, { numSeeds: 4 });
    expect(best.row.slice(0, 2)).toEqual([0.5, 128]);
    expect(best.score).toBeGreaterThan(0.95);
    const policy = await servingPolicies['best-constant'](task);
    const scores = (await evaluateEpisodes(task, policy, [0, 1, 2])).map(({ score }) => score);
    expect(mean(scores)).toBeGreaterThan(0.95);
  });

  it('rank the grid in order, each by the score it has alone', async () => {
    const task = compileTask('2', { episode_len: 50 });
    const ranked = await rankConstants(task, { numSeeds: 2 });
    expect(ranked).toHaveLength(servingGrid(task).length);
    for (let i = 1; i < ranked.length; i++) {
      expect(ranked[i].score).toBeLessThanOrEqual(ranked[i - 1].score);
    }
    const [alone] = await scoreConstants(task, [ranked[3].row], { numSeeds: 2 });
    expect(alone).toBe(ranked[3].score);
  });
});

describe('the hysteresis rule', () => {
  const task = compileTask('3');
  const rule = {
    calm: [1, 16, 0, 0, 0],
    busy: [1, 64, 0, 0, 0],
    queueHigh: 100,
    queueLow: 20,
    rateHighRps: 50,
    rateLowRps: 40,
  };
  const batches = (steps: readonly [queue: number, rate: number][], changed = {}) => {
    const state = new HysteresisState(task, { ...rule, ...changed }, 1);
    return steps.map(([queue, rate]) => {
      const observations = new Float32Array(task.observationDim);
      observations[task.observationNames.indexOf('queue_depth')] = queue;
      observations[task.observationNames.indexOf('arrival_rate')] = rate;
      const actions = new Float32Array(5);
      state.act(observations, actions);
      return actions[1];
    });
  };

  it('goes up on either mark and down only below both', () => {
    expect(
      batches([
        [0, 0],
        [100, 0],
        [21, 0],
        [20, 0],
        [0, 50],
        [0, 41],
        [0, 40],
      ]),
    ).toEqual([16, 64, 64, 16, 64, 64, 16]);
  });

  it('does not look at a mark that is null', () => {
    const queueOnly = { rateHighRps: null, rateLowRps: null };
    expect(
      batches(
        [
          [0, 1000],
          [100, 1000],
          [20, 1000],
        ],
        queueOnly,
      ),
    ).toEqual([16, 64, 16]);
  });

  it('is read from the task, and refused where it is wrong', () => {
    expect(readHysteresis(compileTask('1').config)?.calm).toEqual([0.5, 128, 0, 0, 0]);
    expect(() => compileTask('1', { hysteresis: { calm: { batch_size: 0 } } })).toThrow(
      /config\.hysteresis\.calm\.batch_size is 0/,
    );
    expect(() => compileTask('1', { hysteresis: { cool: 1 } })).toThrow(
      /hysteresis\.cool is unkno/,
    );
  });
});

describe('the model of a step', () => {
  it('predicts what a quiet step gives', async () => {
    const task = compileTask('3', { noise_std: 0, normalize_observation: true });
    const model = new ServingModel(task);
    const { TaskVectorEnv, loadBackend } = await import('../../src/index.js');
    const env = new TaskVectorEnv(task, await loadBackend('reference'), {
      numEnvs: 1,
      infos: true,
    });
    env.reset({ seed: 1 });
    expect(observationScales(task)[0]).not.toBe(1);
    const errors = Array.from({ length: 30 }, () => {
      model.observe(env.observations, env.metrics);
      const row = [1, 128, 0, 0, 0];
      const predicted = model.predictReward(row);
      env.step([servingAction(task, row)]);
      return Math.abs(env.rewards[0] - predicted);
    });
    // It cannot know the next prompt and the arrivals.
    expect(mean(errors)).toBeLessThan(0.25);
    expect(Math.min(...errors)).toBeLessThan(0.02);
    env.close();
  });
});
