/** Offsets of time zones by their IANA names, from the host's own tables. */
import { DataError, quote } from '../errors.js';

const formatters = new Map<string, Intl.DateTimeFormat>();
const HOUR = 3600;
/** Offsets at whole hours that were asked for: formatting is slow, recordings are long. */
const known = new Map<string, number>();
const KNOWN_MAX = 200_000;

/**
 * Seconds to subtract from a local time of a zone to get UTC. Of the two moments that a clock
 * shows when it is set back, the first is taken, or the second where the first lies before
 * `previous`.
 *
 * @param local the clock's reading as if it were UTC, in seconds
 * @param previous the time before it, in seconds UTC
 * @throws DataError for a zone that the host does not know
 */
export function offsetOf(zone: string, local: number, previous: number): number {
  const offsets = [...new Set([-24, -3, 3, 24].map((h) => offsetAt(zone, local + h * HOUR)))];
  const valid = offsets.filter((offset) => offsetAt(zone, local - offset) === offset);
  // A time that the clock skips is read with the offset from before the step.
  if (valid.length === 0) return offsetAt(zone, local - 24 * HOUR);
  const ascending = valid.sort((a, b) => b - a);
  return ascending.find((offset) => local - offset >= previous) ?? ascending[0];
}

/** The zone's offset from UTC at a moment, in seconds; offsets change at quarter hours at most. */
function offsetAt(zone: string, epoch_s: number): number {
  const quarter = Math.floor(epoch_s / 900);
  const key = `${zone}/${quarter}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const moment = quarter * 900;
  const parts = formatterOf(zone).formatToParts(new Date(moment * 1000));
  const part = (type: string) => Number(parts.find((p) => p.type === type)?.value);
  const [year, month, day] = [part('year'), part('month') - 1, part('day')];
  const shown = Date.UTC(year, month, day, part('hour') % 24, part('minute'), part('second'));
  const offset = shown / 1000 - moment;
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(key, offset);
  return offset;
}

function formatterOf(zone: string): Intl.DateTimeFormat {
  const found = formatters.get(zone);
  if (found !== undefined) return found;
  try {
    const formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formatters.set(zone, formatter);
    return formatter;
  } catch {
    throw new DataError(`--tz is ${quote(zone)}: a zone such as Europe/Berlin is needed`);
  }
}
