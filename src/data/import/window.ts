/** The part of a recording from one time until before another. */
import { DataError, quote } from '../errors.js';
import { TimeReader, timeFormatOf } from '../read/time.js';
import type { RequestTrace } from '../request-trace.js';
import { type Series, windowOf } from '../series.js';
import type { ImportLog } from './options.js';

/** A bound as it was given: seconds from the beginning, Unix time, or ISO 8601. */
function secondsOf(text: string, option: string, log: ImportLog): number {
  try {
    const { tz } = log.options;
    const reader = new TimeReader(option, timeFormatOf('time', [text], { tz }), tz);
    reader.read(text, 0);
    return reader.whole + reader.fraction;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new DataError(`${option} is ${quote(text)}: seconds or a time as ISO 8601 are needed`);
  }
}

/** The bounds that were asked for, in the recording's own seconds; null where none was. */
export function boundsOf(log: ImportLog): { from_s: number; to_s: number } | null {
  const { from, to } = log.options;
  if (from === undefined && to === undefined) return null;
  return {
    from_s: from === undefined ? -Infinity : secondsOf(from, '--from', log),
    to_s: to === undefined ? Infinity : secondsOf(to, '--to', log),
  };
}

/** Unix times are that large; smaller bounds count from a recording's beginning. */
const EPOCH_LEAST_S = 1e8;

export function seriesWindow(series: Series, log: ImportLog): Series {
  const bounds = boundsOf(log);
  if (bounds === null) return series;
  const first = series.times_s[0];
  const shift = (t: number) => (series.origin === 'epoch' && t < EPOCH_LEAST_S ? first + t : t);
  const window = windowOf(series, shift(bounds.from_s), shift(bounds.to_s));
  const left = series.values.length - window.values.length;
  log.count('dropped', 'samples outside of --from … --to', left);
  return window;
}

/** Requests of a window; arrivals count from its beginning. */
export function traceWindow(trace: RequestTrace, log: ImportLog): RequestTrace {
  const bounds = boundsOf(log);
  if (bounds === null) return trace;
  const start = trace.start_epoch_s ?? 0;
  const shift = (t: number) => (t >= EPOCH_LEAST_S && trace.start_epoch_s !== null ? t - start : t);
  const [from, to] = [shift(bounds.from_s), shift(bounds.to_s)];
  const { arrival_s } = trace;
  const first = arrival_s.findIndex((t) => t >= from);
  const after = arrival_s.findIndex((t) => t >= to);
  const end = after < 0 ? arrival_s.length : after;
  if (first < 0 || first >= end) {
    const last = arrival_s[arrival_s.length - 1];
    throw new DataError(`no request lies in ${from} .. ${to}; arrivals are 0 .. ${last} s`);
  }
  log.count('dropped', 'requests outside of --from … --to', arrival_s.length - (end - first));
  const base = Number.isFinite(from) && from > 0 ? from : 0;
  return sliced(trace, first, end, base);
}

function sliced(trace: RequestTrace, first: number, end: number, base: number): RequestTrace {
  const { class_index, session, prefix_parent, prefix_tokens, ttft_s, e2e_s, ...rest } = trace;
  const parents = prefix_parent
    ?.slice(first, end)
    .map((parent) => (parent >= first ? parent - first : -1));
  return {
    ...rest,
    arrival_s: trace.arrival_s.slice(first, end).map((t) => t - base),
    prompt_tokens: trace.prompt_tokens.slice(first, end),
    output_tokens: trace.output_tokens.slice(first, end),
    start_epoch_s: trace.start_epoch_s === null ? null : trace.start_epoch_s + base,
    ...(class_index ? { class_index: class_index.slice(first, end) } : {}),
    ...(session ? { session: session.slice(first, end) } : {}),
    ...(parents ? { prefix_parent: parents } : {}),
    ...(prefix_tokens
      ? {
          prefix_tokens: prefix_tokens
            .slice(first, end)
            .map((n, i) => (parents?.[i] === -1 ? 0 : n)),
        }
      : {}),
    ...(ttft_s ? { ttft_s: ttft_s.slice(first, end) } : {}),
    ...(e2e_s ? { e2e_s: e2e_s.slice(first, end) } : {}),
  };
}
