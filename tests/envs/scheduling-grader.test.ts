/** Scheduling's grader against plain sums over a log, its bound against everything we can play. */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/json.js';
import { readJobTrace } from '../../src/data/job-trace.js';
import { binStart, schedulingMetrics, waitQuantile } from '../../src/envs/scheduling/grader.js';
import { registerJobTrace } from '../../src/envs/scheduling/registered.js';
import { evaluateEpisodes } from '../../src/evaluation/evaluate.js';
import { heuristicPolicy } from '../../src/evaluation/policy.js';
import { evaluateProtocol, testSeeds, trainSeeds } from '../../src/evaluation/protocol.js';
import { summarizePaired } from '../../src/evaluation/statistics.js';
import { createPolicy } from '../../src/policies/index.js';
import { waitBin } from '../../src/reference/scheduling/scheduling.js';
import '../../src/envs/scheduling/node.js';
import { referenceEnv, scheduling } from '../support/scheduling.js';

interface LogRow {
  reward: number;
  metrics: Record<string, number>;
}

/** Waits of the jobs that a log places, and of those that still wait at its end. */
function allWaits(log: readonly LogRow[]): number[] {
  const queue: number[] = [];
  const waits: number[] = [];
  for (const [step, { metrics }] of log.entries()) {
    if (metrics['placed'] === 1) {
      const wait = metrics['wait_steps']!;
      queue.splice(queue.indexOf(step - wait), 1);
      waits.push(wait);
    }
    for (let i = 0; i < metrics['arrivals']! - metrics['dropped']!; i++) queue.push(step);
  }
  return [...waits, ...queue.map((arrival) => log.length - arrival)];
}

/** The log of an episode under a heuristic, or of one that never places. */
function playLog(config: JsonObject, policy: string, seed: number) {
  const task = scheduling('sleep-aware', config);
  const env = referenceEnv(task, seed);
  const log: LogRow[] = [];
  while (env.truncated[0] === 0) {
    if (policy === 'constant') env.step([task.baselineAction as number]);
    else env.rollout(policy, 1);
    const { metrics } = env.info(0) as unknown as Pick<LogRow, 'metrics'>;
    log.push({ reward: env.rewards[0]!, metrics });
  }
  const statistics = env.statisticsOf(0)!;
  env.close();
  return { task, log, statistics };
}

