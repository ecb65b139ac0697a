/** Times as files write them: epochs, ISO 8601, logs, local times of a zone. */
import { DataError, quote } from '../errors.js';
import { parseNumber } from './csv-dialect.js';
import type { Cell } from './rows.js';
import { offsetOf } from './zones.js';

/** How a column's times are written. */
export interface TimeFormat {
  readonly kind: 'number' | 'iso' | 'log' | 'day-first' | 'month-first';
  readonly origin: 'epoch' | 'relative';
  /** Seconds of one unit, for numbers. */
  readonly scale: number;
  /** False where the times name no zone, so that one is assumed or asked for. */
  readonly hasZone: boolean;
  /** For people: "epoch milliseconds", "ISO 8601 without a zone, taken as UTC". */
  readonly label: string;
}

const SCALES: readonly [RegExp, number, string][] = [
  [/(^|_)(ns|nanos|nanoseconds?)$/, 1e-9, 'nanoseconds'],
  [/(^|_)(us|µs|micros|microseconds?)$/, 1e-6, 'microseconds'],
  [/(^|_)(ms|millis|milliseconds?)$/, 1e-3, 'milliseconds'],
  [/(^|_)(s|sec|secs|seconds?)$/, 1, 'seconds'],
  [/(^|_)(m|min|mins|minutes?)$/, 60, 'minutes'],
  [/(^|_)(h|hours?)$/, 3600, 'hours'],
];
/** Numbers this large count from 1970: seconds since 1973, and finer units by a thousand each. */
const EPOCHS: readonly [number, number, string][] = [
  [1e17, 1e-9, 'nanoseconds'],
  [1e14, 1e-6, 'microseconds'],
  [1e11, 1e-3, 'milliseconds'],
  [1e8, 1, 'seconds'],
];

/**
 * The format of a column's times, by its name and first cells.
 *
 * @param name in snake_case, as `plainName` gives it
 * @throws DataError where the cells are no times, or day and month cannot be told apart
 */
export function timeFormatOf(
  name: string,
  sample: readonly Cell[],
  options: { tz?: string | undefined; decimal?: '.' | ',' } = {},
): TimeFormat {
  const cells = sample.filter((cell) => cell !== null && cell !== '');
  if (cells.length === 0) throw new DataError('has no times', { column: name });
  const first = cells[0];
  const numbers = cells.map((c) => (typeof c === 'number' ? c : parseNumber(c!, options.decimal)));
  // A few bad cells are named where they stand; the format is what most are.
  const good = numbers.filter((x) => !Number.isNaN(x));
  if (good.length * 2 >= cells.length) return numberFormat(name, good);
  const texts = cells.map((cell) => String(cell).trim());
  const share = (k: TextKind) => texts.filter((text) => isDate(k, text)).length / texts.length;
  const kind = bestKind(share);
  if (kind === undefined) {
    const known = 'epoch numbers, 2026-03-01T00:02:00Z, 01/Mar/2026:00:02:00 +0000';
    throw new DataError(`${quote(String(first))} is no time that is known: ${known}`, {
      row: 1,
      column: name,
    });
  }
  if (kind === 'day-first' && texts[0].includes('/') && share('month-first') === 1) {
    const problem = `${quote(texts[0])} may be day/month or month/day; write the year first`;
    throw new DataError(problem, { row: 1, column: name });
  }
  const hasZone = texts.filter((text) => ZONE.test(text)).length * 2 >= texts.length;
  const taken = hasZone ? '' : ` without a zone, taken as ${options.tz ?? 'UTC'}`;
  return { kind, origin: 'epoch', scale: 1, hasZone, label: LABELS[kind] + taken };
}

/** The form that most cells have, if it is half of them. */
function bestKind(share: (kind: TextKind) => number): TextKind | undefined {
  const kinds = Object.keys(PATTERNS) as TextKind[];
  const best = kinds.reduce((a, b) => (share(b) > share(a) ? b : a));
  return share(best) >= 0.5 ? best : undefined;
}

function numberFormat(name: string, numbers: readonly number[]): TimeFormat {
  const largest = numbers.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const named = SCALES.find(([pattern]) => pattern.test(name));
  const epoch = EPOCHS.find(([least]) => largest >= least);
  const [scale, unit] = named
    ? [named[1], named[2]]
    : epoch
      ? [epoch[1], epoch[2]]
      : [1, 'seconds'];
  const isEpoch = largest * scale >= 1e8;
  const label = isEpoch ? `epoch ${unit}` : `${unit} from the beginning`;
  const origin = isEpoch ? 'epoch' : 'relative';
  return { kind: 'number', origin, scale, hasZone: true, label };
}

const LABELS = {
  iso: 'ISO 8601',
  log: 'log times',
  'day-first': 'day.month.year',
  'month-first': 'month/day/year',
} as const;

const CLOCK =
  '(?:[T ,]+(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:[.,](\\d{1,9})\\d*)?)?)?\\s*([AP]M)?\\s*' +
  '(Z|UTC|GMT|[+-]\\d{2}:?\\d{2})?';
