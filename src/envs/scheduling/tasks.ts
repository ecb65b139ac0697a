/** The tasks of the scheduling family. Numbers: docs/environments/scheduling.md. */
import type { JsonObject } from '../../base/json.js';
import type { TaskSpec } from '../family.js';

/** Every entry a task may have; null takes what the workload has by default. */
export const SCHEDULING_DEFAULTS: JsonObject = {
  n_servers: 15,
  cluster_type: 'heterogeneous',
  fleet_seed: 0,
  tiers: [
    tier('economy', [64, 64], [70, 190], 0.4),
    tier('standard', [100, 100], [100, 300], 0.4),
    tier('performance', [160, 192], [150, 520], 0.2),
  ],
  cpu_capacity: 100,
  mem_capacity: 100,
  p_idle_watts: 100,
  p_max_watts: 300,
  power_alpha: 1.4,
  num_slots: 5,
  episode_length: 1000,
  sla_deadline_steps: 30,
  sleep_aware: false,
  sleep_standby_factor: 0.05,
  server_wakeup_delay: 1,
  alpha: 5,
  beta: 60,
  violation_scale: 10,
  toggle_penalty: 0.2,
  max_arrivals_per_step: 10,
  workload: 'poisson',
  arrival_rate: null,
  diurnal_swing: 0.7,
  diurnal_period_steps: 250,
  job_cpu: [5, 60],
  job_mem: [5, 60],
  job_duration_mean_steps: 58,
  job_duration_max_steps: null,
  trace: null,
  warm_start: true,
};

function tier(name: string, capacity: number[], watts: number[], probability: number): JsonObject {
  const [cpu, mem] = capacity;
  return { name, cpu, mem, p_idle_watts: watts[0], p_max_watts: watts[1], probability };
}

/** Every task of the family; each takes any of the workloads as `config.workload`. */
export const schedulingTasks: readonly TaskSpec[] = [
  {
    id: 'scheduling/homogeneous-v2',
    aliases: ['homogeneous'],
    name: 'homogeneous',
    difficulty: 'easy',
    description:
      'Fifteen equal servers, three quarters full: pack jobs so that none waits too long.',
    config: { cluster_type: 'homogeneous', arrival_rate: 0.6 },
  },
  {
    id: 'scheduling/base-v2',
    aliases: ['scheduling', 'scheduling-base'],
    name: 'base',
    difficulty: 'medium',
    description:
      'Fifteen servers of three kinds, four fifths full: save power and keep the deadlines.',
    config: {},
  },
  {
    id: 'scheduling/sleep-aware-v2',
    aliases: ['sleep-aware'],
    name: 'sleep-aware',
    difficulty: 'hard',
    description:
      'Fifteen servers of three kinds that may sleep while load comes and goes: when does waking ' +
      'pay?',
    config: { sleep_aware: true, workload: 'poisson_diurnal' },
  },
  {
    id: 'scheduling/large-v2',
    aliases: ['scheduling-large'],
    name: 'large',
    difficulty: 'hard',
    description: 'Fifty servers of three kinds and long jobs: 251 decisions to choose from.',
    config: { n_servers: 50, job_duration_mean_steps: 180, job_duration_max_steps: 500 },
  },
];
