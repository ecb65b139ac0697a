/**
 * The grader of provisioning: the return over a clairvoyant upper bound on the same arrivals, from
 * an episode's statistics or, by the same recurrences, from its log.
 */
import type { ProvisioningConfig } from '../compile/provisioning.js';
import { provisioningLayout } from '../generated/provisioning.js';
import { foldStep, foldsOf } from '../reference/statistics.js';
import { show } from '../spaces/space.js';
import type { CompiledTask, EpisodeStatistics, Grade, GradeContext } from './family.js';

/** What the bound depends on beside the arrivals. */
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
  const arrivals = s['arrivals_sum'];
  const share = bound > 0 ? s['episode_return'] / bound : 0;
  const breakdown = {
    return: s['episode_return'],
    bound,
    served_fraction: arrivals > 0 ? s['processed_sum'] / arrivals : 1,
    queue_mean: s['queue_sum'] / steps,
    // Little's law: mean queue over arrival rate, the steps an arrived job waited on average.
    wait_steps_mean: arrivals > 0 ? s['queue_sum'] / arrivals : 0,
    money_left_usd: config.budgetUsd - s['cost_usd_sum'],
    ended_by_budget: s['budget_exhausted_sum'] > 0 ? 1 : 0,
  };
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

/** What the grader reads of a step's metrics. */
const NEEDED = ['arrivals', 'processed', 'queue', 'cost_usd', 'budget_exhausted'];
const folds = foldsOf(provisioningLayout);

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
  if (!Array.isArray(log)) {
    throw new RangeError(`log is ${show(log)}: an array of { reward, metrics } is needed`);
  }
  const statistics = new Float64Array(provisioningLayout.statistics.length);
  log.forEach((row: unknown, i) => {
    const { reward, metrics } = readRow(row, `log[${i}]`);
    foldStep(folds, statistics, { step: i + 1, reward, cost: 0, metrics, previous: {} });
  });
  const entries = provisioningLayout.statistics.map(({ name }, i) => [name, statistics[i]]);
  return task.grade(Object.fromEntries(entries), context);
}

function readRow(row: unknown, where: string): { reward: number; metrics: Float64Array } {
  const fields = requireObject(row, where);
  const isInInfo = fields['metrics'] === undefined && fields['info'] !== undefined;
  const parent = isInInfo ? requireObject(fields['info'], `${where}.info`) : fields;
  const place = isInInfo ? `${where}.info.metrics` : `${where}.metrics`;
  const given = requireObject(parent['metrics'], place);
  const metrics = Float64Array.from(provisioningLayout.metrics, ({ name }) =>
    NEEDED.includes(name) ? requireNumber(given[name], `${place}.${name}`) : 0,
  );
  return { reward: requireNumber(fields['reward'], `${where}.reward`), metrics };
}

function requireObject(value: unknown, where: string): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isObject) return value as Readonly<Record<string, unknown>>;
  throw new RangeError(`${where} is ${describe(value)}: an object is needed`);
}

function requireNumber(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new RangeError(`${where} is ${describe(value)}: a finite number is needed`);
}

const describe = (value: unknown): string => (value === undefined ? 'missing' : show(value));
