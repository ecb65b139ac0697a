/** The tasks of the provisioning family. Numbers: docs/environments/provisioning.md. */
import type { JsonObject } from '../../base/json.js';
import type { TaskSpec } from '../family.js';

/** Every entry of a provisioning task's configuration with its default, by wire name. */
export const PROVISIONING_DEFAULTS: JsonObject = {
  // Steps of an episode.
  max_steps: 50,
  // Further steps until a rented GPU runs; 0: at once.
  boot_delay: 1,
  // US dollars at reset; the episode ends when they are spent.
  budget_usd: 800,
  // Running GPUs at reset, most GPUs running and booting, most rented or released in a step.
  start_gpus: 2,
  max_gpus: 64,
  max_change: 16,
  // US dollars: value of a finished job; rent of a GPU for a step; a job's waiting for a step.
  job_value_usd: 10,
  gpu_cost_usd: 2.5,
  wait_cost_usd: 1,
  // Poisson arrivals per step.
  arrival_rate: 3,
  // Share by which the rate swings up and down as a sine of this period, in steps.
  arrival_swing: 0,
  swing_period: 50,
  // Arrivals per step in the surge regime, or null: there is none. An episode begins calm.
  surge_rate: null,
  // Probability at the end of a calm step that a surge begins, and of a surge's step that it ends.
  surge_enter_probability: 0,
  surge_leave_probability: 1,
  // true: fixed scalings bring the observation to about [0, 1].
  normalize_observation: false,
};

/** Every task of the family. */
export const provisioningTasks: readonly TaskSpec[] = [
  {
    id: 'provisioning/easy-v1',
    aliases: ['provisioning-easy'],
    name: 'easy',
    difficulty: 'easy',
    description: 'Few jobs at a steady rate and money enough: rent what the queue needs.',
    config: { max_steps: 50, boot_delay: 1, budget_usd: 800, arrival_rate: 3 },
  },
  {
    id: 'provisioning/medium-v1',
    aliases: ['provisioning-medium'],
    name: 'medium',
    difficulty: 'medium',
    description: 'A rate that swings by half in waves of 50 steps, and barely enough money.',
    config: {
      max_steps: 100,
      boot_delay: 1,
      budget_usd: 1600,
      arrival_rate: 6,
      arrival_swing: 0.5,
      swing_period: 50,
    },
  },
  {
    id: 'provisioning/hard-v1',
    aliases: ['provisioning-hard'],
    name: 'hard',
    difficulty: 'hard',
    description:
      'Calm traffic and sudden surges of four times as many jobs, GPUs that boot slowly.',
    config: {
      max_steps: 200,
      boot_delay: 2,
      budget_usd: 4500,
      arrival_rate: 5,
      surge_rate: 20,
      surge_enter_probability: 0.08,
      surge_leave_probability: 0.25,
    },
  },
];
