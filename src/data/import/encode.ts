/** The result of an import as a file and as a report. */
import { MEASUREMENT_NUMBERS, MEASUREMENT_TEXTS, type Measurements } from '../measurement.js';
import type { RequestTrace } from '../request-trace.js';
import type { Series } from '../series.js';
import { MEASUREMENTS_FORMAT, SERIES_FORMAT, TRACE_FORMAT } from './formats-of-files.js';
import type { ImportedData, ImportResult } from './import.js';
import type { ImportProblem } from './options.js';
import { encodeFile, type OutColumn } from './table-out.js';

/** The JSON of `infragym import`. */
export interface ImportReport {
  /** The formats that the files were recognised as. */
  readonly format: string;
  readonly as: ImportedData['as'];
  /** Samples, requests or runs. */
  readonly rows: number;
  readonly columns: readonly { name: string; unit: string; missing: number }[];
  /** First and last time in seconds, or ISO 8601 where dates are known; null without times. */
  readonly from: string | number | null;
  readonly to: string | number | null;
  readonly repaired: readonly { what: string; count: number }[];
  readonly dropped: readonly { what: string; count: number }[];
  readonly converted: readonly { what: string; count: number }[];
  readonly problems: readonly ImportProblem[];
  readonly problem_count: number;
  readonly sources: ImportResult['provenance']['sources'];
  /** The file that was written, or null. */
  readonly file: string | null;
}

export function importReport(result: ImportResult, file: string | null): ImportReport {
  const { data, log, provenance } = result;
  const formats = [...new Set(provenance.sources.map(({ format }) => format))];
  return {
    format: formats.join(', '),
    as: data.as,
    ...contentOf(data),
    repaired: provenance.repaired,
    dropped: provenance.dropped,
    converted: provenance.converted,
    problems: log.problems,
    problem_count: log.problemCount,
    sources: provenance.sources,
    file,
  };
}

type Content = Pick<ImportReport, 'rows' | 'columns' | 'from' | 'to'>;

function contentOf(data: ImportedData): Content {
  if (data.as === 'series') return seriesContent(data.series);
  if (data.as === 'trace') return traceContent(data.trace);
  const columns = measurementColumns(data.measurements).map(({ name, data: cells }) => ({
    name,
    unit: '',
    missing: Array.from(cells as ArrayLike<number | string>).filter(isAbsent).length,
  }));
  return { rows: data.measurements.runs.length, columns, from: null, to: null };
}

function isAbsent(value: number | string): boolean {
  return value === '' || (typeof value === 'number' && Number.isNaN(value));
}

function seriesContent(all: readonly Series[]): Content {
  const columns = all.map(({ name, unit, values }) => ({
    name,
    unit,
    missing: values.filter(Number.isNaN).length,
  }));
  const isEpoch = all.every(({ origin }) => origin === 'epoch');
  const shown = (t: number) => (isEpoch ? isoTime(t) : t);
  const from = Math.min(...all.map(({ times_s }) => times_s[0]));
  const to = Math.max(...all.map(({ times_s, step_s }) => times_s[times_s.length - 1] + step_s));
  const rows = Math.max(...all.map(({ values }) => values.length));
  return { rows, columns, from: shown(from), to: shown(to) };
}

function traceContent(trace: RequestTrace): Content {
  const columns = traceColumns(trace).map(({ name, data }) => ({
    name,
    unit: name.endsWith('_s') ? 's' : name.endsWith('tokens') ? 'tokens' : '',
    missing: Array.from(data as ArrayLike<number | string>).filter(isAbsent).length,
  }));
  const { arrival_s, start_epoch_s } = trace;
  const last = arrival_s[arrival_s.length - 1];
  const [from, to] =
    start_epoch_s === null ? [0, last] : [0, last].map((t) => isoTime(start_epoch_s + t));
  return { rows: arrival_s.length, columns, from, to };
}

