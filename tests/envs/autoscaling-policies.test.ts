import { describe, expect, it } from 'vitest';
import { loadReference } from '../../src/backends/reference.js';
import {
  evaluateEpisodes,
  type JsonObject,
  mean,
  type Policy,
  randomPolicy,
} from '../../src/index.js';
import {
  bestConstantPolicy,
  HorizontalPodAutoscaler,
  hpaPolicy,
  keepPolicy,
  searchBestConstant,
  thresholdPolicy,
} from '../../src/policies/autoscaling.js';
import { autoscaling } from '../support/autoscaling.js';

const seeds = Array.from({ length: 15 }, (_, i) => i);
const scoreOf = async (name: string, policy: Policy) => {
  const episodes = await evaluateEpisodes(autoscaling(name), policy, seeds, {
    backend: 'reference',
  });
  return mean(episodes.map(({ score }) => score));
};

describe('the baselines', () => {
  it.each(['easy', 'medium'])('threshold beats random on %s, over seeds 0 .. 14', async (name) => {
    const [rule, random] = [
      await scoreOf(name, thresholdPolicy()),
      await scoreOf(name, randomPolicy()),
    ];
    expect(rule).toBeGreaterThan(random + 0.1);
  });

  it('the HPA outlives the threshold rule on hard', async () => {
    expect(await scoreOf('hard', hpaPolicy())).toBeGreaterThan(
      await scoreOf('hard', thresholdPolicy()),
    );
  });

  it.each(['easy', 'medium', 'hard', 'trace', 'fleet'])(
    'the constant of %s is what the search finds',
    async (name) => {
      const task = autoscaling(name);
      expect(await searchBestConstant(task)).toBe(task.config['best_constant']);
    },
  );
});

describe('the core plays the same policies', () => {
  const wide = { max_delta: 3, hpa: { target_utilization: 60, stabilization_window_steps: 8 } };
  it.each<[string, JsonObject]>([
    ['easy', {}],
    ['medium', wide],
    ['hard', { cold_start_steps: 3 }],
    ['medium', { cold_start_steps: 16, ...wide }],
    ['trace', {}],
    ['diurnal', { max_steps: 120 }],
    ['fleet', { cold_start_steps: 2 }],
  ])('on %s %j', async (name, config) => {
    const policies = [thresholdPolicy(), hpaPolicy(), keepPolicy(), bestConstantPolicy()];
    for (const [k, policy] of policies.entries()) {
      const task = autoscaling(name, config);
      const backend = await loadReference();
      const options = { numEnvs: 15, autoreset: 'next-step', threads: 1, kernel: 'auto' } as const;
      const batch = backend.create(task.program, { ...options, metrics: false });
      batch.reset({ lo: 0, hi: 0 }, false);
      const first = new Map<number, number>();
      for (let step = 0; step < task.horizonSteps; step++) {
        batch.rollout(16 + k, 1);
        const { terminated, truncated, finalStatistics } = batch.channels;
        const width = task.layout.statistics.length;
        for (let env = 0; env < 15; env++) {
          if (first.has(env) || terminated[env] + truncated[env] === 0) continue;
          first.set(env, finalStatistics[env * width + 1]);
        }
      }
      const episodes = await evaluateEpisodes(task, policy, seeds, { backend: 'reference' });
      expect(seeds.map((env) => first.get(env))).toEqual(episodes.map((e) => e.return));
    }
  });
});

describe('the horizontal pod autoscaler', () => {
  const options = {
    targetUtilization: 50,
    tolerance: 0.1,
    stabilizationWindowSteps: 3,
    minReplicas: 2,
    maxReplicas: 10,
  };
  const ready = (replicas: number, utilization: number) => ({
    replicas,
    readyReplicas: replicas,
    utilization,
  });

  it('keeps within its tolerance, and scales up at once', () => {
    const hpa = new HorizontalPodAutoscaler(options);
    expect(hpa.scale(ready(4, 54.9))).toBe(4);
    expect(hpa.scale(ready(4, 55.1))).toBe(5);
    expect(hpa.scale(ready(4, 100))).toBe(8);
    expect(hpa.scale(ready(8, 100))).toBe(10);
  });

  it('scales down only when the whole window says so', () => {
    const hpa = new HorizontalPodAutoscaler(options);
    expect(hpa.scale(ready(6, 50))).toBe(6);
    expect(hpa.scale(ready(6, 25))).toBe(6);
    expect(hpa.scale(ready(6, 25))).toBe(6);
    expect(hpa.scale(ready(6, 25))).toBe(3);
    hpa.reset();
    expect(hpa.scale(ready(6, 1))).toBe(2);
  });

  it('counts replicas that are not ready as idle when it would scale up', () => {
    const status = { replicas: 6, readyReplicas: 3, utilization: 90 };
    expect(new HorizontalPodAutoscaler(options).scale(status)).toBe(6);
    expect(new HorizontalPodAutoscaler(options).scale({ ...status, utilization: 120 })).toBe(8);
    // 3 ready at 70 % are 4.2 replicas' worth: below 6, so nothing changes.
    expect(new HorizontalPodAutoscaler(options).scale({ ...status, utilization: 70 })).toBe(6);
  });
});
