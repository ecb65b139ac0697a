import { describe, expect, it } from 'vitest';
import { perfInterpolator } from '../../src/data/interpolate.js';
import {
  compileTask,
  constantPolicy,
  evaluateEpisodes,
  listTasks,
  servingAction,
} from '../../src/index.js';
import { taskHysteresisPolicy } from '../../src/policies/serving/index.js';
import {
  configDigest,
  meanRateOf,
  play,
  SEEDS,
  type TaskProperties,
} from '../support/serving-properties.js';
import results from './serving-tasks.json' with { type: 'json' };

const rows = results as readonly TaskProperties[];
const measured = listTasks().filter(
  ({ id, config }) => id.startsWith('serving/') && config['dynamics'] === 'measured',
);

describe('measured tasks', () => {
  it('are nine, and each has been measured as it is now', () => {
    expect(measured.map(({ id }) => id)).toEqual(rows.map(({ task }) => task));
    expect(measured).toHaveLength(9);
    for (const { task, configDigest: digest } of rows) {
      expect(configDigest(compileTask(task)), task).toBe(digest);
    }
  });

  it.each(rows)('$task has the properties that make it worth learning', (row) => {
    expect(row.randomReturn).toBeLessThan(row.baselineReturn);
    expect(row.bestConstantScore).toBeGreaterThanOrEqual(0.25);
    expect(row.climbedScore).toBeLessThanOrEqual(0.85);
    const best = Math.max(row.climbedScore, row.crossEntropyScore);
    expect(row.hysteresisScore - best).toBeGreaterThanOrEqual(0.03);
    expect(row.greedyScore).toBeLessThan(row.hysteresisScore);
    // Rewards are rounded to f32, so a return may pass its bound by that rounding.
    expect(row.largestShareOfBound).toBeLessThanOrEqual(1 + 1e-6);
  });

  it('ask for two values of every knob at least', () => {
    for (let knob = 0; knob < 5; knob++) {
      const values = new Set(rows.map(({ bestConstant }) => bestConstant[knob]));
      expect(values.size, `knob ${knob}`).toBeGreaterThanOrEqual(2);
    }
  });

  it.each(rows)('$task gives the scores that are written down', async (row) => {
    const task = compileTask(row.task);
    const baseline = await play(task, constantPolicy(task.baselineAction));
    const constant = await play(task, constantPolicy(servingAction(task, row.bestConstant)));
    const hysteresis = await play(task, await taskHysteresisPolicy(task));
    // 0 but in a quiet window, where the baseline is at the bound already.
    expect(baseline.score).toBeLessThan(0.1);
    expect(baseline.return).toBeCloseTo(row.baselineReturn, 3);
    expect(constant.score).toBeCloseTo(row.bestConstantScore, 3);
    expect(hysteresis.score).toBeCloseTo(row.hysteresisScore, 3);
    expect(hysteresis.shareOfBound).toBeLessThanOrEqual(1 + 1e-6);
  });

  it('attain the bound where traffic is light and capacity ample', async () => {
    const task = compileTask('llama3-8b-a100-40gb-azure-conv', {
      traffic_scale: 0.05,
      slo_ttft_ms: 20_000,
      slo_tpot_ms: 1000,
    });
    const {
      shareOfBound,
      return: total,
      bound,
    } = await play(task, constantPolicy(task.baselineAction));
    expect(total).toBeCloseTo(bound, 3);
    expect(shareOfBound).toBeLessThanOrEqual(1 + 1e-6);
  });

  it('start from the baseline that the design names', () => {
    const kv = rows.map(({ task }) => {
      const { baselineAction } = compileTask(task);
      expect(baselineAction).toMatchObject({
        batch_size: 32,
        spec_length: 0,
        prefill_disagg: 0,
        quant_tier: 0,
      });
      return (baselineAction as Record<string, number>)['kv_budget'];
    });
    // 40 GB hold a full cache at 4,142 tokens, but not at 7,436 or 8,192.
    expect(kv).toEqual([1, 0.5, 0.5, 1, 1, 1, 1, 1, 1]);
  });

  it('scale their traffic to the capacity that the kernels then report', async () => {
    const task = compileTask('llama3-8b-a100-80gb-azure-conv', { noise_std: 0 });
    const capacity = task.layout.scalars.findIndex(({ name }) => name === 'reset_capacity_rps');
    const view = new DataView(task.program.buffer, task.program.byteOffset);
    const resetCapacity = view.getFloat64(32 + 8 * capacity, true);
    expect(meanRateOf(task)).toBeCloseTo(0.95 * resetCapacity, 1);
    const { loadShippedTable } = await import('../../src/index.js');
    const table = loadShippedTable('llama3-8b-a100-80gb');
    const query = { batch_size: 32, kv_budget: 1, spec_length: 0, prompt_len: 1020 };
    const { tps } = perfInterpolator(table)(query);
    // About 210 tokens an answer, so about tps / 210 requests per second.
    expect(resetCapacity).toBeCloseTo(tps / 210, 0);
  });

  it('refuse a grade without the baseline of the same seed', async () => {
    const task = compileTask(rows[0].task);
    const [episode] = await evaluateEpisodes(task, constantPolicy(task.baselineAction), [SEEDS[0]]);
    expect(() => task.grade(episode.statistics)).toThrow(/baselineReturn is missing/);
  });

  it('grade a log as they grade the statistics', async () => {
    const task = compileTask(rows[0].task, { episode_len: 20 });
    const { TaskVectorEnv, loadBackend } = await import('../../src/index.js');
    const env = new TaskVectorEnv(task, await loadBackend('reference'), {
      numEnvs: 1,
      infos: true,
      autoreset: 'disabled',
    });
    env.reset({ seed: 2 });
    const log = Array.from({ length: 20 }, () => {
      env.rollout('random', 1);
      return { reward: env.rewards[0], info: env.info(0) };
    });
    const context = { baselineReturn: -40 };
    expect(task.gradeLog?.(log, context)).toEqual(task.grade(env.statisticsOf(0)!, context));
    env.close();
  });
});
