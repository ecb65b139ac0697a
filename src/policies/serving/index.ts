/** The policies that make sense for serving, beside those every family has. */
import {
  type CompiledTask,
  constantPolicy,
  type Policy,
  readHysteresis,
  servingAction,
} from '../../library.js';
import { greedyPolicy } from './greedy.js';
import { hysteresisPolicy } from './hysteresis.js';
import { findBestConstant, type SearchOptions, tuneHysteresis } from './search.js';

/**
 * The best constant configuration, found on seeds of its own: search over the published grid,
 * then hill-climbing where actions are real numbers.
 */
export async function bestConstantPolicy(
  task: CompiledTask,
  options: SearchOptions = {},
): Promise<Policy> {
  const { row } = await findBestConstant(task, options);
  return constantPolicy(servingAction(task, row), 'best-constant');
}

/** The rule in the task's configuration; one tuned here where it has none. */
export async function taskHysteresisPolicy(
  task: CompiledTask,
  options: SearchOptions = {},
): Promise<Policy> {
  const rule = readHysteresis(task.config) ?? (await tuneHysteresis(task, options)).rule;
  return hysteresisPolicy(rule);
}

/** Serving's own policies by name; each is made for a task. */
export const servingPolicies: Readonly<
  Record<string, (task: CompiledTask, options?: SearchOptions) => Promise<Policy>>
> = {
  'best-constant': bestConstantPolicy,
  greedy: async () => greedyPolicy(),
  hysteresis: taskHysteresisPolicy,
};
