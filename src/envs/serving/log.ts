/** Reads an episode's log for the grader, and refuses what is missing or mistyped. */
import { servingLayout } from '../../generated/serving.js';
import { isNumberArray, show } from '../../spaces/space.js';
import { requireNumber, requireObject } from '../episode-log.js';
import { ACTION_FIELDS } from './common.js';

/** A step of a log: reward and a row of metrics in the layout's order, absent ones 0. */
export interface LogStep {
  readonly reward: number;
  readonly metrics: Float64Array;
}

/** What must be in the rows. */
export interface LogNeeds {
  readonly metrics: readonly string[];
  readonly action: boolean;
  readonly reward: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** @throws RangeError naming the row (from 0) and the field. */
export function readLog(log: unknown, needs: LogNeeds): LogStep[] {
  if (!Array.isArray(log)) {
    throw new RangeError(`log is ${show(log)}: an array of { action, reward, metrics } is needed`);
  }
  return log.map((row: unknown, i) => readStep(row, `log[${i}]`, needs));
}

function readStep(row: unknown, where: string, needs: LogNeeds): LogStep {
  const fields = requireObject(row, where);
  const info = fields['info'] === undefined ? {} : requireObject(fields['info'], `${where}.info`);
  const [given, place] =
    fields['metrics'] === undefined && info['metrics'] !== undefined
      ? [info['metrics'], `${where}.info.metrics`]
      : [fields['metrics'], `${where}.metrics`];
  const metrics = readMetrics(requireObject(given, place), place, needs.metrics);
  if (needs.action) {
    const { batchSize, kvBudget } = readAction(fields, info, where);
    metrics[metricIndex('applied_batch_size')] = batchSize;
    metrics[metricIndex('applied_kv_budget')] = kvBudget;
  }
  const isRewardAbsent = fields['reward'] === undefined && !needs.reward;
  const reward = isRewardAbsent ? 0 : requireNumber(fields['reward'], `${where}.reward`);
  return { reward, metrics };
}

const metricIndex = (name: string): number =>
  servingLayout.metrics.findIndex((metric) => metric.name === name);

function readMetrics(given: Fields, where: string, needed: readonly string[]): Float64Array {
  return Float64Array.from(servingLayout.metrics, ({ name }) => {
    if (given[name] === undefined && !needed.includes(name)) return 0;
    return requireNumber(given[name], `${where}.${name}`);
  });
}

/**
 * Batch size and KV budget of a step: of the configuration in force where the row says it, else
 * of the action. As in the origin, an action without them means 32 and 1.
 */
function readAction(row: Fields, info: Fields, where: string) {
  const candidates: [string, unknown][] = [
    ['info.applied_action', info['applied_action']],
    ['applied_action', row['applied_action']],
    ['action', row['action']],
    ['info.action', info['action']],
  ];
  const [name, action] = candidates.find(([, value]) => value !== undefined) ?? ['action'];
  const place = `${where}.${name}`;
  const isRow = isNumberArray(action) && action.length === ACTION_FIELDS.length;
  const fields = isRow
    ? Object.fromEntries(ACTION_FIELDS.map((field, i) => [field, action[i]]))
    : requireObject(action, place);
  const read = (field: string, absent: number) => {
    return fields[field] === undefined ? absent : requireNumber(fields[field], `${place}.${field}`);
  };
  return { batchSize: read('batch_size', 32), kvBudget: read('kv_budget', 1) };
}
