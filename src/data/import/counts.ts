/** Events counted by steps of time: lines of a log, rows that are nothing but times. */
import { DataError } from '../errors.js';
import type { Series } from '../series.js';
import { makeSeries } from '../series.js';
import type { ImportLog } from './options.js';

/** Seconds of a step where none is asked for. */
const STEP_DEFAULT_S = 60;
/** A quiet stretch this many times the mean gap between events looks like a hole in the log. */
const QUIET_STEPS = 30;

/** Counts of one kind of event, in any order. */
export class EventCounts {
  readonly step_s: number;
  private readonly counts = new Map<number, number>();
  /** The step that was counted last, kept out of the map: most events share it with the next. */
  private bin = Number.NaN;
  private inBin = 0;

  constructor(
    readonly name: string,
    private readonly log: ImportLog,
    readonly origin: Series['origin'],
  ) {
    this.step_s = log.options.step_s ?? STEP_DEFAULT_S;
  }

  /** Counts an event. */
  add(time_s: number): void {
    const bin = Math.floor(time_s / this.step_s);
    if (bin !== this.bin) {
      this.flush();
      this.bin = bin;
    }
    this.inBin++;
  }

  private flush(): void {
    if (this.inBin === 0) return;
    this.counts.set(this.bin, (this.counts.get(this.bin) ?? 0) + this.inBin);
    this.inBin = 0;
    if (this.counts.size > this.log.limits.rows) {
      throw new DataError(`more than ${this.log.limits.rows} steps of ${this.step_s} s`);
    }
  }

  /** Adds the counts of another file of the same events. */
  merge(other: EventCounts): void {
    this.flush();
    other.flush();
    for (const [bin, count] of other.counts) {
      this.counts.set(bin, (this.counts.get(bin) ?? 0) + count);
    }
  }

  /**
   * The rate of every step from the first event to the last; a step without events is 0.
   *
   * @throws DataError where there was no event, or one lies far off the others
   */
  series(): Series {
    this.flush();
    if (this.counts.size === 0) throw new DataError('the file has no events');
    let [first, last, total] = [Infinity, -Infinity, 0];
    for (const [bin, count] of this.counts) {
      first = Math.min(first, bin);
      last = Math.max(last, bin);
      total += count;
    }
    const steps = last - first + 1;
    if (steps > this.log.limits.rows || steps > Math.max(1e6, 1000 * this.counts.size)) {
      throw new DataError(`${total} events lie over ${steps} steps: is a time wrong?`);
    }
    const values = new Float64Array(steps);
    for (const [bin, count] of this.counts) values[bin - first] = count / this.step_s;
    this.remarkQuiet(values);
    this.log.count('converted', `events counted by steps of ${this.step_s} s`, total);
    const { name, origin, step_s } = this;
    return makeSeries({
      ...{ name, origin, step_s, values },
      unit: 'requests/s',
      start_s: first * step_s,
    });
  }

  /** A log cannot tell silence from a hole; a long one in busy times is named. */
  private remarkQuiet(values: Float64Array): void {
    let longest = 0;
    let run = 0;
    for (const value of values) {
      run = value === 0 ? run + 1 : 0;
      longest = Math.max(longest, run);
    }
    const busy = values.filter((value) => value > 0).length / values.length;
    if (longest < QUIET_STEPS || busy < 0.5) return;
    this.log.remark(`nothing in ${longest} steps on end, taken as no load: is the log whole?`);
  }
}
