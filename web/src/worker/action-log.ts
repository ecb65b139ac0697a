/** The action rows of an episode, in one growing array. */
import type { CompiledTask } from '../../../src/index.browser.js';

export class ActionLog {
  /** Rows. */
  length = 0;
  private values = new Float64Array(1024);
  private readonly width: number;

  constructor(task: CompiledTask) {
    this.width = task.actionDim;
  }

  add(row: ArrayLike<number>): void {
    const end = (this.length + 1) * this.width;
    if (end > this.values.length) {
      const grown = new Float64Array(2 * end);
      grown.set(this.values);
      this.values = grown;
    }
    this.values.set(row, this.length * this.width);
    this.length++;
  }

  /** Row `index`, f64 [actionDim]; overwritten by no later call but `add` after `truncate`. */
  row(index: number): Float64Array {
    return this.values.subarray(index * this.width, (index + 1) * this.width);
  }

  truncate(rows: number): void {
    this.length = rows;
  }
}
