/** How actions come into a batch: checked first and copied whole, or refused and nothing copied. */
import type { CompiledTask } from '../envs/family.js';
import { rowOf } from './rows.js';

/**
 * Actions of a whole batch: a typed array [numEnvs, actionDim], row-major, as the backend reads
 * it; or a plain array with one action of the single action space for each environment.
 */
export type BatchActions<A = unknown> = Float32Array | Float64Array | Int32Array | readonly A[];

/** Writes a batch's actions; one for each vector environment, since it keeps a scratch array. */
export class ActionWriter {
  private readonly scratch: Float32Array | Int32Array;

  constructor(
    private readonly task: CompiledTask,
    private readonly target: Float32Array | Int32Array,
    private readonly numEnvs: number,
  ) {
    this.scratch = target.slice();
  }

  /** @throws RangeError naming the environment, the field, the value and what would be right. */
  write(actions: BatchActions): void {
    if (ArrayBuffer.isView(actions)) this.readRows(actions as ArrayLike<number>);
    else if (Array.isArray(actions)) this.readEach(actions);
    else throw new TypeError(`actions are ${describeType(actions)}: an array is needed`);
    this.target.set(this.scratch);
  }

  private readRows(rows: ArrayLike<number>): void {
    const { task, numEnvs, scratch } = this;
    if (rows.length !== scratch.length) {
      const shape = `numEnvs × actionDim = ${numEnvs} × ${task.actionDim}`;
      throw new RangeError(`actions have ${rows.length} numbers: ${shape} are needed`);
    }
    const isIndex = task.actionDtype === 'index';
    for (let k = 0; k < rows.length; k++) {
      const value = rows[k];
      if (isIndex ? Number.isInteger(value) : Number.isFinite(Math.fround(value))) continue;
      const needed = isIndex ? 'an integer' : 'a finite number';
      throw new RangeError(`${this.placeOf(k)} is ${String(value)}: ${needed} is needed`);
    }
    scratch.set(rows);
    if (isIndex) this.checkIndices();
  }

  /** An index has no nearest neighbour to be clipped to, so one outside the space is refused. */
  private checkIndices(): void {
    const { task, scratch } = this;
    const { actionDim, actionSpace } = task;
    for (let k = 0; k < scratch.length; k += actionDim) {
      const isOne = actionDim === 1;
      const action = isOne ? scratch[k] : scratch.subarray(k, k + actionDim);
      const place = isOne ? this.placeOf(k) : `environment ${k / actionDim}: action`;
      const problem = actionSpace.describe(action, place);
      if (problem !== null) throw new RangeError(problem);
    }
  }

  private readEach(actions: readonly unknown[]): void {
    const { task, numEnvs, scratch } = this;
    if (actions.length !== numEnvs) {
      throw new RangeError(
        `actions are a plain array of ${actions.length}: one action for each of the ${numEnvs} ` +
          'environments is needed, or a typed array [numEnvs, actionDim]',
      );
    }
    for (let i = 0; i < numEnvs; i++) {
      const row = rowOf(scratch, i, numEnvs);
      try {
        task.encodeAction(actions[i], row);
      } catch (error) {
        if (numEnvs === 1 || !(error instanceof Error)) throw error;
        throw new RangeError(`environment ${i}: ${error.message}`, { cause: error });
      }
    }
  }

  private placeOf(k: number): string {
    const { actionDim, layout } = this.task;
    const i = Math.floor(k / actionDim);
    const j = k % actionDim;
    const name = actionDim === layout.actions.length ? layout.actions[j].name : undefined;
    if (name !== undefined) return `environment ${i}: action ${name}`;
    return `environment ${i}: action${actionDim > 1 ? `[${j}]` : ''}`;
  }
}

function describeType(value: unknown): string {
  return value === null ? 'null' : `of type ${typeof value}`;
}