describe('the grader', () => {
  const config = { workload: 'poisson', arrival_rate: 0.95, episode_length: 300 };
  const { task, log, statistics } = playLog(config, 'power-aware', 4);
  const column = (name: string) => log.map(({ metrics }) => metrics[name]!);
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

  it('reports what plain sums over the log give', () => {
    const own = schedulingMetrics(statistics);
    const waits = log.filter(({ metrics }) => metrics['placed'] === 1);
    const arrivals = sum(column('arrivals'));
    const plain = {
      sla_violation_rate: sum(column('violated_jobs')) / arrivals,
      violations_per_job: sum(column('violations')) / arrivals,
      mean_power_watts: sum(column('power_watts')) / log.length,
      energy_kwh: sum(column('power_watts')) / 60 / 1000,
      wait_steps_mean: sum(allWaits(log)) / allWaits(log).length,
      censored_jobs: arrivals - waits.length,
      completed_jobs: sum(column('completed')),
      dropped_jobs: sum(column('dropped')),
      utilization_ratio: sum(column('utilization_ratio')) / log.length,
      num_toggles: sum(column('toggles')),
      invalid_actions: 0,
    };
    for (const [name, value] of Object.entries(plain)) {
      expect(own[name as keyof typeof plain], name).toBeCloseTo(value, 12);
    }
    expect(own.sla_violation_rate).toBeGreaterThan(0);
    expect(own.num_toggles).toBeGreaterThan(0);
  });

  it('finds a quantile of the waits to within a twentieth of it', () => {
    const sorted = allWaits(log).sort((a, b) => a - b);
    for (const share of [0.25, 0.5, 0.9, 0.95, 0.99]) {
      const exact = sorted[Math.ceil(share * sorted.length) - 1]!;
      const own = waitQuantile(statistics, share);
      if (exact < 40) expect(own, String(share)).toBe(exact);
      else expect(Math.abs(own / exact - 1), String(share)).toBeLessThan(0.05);
    }
  });

  it('counts the waits of jobs that never start, as long as they have waited', () => {
    const config = { workload: 'poisson', arrival_rate: 0.75, episode_length: 200 };
    const { log, statistics, task } = playLog(config, 'constant', 4);
    const waits = allWaits(log).sort((a, b) => a - b);
    const own = schedulingMetrics(statistics);
    expect(own.censored_jobs).toBe(waits.length);
    expect(own.wait_steps_mean).toBeCloseTo(sum(waits) / waits.length, 12);
    const exact = waits[Math.ceil(0.95 * waits.length) - 1]!;
    expect(exact).toBeGreaterThan(150);
    expect(Math.abs(own.wait_steps_p95 / exact - 1)).toBeLessThan(0.05);
    const context = { baselineReturn: -3000, bound: -1000 };
    expect(task.gradeLog!(log, context)).toEqual(task.grade(statistics, context));
  });

  it('counts them while the episode runs, too', () => {
    const env = referenceEnv(scheduling('base', { episode_length: 200 }), 4);
    env.actions.fill(75);
    for (let t = 0; t < 100; t++) env.step();
    const own = schedulingMetrics(env.runningStatistics(0));
    expect(own.censored_jobs).toBeGreaterThan(50);
    expect(own.wait_steps_mean).toBeGreaterThan(30);
    expect(own.wait_steps_p95).toBeGreaterThan(30);
    env.close();
  });

  it('has bins that follow each other without a gap', () => {
    for (let steps = 0; steps < 100_000; steps++) {
      const [start, end] = [binStart(waitBin(steps)), binStart(waitBin(steps) + 1)];
      if (start <= steps && steps < end && (end - start) / start <= (steps < 40 ? Infinity : 0.05))
        continue;
      throw new Error(`${steps} is in the bin ${start} .. ${end}`);
    }
    expect(waitBin(1_000_000)).toBe(279);
  });

  it('scores between round-robin and the bound, clipped', () => {
    const context = { baselineReturn: -3000, bound: -1000 };
    const score = (episode_return: number) =>
      task.grade({ ...statistics, episode_return }, context).score;
    expect(score(-1500)).toBeCloseTo(0.75, 12);
    expect(score(-4000)).toBe(0);
    expect(score(-900)).toBe(1);
    const { breakdown } = task.grade({ ...statistics, episode_return: -4000 }, context);
    expect(breakdown['score_unclipped']).toBeCloseTo(-0.5, 12);
    expect(breakdown['above_bound_percent']).toBeCloseTo(300, 9);
    const even = { baselineReturn: -1000, bound: -1000 };
    expect(task.grade({ ...statistics, episode_return: -1000 }, even).score).toBe(1);
    expect(() => task.grade(statistics, { bound: -1 })).toThrow(/baselineReturn is missing/);
    expect(() => task.grade(statistics, { baselineReturn: -1 })).toThrow(/bound is missing/);
  });

  it('grades a log to the same number', () => {
    const context = { baselineReturn: -3000, bound: -1000 };
    expect(task.gradeLog!(log, context)).toEqual(task.grade(statistics, context));
    const rows = log.map(({ reward, metrics }) => ({ reward, info: { metrics } }));
    expect(task.gradeLog!(rows, context)).toEqual(task.grade(statistics, context));
    expect(task.gradeLog!([], context).score).toBe(0);
    const damaged = [{ reward: 0, metrics: { ...log[0]!.metrics, wait_bin: 281 } }];
    expect(() => task.gradeLog!(damaged, context)).toThrow(/log\[0\].metrics.wait_bin is 281/);
    expect(() => task.gradeLog!([{ metrics: {} }], context)).toThrow(/log\[0\]\.metrics\./);
  });
});

