/** Samples of signals as they are read, before they have a grid. */
import { checkLimit } from '../columns.js';

/** A list of doubles that grows without a box for each. */
export class NumberList {
  private data = new Float64Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.data.length) {
      const larger = new Float64Array(this.data.length * 2);
      larger.set(this.data);
      this.data = larger;
    }
    this.data[this.length++] = value;
  }

  /** The numbers so far; valid until the next push. */
  get values(): Float64Array {
    return this.data.subarray(0, this.length);
  }
}

/** One signal's samples in the order of the file; NaN is a value that was missing. */
export class Samples {
  readonly times_s = new NumberList();
  readonly values = new NumberList();
  /** Data row of each sample. */
  readonly rows = new NumberList();

  constructor(
    readonly name: string,
    private readonly rowsMax: number,
  ) {}

  get length(): number {
    return this.times_s.length;
  }

  add(time_s: number, value: number, row: number): void {
    checkLimit('samples', this.length + 1, this.rowsMax);
    this.times_s.push(time_s);
    this.values.push(value);
    this.rows.push(row);
  }
}
