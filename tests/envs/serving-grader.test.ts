import { describe, expect, it } from 'vitest';
import { compileTask } from '../../src/api/registry.js';
import { makeRng } from '../../src/base/seeding.js';
import { gradeLog } from '../../src/envs/serving/grader.js';
import { createReferenceBatch } from '../../src/reference/families.js';
import { reportOf } from '../support/report.js';

/** The graders as the origin wrote them in NumPy, two passes over the arrays. */
const np = {
  mean: (x: number[]) => x.reduce((a, b) => a + b, 0) / x.length,
  diff: (x: number[]) => x.slice(1).map((value, i) => value - x[i]),
  std(x: number[]) {
    const mean = np.mean(x);
    return Math.sqrt(np.mean(x.map((value) => (value - mean) ** 2)));
  },
  clip: (x: number) => Math.min(Math.max(x, 0), 1),
};

interface Step {
  action: { batch_size: number; kv_budget: number };
  reward: number;
  metrics: Record<string, number>;
}

const numpyGraders: Record<string, (log: Step[]) => number> = {
  '1': (log) => np.clip((np.mean(log.map((s) => s.metrics['tokens_per_sec'])) - 2800) / 5400),
  '2'(log) {
    const ttft = np.clip(1 - np.mean(log.map((s) => s.metrics['ttft_p50_ms'])) / 300);
    const peak = Math.max(...log.map((s) => s.metrics['gpu_memory_gb']));
    return 0.5 * ttft + 0.5 * (peak < 36 ? 1 : np.clip(1 - (peak - 36) / 10));
  },
  '3'(log) {
    const throughput = np.clip(np.mean(log.map((s) => s.metrics['tokens_per_sec'])) / 4200);
    const slo = np.clip(1 - np.mean(log.map((s) => s.metrics['slo_violations'])) / 100);
    const cost = np.clip(1 - log.reduce((sum, s) => sum + s.metrics['cost_per_1k'], 0) / 5);
    const batch = np.std(np.diff(log.map((s) => s.action.batch_size)));
    const kv = np.std(np.diff(log.map((s) => s.action.kv_budget)));
    const stability = 1 - np.clip((batch / 512 + kv) / 0.5);
    return 0.4 * throughput + 0.3 * slo + 0.2 * cost + 0.1 * stability;
  },
};

function randomLog(length: number, seed: number): Step[] {
  const rng = makeRng(seed);
  const draw = (low: number, high: number) => low + (high - low) * rng.nextFloat();
  return Array.from({ length }, () => ({
    action: { batch_size: Math.floor(draw(20, 120)), kv_budget: draw(0.4, 0.6) },
    reward: draw(-1, 1),
    metrics: {
      tokens_per_sec: draw(1000, 9000),
      ttft_p50_ms: draw(50, 400),
      gpu_memory_gb: draw(20, 38),
      slo_violations: Math.floor(draw(0, 120)),
      cost_per_1k: draw(0.001, 0.04),
    },
  }));
}

describe('grading a log', () => {
  it.each(['1', '2', '3'])('agrees with NumPy on task %s', (alias) => {
    const task = compileTask(alias);
    for (const length of [2, 3, 50, 200]) {
      for (let seed = 0; seed < 10; seed++) {
        const log = randomLog(length, 100 * length + seed);
        const { score } = gradeLog(task, log);
        expect(Math.abs(score - numpyGraders[alias](log))).toBeLessThan(1e-12);
      }
    }
  });

  it.each(['1', '2', '3'])('gives no NaN for a log of none or one of task %s', (alias) => {
    const task = compileTask(alias);
    expect(gradeLog(task, [])).toEqual({
      score: 0,
      breakdown: {},
      feedback: 'Empty episode log.',
    });
    const { score, breakdown, feedback } = gradeLog(task, randomLog(1, 1));
    for (const value of [score, ...Object.values(breakdown)])
      expect(value).toBeGreaterThanOrEqual(0);
    expect(feedback).not.toMatch(/NaN|undefined/);
  });

  it.each(['1', '2', '3'])('gives the same number as the statistics of task %s', (alias) => {
    const task = compileTask(alias);
    const batch = createReferenceBatch(task.program, {
      numEnvs: 1,
      autoreset: 'disabled',
      threads: 1,
      metrics: true,
      kernel: 'scalar',
    });
    batch.reset({ lo: 9, hi: 0 }, false);
    const log = Array.from({ length: task.horizonSteps }, () => {
      batch.rollout(1, 1);
      const info = reportOf(task, batch.channels);
      return { reward: batch.channels.rewards[0], info };
    });
    const statistics = Object.fromEntries(
      task.layout.statistics.map(({ name }, i) => [name, batch.channels.finalStatistics[i]]),
    );
    expect(gradeLog(task, log)).toEqual(task.grade(statistics));
    expect(gradeLog(task, JSON.parse(JSON.stringify(log)))).toEqual(task.grade(statistics));
  });

  it('says what it saw', () => {
    const log = [{ action: {}, reward: 0, metrics: { tokens_per_sec: 5500 } }];
    expect(gradeLog(compileTask('1'), log).feedback).toBe(
      'Agent achieved 5500 TPS (50% of way from baseline to optimal).',
    );
    const second = [{ metrics: { ttft_p50_ms: 150, gpu_memory_gb: 37 } }];
    expect(gradeLog(compileTask('2'), second)).toEqual({
      score: 0.5 * 0.5 + 0.5 * 0.9,
      breakdown: { ttft: 0.5, memory: 0.9 },
      feedback:
        'TTFT score: 0.50 (mean TTFT 150ms vs 300ms SLO). ' +
        'Memory score: 0.90 (peak 37.0GB vs 36GB limit).',
    });
  });

  const metrics = { tokens_per_sec: 1, slo_violations: 0, cost_per_1k: 1 };
  it.each<[string, unknown, RegExp]>([
    ['no array', { steps: [] }, /log is an object: an array/],
    ['a row that is no object', [3], /log\[0\] is 3: an object/],
    ['a row without metrics', [{ action: {} }], /log\[0\]\.metrics is missing/],
    [
      'a missing metric',
      [{ metrics: {}, action: {} }],
      /log\[0\]\.metrics\.tokens_per_sec is miss/,
    ],
    [
      'a metric that is a text',
      [
        { metrics, action: {} },
        { metrics: { ...metrics, cost_per_1k: '1' }, action: {} },
      ],
      /log\[1\]\.metrics\.cost_per_1k is "1": a finite number/,
    ],
    ['a step without an action', [{ metrics }], /log\[0\]\.action is missing/],
    ['an action of texts', [{ metrics, action: { batch_size: '8' } }], /log\[0\]\.action\.batch_s/],
    ['an invalid reward', [{ metrics, action: {}, reward: null }], /log\[0\]\.reward is null/],
    [
      'infinity in info',
      [{ action: {}, info: { metrics: { ...metrics, slo_violations: Infinity } } }],
      /log\[0\]\.info\.metrics\.slo_violations is Infinity/,
    ],
  ])('refuses %s', (_, log, message) => {
    expect(() => gradeLog(compileTask('3'), log)).toThrow(message);
  });
});
