/** The entries of a serving task's configuration that the playground shows. */
import type { Game } from '../../game.js';

export interface ServerKnobs {
  readonly dynamics: 'origin' | 'measured';
  readonly active_actions: readonly string[];
  readonly max_memory_gb: number | null;
  /** The origin's. */
  readonly slo_target_ms?: number;
  /** Measured tasks'. */
  readonly slo_ttft_ms?: number;
  readonly slo_tpot_ms?: number;
}

export function configOf(game: Game): ServerKnobs {
  return game.opened.task.config as unknown as ServerKnobs;
}

export const PHASES = ['warm-up', 'steady', 'burst', 'cool-down'] as const;
export const TIERS = ['FP16', 'INT8', 'INT4'] as const;
