import { describe, expect, it } from 'vitest';
import { makeRng } from '../../src/base/seeding.js';
import { EpisodeRecorder } from '../../src/evaluation/recorder.js';
import {
  gradeAutoscalingEpisode,
  gradeAutoscalingLog,
  type JsonObject,
  make,
} from '../../src/index.js';
import { autoscaling, playEpisode } from '../support/autoscaling.js';

const mean = (x: readonly number[]) => x.reduce((sum, value) => sum + value, 0) / x.length;
const variance = (x: readonly number[]) => mean(x.map((value) => (value - mean(x)) ** 2));

const TASKS: [string, JsonObject][] = [
  ['easy', {}],
  ['medium', {}],
  ['hard', { max_delta: 2 }],
  ['medium', { cold_start_steps: 2, budget: 200 }],
  ['diurnal', {}],
  ['trace', {}],
  ['fleet', {}],
];

/** An episode under random actions that often keep. */
function randomEpisode(name: string, config: JsonObject, seed: number) {
  const task = autoscaling(name, config);
  const rng = makeRng(seed);
  const maxDelta = Number(task.config['max_delta']);
  const actions: number[][] = [];
  const played = playEpisode(task, seed, (_, row) => {
    const change = rng.nextFloat() < 0.8 ? maxDelta : rng.nextUint32() % (2 * maxDelta + 1);
    row.set([rng.nextUint32() % 3, change].slice(2 - row.length));
    actions.push([...row]);
  });
  return { task, actions, ...played };
}

describe.each(TASKS)('the grade of %s %j', (name, config) => {
  it('is what NumPy’s mean and var of the episode say', () => {
    for (const seed of [0, 1, 2]) {
      const { task, steps, statistics } = randomEpisode(name, config, seed);
      const { score, breakdown, feedback } = task.grade(statistics);
      const of = (metric: string) => steps.map((step) => step.metrics[metric]);
      const rewards = steps.map((step) => step.reward);
      const stability = Math.exp(-(variance(of('cpu')) + variance(of('memory'))) / 200);
      const efficiency = 1 / mean(of('price'));
      const expected = {
        final_score: 0.3 * stability + 0.3 * efficiency + 0.4 * mean(rewards),
        stability_score: stability,
        efficiency_score: efficiency,
        performance_score: mean(rewards),
        avg_reward: mean(rewards),
        avg_cpu: mean(of('cpu')),
        avg_memory: mean(of('memory')),
        avg_latency: mean(of('latency')),
        avg_instances: mean(of('instances')),
        steps: steps.length,
        cumulative_reward: mean(rewards) * rewards.length,
        sla_violation_rate: mean(of('latency').map((latency) => (latency > 20 ? 1 : 0))),
        over_budget_steps: of('over_budget').filter((over) => over === 1).length,
        passed: 1,
      };
      for (const [key, value] of Object.entries(expected)) {
        expect(Math.abs(breakdown[key] - value), key).toBeLessThanOrEqual(1e-12 * (1 + value));
      }
      const survived = (mean(rewards) * rewards.length) / task.horizonSteps;
      expect(Math.abs(score - survived)).toBeLessThanOrEqual(1e-12);
      expect(breakdown['score']).toBe(score);
      expect(feedback).toContain(`${steps.length} of ${task.horizonSteps} steps`);
    }
  });

  it('is the same from the log and from the states', () => {
    const { task, steps, actions, statistics } = randomEpisode(name, config, 7);
    const grade = task.grade(statistics);
    const log = steps.map(({ metrics, reward }) => ({ metrics, reward }));
    expect(gradeAutoscalingLog(task, log)).toEqual(grade);
    const states = steps.map((step) => step.observation);
    const rewards = steps.map((step) => step.reward);
    expect(gradeAutoscalingEpisode(task, states, actions, rewards)).toEqual(grade);
  });
});

describe('the grader', () => {
  it('takes what the recorder and step give', async () => {
    const recorder = new EpisodeRecorder(
      await make('autoscaling/medium-v1', { backend: 'reference' }),
    );
    recorder.reset({ seed: 3 });
    while (!recorder.hasEnded) recorder.step(1);
    const { task } = recorder.env;
    const { states, actions, rewards, infos } = recorder.episode;
    const wanted = task.grade(recorder.env.episodeStatistics()!);
    expect(gradeAutoscalingEpisode(task, states, actions, rewards)).toEqual(wanted);
    expect(
      gradeAutoscalingEpisode(
        task,
        states.map((s) => Array.from(s)),
        actions,
        rewards,
      ),
    ).toEqual(wanted);
    const rows = infos.map((info, i) => ({ reward: rewards[i], info }));
    expect(task.gradeLog!(JSON.parse(JSON.stringify(rows)))).toEqual(wanted);
  });

  it('fails an episode below its threshold', () => {
    const { task, statistics } = randomEpisode('medium', { score_threshold: 1 }, 1);
    expect(task.grade(statistics).breakdown['passed']).toBe(0);
  });

  it('scores an empty episode 0', () => {
    expect(gradeAutoscalingLog(autoscaling(), []).score).toBe(0);
  });

  it.each([
    ['log is 3', 3],
    ['log[0].metrics is missing', [{ reward: 1 }]],
    ['log[0].metrics.cpu is missing', [{ reward: 1, metrics: {} }]],
    ['log[0] is 1', [1]],
  ])('refuses a log: %s', (message, log) => {
    expect(() => gradeAutoscalingLog(autoscaling(), log)).toThrow(message);
  });

  it('refuses states that do not fit', () => {
    const task = autoscaling();
    const state = [50, 50, 60, 5];
    const grade = gradeAutoscalingEpisode;
    expect(() => grade(task, [state], [1], [])).toThrow('1, 1 and 0: equal lengths');
    expect(() => grade(task, [[1]], [1], [1])).toThrow('states[0] is');
    expect(() => grade(task, [[Number.NaN, 50, 60, 5]], [1], [1])).toThrow('states[0][0]');
    const normalised = autoscaling('medium', { normalize_observation: true });
    expect(() => grade(normalised, [state], [1], [1])).toThrow('gradeAutoscalingLog');
  });
});