describe('the bound', () => {
  it('is the return where no job arrives and nothing may sleep', () => {
    const task = scheduling('base', { arrival_rate: 0, episode_length: 100 });
    const env = referenceEnv(task);
    env.actions.fill(task.baselineAction as number);
    for (let t = 0; t < 100; t++) env.step();
    const own = env.statisticsOf(0)!['episode_return']!;
    const bound = task.bound!({ lo: 0, hi: 0 }, 0);
    expect(own).toBeLessThanOrEqual(bound);
    expect(own / bound - 1).toBeLessThan(1e-6);
    env.close();
  });

  it.each(['poisson', 'poisson_diurnal', 'google_v2_sampled'])('is above all on %s', async (w) => {
    for (const config of [{}, { beta: 0 }, { beta: 1, alpha: 50 }, { sla_deadline_steps: 400 }]) {
      const task = scheduling('sleep-aware', { ...config, workload: w, episode_length: 250 });
      for (const name of ['rr', 'ffd', 'power-aware', 'constant', 'random-feasible']) {
        const policy = await createPolicy(name, task);
        const seeds = [0, 1, 2, 3];
        const episodes = await evaluateEpisodes(task, policy, seeds, { backend: 'reference' });
        for (const episode of episodes) {
          expect(episode.return).toBeLessThanOrEqual(episode.breakdown['bound']!);
        }
      }
    }
  });

  it('is above thousands of random policies on one small trace', () => {
    const csv = 'arrival,cpu,mem,duration\n0,60,60,4\n0,60,10,9\n1,30,30,2\n3,60,60,9\n';
    registerJobTrace('small', readJobTrace(csv, 'small'));
    const small = { n_servers: 2, cluster_type: 'homogeneous', num_slots: 2, episode_length: 8 };
    const config = { ...small, workload: 'trace', trace: 'small', sla_deadline_steps: 2, beta: 4 };
    const task = scheduling('sleep-aware', config);
    const env = referenceEnv(task, 0, 4096);
    env.rollout('random', 8);
    const returns = Array.from({ length: 4096 }, (_, i) => env.statisticsOf(i)!['episode_return']!);
    const best = returns.reduce((a, b) => Math.max(a, b));
    const bound = task.bound!({ lo: 0, hi: 0 }, 0);
    expect(best).toBeLessThanOrEqual(bound);
    // Loose, but not by much more than the power of what must be awake.
    expect(bound - best).toBeLessThan(0.5 * Math.abs(best));
    env.close();
  });
});

describe('the protocol', () => {
  it('keeps the seeds apart', () => {
    expect(trainSeeds()).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(testSeeds(2)).toEqual([1_000_000, 1_000_001]);
    expect(() => testSeeds(0)).toThrow(/count is 0/);
  });

  /** Means of the first tries on the design's own fleet, and how far ours may lie from them. */
  it('finds what was published of the heuristics on the base task', async () => {
    const task = scheduling('base');
    const tries = { rr: [0.55, -6395], sjf: [0.12, -4503], ffd: [0.08, -4405] } as const;
    const rates: Record<string, number[]> = {};
    for (const [name, [violations, total]] of Object.entries(tries)) {
      const {
        metrics,
        return: ret,
        episodes,
      } = await evaluateProtocol(task, heuristicPolicy(name));
      expect(Math.abs(metrics['violations_per_job']!.mean - violations), name).toBeLessThan(0.08);
      expect(Math.abs(ret.mean / total - 1), name).toBeLessThan(0.06);
      rates[name] = episodes.map(({ breakdown }) => breakdown['sla_violation_rate']!);
    }
    const { mean, ci95 } = summarizePaired(rates['rr']!, rates['ffd']!);
    expect(ci95![0]).toBeGreaterThan(0.1);
    expect(mean).toBeGreaterThan(0.2);
  });

  it('finds that sleep saves more than 10 % of the power at no worse SLA', async () => {
    const task = scheduling('sleep-aware');
    const [ffd, own] = await Promise.all(
      ['ffd', 'power-aware'].map((name) => evaluateProtocol(task, heuristicPolicy(name))),
    );
    const column = (result: typeof ffd, name: string) =>
      result!.episodes.map(({ breakdown }) => breakdown[name]!);
    const shares = column(own, 'mean_power_watts').map(
      (watts, i) => watts / column(ffd, 'mean_power_watts')[i]! - 1,
    );
    const saved = summarizePaired(
      shares,
      shares.map(() => 0),
    );
    expect(saved.ci95![1]).toBeLessThan(-0.1);
    const worse = summarizePaired(
      column(own, 'sla_violation_rate'),
      column(ffd, 'sla_violation_rate'),
    );
    expect(worse.ci95![0]).toBeLessThanOrEqual(0);
    expect(worse.mean).toBeLessThan(0.001);
  });
});
