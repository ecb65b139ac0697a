/** The tasks of the autoscaling family. Numbers: docs/environments/autoscaling.md. */
import type { JsonObject } from '../../base/json.js';
import type { TaskSpec } from '../family.js';

/** Every entry of a task's configuration, with the value it has where a task does not say. */
export const AUTOSCALING_DEFAULTS: JsonObject = {
  max_steps: 100,
  base_request_rate: 60,
  request_rate_std: 15,
  request_pattern: { kind: 'constant' },
  /** null: what the HPA would run at the first rate. */
  initial_resources: 5,
  initial_resources_spread: 1,
  max_instances: 20,
  max_delta: 1,
  cold_start_steps: 0,
  instance_types: [{ name: 'standard', capacity: 1, price: 1 }],
  capacity: 100,
  cpu_per_request: 4.2,
  memory_per_request: 3.8,
  utilization_limit: 95,
  target_cpu_range: [40, 70],
  target_memory_range: [40, 70],
  resource_cost_weight: 0.05,
  latency_sla: 20,
  budget: null,
  normalize_observation: false,
  threshold: { scale_up_above: 70, scale_down_below: 40 },
  hpa: {
    target_utilization: 55,
    tolerance: 0.1,
    stabilization_window_steps: 5,
    min_replicas: 1,
    max_replicas: null,
  },
  best_constant: 5,
  score_threshold: 0,
};

/** Five minutes a step, a week an episode. */
const STEPS_PER_DAY = 288;

/** Every task of the family; `best_constant` is what `searchBestConstant` found on its seeds. */
export const autoscalingTasks: readonly TaskSpec[] = [
  {
    id: 'autoscaling/easy-v1',
    aliases: ['easy', 'autoscaling-easy'],
    name: 'easy',
    difficulty: 'easy',
    description: 'A steady load of 40 requests a step, hardly random.',
    config: {
      base_request_rate: 40,
      request_rate_std: 5,
      initial_resources: 3,
      best_constant: 3,
    },
  },
  {
    id: 'autoscaling/medium-v1',
    aliases: ['medium', 'autoscaling-medium'],
    name: 'medium',
    difficulty: 'medium',
    description: 'A load of 60 requests a step with occasional spikes.',
    config: { base_request_rate: 60, request_rate_std: 15, initial_resources: 5 },
  },
  {
    id: 'autoscaling/hard-v1',
    aliases: ['hard', 'autoscaling-hard'],
    name: 'hard',
    difficulty: 'hard',
    description: 'A load of 80 requests a step, so random that staying alive takes reserves.',
    config: {
      base_request_rate: 80,
      request_rate_std: 25,
      initial_resources: 7,
      best_constant: 8,
    },
  },
  {
    id: 'autoscaling/diurnal-v1',
    aliases: ['diurnal', 'autoscaling-diurnal'],
    name: 'diurnal',
    difficulty: 'medium',
    description: 'A week of days and nights in steps of five minutes, quieter at the weekend.',
    config: {
      max_steps: 7 * STEPS_PER_DAY,
      base_request_rate: 60,
      request_rate_std: 8,
      request_pattern: {
        kind: 'weekly',
        amplitude: 0.4,
        weekend_factor: 0.75,
        steps_per_day: STEPS_PER_DAY,
      },
      initial_resources: 5,
    },
  },
  {
    id: 'autoscaling/trace-v1',
    aliases: ['trace', 'autoscaling-trace'],
    name: 'trace',
    difficulty: 'medium',
    description: "A web server's recorded load of July 1995 in steps of five minutes.",
    config: {
      base_request_rate: 60,
      request_rate_std: 0,
      request_pattern: { kind: 'trace', trace: 'nasa-http-1995-07' },
      initial_resources: null,
      initial_resources_spread: 0,
      best_constant: 7,
    },
  },
  {
    id: 'autoscaling/fleet-v1',
    aliases: ['fleet', 'autoscaling-fleet'],
    name: 'fleet',
    difficulty: 'hard',
    description: 'The medium load on three sizes of instances, within a latency SLA and a budget.',
    config: {
      base_request_rate: 60,
      request_rate_std: 15,
      initial_resources: 5,
      instance_types: [
        { name: 'small', capacity: 1, price: 1 },
        { name: 'medium', capacity: 2, price: 1.9 },
        { name: 'large', capacity: 4, price: 3.6 },
      ],
      budget: 900,
    },
  },
];