/** Seconds since 1970 as `2026-03-01T00:02:00Z`, with milliseconds where there are some. */
export function isoTime(epoch_s: number): string {
  if (!(Math.abs(epoch_s) < 8.64e12)) return `${epoch_s}`;
  return new Date(epoch_s * 1000).toISOString().replace('.000Z', 'Z');
}

/**
 * The bytes of a canonical file: `.parquet`, or CSV for any other name.
 */
export function encodeImported(data: ImportedData, fileName: string): Uint8Array {
  if (data.as === 'series') return encodeSeries(data.series, fileName);
  if (data.as === 'trace') {
    const { name, start_epoch_s, provenance } = data.trace;
    const meta = { format: TRACE_FORMAT, name, start_epoch_s, provenance };
    return encodeFile(fileName, traceColumns(data.trace), meta);
  }
  const { provenance } = data.measurements;
  const meta = { format: MEASUREMENTS_FORMAT, provenance };
  return encodeFile(fileName, measurementColumns(data.measurements), meta);
}

/** Series of one grid stand beside each other, others below each other with their name. */
export function encodeSeries(all: readonly Series[], fileName: string): Uint8Array {
  const [first] = all;
  const isOneGrid = all.every(
    ({ times_s, step_s, origin }) =>
      times_s.length === first.times_s.length &&
      times_s[0] === first.times_s[0] &&
      step_s === first.step_s &&
      origin === first.origin,
  );
  const signals = all.map(({ name, unit, step_s }) => ({ name, unit, step_s }));
  const { origin, provenance } = first;
  const meta = { format: SERIES_FORMAT, origin, signals, provenance };
  if (isOneGrid) {
    const columns = all.map(({ name, values }) => ({
      name,
      type: 'DOUBLE' as const,
      data: values,
    }));
    const times: OutColumn = { name: 't_s', type: 'DOUBLE', data: first.times_s };
    return encodeFile(fileName, [times, ...columns], meta);
  }
  const joined = (field: 'times_s' | 'values') => all.flatMap((series) => [...series[field]]);
  const names = all.flatMap(({ name, values }) => new Array<string>(values.length).fill(name));
  return encodeFile(
    fileName,
    [
      { name: 'series', type: 'STRING', data: names },
      { name: 't_s', type: 'DOUBLE', data: joined('times_s') },
      { name: 'value', type: 'DOUBLE', data: joined('values') },
    ],
    meta,
  );
}

function traceColumns(trace: RequestTrace): OutColumn[] {
  const { classes } = trace;
  const columns: OutColumn[] = [
    { name: 'arrival_s', type: 'DOUBLE', data: trace.arrival_s },
    { name: 'prompt_tokens', type: 'INT64', data: trace.prompt_tokens },
    { name: 'output_tokens', type: 'INT64', data: trace.output_tokens },
  ];
  if (trace.class_index && classes) {
    const names = Array.from(trace.class_index, (i) => classes[i]);
    columns.push({ name: 'class', type: 'STRING', data: names });
  }
  for (const name of ['session', 'prefix_parent', 'prefix_tokens'] as const) {
    const data = trace[name];
    if (data) columns.push({ name, type: 'INT64', data });
  }
  for (const name of ['ttft_s', 'e2e_s'] as const) {
    const data = trace[name];
    if (data) columns.push({ name, type: 'DOUBLE', data });
  }
  return columns;
}

/** Columns in which some run has a value. */
function measurementColumns({ runs }: Measurements): OutColumn[] {
  const texts = MEASUREMENT_TEXTS.map((name): OutColumn => {
    return { name, type: 'STRING', data: runs.map((run) => run[name]) };
  });
  const numbers = MEASUREMENT_NUMBERS.map((name): OutColumn => {
    return { name, type: 'DOUBLE', data: runs.map((run) => run[name] ?? Number.NaN) };
  });
  return [...texts, ...numbers].filter(({ data }) =>
    Array.from(data as ArrayLike<number | string>).some((value) => !isAbsent(value)),
  );
}
