/** The entries of a provisioning task's configuration that the playground shows. */
import type { Game } from '../../game.js';

export interface BudgetConfig {
  readonly budget_usd: number;
  readonly gpu_cost_usd: number;
  readonly wait_cost_usd: number;
  readonly boot_delay: number;
  readonly max_gpus: number;
  readonly max_change: number;
}

export function configOf(game: Game): BudgetConfig {
  return game.opened.task.config as unknown as BudgetConfig;
}
