/** The entries of an autoscaling task's configuration that the playground shows. */
import type { Game } from '../../game.js';

export interface ServiceConfig {
  readonly target_cpu_range: readonly [number, number];
  readonly target_memory_range: readonly [number, number];
  readonly utilization_limit: number;
  readonly latency_sla: number;
  readonly max_delta: number;
  readonly max_instances: number;
  readonly budget: number | null;
  readonly instance_types: readonly InstanceType[];
}

export interface InstanceType {
  readonly name: string;
  readonly capacity: number;
  readonly price: number;
}

export function configOf(game: Game): ServiceConfig {
  return game.opened.task.config as unknown as ServiceConfig;
}
