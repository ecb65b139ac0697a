/** Episodes as logs: rows of reward and metrics, read with care and folded into statistics. */
import type { Layout } from '../program/layout.js';
import { foldStep, foldsOf } from '../program/statistics.js';
import { show } from '../spaces/space.js';
import type { EpisodeStatistics } from './family.js';

/** A step of a log: reward and a row of metrics in the layout's order, those not needed 0. */
export interface LogStep {
  readonly reward: number;
  readonly metrics: ArrayLike<number>;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads rows of `{ reward, metrics }`, or of `{ reward, info }` with `metrics` in `info`, as
 * `step` returns them.
 *
 * @param needed the metrics that must be there
 * @throws RangeError naming the row (from 0) and the field that is missing or no finite number
 */
export function readLogSteps(log: unknown, layout: Layout, needed: readonly string[]): LogStep[] {
  if (!Array.isArray(log)) {
    throw new RangeError(`log is ${show(log)}: an array of { reward, metrics } is needed`);
  }
  return log.map((row: unknown, i) => {
    const where = `log[${i}]`;
    const fields = requireObject(row, where);
    const isInInfo = fields['metrics'] === undefined && fields['info'] !== undefined;
    const parent = isInInfo ? requireObject(fields['info'], `${where}.info`) : fields;
    const place = isInInfo ? `${where}.info.metrics` : `${where}.metrics`;
    const given = requireObject(parent['metrics'], place);
    const metrics = Float64Array.from(layout.metrics, ({ name }) =>
      needed.includes(name) ? requireNumber(given[name], `${place}.${name}`) : 0,
    );
    return { reward: requireNumber(fields['reward'], `${where}.reward`), metrics };
  });
}

/**
 * The statistics of a log's steps, by the recurrences that every backend folds. For layouts
 * without statistics of changes from step to step.
 *
 * @param costOf the cost of a step, from its metrics; 0 where no grade reads it
 */
export function foldLogSteps(
  layout: Layout,
  steps: readonly LogStep[],
  costOf: (metrics: ArrayLike<number>) => number = () => 0,
): EpisodeStatistics {
  const folds = foldsOf(layout);
  const statistics = new Float64Array(layout.statistics.length);
  steps.forEach(({ reward, metrics }, i) => {
    const record = { step: i + 1, reward, cost: costOf(metrics), metrics, previous: [] };
    foldStep(folds, statistics, 0, record);
  });
  return Object.fromEntries(layout.statistics.map(({ name }, i) => [name, statistics[i]]));
}

/** @throws RangeError naming the place of what is no object. */
export function requireObject(value: unknown, where: string): Fields {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isObject && !ArrayBuffer.isView(value)) return value as Fields;
  throw new RangeError(`${where} is ${describe(value)}: an object is needed`);
}

/** @throws RangeError naming the place of what is no finite number. */
export function requireNumber(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new RangeError(`${where} is ${describe(value)}: a finite number is needed`);
}

const describe = (value: unknown): string => (value === undefined ? 'missing' : show(value));
