/** Access logs as rates: common and combined log format, ALB, Envoy, HAProxy, and their like. */
import { DataError, quote } from '../errors.js';
import { EventCounts } from '../import/counts.js';
import type { ImportLog } from '../import/options.js';
import type { FileReading } from '../read/source.js';
import { type Encoding, textOf } from '../read/text.js';
import { TimeReader, timeFormatOf } from '../read/time.js';

const NEWLINE = 10;
const RETURN = 13;
const BRACKET = 91;
const SPACE = 32;
/** Characters of a time in a line, at most. */
const TIME_CHARS = 40;

/** Where a line has its time. */
type TimePlace = 'bracket' | 'second' | 'first';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*$/;
const LOG = /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d/;
const REQUEST = /"?[A-Z]{3,7} \S+|\d+\.\d+\.\d+\.\d+/;

function placeOf(line: string): TimePlace | null {
  const bracketed = /\[([^\]]{19,34})\]/.exec(line)?.[1] ?? '';
  if (LOG.test(bracketed) || ISO.test(bracketed)) return 'bracket';
  const [first = '', second = ''] = line.split(' ', 2);
  if (ISO.test(second)) return 'second';
  return ISO.test(first) ? 'first' : null;
}

/** Whether lines are of an access log: a time and a request or an address in most of them. */
export function isAccessLog(lines: readonly string[]): boolean {
  const some = lines.slice(0, 20).filter((line) => line !== '');
  // The last line may be cut.
  if (some.length > 2) some.pop();
  const good = some.filter((line) => placeOf(line) !== null && REQUEST.test(line));
  return some.length > 0 && good.length >= some.length * 0.7;
}

/**
 * The requests of a log, counted by steps of time.
 *
 * @throws DataError naming the line that has no time, unless such may be left out
 */
export async function accessLogCounts(
  file: FileReading,
  encoding: Encoding,
  log: ImportLog,
): Promise<EventCounts> {
  const reader = new LogReader(log);
  if (encoding.startsWith('utf-16')) {
    const encoder = new TextEncoder();
    for await (const text of textOf(file.chunks(), encoding)) reader.push(encoder.encode(text));
  } else {
    // Lines are read as bytes: only their times matter, and a log may hold bytes of any encoding.
    for await (const chunk of file.chunks()) reader.push(chunk);
  }
  return reader.finish();
}

/** Reads lines from pieces of bytes. */
class LogReader {
  private rest = new Uint8Array(0);
  private row = 0;
  private place: TimePlace | null = null;
  private times: TimeReader | null = null;
  private counts: EventCounts | null = null;
  private lastText = '';
  private last_s = 0;

  constructor(private readonly log: ImportLog) {}

  push(chunk: Uint8Array): void {
    let from = 0;
    const first = chunk.indexOf(NEWLINE);
    if (first < 0) {
      this.keep(chunk, 0);
      return;
    }
    if (this.rest.length > 0) {
      this.keep(chunk, 0, first);
      this.line(this.rest, 0, this.rest.length);
      this.rest = new Uint8Array(0);
      from = first + 1;
    }
    for (;;) {
      const end = chunk.indexOf(NEWLINE, from);
      if (end < 0) break;
      this.line(chunk, from, end);
      from = end + 1;
    }
    this.keep(chunk, from);
  }

  private keep(chunk: Uint8Array, from: number, to = chunk.length): void {
    const joined = new Uint8Array(this.rest.length + to - from);
    joined.set(this.rest);
    joined.set(chunk.subarray(from, to), this.rest.length);
    this.rest = joined;
    if (joined.length > this.log.limits.recordChars) {
      throw new DataError('a line is longer than any log has', { row: this.row + 1 });
    }
  }

  finish(): EventCounts {
    if (this.rest.length > 0) this.line(this.rest, 0, this.rest.length);
    if (this.counts === null) throw new DataError('the log has no lines');
    return this.counts;
  }

  private line(bytes: Uint8Array, from: number, end: number): void {
    this.row++;
    const to = bytes[end - 1] === RETURN ? end - 1 : end;
    if (to <= from) return;
    try {
      const text = this.timeText(bytes, from, to);
      if (text !== this.lastText) {
        this.times ??= this.begin(text);
        this.times.read(text, this.row);
        this.last_s = this.times.whole + this.times.fraction;
        this.lastText = text;
      }
      this.counts!.add(this.last_s);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      const shown = String.fromCharCode(...bytes.subarray(from, Math.min(to, from + 60)));
      const problem = `${quote(shown)} has no time as the first lines have`;
      this.log.badRow(new DataError(problem, { row: this.row, option: '--skip-bad N' }));
    }
  }

  private begin(text: string): TimeReader {
    const { tz } = this.log.options;
    const format = timeFormatOf('time', [text], { tz });
    if (!format.hasZone && tz === undefined) {
      this.log.remark('times name no zone; taken as UTC', { option: '--tz ZONE' });
    }
    this.counts = new EventCounts('requests', this.log, 'epoch');
    return new TimeReader('time', format, tz);
  }

  private timeText(bytes: Uint8Array, from: number, to: number): string {
    this.place ??= placeOf(String.fromCharCode(...bytes.subarray(from, Math.min(to, from + 4096))));
    if (this.place === 'bracket') {
      const open = bytes.indexOf(BRACKET, from);
      return open < 0 || open >= to ? '' : textUntil(bytes, open + 1, to, 93);
    }
    if (this.place === 'second') {
      const space = bytes.indexOf(SPACE, from);
      return space < 0 || space >= to ? '' : textUntil(bytes, space + 1, to, SPACE);
    }
    return this.place === 'first' ? textUntil(bytes, from, to, SPACE) : '';
  }
}

function textUntil(bytes: Uint8Array, from: number, to: number, stop: number): string {
  let text = '';
  for (let i = from; i < to && i < from + TIME_CHARS && bytes[i] !== stop; i++) {
    text += String.fromCharCode(bytes[i]);
  }
  return text;
}
