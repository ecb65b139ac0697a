/** The face of a batch: its task, its spaces, and the arrays that it shares with its backend. */

import type { Batch, Channels } from '../backend.js';
import type { CompiledTask } from '../envs/family.js';
import type { Space } from '../spaces/index.js';
import { ActionWriter } from './actions.js';
import type { VectorStep } from './vector-env.js';

/** The fields of a batch, which are others after it got another configuration. */
export class BatchFields {
  /** The task as compiled; another one after `reset({ options: { config } })`. */
  readonly task!: CompiledTask;
  /** Which of the backend's kernels, e.g. `avx2`. */
  readonly kernel!: string;
  readonly singleObservationSpace!: Space<unknown>;
  readonly singleActionSpace!: Space<unknown>;
  /** [numEnvs, actionDim], f32 or, where `task.actionDtype` is `index`, i32; read by `step()`. */
  readonly actions!: Float32Array | Int32Array;
  /** f32 [numEnvs, observationDim]. */
  readonly observations!: Float32Array;
  /** f32 [numEnvs]. */
  readonly rewards!: Float32Array;
  /** f32 [numEnvs], constraint costs. */
  readonly costs!: Float32Array;
  /** u8 [numEnvs]. */
  readonly terminated!: Uint8Array;
  /** u8 [numEnvs]. */
  readonly truncated!: Uint8Array;
  /** f32 [numEnvs, number of metrics]; empty without `infos`. */
  readonly metrics!: Float32Array;
  /** f32 [numEnvs, observationDim]: the last observation of the last finished episode. */
  readonly finalObservations!: Float32Array;
  /** f64 [numEnvs, number of statistics]: the statistics of the last finished episode. */
  readonly finalStatistics!: Float64Array;
  /** u8 [numEnvs, maskDim], 1 where a discrete action is feasible now; empty without masks. */
  readonly masks!: Uint8Array;

  protected batch!: Batch;
  protected writer!: ActionWriter;
  protected stepResult!: VectorStep;

  /** Takes a batch of a task, whose fields these are then. */
  protected attach(task: CompiledTask, batch: Batch): void {
    this.batch = batch;
    const { kernel } = batch;
    const { observationSpace, actionSpace } = task;
    const actions = actionsOf(task, batch.channels);
    const spaces = { singleObservationSpace: observationSpace, singleActionSpace: actionSpace };
    const { actions: _words, resetMask: _mask, ...arrays } = batch.channels;
    Object.assign(this, { task, kernel, ...spaces, ...arrays, actions });
    this.writer = new ActionWriter(task, this.actions, batch.channels.rewards.length);
    const { observations, rewards, costs, terminated, truncated } = this;
    this.stepResult = { observations, rewards, costs, terminated, truncated };
  }
}

function actionsOf(task: CompiledTask, { actions }: Channels): Float32Array | Int32Array {
  const { buffer, byteOffset, length } = actions;
  return task.actionDtype === 'index'
    ? new Int32Array(buffer, byteOffset, length)
    : new Float32Array(buffer, byteOffset, length);
}
