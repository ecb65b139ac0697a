import { describe, expect, it } from 'vitest';
import { compileTask } from '../../src/api/registry.js';
import type { JsonObject } from '../../src/base/json.js';
import { makeRng } from '../../src/base/seeding.js';
import { syntheticTable } from '../../src/data/synthetic-table.js';
import { simulate } from '../../src/envs/serving/simulate.js';
import { createReferenceBatch } from '../../src/reference/families.js';
import { reportOf } from '../support/report.js';

const table = syntheticTable();
const workload = { mean_prompt_len: 96, queue_depth: 10 };

describe('simulate', () => {
  it('reproduces the origin figures of the synthetic table', () => {
    expect(simulate({ batch_size: 32 }, workload).tokens_per_sec).toBeCloseTo(4690, -1.5);
    const best = simulate({ batch_size: 128, kv_budget: 0.5 }, workload);
    expect(best.tokens_per_sec).toBeGreaterThan(8000);
    expect(best.eviction_events).toBe(5);
    expect(best.oom).toBe(false);
  });

  it('fails a whole batch for lack of memory', () => {
    const long = { mean_prompt_len: 4096, queue_depth: 0 };
    const snapshot = simulate({ batch_size: 512, kv_budget: 1 }, long);
    expect(snapshot).toMatchObject({ oom: true, gpu_memory_gb: 40, slo_violations: 512 });
  });

  it.each(['1', '2', '3'])('gives what a step of task %s gives, noise included', (alias) => {
    const task = compileTask(alias);
    const batch = createReferenceBatch(task.program, {
      numEnvs: 1,
      autoreset: 'disabled',
      threads: 1,
      metrics: true,
      kernel: 'scalar',
    });
    const row = new Float32Array(batch.channels.actions.buffer, 0, 5);
    const rng = makeRng(4);
    batch.reset({ lo: 3, hi: 0 }, false);
    for (let step = 0; step < 40; step++) {
      task.encodeAction(task.actionSpace.sample(rng), row);
      batch.step();
      const info = reportOf(task, batch.channels);
      const seen = info['workload'] as JsonObject;
      const snapshot = simulate(
        info['applied_action'],
        {
          mean_prompt_len: seen['mean_prompt_len'] as number,
          queue_depth: seen['queue_depth'] as number,
        },
        table,
        { seed: 3, step, acceptBase: task.config['spec_accept_base'] as number },
      );
      const { oom, slo_violations: failed, ...metrics } = snapshot;
      expect(info['metrics']).toMatchObject(metrics);
      expect(info['oom']).toBe(oom);
      const total = (info['metrics'] as JsonObject)['slo_violations'] as number;
      expect(total).toBeGreaterThanOrEqual(failed);
    }
  });

  it('is quiet without a seed and the same with the same one', () => {
    const action = { batch_size: 16 };
    expect(simulate(action, workload)).toEqual(simulate(action, workload));
    const noisy = simulate(action, workload, 'synthetic-a', { seed: 1 });
    expect(noisy).toEqual(simulate(action, workload, 'synthetic-a', { seed: 1 }));
    expect(noisy.ttft_p50_ms).not.toBe(simulate(action, workload).ttft_p50_ms);
  });

  it('refuses what is out of range, by name', () => {
    expect(() => simulate({ batch_size: 0 }, workload)).toThrow(/action\.batch_size is 0/);
    const empty = { mean_prompt_len: Number.NaN, queue_depth: 0 };
    expect(() => simulate({}, empty)).toThrow(/workload\.mean_prompt_len is NaN/);
    expect(() => simulate({}, { ...workload, queue_depth: -1 })).toThrow(/workload\.queue_depth/);
    expect(() => simulate({}, workload, 'nothing')).toThrow(/"nothing"/);
    const loud = { noiseStd: 2 };
    expect(() => simulate({}, workload, 'synthetic-a', loud)).toThrow(/noiseStd is 2/);
  });
});
