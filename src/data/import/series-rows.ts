/** Series from rows: a column of times, columns of values, perhaps columns that part signals. */
import { DataError, quote } from '../errors.js';
import { isMissing, parseNumber } from '../read/csv-dialect.js';
import { at, type Json, list, number, text } from '../read/json.js';
import { attempt, type Cell, plainName, type Rows } from '../read/rows.js';
import { TimeReader, timeFormatOf } from '../read/time.js';
import type { Series } from '../series.js';
import { sampleOf, timeColumn, toldColumn } from './columns-of.js';
import { SERIES_FORMAT } from './formats-of-files.js';
import { seriesOf } from './grid.js';
import type { ImportLog } from './options.js';
import { Samples } from './samples.js';
import { parseQuantity } from './units.js';

/** More signals than this are no series to look at. */
const SIGNALS_MAX = 10_000;
/** Columns that part what together is one signal: it is the sum over them that scales. */
const MEMBERS = /^(pod|container|node|instance|host|server|replica)(_name|_id)?$/;
const LISTED_MISSING = 3;

interface Layout {
  readonly time: number;
  readonly values: readonly number[];
  /** Text columns that part signals; empty where every row is a time of its own. */
  readonly groups: readonly number[];
  readonly isSummed: boolean;
}

/** Whether rows could be read as series: there is a time and something that is a number. */
export function isSeriesRows(rows: Rows): boolean {
  const time = timeColumn(rows, undefined);
  return time >= 0 && rows.columns.some((_, c) => c !== time && isNumeric(rows, c));
}

/**
 * The signals of a file's rows.
 *
 * @throws DataError naming the row and column of what cannot be read, and the option that helps
 */
export async function seriesFromRows(rows: Rows, log: ImportLog): Promise<Series[]> {
  const layout = layoutOf(rows, log);
  const reader = timeReaderOf(rows, layout.time, log);
  const signals = new Signals(rows, layout, log);
  let row = 0;
  for await (const batch of rows.batches(log.badRow)) {
    for (const cells of batch) {
      row++;
      attempt(() => {
        reader.read(cells[layout.time], row);
        signals.add(cells, reader.whole + reader.fraction, row);
      }, log.badRow);
    }
  }
  if (rows.meta === null) log.count('converted', `times read as ${reader.format.label}`, row);
  return signals.finish(reader.format);
}

/** A reader for the times of a column, with what is known of their zone. */
export function timeReaderOf(
  rows: Rows,
  column: number,
  log: ImportLog,
  plain = plainName(rows.columns[column]),
): TimeReader {
  const name = rows.columns[column];
  const { tz } = log.options;
  const format = timeFormatOf(plain, sampleOf(rows, column), {
    tz,
    decimal: rows.decimal,
  });
  if (!format.hasZone && tz === undefined) {
    log.remark('names no zone; taken as UTC', { column: name, option: '--tz ZONE' });
  }
  return new TimeReader(name, format, tz, rows.decimal);
}

function isNumeric(rows: Rows, column: number): boolean {
  const cells = sampleOf(rows, column).filter((cell) => cell !== null && !isMissing(`${cell}`));
  const read = (cell: Cell) =>
    typeof cell === 'number' ? cell : numberOf(`${cell}`, rows.decimal);
  const good = cells.filter((cell) => !Number.isNaN(read(cell))).length;
  return cells.length > 0 && good >= cells.length / 2;
}

/** A number, or a Kubernetes quantity. */
function numberOf(text: string, decimal: '.' | ','): number {
  const number = parseNumber(text, decimal);
  return Number.isNaN(number) ? parseQuantity(text) : number;
}

function layoutOf(rows: Rows, log: ImportLog): Layout {
  const told = log.options.columns;
  const time = timeColumn(rows, told);
  if (time < 0) {
    const found = rows.columns.map((name) => quote(name)).join(', ');
    const option = '--columns time=NAME,value=NAME';
    throw new DataError(`no column of times is known among ${found}`, { option });
  }
  const wanted = told?.['value']?.split('+');
  const others = rows.columns.map((_, c) => c).filter((c) => c !== time);
  const values = wanted
    ? wanted.map((name) => toldColumn(rows, 'value', name))
    : others.filter((c) => isNumeric(rows, c));
  if (values.length === 0) {
    const option = '--columns value=NAME';
    throw new DataError('no column of numbers stands beside the times', { option });
  }
  const groups = groupColumns(rows, { time, values, others }, told);
  const isMember = groups.some((c) => MEMBERS.test(plainName(rows.columns[c])));
  const how = log.options.aggregate;
  return { time, values, groups, isSummed: how ? how !== 'none' : isMember };
}

/** Text columns matter where the first rows repeat times or go back, as long forms do. */
function groupColumns(
  rows: Rows,
  { time, values, others }: { time: number; values: readonly number[]; others: readonly number[] },
  told: Readonly<Record<string, string>> | undefined,
): number[] {
  if (told?.['group'] !== undefined) {
    return told['group'].split('+').map((name) => toldColumn(rows, 'group', name));
  }
  const texts = others.filter((c) => !values.includes(c) && sampleOf(rows, c).some(isText));
  const times = sampleOf(rows, time).map(String);
  const repeats = new Set(times).size < times.length;
  const isPart = (c: number) => MEMBERS.test(plainName(rows.columns[c])) || isSegment(rows, c);
  return repeats ? texts : texts.filter(isPart);
}

function isText(cell: Cell): boolean {
  return typeof cell === 'string' && !isMissing(cell);
}

