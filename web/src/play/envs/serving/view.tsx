/** Serving in the playground. */
import type { ChartPlan, FamilyView, Reading } from '../../family.js';
import type { Game } from '../../game.js';
import { limit, metricCurve, rewardCurve } from '../../parts/plan.js';
import { configOf, PHASES } from './config.js';
import { Controls } from './controls.js';
import { Picture } from './picture.js';

const requests: ChartPlan = {
  title: 'Requests',
  unit: 'requests/step',
  curves: (game) => [
    metricCurve(game, 'arrived', 'arrivals', 'purple'),
    metricCurve(game, 'served', 'served', 'green'),
  ],
};

const queue: ChartPlan = {
  title: 'Queue',
  unit: 'requests',
  curves: (game) => {
    const read = (played: Game, row: number) => played.observations.at(row, 'queue_depth');
    const track = game.track('queue_depth', read);
    return [{ name: 'waiting', color: 'orange', track }];
  },
};

const firstToken: ChartPlan = {
  title: 'Time to first token',
  unit: 'ms',
  curves: (game) => [
    metricCurve(game, 'median', 'ttft_p50_ms', 'blue'),
    metricCurve(game, 'p99', 'ttft_p99_ms', 'grey'),
  ],
  zones: (game) => {
    const { slo_ttft_ms, slo_target_ms } = configOf(game);
    const slo = slo_ttft_ms ?? slo_target_ms;
    return slo === undefined ? [] : [limit(`SLO ${slo} ms`, slo)];
  },
};

const perToken: ChartPlan = {
  title: 'Time per output token',
  unit: 'ms',
  curves: (game) => [metricCurve(game, 'TPOT', 'tpot_ms', 'sky')],
  zones: (game) => {
    const { slo_tpot_ms: slo } = configOf(game);
    return slo === undefined ? [] : [limit(`SLO ${slo} ms`, slo)];
  },
};

const throughput: ChartPlan = {
  title: 'Throughput',
  unit: 'output tokens/s',
  curves: (game) => [metricCurve(game, 'tokens/s', 'tokens_per_sec', 'green')],
};

const memory: ChartPlan = {
  title: 'GPU memory',
  unit: 'GB',
  curves: (game) => [metricCurve(game, 'memory', 'gpu_memory_gb', 'purple')],
  zones: (game) => {
    const { max_memory_gb: most } = configOf(game);
    return most === null ? [] : [limit(`device ${most} GB`, most)];
  },
};

const reward: ChartPlan = {
  title: 'Reward of a step',
  unit: '',
  curves: (game) => [rewardCurve(game)],
};

const charts = [requests, queue, firstToken, perToken, throughput, memory, reward];

function readings(game: Game, row: number): readonly Reading[] {
  const at = (name: string) => game.metrics.at(row, name);
  const see = (name: string) => game.observations.at(row, name);
  const { slo_ttft_ms, slo_target_ms, max_memory_gb: most } = configOf(game);
  const slo = slo_ttft_ms ?? slo_target_ms ?? Number.POSITIVE_INFINITY;
  const phase = PHASES[at('phase')] ?? '';
  return [
    {
      name: 'Queue',
      value: see('queue_depth').toFixed(0),
      unit: 'requests',
      hint: `${see('arrival_rate').toFixed(1)} arrive a second; ${phase}`,
      state: 'neutral',
    },
    {
      name: 'Time to first token',
      value: at('ttft_p50_ms').toFixed(0),
      unit: 'ms',
      hint: `median; SLO ${slo} ms`,
      state: at('ttft_p50_ms') > slo ? 'wrong' : 'good',
    },
    {
      name: 'Throughput',
      value: at('tokens_per_sec').toFixed(0),
      unit: 'tokens/s',
      hint: `${at('tpot_ms').toFixed(1)} ms per output token`,
      state: 'neutral',
    },
    {
      name: 'Missed the SLO',
      value: at('slo_violations').toFixed(0),
      unit: 'requests',
      hint: `prompts of ${see('mean_prompt_len').toFixed(0)} tokens`,
      state: at('slo_violations') > 0 ? 'wrong' : 'good',
    },
    {
      name: 'GPU memory',
      value: at('gpu_memory_gb').toFixed(1),
      unit: 'GB',
      hint: most === null ? 'configurations that do not fit are refused' : `of ${most} GB`,
      state: at('oom') === 1 ? 'wrong' : 'neutral',
    },
  ];
}

export const view: FamilyView = {
  sentence:
    'Requests queue for a language model: set batch, KV cache, speculation, prefill and ' +
    'precision so that first tokens come in time and no memory or money is wasted.',
  readings,
  charts: () => charts,
  Picture,
  Controls,
  gradeLines: [
    { entry: 'throughput', name: 'Throughput', meaning: 'mean tokens/s between two marks' },
    { entry: 'ttft', name: 'First token', meaning: '1 − mean TTFT / its limit' },
    { entry: 'memory', name: 'Memory', meaning: '1 where the peak stays below the limit' },
    { entry: 'slo', name: 'SLO', meaning: '1 − mean violations of a step / their limit' },
    { entry: 'cost', name: 'Cost', meaning: '1 − total cost / the budget' },
    { entry: 'stability', name: 'Stability', meaning: 'few and small changes of batch and KV' },
    {
      entry: 'return',
      name: 'Return',
      meaning: 'from the fixed baseline to a bound',
    },
  ],
};
