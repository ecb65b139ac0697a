/** The cluster that a scheduling task describes, and its state at a step. */
import type { Game } from '../../game.js';

interface Tier {
  readonly name: string;
  readonly cpu: number;
  readonly mem: number;
}

export interface ClusterConfig {
  readonly n_servers: number;
  readonly num_slots: number;
  readonly sla_deadline_steps: number;
  readonly sleep_aware: boolean;
  readonly tiers: readonly Tier[];
  readonly cluster_type: string;
  readonly cpu_capacity: number;
}

/** Observations of durations and events are in hundreds of steps, demands in hundreds of units. */
const HUNDRED = 100;

export function configOf(game: Game): ClusterConfig {
  return game.opened.task.config as unknown as ClusterConfig;
}

export interface ServerState {
  readonly index: number;
  readonly tier: string;
  /** CPU units. */
  readonly capacity: number;
  /** Shares of its own capacity, 0 to 1. */
  readonly cpu: number;
  readonly mem: number;
  readonly state: 'active' | 'waking' | 'asleep';
  /** Steps until it releases a job or is awake; 0 where nothing is pending. */
  readonly nextEvent: number;
}

export function serversAt(game: Game, row: number): readonly ServerState[] {
  const config = configOf(game);
  const isMixed = config.cluster_type === 'heterogeneous';
  const largest = isMixed ? Math.max(...config.tiers.map(({ cpu }) => cpu)) : config.cpu_capacity;
  return Array.from({ length: config.n_servers }, (_, index) => {
    const see = (name: string) => game.observations.at(row, `server_${index}_${name}`);
    const capacity = Math.round(see('capacity') * largest);
    const tier = config.tiers.find(({ cpu }) => isMixed && cpu === capacity)?.name ?? 'server';
    const state = see('asleep') === 1 ? 'asleep' : see('waking') === 1 ? 'waking' : 'active';
    const nextEvent = Math.round(HUNDRED * see('next_event'));
    return { index, tier, capacity, cpu: see('cpu_used'), mem: see('mem_used'), state, nextEvent };
  });
}

export interface JobState {
  readonly slot: number;
  readonly cpu: number;
  readonly mem: number;
  readonly steps: number;
  readonly waited: number;
}

/** The jobs in the slots, null for an empty one. */
export function jobsAt(game: Game, row: number): readonly (JobState | null)[] {
  const { num_slots: slots, sla_deadline_steps: deadline } = configOf(game);
  return Array.from({ length: slots }, (_, slot) => {
    const see = (name: string) => game.observations.at(row, `slot_${slot}_${name}`);
    if (see('present') !== 1) return null;
    return {
      slot,
      cpu: Math.round(HUNDRED * see('cpu')),
      mem: Math.round(HUNDRED * see('mem')),
      steps: Math.round(HUNDRED * see('duration')),
      waited: Math.round(deadline * see('wait')),
    };
  });
}

/** The decisions, numbered as the environment numbers them. */
export const decisions = {
  place: (config: ClusterConfig, slot: number, server: number) => slot * config.n_servers + server,
  wait: (config: ClusterConfig) => config.num_slots * config.n_servers,
  toggle: (config: ClusterConfig, server: number) =>
    config.num_slots * config.n_servers + 1 + server,
};