function isSegment(rows: Rows, column: number): boolean {
  return /^(segment|service|series|name|metric|label)$/.test(plainName(rows.columns[column]));
}

/** Samples of every signal, kept apart or added up. */
class Signals {
  private readonly apart = new Map<string, Samples[]>();
  /** By time and then by group: what is added up. */
  private readonly together = new Map<number, Map<string, Float64Array>>();
  private missing = 0;

  constructor(
    private readonly rows: Rows,
    private readonly layout: Layout,
    private readonly log: ImportLog,
  ) {}

  add(cells: readonly Cell[], time_s: number, row: number): void {
    const { groups, values, isSummed } = this.layout;
    const { columns } = this.rows;
    const read = values.map((c) => this.value(cells[c], row, columns[c]));
    const key = groups.map((c) => String(cells[c] ?? '')).join(' ');
    if (isSummed) {
      this.addTogether(key, read, time_s);
      return;
    }
    let samples = this.apart.get(key);
    if (samples === undefined) {
      if (this.apart.size >= SIGNALS_MAX) throw new DataError(`more than ${SIGNALS_MAX} signals`);
      const named = (c: number) => [key, columns[c]].filter((part) => part !== '').join(' ');
      samples = values.map((c) => new Samples(named(c), this.log.limits.rows));
      this.apart.set(key, samples);
    }
    read.forEach((value, i) => {
      samples[i].add(time_s, value, row);
    });
  }

  private addTogether(key: string, read: readonly number[], time_s: number): void {
    const { step_s } = this.log.options;
    const time = step_s === undefined ? time_s : Math.floor(time_s / step_s) * step_s;
    let members = this.together.get(time);
    if (members === undefined) {
      members = new Map();
      this.together.set(time, members);
    }
    const sums = members.get(key) ?? new Float64Array(read.length + 1);
    read.forEach((value, i) => {
      sums[i] += value;
    });
    sums[read.length]++;
    members.set(key, sums);
  }

  private value(cell: Cell, row: number, column: string): number {
    if (typeof cell === 'number') return cell;
    const text = cell ?? '';
    if (isMissing(text)) {
      this.missing++;
      if (this.missing <= LISTED_MISSING) {
        const problem = `${text === '' ? 'is empty' : `is ${quote(text)}`}: a gap`;
        this.log.remark(problem, { row, column, option: '--fill previous|week|zero' });
      }
      return Number.NaN;
    }
    const value = numberOf(text, this.rows.decimal);
    if (Number.isNaN(value)) throw new DataError(`${quote(text)} is not a number`, { row, column });
    return value;
  }

  finish(format: { origin: Series['origin']; hasZone: boolean }): Series[] {
    const { log } = this;
    if (this.missing > LISTED_MISSING) {
      log.remark(`${this.missing} cells hold no value: gaps`, { option: '--fill …' });
    }
    if (this.layout.isSummed) this.addUp();
    const signals = [...this.apart.values()].flat();
    const series = signals.map((samples, i) => {
      const c = this.layout.values[i % this.layout.values.length];
      const known = canonicalFacts(this.rows.meta, samples.name);
      if (known !== null) return seriesOf(samples, { ...format, ...known }, log);
      const isMembers = samples.name === MEMBER_COUNT;
      const plain = isMembers ? 'replicas' : plainName(this.rows.columns[c]);
      return seriesOf(samples, { ...format, plainName: plain }, log);
    });
    if (series.length === 0) throw new DataError('the file has no rows');
    return series;
  }

  private addUp(): void {
    const { values } = this.layout;
    const { columns } = this.rows;
    const max = this.log.limits.rows;
    const how = this.log.options.aggregate ?? 'sum';
    const signals = values.map((c) => new Samples(columns[c], max));
    const members = new Samples(MEMBER_COUNT, max);
    let most = 0;
    for (const time of [...this.together.keys()].sort((a, b) => a - b)) {
      const groups = [...this.together.get(time)!.values()];
      most = Math.max(most, groups.length);
      values.forEach((_, i) => {
        const each = groups.map((sums) => sums[i] / sums[values.length]);
        signals[i].add(time, joinedBy(how, each), 0);
      });
      members.add(time, groups.length, 0);
    }
    this.log.count('converted', `${how} over up to ${most} members`, this.together.size);
    this.apart.set('', [...signals, members]);
  }
}

/** Facts of a signal in a file of our own; null where the file is another. */
function canonicalFacts(meta: Json | null, name: string) {
  if (meta?.['format'] !== SERIES_FORMAT) return null;
  const plain = name.endsWith(LONG_FORM) ? name.slice(0, -LONG_FORM.length) : name;
  const signal = list(meta['signals']).find((s) => text(at(s, 'name')) === plain);
  const [unit, step_s] = [at(signal, 'unit'), number(at(signal, 'step_s'))];
  if (typeof unit !== 'string' || step_s === undefined) return null;
  const origin = meta['origin'] === 'epoch' ? ('epoch' as const) : ('relative' as const);
  return { origin, name: plain, plainName: plain, canonicalUnit: unit, step_s };
}

/** The end of a signal's name where signals stand below each other. */
const LONG_FORM = ' value';
const MEMBER_COUNT = 'members';

function joinedBy(how: 'none' | 'sum' | 'mean' | 'max', values: readonly number[]): number {
  if (how === 'max') return Math.max(...values);
  const sum = values.reduce((a, b) => a + b, 0);
  return how === 'mean' ? sum / values.length : sum;
}
