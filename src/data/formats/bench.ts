/** The formats of benchmark tools. */
import type { JsonFormat, Part, RowFormat, TextFormat } from '../import/format.js';
import type { Measurement } from '../measurement.js';
import { dialectOf } from '../read/csv-dialect.js';
import { CsvRecords } from '../read/csv-records.js';
import type { FileReading, ReadLimits } from '../read/source.js';
import { type Encoding, textOf } from '../read/text.js';
import { aiperfCsvMeasurement, aiperfMeasurement, isAiperf, isAiperfCsv } from './aiperf.js';
import {
  guidellmCsvMeasurements,
  guidellmMeasurements,
  isGuidellm,
  isGuidellmCsv,
} from './guidellm.js';
import { guidellmTrace } from './guidellm-trace.js';
import { isLlmperf, isLlmperfRequests, llmperfMeasurement, llmperfRequests } from './llmperf.js';
import { isMeasurementRows, measurementsFromRows } from './measurement-rows.js';
import { isPrometheusText, metricsMeasurement } from './prometheus-text.js';
import { isVllmBench, vllmMeasurement, vllmResults } from './vllm-bench.js';
import { vllmTrace } from './vllm-trace.js';

const runs = (...found: Measurement[]): Part => ({ as: 'bench', runs: found });

export const BENCH_JSON: readonly JsonFormat[] = [
  {
    id: 'vllm-bench',
    label: 'results of vllm bench serve or sweep',
    kinds: ['bench', 'trace'],
    recognise: isVllmBench,
    read: (value, as, source, log) =>
      as === 'trace'
        ? { as, trace: vllmTrace(vllmResults(value), source, log) }
        : runs(...vllmResults(value).map((result) => vllmMeasurement(result, source))),
  },
  {
    id: 'guidellm',
    label: 'a report of GuideLLM',
    kinds: ['bench', 'trace'],
    recognise: isGuidellm,
    read: (value, as, source, log) =>
      as === 'trace'
        ? { as, trace: guidellmTrace(value, source, log) }
        : runs(...guidellmMeasurements(value as Record<string, unknown>, source)),
  },
  {
    id: 'aiperf',
    label: 'a profile of AIPerf or GenAI-Perf',
    kinds: ['bench'],
    recognise: isAiperf,
    read: (value, _as, source) => runs(aiperfMeasurement(value as Record<string, unknown>, source)),
  },
  {
    id: 'llmperf',
    label: 'a summary of LLMPerf',
    kinds: ['bench'],
    recognise: isLlmperf,
    read: (value, _as, source) =>
      runs(llmperfMeasurement(value as Record<string, unknown>, source)),
  },
  {
    id: 'llmperf-requests',
    label: 'the requests of an LLMPerf run',
    kinds: ['bench'],
    recognise: isLlmperfRequests,
    read: (value, _as, source) => runs(llmperfRequests(value as Record<string, unknown>[], source)),
  },
];

export const BENCH_ROWS: RowFormat = {
  id: 'measurements',
  label: 'measurements of a server, one run a row',
  kinds: ['bench'],
  recognise: isMeasurementRows,
  read: async (rows, _as, source, log) => runs(...(await measurementsFromRows(rows, source, log))),
};

export const BENCH_TEXT: readonly TextFormat[] = [
  {
    id: 'aiperf-csv',
    label: 'CSV of AIPerf or GenAI-Perf',
    kinds: ['bench'],
    recognise: isAiperfCsv,
    read: async (file, encoding, _as, log) =>
      runs(aiperfCsvMeasurement(await recordsOf(file, encoding, log.limits), file.name)),
  },
  {
    id: 'guidellm-csv',
    label: 'CSV of GuideLLM',
    kinds: ['bench'],
    recognise: isGuidellmCsv,
    read: async (file, encoding, _as, log) =>
      runs(...guidellmCsvMeasurements(await recordsOf(file, encoding, log.limits), file.name)),
  },
  {
    id: 'prometheus-text',
    label: 'metrics of a server in the text form of Prometheus',
    kinds: ['bench'],
    recognise: isPrometheusText,
    read: async (file, encoding) => {
      return runs(metricsMeasurement(await wholeText(file, encoding), file.name));
    },
  },
];

async function wholeText(file: FileReading, encoding: Encoding): Promise<string> {
  const bytes = await file.bytes();
  const parts: string[] = [];
  const chunks = async function* () {
    yield bytes;
  };
  for await (const text of textOf(chunks(), encoding)) parts.push(text);
  return parts.join('');
}

/** All records of a small CSV file, of any number of fields. */
async function recordsOf(
  file: FileReading,
  encoding: Encoding,
  limits: ReadLimits,
): Promise<string[][]> {
  const text = await wholeText(file, encoding);
  const records = new CsvRecords({ ...dialectOf(text, true), delimiter: ',' }, limits);
  return [...records.push(text), ...records.end()];
}
