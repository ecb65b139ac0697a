/** Scheduling in the playground. */
import type { ChartPlan, FamilyView, Reading } from '../../family.js';
import type { Game } from '../../game.js';
import { metricCurve, rewardCurve } from '../../parts/plan.js';
import { configOf } from './config.js';
import { Controls } from './controls.js';
import { Picture } from './picture.js';

const power: ChartPlan = {
  title: 'Power of the fleet',
  unit: 'W',
  curves: (game) => [metricCurve(game, 'power', 'power_watts', 'orange')],
};

const jobs: ChartPlan = {
  title: 'Jobs',
  unit: 'jobs',
  curves: (game) => [
    metricCurve(game, 'running', 'running', 'green'),
    metricCurve(game, 'waiting', 'waiting', 'purple'),
  ],
};

const violations: ChartPlan = {
  title: 'Deadlines missed',
  unit: 'in a step',
  curves: (game) => [metricCurve(game, 'missed', 'violations', 'vermilion')],
  range: [0, 2],
};

const utilization: ChartPlan = {
  title: 'CPU in use',
  unit: 'share of the fleet',
  curves: (game) => [metricCurve(game, 'in use', 'utilization_ratio', 'blue')],
  range: [0, 1],
};

const sleep: ChartPlan = {
  title: 'Sleep',
  unit: 'servers',
  curves: (game) => [
    metricCurve(game, 'asleep', 'asleep', 'sky', { isStepped: true }),
    metricCurve(game, 'waking', 'waking', 'grey', { isStepped: true }),
  ],
  range: [0, 4],
};

const reward: ChartPlan = {
  title: 'Reward of a step',
  unit: '−power − missed deadlines − toggles',
  curves: (game) => [rewardCurve(game)],
};

function charts(game: Game): readonly ChartPlan[] {
  const sleeps = configOf(game).sleep_aware ? [sleep] : [];
  return [power, jobs, violations, utilization, ...sleeps, reward];
}

function readings(game: Game, row: number): readonly Reading[] {
  const at = (name: string) => game.metrics.at(row, name);
  const { sla_deadline_steps: deadline } = configOf(game);
  return [
    {
      name: 'Power',
      value: at('power_watts').toFixed(0),
      unit: 'W',
      hint: `${(100 * at('utilization_ratio')).toFixed(0)} % of the CPU in use`,
      state: 'neutral',
    },
    {
      name: 'Jobs waiting',
      value: at('waiting').toFixed(0),
      unit: 'jobs',
      hint: at('backlog') > 0 ? `${at('backlog')} behind the slots` : 'all in the slots',
      state: at('backlog') > 0 ? 'wrong' : 'neutral',
    },
    {
      name: 'Jobs running',
      value: at('running').toFixed(0),
      unit: 'jobs',
      hint: `${at('arrivals')} came, ${at('completed')} ended in this step`,
      state: 'neutral',
    },
    {
      name: 'Deadlines missed',
      value: at('violations').toFixed(0),
      unit: 'in this step',
      hint: `a wait beyond ${deadline} steps`,
      state: at('violations') > 0 ? 'wrong' : 'good',
    },
  ];
}

export const view: FamilyView = {
  sentence:
    'Jobs wait for a server with room: place one a step, let idle servers sleep, keep deadlines ' +
    'and save power.',
  readings,
  charts,
  Picture,
  Controls,
  gradeLines: [
    { entry: 'return', name: 'Return', meaning: 'sum of the rewards', digits: 0 },
    {
      entry: 'baseline_return',
      name: 'Round-robin',
      meaning: 'its return here: score 0',
      digits: 0,
    },
    { entry: 'bound', name: 'Bound', meaning: 'nobody reaches more: score 1', digits: 0 },
    { entry: 'sla_violation_rate', name: 'Jobs too late', meaning: 'share that missed a deadline' },
    {
      entry: 'mean_power_watts',
      name: 'Mean power',
      meaning: 'of the fleet',
      digits: 0,
      unit: 'W',
    },
    { entry: 'energy_kwh', name: 'Energy', meaning: 'a step is a minute', digits: 1, unit: 'kWh' },
    {
      entry: 'wait_steps_mean',
      name: 'Mean wait',
      meaning: 'of placed jobs',
      digits: 1,
      unit: 'steps',
    },
    {
      entry: 'wait_steps_p95',
      name: 'p95 wait',
      meaning: 'of placed jobs',
      digits: 0,
      unit: 'steps',
    },
    { entry: 'completed_jobs', name: 'Completed', meaning: 'jobs that ended', digits: 0 },
    { entry: 'dropped_jobs', name: 'Dropped', meaning: 'the queue was full', digits: 0 },
    { entry: 'utilization_ratio', name: 'Utilisation', meaning: 'mean CPU in use' },
    { entry: 'num_toggles', name: 'Toggles', meaning: 'sent to sleep or woken', digits: 0 },
    {
      entry: 'invalid_actions',
      name: 'Infeasible',
      meaning: 'decisions that became waits',
      digits: 0,
    },
  ],
};
