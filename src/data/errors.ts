/**
 * Refused input data. `row` is the data row as a person counts: 1 is the first row after the
 * header of a CSV file and the first record of a parquet file. Both places are also in the message.
 */
export class DataError extends Error {
  override readonly name = 'DataError';
  readonly row: number | null;
  readonly column: string | null;
  /** The message without the place. */
  readonly problem: string;
  /** The option of the command line that would help, or null. */
  readonly option: string | null;

  constructor(problem: string, place: { row?: number; column?: string; option?: string } = {}) {
    super(describePlace(place) + problem + (place.option ? ` (${place.option})` : ''));
    this.row = place.row ?? null;
    this.column = place.column ?? null;
    this.problem = problem;
    this.option = place.option ?? null;
  }

  /** The same error with the file's path in front of its message. */
  inFile(path: string): DataError {
    this.message = `${path}: ${this.message}`;
    return this;
  }
}

function describePlace({ row, column }: { row?: number; column?: string }): string {
  const where: string[] = [];
  if (row !== undefined) where.push(`data row ${row}`);
  if (column !== undefined) where.push(`column ${quote(column)}`);
  return where.length > 0 ? `${where.join(', ')}: ` : '';
}

/** A value as it stands in an error: quoted, and cut where a hostile file made it long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