const ZONE = /(Z|UTC|GMT|[+-]\d{2}:?\d{2})$/i;
const PATTERNS = {
  iso: new RegExp(`^(\\d{4})[-/](\\d{2})[-/](\\d{2})${CLOCK}$`, 'i'),
  'day-first': new RegExp(`^(\\d{1,2})[./](\\d{1,2})[./](\\d{4})${CLOCK}$`, 'i'),
  'month-first': new RegExp(`^(\\d{1,2})/(\\d{1,2})/(\\d{4})${CLOCK}$`, 'i'),
  log: /^\[?(\d{2})\/([A-Za-z]{3})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-]\d{4})\]?$/,
} as const;
/** No time is longer. */
const TEXT_MAX = 64;
type TextKind = keyof typeof PATTERNS;
const MONTHS = 'janfebmaraprmayjunjulaugsepoctnovdec';

interface Parts {
  year: number;
  month: number;
  day: number;
  /** Of the day. */
  seconds: number;
  fraction: number;
  zone: string | undefined;
}

function partsOf(kind: TextKind, text: string): Parts | null {
  const m = text.length <= TEXT_MAX ? PATTERNS[kind].exec(text) : null;
  if (m === null) return null;
  const number = (i: number) => Number(m[i] ?? 0);
  if (kind === 'log') {
    const month = MONTHS.indexOf(m[2].toLowerCase()) / 3 + 1;
    const seconds = number(4) * 3600 + number(5) * 60 + number(6);
    return { year: number(3), month, day: number(1), seconds, fraction: 0, zone: m[7] };
  }
  const order = { iso: [1, 2, 3], 'day-first': [3, 2, 1], 'month-first': [3, 1, 2] }[kind];
  const [year, month, day] = order.map(number);
  const half = m[8]?.toUpperCase();
  const hour = half ? (number(4) % 12) + (half === 'PM' ? 12 : 0) : number(4);
  const seconds = hour * 3600 + number(5) * 60 + number(6);
  const fraction = m[7] ? Number(`0.${m[7]}`) : 0;
  return { year, month, day, seconds, fraction, zone: m[9] };
}

function isDate(kind: TextKind, text: string): boolean {
  const parts = partsOf(kind, text);
  if (parts === null) return false;
  const { year, month, day, seconds } = parts;
  if (!Number.isInteger(month) || month < 1 || month > 12 || seconds > 86_400) return false;
  return day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Reads a column's times, cell by cell. */
export class TimeReader {
  /** Of the time last read: whole seconds, and what is beyond them, 0 .. 1. */
  whole = 0;
  fraction = 0;
  private previous = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly column: string,
    readonly format: TimeFormat,
    private readonly tz: string | undefined,
    private readonly decimal: '.' | ',' = '.',
  ) {}

  /**
   * Reads a time into `whole` and `fraction`, apart so that a fraction of 100 ns stays exact.
   *
   * @throws DataError naming the row of a cell that is no time of the column's format.
   */
  read(cell: Cell, row: number): void {
    const isRead = this.format.kind === 'number' ? this.readNumber(cell) : this.readText(cell);
    if (!isRead) {
      const problem = `${quote(String(cell ?? ''))} is no time as the first ones are`;
      throw new DataError(problem, { row, column: this.column, option: '--skip-bad N' });
    }
    this.previous = this.whole;
  }

  private readNumber(cell: Cell): boolean {
    const { scale } = this.format;
    // A count of nanoseconds exceeds a double: whole seconds are cut off as text.
    if (typeof cell === 'string' && scale === 1e-9 && /^\d{16,19}$/.test(cell)) {
      this.whole = Number(cell.slice(0, -9));
      this.fraction = Number(cell.slice(-9)) / 1e9;
      return true;
    }
    const value = typeof cell === 'number' ? cell : parseNumber(cell ?? '', this.decimal);
    if (!Number.isFinite(value)) return false;
    const per = scale < 1 ? Math.round(1 / scale) : 1;
    const units = scale < 1 ? value : value * scale;
    this.whole = Math.floor(units / per);
    this.fraction = (units - this.whole * per) / per;
    return true;
  }

  private readText(cell: Cell): boolean {
    const kind = this.format.kind as TextKind;
    const parts = typeof cell === 'string' ? partsOf(kind, cell.trim()) : null;
    if (parts === null) return false;
    const { year, month, day, seconds, fraction, zone } = parts;
    const local = Date.UTC(year, month - 1, day) / 1000 + seconds;
    if (!Number.isFinite(local)) return false;
    this.fraction = fraction;
    this.whole = local - (zone ? fixedOffset(zone) : this.localOffset(local));
    return true;
  }

  private localOffset(local: number): number {
    if (this.tz === undefined) return 0;
    return offsetOf(this.tz, local, this.previous);
  }
}

function fixedOffset(zone: string): number {
  const m = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
  if (m === null) return 0;
  return (m[1] === '-' ? -1 : 1) * (Number(m[2]) * 3600 + Number(m[3]) * 60);
}
