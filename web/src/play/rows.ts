/** A growing table of numbers with named columns. */
export class Rows {
  /** Rows. */
  length = 0;
  private values = new Float64Array(0);
  private readonly columns: ReadonlyMap<string, number>;

  constructor(readonly names: readonly string[]) {
    this.columns = new Map(names.map((name, i) => [name, i]));
  }

  /** @param values [rows, number of columns], row-major */
  append(values: ArrayLike<number>, rows: number): void {
    const width = this.names.length;
    const end = (this.length + rows) * width;
    if (end > this.values.length) {
      const grown = new Float64Array(Math.max(256 * width, 2 * end));
      grown.set(this.values);
      this.values = grown;
    }
    this.values.set(values, this.length * width);
    this.length += rows;
  }

  has(name: string): boolean {
    return this.columns.has(name);
  }

  /** @throws Error for an unknown column */
  at(row: number, name: string): number {
    const column = this.columns.get(name);
    if (column === undefined) throw new Error(`no column ${name}: ${this.names.join(', ')} exist`);
    return this.values[row * this.names.length + column];
  }

  /** The numbers of a row. */
  row(index: number): Float64Array {
    const width = this.names.length;
    return this.values.subarray(index * width, (index + 1) * width);
  }
}
