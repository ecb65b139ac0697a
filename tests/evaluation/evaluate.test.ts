import { beforeAll, describe, expect, it } from 'vitest';
import { addFamily } from '../../src/api/registry.js';
import {
  baselineReturns,
  type CompiledTask,
  compileTask,
  constantPolicy,
  evaluateEpisodes,
  make,
  type Policy,
  randomPolicy,
} from '../../src/library.js';
import { tinyFamily } from '../support/tiny-family.js';

const backend = 'reference';
let task: CompiledTask;

beforeAll(() => {
  addFamily(tinyFamily);
  task = compileTask('tiny');
});

describe('evaluateEpisodes', () => {
  it('plays each seed as its single environment would be played', async () => {
    const action = [0.5, -0.5, 0, 0, 0];
    const seeds = [3, 4, 2n ** 64n - 1n, 0, 9];
    const results = await evaluateEpisodes(task, constantPolicy(action), seeds, { backend });
    expect(results.map((result) => result.seed)).toEqual(seeds);
    const env = await make('tiny', { backend });
    for (const result of results) {
      env.reset({ seed: result.seed });
      for (let t = 0; t < 11; t++) env.step(action);
      expect(result.statistics).toEqual(env.episodeStatistics());
      expect(result.length).toBe(11);
      expect(result.return).toBe(result.statistics.episode_return);
    }
    env.close();
  });

  it('scores against the baseline on the same seeds', async () => {
    const seeds = [0, 1, 5];
    const baseline = constantPolicy(task.baselineAction);
    const results = await evaluateEpisodes(task, baseline, seeds, { backend });
    expect(results.map((result) => result.score)).toEqual([0, 0, 0]);
    const returns = await baselineReturns(task, [5, '5', 0], { backend });
    expect(returns).toEqual([2, 2, 0].map((i) => results[i].return));
  });

  it('gives a random policy the same draws whatever runs beside it', async () => {
    const together = await evaluateEpisodes(task, randomPolicy(1), [7, 8, 20], { backend });
    const alone = await evaluateEpisodes(task, randomPolicy(1), [20], { backend });
    expect(alone[0]).toEqual(together[2]);
    const other = await evaluateEpisodes(task, randomPolicy(2), [20], { backend });
    expect(other[0].return).not.toBe(alone[0].return);
  });

  it('shows a policy the batch, step by step', async () => {
    const steps: number[] = [];
    let resets = 0;
    const policy: Policy = {
      name: 'watcher',
      reset(numEnvs) {
        resets += numEnvs;
      },
      act(view) {
        steps.push(view.step);
        expect(view.observations).toHaveLength(2 * 14);
        expect(view.metrics).toHaveLength(2 * task.layout.metrics.length);
        expect(view.observations[12]).toBe(view.step); // the field `timestep`
        view.actions.fill(0);
      },
    };
    const shares: number[] = [];
    const onProgress = (share: number) => shares.push(share);
    await evaluateEpisodes(task, policy, [1, 2], { backend, onProgress });
    expect(resets).toBe(2);
    expect(steps).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(shares.at(-1)).toBe(1);
  });

  it('refuses no seeds, wrong seeds and actions that are not finite', async () => {
    const policy = randomPolicy();
    await expect(evaluateEpisodes(task, policy, [])).rejects.toThrow(/seeds is empty/);
    await expect(evaluateEpisodes(task, policy, [-1])).rejects.toThrow(/seed is -1/);
    const broken: Policy = { name: 'broken', act: ({ actions }) => void actions.fill(Number.NaN) };
    await expect(evaluateEpisodes(task, broken, [1], { backend })).rejects.toThrow(
      /environment 0: action kv_budget is NaN/,
    );
  });
});
