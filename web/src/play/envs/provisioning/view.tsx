/** Provisioning in the playground. */
import type { ChartPlan, FamilyView, Reading } from '../../family.js';
import type { Game } from '../../game.js';
import { limit, metricCurve, rewardCurve } from '../../parts/plan.js';
import { type BudgetConfig, configOf } from './config.js';
import { Controls } from './controls.js';
import { Picture } from './picture.js';

const charts: readonly ChartPlan[] = [
  {
    title: 'Jobs',
    unit: 'jobs/step',
    curves: (game) => [
      metricCurve(game, 'arrived', 'arrivals', 'purple'),
      metricCurve(game, 'finished', 'processed', 'green'),
    ],
  },
  {
    title: 'Queue',
    unit: 'jobs',
    curves: (game) => [metricCurve(game, 'waiting', 'queue', 'orange')],
  },
  {
    title: 'GPUs',
    unit: 'rented',
    curves: (game) => [
      metricCurve(game, 'running', 'running_gpus', 'blue', { isStepped: true }),
      metricCurve(game, 'booting', 'booting_gpus', 'grey', { isStepped: true, isDashed: true }),
    ],
    range: [0, 8],
  },
  {
    title: 'Budget left',
    unit: 'USD',
    curves: (game) => [metricCurve(game, 'budget', 'budget_usd', 'sky')],
    zones: () => [limit('the end', 0)],
  },
  {
    title: 'Reward of a step',
    unit: 'USD',
    curves: (game) => [rewardCurve(game)],
  },
];

function readings(game: Game, row: number): readonly Reading[] {
  const at = (name: string) => game.metrics.at(row, name);
  const config = configOf(game);
  const [running, booting] = [at('running_gpus'), at('booting_gpus')];
  return [
    {
      name: 'Queue',
      value: at('queue').toFixed(0),
      unit: 'jobs',
      hint: `each costs $${config.wait_cost_usd} a step`,
      state: at('queue') > 4 * Math.max(running, 1) ? 'wrong' : 'neutral',
    },
    {
      name: 'GPUs running',
      value: running.toFixed(0),
      unit: booting > 0 ? `+ ${booting} booting` : 'GPUs',
      hint: `$${config.gpu_cost_usd} a step each; boot ${config.boot_delay}`,
      state: 'neutral',
    },
    {
      name: 'Jobs arrived',
      value: at('arrivals').toFixed(0),
      unit: 'jobs',
      hint: at('regime') === 1 ? 'a surge' : 'random, not yours to change',
      state: 'neutral',
    },
    budgetReading(at('budget_usd'), config),
  ];
}

function budgetReading(left: number, { budget_usd: budget }: BudgetConfig): Reading {
  return {
    name: 'Budget left',
    value: left.toFixed(2),
    unit: 'USD',
    hint: `of ${budget}; at 0 it is over`,
    state: left < 0.1 * budget ? 'wrong' : 'neutral',
  };
}

export const view: FamilyView = {
  sentence:
    'Jobs arrive and wait; each running GPU finishes one a step and costs rent, booting or busy ' +
    'or idle: rent and release so that little waits and the budget lasts.',
  readings,
  charts: () => charts,
  Picture,
  Controls,
  gradeLines: [
    {
      entry: 'return',
      name: 'Return',
      meaning: 'value of jobs − rent − waiting',
      unit: 'USD',
      digits: 1,
    },
    {
      entry: 'bound',
      name: 'Bound',
      meaning: 'nobody reaches more on these arrivals',
      unit: 'USD',
      digits: 1,
    },
    { entry: 'served_fraction', name: 'Jobs served', meaning: 'share of those that arrived' },
    { entry: 'queue_mean', name: 'Mean queue', meaning: 'jobs waiting after a step', digits: 1 },
    { entry: 'wait_steps_mean', name: 'Mean wait', meaning: 'steps, by Little’s law', digits: 2 },
    {
      entry: 'money_left_usd',
      name: 'Money left',
      meaning: 'of the budget',
      unit: 'USD',
      digits: 2,
    },
    {
      entry: 'ended_by_budget',
      name: 'Ended by the budget',
      meaning: '1: the money ran out',
      digits: 0,
    },
  ],
};
