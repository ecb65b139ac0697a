/** The dialects of CSV: delimiter, decimal sign, comments, where the header is. */

export interface CsvDialect {
  readonly delimiter: ',' | ';' | '\t' | '|';
  readonly decimal: '.' | ',';
  /** Lines before the header that are no records: `sep=;`, comments, blank lines. */
  readonly linesBefore: number;
}

const DELIMITERS = [',', ';', '\t', '|'] as const;
const SAMPLE_LINES = 1000;
const COMMENT = '#';
const COMMA_NUMBER = /^"?[-+]?(\d+|\d{1,3}(\.\d{3})+),\d+(e[-+]?\d+)?"?$/i;
const POINT_NUMBER = /^"?[-+]?\d*\.\d+(e[-+]?\d+)?"?$/i;

/** Guesses the dialect from a file's beginning, whose last line may be cut if it is not whole. */
export function dialectOf(head: string, isWhole: boolean): CsvDialect {
  const all = head.split('\n', SAMPLE_LINES);
  let linesBefore = 0;
  while (linesBefore < all.length && isPreamble(all[linesBefore])) linesBefore++;
  const lines = all.slice(linesBefore).filter((line) => line !== '' && !line.startsWith(COMMENT));
  // A cut line would count too few fields.
  if (!isWhole && lines.length > 2) lines.pop();
  const named = /^sep=([,;\t|])\s*$/i.exec(all[0] ?? '')?.[1];
  const delimiter = DELIMITERS.find((d) => d === named) ?? bestDelimiter(lines);
  return { delimiter, decimal: decimalOf(lines.slice(1), delimiter), linesBefore };
}

function isPreamble(line: string): boolean {
  return line.trim() === '' || line.startsWith(COMMENT) || /^sep=.\s*$/i.test(line);
}

/** The one that cuts every line into the same number of fields, the most of them. */
function bestDelimiter(lines: readonly string[]): CsvDialect['delimiter'] {
  let best: CsvDialect['delimiter'] = ',';
  let bestScore = 0;
  for (const delimiter of DELIMITERS) {
    const counts = lines.map((line) => fieldsOf(line, delimiter).length);
    if ((counts[0] ?? 0) < 2) continue;
    const even = counts.filter((count) => count === counts[0]).length / counts.length;
    const score = (even === 1 ? 1e6 : 0) + counts[0] * even;
    if (score > bestScore) [best, bestScore] = [delimiter, score];
  }
  return best;
}

/** A decimal comma can only be told where commas do not part fields. */
function decimalOf(lines: readonly string[], delimiter: string): '.' | ',' {
  if (delimiter === ',') return '.';
  const fields = lines.flatMap((line) => fieldsOf(line, delimiter)).map((field) => field.trim());
  const commas = fields.filter((field) => COMMA_NUMBER.test(field));
  const points = fields.filter((field) => POINT_NUMBER.test(field));
  return commas.length > points.length ? ',' : '.';
}

/** Fields of a line, roughly: quoted ones are kept together. */
function fieldsOf(line: string, delimiter: string): string[] {
  if (!line.includes('"')) return line.split(delimiter);
  const fields = [''];
  let isQuoted = false;
  for (const c of line) {
    if (c === '"') isQuoted = !isQuoted;
    if (c === delimiter && !isQuoted) fields.push('');
    else fields[fields.length - 1] += c;
  }
  return fields;
}

/** A longer cell is no number; the pattern below would take its length squared to say so. */
const NUMBER_LENGTH_MAX = 64;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const GROUPED_POINTS = /^[+-]?\d{1,3}(\.\d{3})+(,\d+)?$/;

/** A decimal number as files write it, or NaN: no hexadecimal, no "nan", no "1,000". */
export function parseNumber(text: string, decimal: '.' | ',' = '.'): number {
  const trimmed = text.trim();
  if (trimmed.length > NUMBER_LENGTH_MAX) return Number.NaN;
  const plain = decimal === ',' ? withPoint(trimmed) : trimmed;
  return NUMBER.test(plain) ? Number(plain) : Number.NaN;
}

/** `1.234,5` and `0,5` with a decimal point. */
function withPoint(text: string): string {
  const ungrouped = GROUPED_POINTS.test(text) ? text.replaceAll('.', '') : text;
  return ungrouped.replace(',', '.');
}

const MISSING = new Set(['', 'nan', 'null', 'na', 'n/a', 'none', 'undefined', '-', '#n/a']);

/** Whether a cell says that there is no value. */
export function isMissing(cell: string): boolean {
  return cell.length < 10 && MISSING.has(cell.trim().toLowerCase());
}
