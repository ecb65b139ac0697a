import { describe, expect, it } from 'vitest';
import { compileTask } from '../../src/api/registry.js';
import type { JsonObject } from '../../src/base/json.js';
import { makeRng } from '../../src/base/seeding.js';
import { observationScales, servingAction, servingFamily } from '../../src/envs/serving/family.js';
import { createReferenceBatch } from '../../src/reference/families.js';
import { playConstant } from '../support/play.js';
import { reportOf } from '../support/report.js';

const ORIGIN = ['1', '2', '3'];

const compile = (id: string, config: JsonObject = {}) => compileTask(id, config);
const row = (task: ReturnType<typeof compile>) => new Float32Array(task.actionDim);

describe('the origin tasks', () => {
  it.each([
    ['1', 'serving/static-uniform-v1', 0.3, 0.4],
    ['2', 'serving/bursty-sharegpt-v1', 0.22, 0.32],
    ['3', 'serving/adversarial-multi-tenant-v1', 0.18, 0.28],
  ])('give the baseline of task %s the published score', (alias, id, low, high) => {
    const task = compile(alias);
    expect(task.spec.id).toBe(id);
    const scores = playConstant(task, task.baselineAction, 15).map((s) => task.grade(s).score);
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    expect(mean).toBeGreaterThanOrEqual(low);
    expect(mean).toBeLessThanOrEqual(high);
  });

  it('take their numbers from one place each', () => {
    const { config } = compile('adversarial-multi-tenant');
    expect(config).toMatchObject({ arrival_rate_rps: 30, burst_multiplier: 10, gamma: 0.35 });
    expect(compile('2').config).toMatchObject({ arrival_rate_burst: 80, max_throughput: 6200 });
    expect(compile('1').config).toMatchObject({ slo_target_ms: 500, episode_len: 200 });
  });

  it('burst in the steps that are written down', () => {
    const phases = (alias: string) => {
      const task = compile(alias);
      const batch = createReferenceBatch(task.program, {
        numEnvs: 1,
        autoreset: 'disabled',
        threads: 1,
        metrics: true,
        kernel: 'scalar',
      });
      batch.reset({ lo: 0, hi: 0 }, false);
      return Array.from({ length: 200 }, () => {
        batch.step();
        const info = reportOf(task, batch.channels);
        return (info['workload'] as JsonObject)['phase'];
      });
    };
    const second = phases('2');
    expect(second.slice(0, 10)).toEqual(new Array(10).fill('warmup'));
    expect(second.slice(30, 60)).toEqual(new Array(30).fill('burst'));
    expect(second.slice(60, 70)).toEqual(new Array(10).fill('cooldown'));
    expect(second[70]).toBe('steady');
    const third = phases('3');
    expect(third.map((phase, i) => (phase === 'burst' ? i : -1)).filter((i) => i >= 0)).toEqual(
      Array.from({ length: 15 }, (_, i) => 120 + i),
    );
  });
});

describe('configuration', () => {
  it.each<[string, JsonObject, RegExp]>([
    ['an unknown entry', { gama: 1 }, /config\.gama is unknown: .*gamma/],
    ['a weight out of range', { alpha: 1e9 }, /config\.alpha is 1000000000: .*-1000 to 1000/],
    ['a text for a number', { slo_target_ms: 'fast' }, /config\.slo_target_ms is "fast"/],
    ['a fraction of a step', { episode_len: 1.5 }, /config\.episode_len is 1.5: an integer/],
    ['a wrong action space', { action_space: 'box' }, /config\.action_space is "box": structured/],
    ['an unknown knob', { active_actions: ['kv'] }, /config\.active_actions/],
    ['shares that do not sum to 1', { priority_distribution: [1, 1, 0] }, /sum to 1/],
    ['an unknown prompt kind', { prompt_len_dist: { kind: 'zipf' } }, /config\.prompt_len_dist/],
    [
      'an empty interval',
      { prompt_len_dist: { kind: 'uniform', min: 9, max: 8 } },
      /prompt_len_dist\.max is 8: a number of at least min, 9/,
    ],
    ['half a burst', { arrival_rate_burst: 80 }, /config\.burst_period_steps is null/],
    ['too many arrivals', { arrival_rate_rps: 1e6 }, /config\.arrival_rate_rps is 1000000/],
    ['a grader without a kind', { grader: {} }, /config\.grader/],
    ['an entry of another dynamics', { traffic_scale: 1 }, /config\.traffic_scale is unknown/],
  ])('refuses %s', (_, config, message) => {
    expect(() => compile('1', config)).toThrow(message);
  });

  it('refuses a table that nobody knows, by name', () => {
    expect(() => compile('1', { table: 'no-such-table' })).toThrow(/no-such-table/);
  });

  it('takes every entry over, and another configuration is another program', () => {
    const task = compile('1');
    for (const [name, value] of Object.entries({
      alpha: 0.5,
      noise_std: 0.1,
      slo_target_ms: 400,
    })) {
      const changed = compile('1', { [name]: value });
      expect(changed.config[name]).toBe(value);
      expect(changed.programDigest).not.toBe(task.programDigest);
    }
  });

  it('leaves the shared specification as it was', () => {
    const before = JSON.stringify(servingFamily.tasks);
    compile('1', { alpha: 0.9 });
    expect(JSON.stringify(servingFamily.tasks)).toBe(before);
  });
});

