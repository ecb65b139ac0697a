/** CSV records as a stream. Papa Parse reads them; what it leaves open is bounded and refused. */
import Papa from 'papaparse';
import { checkLimit } from '../columns.js';
import { DataError } from '../errors.js';
import type { CsvDialect } from './csv-dialect.js';
import type { ReadLimits } from './source.js';

interface Parsed {
  readonly data: string[][];
  readonly errors: readonly { readonly code: string; readonly row?: number }[];
  readonly meta: { readonly cursor: number };
}

/** Papa Parse's parser below its file handling, which its types leave open. */
type Parser = { parse(input: string, baseIndex: number, ignoreLastRow: boolean): Parsed };

/** Text goes in by pieces, whole records come out; `\n` ends a line. */
export class CsvRecords {
  private readonly parser: Parser;
  private rest = '';
  private linesBefore: number;
  /** Records given out, for the places of errors. */
  private records = 0;

  constructor(
    dialect: CsvDialect,
    private readonly limits: Pick<ReadLimits, 'recordChars'>,
  ) {
    const { delimiter, linesBefore } = dialect;
    this.linesBefore = linesBefore;
    this.parser = new Papa.Parser({ delimiter, newline: '\n', comments: '#' }) as Parser;
  }

  /** The records that end within this piece. */
  push(text: string): string[][] {
    return this.parse(this.rest + text, true);
  }

  /** The rest: a last record without a line end. */
  end(): string[][] {
    return this.rest === '' ? [] : this.parse(this.rest, false);
  }

  private parse(text: string, isOpen: boolean): string[][] {
    const input = this.skipPreamble(text);
    if (input === '') return [];
    const { data, errors, meta } = this.parser.parse(input, 0, isOpen);
    // Row 0 is the header, so that a record's number is its data row.
    const row = this.records + (errors[0]?.row ?? data.length);
    if (errors.length > 0) throw quoteError(errors[0].code, row);
    this.rest = isOpen ? input.slice(meta.cursor) : '';
    if (this.rest.length > this.limits.recordChars && this.rest.includes('"')) {
      throw quoteError('MissingQuotes', row);
    }
    checkLimit('characters of a record', this.rest.length, this.limits.recordChars);
    if (input.includes('\0')) this.refuseNul(data);
    this.records += data.length;
    return data;
  }

  private refuseNul(data: readonly string[][]): void {
    const nul = data.findIndex((fields) => fields.some((field) => field.includes('\0')));
    throw new DataError('has a NUL character', { row: this.records + Math.max(0, nul) });
  }

  private skipPreamble(text: string): string {
    let input = text;
    while (this.linesBefore > 0) {
      const end = input.indexOf('\n');
      if (end < 0) {
        this.rest = input;
        return '';
      }
      input = input.slice(end + 1);
      this.linesBefore--;
    }
    return input;
  }
}

function quoteError(code: string, row: number): DataError {
  const problem =
    code === 'MissingQuotes'
      ? 'has a quote that is never closed'
      : 'has something after a closing quote';
  return new DataError(problem, { row });
}
