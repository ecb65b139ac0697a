/** Episodes as logs: rows of reward and metrics, read with care and folded into statistics. */
import type { Layout } from '../program/layout.js';
import { foldStep, foldsOf } from '../program/statistics.js';
import { show } from '../spaces/space.js';
import type { EpisodeStatistics } from './family.js';

/** A step of a log: reward and a row of metrics in the layout's order, those not read 0. */
export interface LogStep {
  readonly reward: number;
  readonly metrics: ArrayLike<number>;
}

type Fields = Readonly<Record<string, unknown>>;

/** A row of a log, for what a family reads beside reward and metrics. */
export interface LogRow {
  readonly fields: Fields;
  /** `info` of the row; empty where it has none. */
  readonly info: Fields;
  /** In errors: `log[3]`. */
  readonly where: string;
}

/** The needed fields of a log's rows. */
export interface LogNeeds {
  /** The metrics that must be there. */
  readonly metrics: readonly string[];
  /** Whether others are read, and so checked, where they are given. Default false: they are 0. */
  readonly others?: boolean;
  /** Whether each row must have its reward; where it need not, an absent one is 0. Default true. */
  readonly reward?: boolean;
}

/**
 * Reads rows of `{ reward, metrics }`, or of `{ reward, info }` with `metrics` in `info`, as
 * `step` returns them.
 *
 * @param complete adds to a row's metrics what the family reads elsewhere in the row
 * @throws RangeError naming the row (from 0) and the field that is missing or no finite number
 */
export function readLogSteps(
  log: unknown,
  layout: Layout,
  needs: LogNeeds,
  complete: (metrics: Float64Array, row: LogRow) => void = () => {},
): LogStep[] {
  if (!Array.isArray(log)) {
    throw new RangeError(`log is ${show(log)}: an array of { reward, metrics } is needed`);
  }
  return log.map((row: unknown, i) => {
    const where = `log[${i}]`;
    const fields = requireObject(row, where);
    const info = fields['info'] === undefined ? {} : requireObject(fields['info'], `${where}.info`);
    const isInInfo = fields['metrics'] === undefined && fields['info'] !== undefined;
    const place = isInInfo ? `${where}.info.metrics` : `${where}.metrics`;
    const given = requireObject((isInInfo ? info : fields)['metrics'], place);
    const metrics = Float64Array.from(layout.metrics, ({ name }) => {
      const isRead = needs.others === true && given[name] !== undefined;
      if (!isRead && !needs.metrics.includes(name)) return 0;
      return requireNumber(given[name], `${place}.${name}`);
    });
    complete(metrics, { fields, info, where });
    const isAbsent = needs.reward === false && fields['reward'] === undefined;
    return { reward: isAbsent ? 0 : requireNumber(fields['reward'], `${where}.reward`), metrics };
  });
}

/**
 * The statistics of a log's steps, by the recurrences that every backend folds. A change from step
 * to step begins with the second: what held before the first is not in a log.
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
  let previous: ArrayLike<number> = [];
  steps.forEach(({ reward, metrics }, i) => {
    const record = { step: i + 1, reward, cost: costOf(metrics), metrics, previous };
    foldStep(folds, statistics, 0, record);
    previous = metrics;
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