describe('actions', () => {
  it('are five fields, the absent ones as in the baseline', () => {
    const task = compile('3');
    const encoded = row(task);
    task.encodeAction({ batch_size: 128, prefill_disagg: true }, encoded);
    expect([...encoded]).toEqual([1, 128, 0, 1, 0]);
    task.encodeAction([0.5, 64, 4, 0, 2], encoded);
    expect([...encoded]).toEqual([0.5, 64, 4, 0, 2]);
  });

  it.each<[string, unknown, RegExp]>([
    [
      'a batch too large',
      { batch_size: 513 },
      /action\.batch_size is 513: an integer from 1 to 512/,
    ],
    ['half a request', { batch_size: 32.5 }, /action\.batch_size is 32.5/],
    ['too little cache', { kv_budget: 0.05 }, /action\.kv_budget is 0.05: a number from 0\.1/],
    ['a draft of three', { spec_length: 3 }, /action\.spec_length is 3: one of 0, 1, 2, 4, 8/],
    ['a fourth tier', { quant_tier: 3 }, /action\.quant_tier is 3/],
    ['not a number', { kv_budget: Number.NaN }, /action\.kv_budget is NaN/],
    ['an unknown field', { batch: 3 }, /action\.batch is 3, an unknown field: kv_budget/],
    ['four numbers', [1, 32, 0, 0], /action is \[1, 32, 0, 0\]/],
    ['nothing', null, /action is null/],
  ])('refuse %s', (_, action, message) => {
    const task = compile('3');
    expect(() => task.encodeAction(action, row(task))).toThrow(message);
  });

  it.each(['structured', 'normalised', 'discrete'])('of the %s space are taken', (space) => {
    const task = compile('3', { action_space: space });
    const rng = makeRng(1);
    const encoded = task.actionDtype === 'index' ? new Int32Array(1) : row(task);
    for (let i = 0; i < 50; i++) {
      const action = task.actionSpace.sample(rng);
      expect(task.actionSpace.contains(action)).toBe(true);
      task.encodeAction(action, encoded);
    }
    task.encodeAction(task.baselineAction, encoded);
  });

  it('mean the same configuration in every space', () => {
    const wanted = [0.5, 64, 4, 1, 2];
    const seen = ['structured', 'normalised', 'discrete'].map((space) => {
      const task = compile('3', { action_space: space, episode_len: 1 });
      return playConstant(task, servingAction(task, wanted), 1, 1)[0]['tokens_per_sec_sum'];
    });
    expect(seen[1]).toBeCloseTo(seen[0], 2);
    expect(seen[2]).toBe(seen[0]);
  });

  it('of the baseline are batch 32 at full cache in every space', () => {
    const scores = ['structured', 'normalised', 'discrete'].map((action_space) => {
      const task = compile('1', { action_space });
      return task.grade(playConstant(task, task.baselineAction, 1)[0]).score;
    });
    expect(scores).toEqual([scores[0], scores[0], scores[0]]);
  });
});

describe('observations', () => {
  it.each(ORIGIN)('of task %s lie in the space, normalised or not', (alias) => {
    for (const normalize_observation of [false, true]) {
      const task = compile(alias, { normalize_observation });
      const batch = createReferenceBatch(task.program, {
        numEnvs: 3,
        autoreset: 'disabled',
        threads: 1,
        metrics: false,
        kernel: 'scalar',
      });
      batch.reset({ lo: 5, hi: 0 }, false);
      for (let step = 0; step < 60; step++) {
        batch.rollout(1, 1);
        const rows = batch.channels.observations;
        for (let i = 0; i < 3; i++) {
          const observation = rows.subarray(i * 14, (i + 1) * 14);
          expect(task.observationSpace.describe(observation)).toBeNull();
        }
      }
    }
  });

  it('come back from their scalings', () => {
    const task = compile('1', { normalize_observation: true });
    expect(observationScales(task)[0]).toBeCloseTo(1 / 512, 9);
    expect([...observationScales(compile('1'))]).toEqual(new Array(14).fill(1));
  });
});

describe('what a step reports', () => {
  it('has the nine metrics, the workload, the configuration in force and what was locked', () => {
    const task = compile('1');
    const batch = createReferenceBatch(task.program, {
      numEnvs: 1,
      autoreset: 'disabled',
      threads: 1,
      metrics: true,
      kernel: 'scalar',
    });
    const action = new Float32Array(batch.channels.actions.buffer, 0, 5);
    batch.reset({ lo: 0, hi: 0 }, false);
    task.encodeAction({ batch_size: 4, spec_length: 8, quant_tier: 2 }, action);
    batch.step();
    const info = reportOf(task, batch.channels);
    expect(Object.keys(info['metrics'] as JsonObject).slice(0, 9)).toEqual([
      'ttft_p50_ms',
      'ttft_p99_ms',
      'tpot_ms',
      'tokens_per_sec',
      'gpu_memory_gb',
      'cost_per_1k',
      'spec_accept_rate',
      'eviction_events',
      'slo_violations',
    ]);
    expect(info['workload']).toMatchObject({ phase: 'warmup', is_burst: false });
    // A caller may keep a report and change it.
    expect(reportOf(task, batch.channels)['locked_actions']).not.toBe(info['locked_actions']);
    const { queue_depth } = info['workload'] as JsonObject;
    const { arrivals, served } = info['metrics'] as JsonObject;
    expect(queue_depth).toBe((arrivals as number) - (served as number));
    expect(info['applied_action']).toMatchObject({ batch_size: 4, spec_length: 0, quant_tier: 0 });
    expect(info['locked_actions']).toEqual(['spec_length', 'prefill_disagg', 'quant_tier']);
    expect(info['overwritten_actions']).toEqual(['spec_length', 'quant_tier']);
    expect(info['oom']).toBe(false);
  });
});
