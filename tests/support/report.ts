import type { Channels } from '../../src/backend.js';
import type { JsonObject } from '../../src/base/json.js';
import type { CompiledTask } from '../../src/envs/family.js';
import { describeStep } from '../../src/envs/report.js';

/** The report of the last step of a batch of one. */
export function reportOf(task: CompiledTask, channels: Channels): JsonObject {
  const { metrics, observations: observation, actions } = channels;
  const Row = task.actionDtype === 'index' ? Int32Array : Float32Array;
  const action = new Row(actions.slice().buffer, 0, task.actionDim);
  return describeStep(task.report, { metrics, observation, action });
}
