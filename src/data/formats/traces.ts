/** The formats of request traces. */
import type { JsonFormat, RowFormat } from '../import/format.js';
import { isTraceRows, traceFromRows, traceLabel } from '../import/trace-rows.js';
import { aiperfRun, aiperfTrace, isAiperfRecords } from './aiperf-records.js';
import { isShareGpt, shareGptTrace } from './sharegpt.js';

export const TRACE_JSON: readonly JsonFormat[] = [
  {
    id: 'sharegpt',
    label: 'conversations as ShareGPT holds them',
    kinds: ['trace'],
    recognise: isShareGpt,
    read: (value, _as, source, log) => ({
      as: 'trace',
      trace: shareGptTrace(value, source, log),
    }),
  },
];

export const TRACE_ROWS: readonly RowFormat[] = [
  {
    id: 'aiperf-records',
    label: "AIPerf's records of single requests",
    kinds: ['trace', 'bench'],
    recognise: isAiperfRecords,
    read: async (rows, as, source, log) =>
      as === 'bench'
        ? { as, runs: [await aiperfRun(rows, source, log)] }
        : { as: 'trace', trace: await aiperfTrace(rows, source, log) },
  },
  {
    id: 'trace',
    label: 'a trace of requests',
    kinds: ['trace'],
    recognise: isTraceRows,
    nameOf: traceLabel,
    read: async (rows, _as, source, log) => ({
      as: 'trace',
      trace: await traceFromRows(rows, source, log),
    }),
  },
];
