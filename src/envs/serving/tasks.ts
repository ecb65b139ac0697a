/** The tasks of the serving family. Numbers: docs/environments/serving.md. */
import type { TaskSpec } from '../family.js';
import { hysteresisJson } from './hysteresis.js';
import { MEASURED_TASKS } from './measured-tasks.js';

/** The origin's three tasks, kept as they were published, known exploits included. */
const ORIGIN_TASKS: readonly TaskSpec[] = [
  {
    id: 'serving/static-uniform-v1',
    aliases: ['1', 'static-uniform'],
    name: 'static-uniform',
    difficulty: 'easy',
    description:
      'Steady traffic of short prompts: find the batch size and KV budget that serve most.',
    config: {
      dynamics: 'origin',
      table: 'synthetic-a',
      arrival_rate_rps: 10,
      prompt_len_dist: { kind: 'uniform', min: 64, max: 128 },
      slo_target_ms: 500,
      alpha: 0.4,
      beta: 0.25,
      gamma: 0.25,
      delta: 0.1,
      max_throughput: 8500,
      spec_accept_base: 0.8,
      active_actions: ['kv_budget', 'batch_size'],
      hysteresis: hysteresisJson({
        calm: [0.5, 128, 0, 0, 0],
        busy: [0.25, 64, 0, 0, 0],
        queueHigh: 3.007,
        queueLow: 0.6015,
        rateHighRps: 13.53,
        rateLowRps: 12.18,
      }),
      grader: { kind: 'throughput', baseline_tps: 2800, optimal_tps: 8200 },
    },
  },
  {
    id: 'serving/bursty-sharegpt-v1',
    aliases: ['2', 'bursty-sharegpt'],
    name: 'bursty-sharegpt',
    difficulty: 'medium',
    description: 'Chat prompts in bursts: keep the first token quick and the memory below 36 GB.',
    config: {
      dynamics: 'origin',
      table: 'synthetic-a',
      arrival_rate_rps: 25,
      arrival_rate_burst: 80,
      burst_period_steps: 30,
      prompt_len_dist: { kind: 'lognormal', mu: 5.2, sigma: 1.3, min: 32, max: 8192 },
      slo_target_ms: 300,
      alpha: 0.4,
      beta: 0.25,
      gamma: 0.3,
      delta: 0.1,
      max_throughput: 6200,
      spec_accept_base: 0.65,
      active_actions: ['kv_budget', 'batch_size', 'spec_length'],
      hysteresis: hysteresisJson({
        calm: [0.1, 4, 8, 0, 0],
        busy: [0.1, 1, 8, 0, 0],
        queueHigh: 14.91,
        queueLow: 2.982,
        rateHighRps: 39.76,
        rateLowRps: 35.78,
      }),
      grader: { kind: 'latency', ttft_limit_ms: 300, memory_limit_gb: 36, memory_slack_gb: 10 },
    },
  },
  {
    id: 'serving/adversarial-multi-tenant-v1',
    aliases: ['3', 'adversarial-multi-tenant'],
    name: 'adversarial-multi-tenant',
    difficulty: 'hard',
    description:
      'Three priorities, short and very long prompts, tenfold spikes: balance throughput, SLOs, ' +
      'cost and steadiness with all five knobs.',
    config: {
      dynamics: 'origin',
      table: 'synthetic-a',
      arrival_rate_rps: 30,
      burst_multiplier: 10,
      burst_interval_steps: 120,
      burst_duration_steps: 15,
      prompt_len_dist: {
        kind: 'mixture',
        pieces: [
          { weight: 0.7, min: 32, max: 128 },
          { weight: 0.3, min: 4096, max: 8192 },
        ],
      },
      slo_target_ms: 200,
      slo_batch_ms: 2000,
      priority_routing: true,
      priority_distribution: [0.2, 0.5, 0.3],
      alpha: 0.4,
      beta: 0.25,
      gamma: 0.35,
      delta: 0.15,
      max_throughput: 4800,
      spec_accept_base: 0.45,
      hysteresis: hysteresisJson({
        calm: [1, 64, 0, 0, 2],
        busy: [1, 64, 0, 1, 2],
        queueHigh: null,
        queueLow: null,
        rateHighRps: 67.99,
        rateLowRps: 61.19,
      }),
      grader: {
        kind: 'balance',
        optimal_tps: 4200,
        violations_limit: 100,
        cost_budget: 5,
        variation_limit: 0.5,
      },
    },
  },
];

/** Every task of the family. */
export const servingTasks: readonly TaskSpec[] = [...ORIGIN_TASKS, ...MEASURED_TASKS];
