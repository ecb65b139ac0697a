/** Autoscaling in the playground. */
import type { ChartPlan, FamilyView, Reading } from '../../family.js';
import type { Game } from '../../game.js';
import { limit, metricCurve, rewardCurve } from '../../parts/plan.js';
import { configOf } from './config.js';
import { Controls } from './controls.js';
import { Picture } from './picture.js';

function zonesOf(game: Game) {
  const {
    target_cpu_range: [low, high],
    utilization_limit: limit,
  } = configOf(game);
  return [
    { name: `target ${low}–${high} %`, low, high, kind: 'target' },
    { name: `critical ${limit} %`, low: limit, high: limit, kind: 'limit' },
  ] as const;
}

const charts: readonly ChartPlan[] = [
  {
    title: 'Utilisation over time',
    unit: '%',
    curves: (game) => [
      metricCurve(game, 'CPU', 'cpu', 'blue'),
      metricCurve(game, 'memory', 'memory', 'orange'),
    ],
    zones: zonesOf,
    range: [0, 100],
  },
  {
    title: 'Resource allocation over time',
    unit: 'instances',
    curves: (game) => [metricCurve(game, 'instances', 'instances', 'green', { isStepped: true })],
    range: [0, 8],
  },
  {
    title: 'Request rate',
    unit: 'requests/step',
    curves: (game) => [metricCurve(game, 'requests', 'request_rate', 'purple')],
  },
  {
    title: 'Latency',
    unit: 'requests/instance',
    curves: (game) => [metricCurve(game, 'latency', 'latency', 'sky')],
    zones: (game) => [limit(`SLA ${configOf(game).latency_sla}`, configOf(game).latency_sla)],
  },
  {
    title: 'Reward of a step',
    unit: '0–1',
    curves: (game) => [rewardCurve(game)],
    range: [0, 1],
  },
  {
    title: 'Reward by component',
    unit: 'before it is scaled to 0–1',
    curves: (game) => [
      metricCurve(game, 'CPU in range', 'reward_cpu', 'blue'),
      metricCurve(game, 'memory', 'reward_memory', 'orange'),
      metricCurve(game, 'cost', 'reward_cost', 'green'),
      metricCurve(game, 'mixed', 'reward_mixed', 'grey'),
    ],
  },
];

function utilizationReading(name: string, value: number, game: Game): Reading {
  const {
    target_cpu_range: [low, high],
    utilization_limit: limit,
  } = configOf(game);
  const isGood = value >= low && value <= high;
  return {
    name,
    value: value.toFixed(1),
    unit: '%',
    hint: value > limit ? `above ${limit} % it breaks` : `target ${low}–${high} %`,
    state: value > limit ? 'wrong' : isGood ? 'good' : 'neutral',
  };
}

function readings(game: Game, row: number): readonly Reading[] {
  const at = (name: string) => game.metrics.at(row, name);
  const { latency_sla: sla, budget } = configOf(game);
  const starting = at('starting_instances');
  return [
    utilizationReading('CPU utilisation', at('cpu'), game),
    utilizationReading('Memory utilisation', at('memory'), game),
    {
      name: 'Request rate',
      value: at('request_rate').toFixed(1),
      unit: 'requests/step',
      hint: 'random, not yours to change',
      state: 'neutral',
    },
    {
      name: 'Allocated resources',
      value: at('instances').toFixed(0),
      unit: at('instances') === 1 ? 'instance' : 'instances',
      hint: starting > 0 ? `${starting} still starting` : 'each costs reward',
      state: 'neutral',
    },
    {
      name: 'Latency',
      value: at('latency').toFixed(1),
      unit: 'requests/instance',
      hint: `SLA ${sla}; lower is better`,
      state: at('latency') > sla ? 'wrong' : 'good',
    },
    ...(budget === null ? [] : [budgetReading(at('budget_left'), budget)]),
  ];
}

function budgetReading(left: number, budget: number): Reading {
  return {
    name: 'Budget left',
    value: left.toFixed(0),
    unit: 'price units',
    hint: `of ${budget}`,
    state: left < 0 ? 'wrong' : 'neutral',
  };
}

export const view: FamilyView = {
  sentence:
    'Requests arrive at random: keep CPU and memory between 40 and 70 % by adding and removing ' +
    'instances; too many cost money, and above 95 % the service breaks down.',
  readings,
  charts: () => charts,
  Picture,
  Controls,
  gradeLines: [
    {
      entry: 'final_score',
      name: 'Final score',
      meaning: '0.3 stability + 0.3 efficiency + 0.4 performance',
    },
    {
      entry: 'stability_score',
      name: 'Stability',
      meaning: 'exp(−variance of utilisation / 100): 1 is steady',
    },
    { entry: 'efficiency_score', name: 'Efficiency', meaning: '1 / mean price of the instances' },
    {
      entry: 'performance_score',
      name: 'Performance',
      meaning: 'mean reward of the steps that were played',
    },
    { entry: 'avg_cpu', name: 'Average CPU', meaning: 'mean utilisation', digits: 1, unit: '%' },
    {
      entry: 'avg_memory',
      name: 'Average memory',
      meaning: 'mean utilisation',
      digits: 1,
      unit: '%',
    },
    {
      entry: 'avg_latency',
      name: 'Average latency',
      meaning: 'requests of a step for each instance',
      digits: 1,
    },
    {
      entry: 'avg_instances',
      name: 'Average instances',
      meaning: 'paid for at each step',
      digits: 1,
    },
    {
      entry: 'sla_violation_rate',
      name: 'SLA violations',
      meaning: 'share of steps with too high a latency',
    },
    {
      entry: 'steps',
      name: 'Total steps',
      meaning: 'an overload ends an episode early',
      digits: 0,
    },
    {
      entry: 'cumulative_reward',
      name: 'Cumulative reward',
      meaning: 'sum of the rewards',
      digits: 2,
    },
  ],
};
