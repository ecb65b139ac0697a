/** Actions as they come over the wire. */
import type { CompiledTask } from '../../index.js';

/** Whether a task's actions are JSON objects; others travel as `{ "action": … }` or bare. */
export function hasObjectActions(task: CompiledTask): boolean {
  return task.actionSpace.toJSON().type === 'object';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Writes an action into a row. Absent fields take the baseline's values, and so does the whole of
 * an empty action. Where the task's actions are no objects, `{ "action": 3 }` means 3.
 *
 * @throws RangeError naming the field, the value and what would be right.
 */
export function readAction(
  task: CompiledTask,
  action: unknown,
  row: Float32Array | Int32Array,
): void {
  task.encodeAction(completeAction(task, action), row);
}

function completeAction(task: CompiledTask, action: unknown): unknown {
  if (!isObject(action)) return action;
  if (isObject(task.baselineAction)) return { ...task.baselineAction, ...action };
  const names = Object.keys(action);
  if (names.length === 0) return task.baselineAction;
  if (names.length === 1 && names[0] === 'action') return action['action'];
  const unknown = names.find((name) => name !== 'action');
  throw new RangeError(`action.${unknown} is unknown: only action is known here`);
}
