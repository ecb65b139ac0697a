/** Reads an episode's log for the grader, and refuses what is missing or mistyped. */
import { metric, servingLayout } from '../../generated/serving.js';
import { isNumberArray } from '../../spaces/space.js';
import {
  type LogNeeds,
  type LogRow,
  type LogStep,
  readLogSteps,
  requireNumber,
  requireObject,
} from '../episode-log.js';
import { ACTION_FIELDS } from './common.js';

/** The needed fields of the rows. */
export interface ServingLogNeeds extends LogNeeds {
  /** Whether the configuration in force is read. */
  readonly action: boolean;
}

/** @throws RangeError naming the row (from 0) and the field. */
export function readLog(log: unknown, needs: ServingLogNeeds): LogStep[] {
  return readLogSteps(log, servingLayout, { ...needs, others: true }, (metrics, row) => {
    if (!needs.action) return;
    const { batchSize, kvBudget } = readAction(row);
    metrics[metric.appliedBatchSize] = batchSize;
    metrics[metric.appliedKvBudget] = kvBudget;
  });
}

/**
 * Batch size and KV budget of a step: of the configuration in force where the row says it, else
 * of the action. As in the origin, an action without them means 32 and 1.
 */
function readAction({ fields: row, info, where }: LogRow) {
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
