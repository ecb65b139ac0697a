/**
 * The grader of provisioning: the return over a clairvoyant upper bound on the same arrivals, from
 * an episode's statistics or, by the same recurrences, from its log.
 */
import type { ProvisioningConfig } from '../../compile/provisioning/provisioning.js';
import { provisioningLayout } from '../../generated/provisioning.js';
import { foldLogSteps, readLogSteps } from '../episode-log.js';
import type { CompiledTask, EpisodeStatistics, Grade, GradeContext } from '../family.js';

/** The inputs of the bound beside the arrivals. */
export type BoundPrices = Pick<
  ProvisioningConfig,
  'gpusMax' | 'jobValueUsd' | 'gpuCostUsd' | 'waitCostUsd'
>;

/**
 * Most that any policy can return on these arrivals: every step min(queue, gpusMax) jobs are
 * served by GPUs that cost nothing else, and the episode stops when it is best. Free of boot
 * delay, ramp limit and budget, so that nobody reaches beyond: a policy's reward of a step is at
 * most (value - rent) processed - wait queue, serving as early as possible is best for both terms
 * at once, and a budget does no more than stop the episode. Rewards are rounded to f32 as the
 * backends round them.
 *
 * @param arrivals jobs per step, [horizon]
 * @returns US dollars; O(horizon)
 */
export function clairvoyantBound(arrivals: readonly number[], prices: BoundPrices): number {
  const { gpusMax, jobValueUsd, gpuCostUsd, waitCostUsd } = prices;
  let queue = 0;
  let total = 0;
  let best = -Infinity;
  for (const arrived of arrivals) {
    const served = Math.min(queue, gpusMax);
    queue += arrived - served;
    total += Math.fround(jobValueUsd * served - gpuCostUsd * served - waitCostUsd * queue);
    best = Math.max(best, total);
  }
  return best;
}

/** The metrics of an episode that has at least one step. */
export function episodeMetrics(config: ProvisioningConfig, s: EpisodeStatistics) {
  const arrivals = s['arrivals_sum'];
  return {
    served_fraction: arrivals > 0 ? s['processed_sum'] / arrivals : 1,
    queue_mean: s['queue_sum'] / s['length_steps'],
    // Little's law: mean queue over arrival rate, the steps an arrived job waited on average.
    wait_steps_mean: arrivals > 0 ? s['queue_sum'] / arrivals : 0,
    money_left_usd: config.budgetUsd - s['cost_usd_sum'],
    ended_by_budget: s['budget_exhausted_sum'] > 0 ? 1 : 0,
  };
}

/** Grades an episode by its statistics; one without a step scores 0. */
export function gradeStatistics(
  config: ProvisioningConfig,
  s: EpisodeStatistics,
  { bound }: GradeContext = {},
): Grade {
  if (bound === undefined) {
    throw new RangeError('bound is missing: task.bound(seed, episode) of the same episode');
  }
  const steps = s['length_steps'];
  if (!(steps > 0)) return { score: 0, breakdown: {}, feedback: 'Empty episode log.' };
  const share = bound > 0 ? s['episode_return'] / bound : 0;
  const breakdown = { return: s['episode_return'], bound, ...episodeMetrics(config, s) };
  const score = share > 0 ? Math.min(share, 1) : 0;
  return { score, breakdown, feedback: describeGrade(breakdown, steps) };
}

function describeGrade(b: Record<string, number>, steps: number): string {
  const end = b['ended_by_budget'] === 1 ? 'The budget' : 'Time';
  return (
    `Return ${b['return'].toFixed(1)} of at most ${b['bound'].toFixed(1)} dollars. ` +
    `Served ${(100 * b['served_fraction']).toFixed(0)}% of the jobs, which waited ` +
    `${b['wait_steps_mean'].toFixed(2)} steps on average (mean queue ` +
    `${b['queue_mean'].toFixed(1)}). ${end} ended the episode after ${steps} steps with ` +
    `${b['money_left_usd'].toFixed(2)} dollars left.`
  );
}

/** The metrics of a step that the grader reads. */
const NEEDED = ['arrivals', 'processed', 'queue', 'cost_usd', 'budget_exhausted'];

/**
 * Grades an episode from its log: rows of `{ reward, metrics }`, or of `{ reward, info }` with
 * `metrics` in `info`, as `step` returns them. Stateless: the same log gives the same grade.
 *
 * @param context `bound`, from `task.bound(seed, episode)`: the arrivals after an early end are
 * not in the log
 * @throws RangeError naming the row and the field that is missing or no finite number
 */
export function gradeProvisioningLog(
  task: CompiledTask,
  log: unknown,
  context: GradeContext,
): Grade {
  const steps = readLogSteps(log, provisioningLayout, { metrics: NEEDED });
  return task.grade(foldLogSteps(provisioningLayout, steps), context);
}
