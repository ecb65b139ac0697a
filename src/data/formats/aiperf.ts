/** Results of AIPerf and of GenAI-Perf, its forerunner: JSON, CSV, and records of each request. */
import {
  LATENCIES,
  type Latency,
  latencyFields,
  type Measurement,
  measurement,
  type Statistic,
} from '../measurement.js';
import { parseNumber } from '../read/csv-dialect.js';
import { at, isObject, type Json, list, number, text, times } from '../read/json.js';

/** The names of each latency, as AIPerf writes them. */
const METRICS: Record<Latency, string> = {
  ttft: 'time_to_first_token',
  // Its inter-token latency is a mean by request, (e2e − ttft) / (tokens − 1): vLLM's TPOT.
  tpot: 'inter_token_latency',
  itl: 'inter_chunk_latency',
  e2e: 'request_latency',
};

/** Milliseconds in each unit of time. */
const MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1e3,
  sec: 1e3,
};

export function isAiperf(value: unknown): value is Json {
  if (!isObject(value)) return false;
  const isMetric = (name: string) => isObject(value[name]) && 'avg' in value[name];
  return isMetric('request_latency') && (isMetric('request_throughput') || 'input_config' in value);
}

/** One run: the load is in the configuration, which has changed its place over the versions. */
export function aiperfMeasurement(result: Json, source: string): Measurement {
  const config = result['input_config'];
  const phase = list(at(config, 'phases')).filter(
    (p) => number(at(p, 'concurrency')) ?? number(at(p, 'rate')) ?? number(at(p, 'request_rate')),
  );
  const load = phase.at(-1);
  const stimulus = at(config, 'perf_analyzer', 'stimulus');
  const average = (name: string) => number(at(result, name, 'avg'));
  return measurement(
    { source, model: modelOf(config), engine: text(at(config, 'endpoint', 'type')) },
    {
      concurrency:
        number(at(load, 'concurrency')) ??
        number(at(stimulus, 'concurrency')) ??
        number(at(config, 'loadgen', 'concurrency')) ??
        number(at(config, 'concurrency')),
      request_rate_per_s:
        number(at(load, 'rate')) ??
        number(at(load, 'request_rate')) ??
        number(at(stimulus, 'request_rate')) ??
        number(at(config, 'loadgen', 'request_rate')),
      prompt_tokens: average('input_sequence_length'),
      output_tokens: average('output_sequence_length'),
      num_requests: average('request_count') ?? number(at(result, 'request_latency', 'count')),
      completed: number(at(result, 'request_latency', 'count')) ?? average('request_count'),
      failed: average('error_request_count'),
      duration_s: durationOf(result),
      requests_per_s: average('request_throughput'),
      output_tokens_per_s: average('output_token_throughput'),
      total_tokens_per_s: average('total_token_throughput'),
      ...aiperfLatencies((name) => result[name]),
    },
  );
}

function modelOf(config: unknown): string | undefined {
  const items = at(config, 'models', 'items');
  return (
    text(at(items, 0, 'name')) ??
    text(at(config, 'endpoint', 'model_names', 0)) ??
    text(at(config, 'endpoint', 'model_selection', 'model_names', 0)) ??
    text(at(config, 'model', 0)) ??
    text(at(config, 'models', 0)) ??
    text(at(config, 'model_names', 0)) ??
    text(at(config, 'model')) ??
    text(at(config, 'formatted_model_name'))
  );
}

function durationOf(result: Json): number | undefined {
  const metric = result['benchmark_duration'];
  const unit = text(at(metric, 'unit')) ?? 's';
  return times(number(at(metric, 'avg')), (MS[unit] ?? 1e3) / 1e3);
}

function aiperfLatencies(metric: (name: string) => unknown) {
  const fields = {};
  for (const name of LATENCIES) {
    const found = metric(METRICS[name]);
    const factor = MS[text(at(found, 'unit')) ?? 'ms'] ?? 1;
    const statistic = (s: Statistic) =>
      times(number(at(found, s === 'mean' ? 'avg' : s)) ?? number(at(found, s)), factor);
    Object.assign(fields, latencyFields(name, statistic));
  }
  return fields;
}

/** Whether lines are a CSV file of theirs: a header that begins `Metric,`. */
export function isAiperfCsv(lines: readonly string[]): boolean {
  const isHeader = /^"?Metric"?,"?(avg|Value)/i.test(lines[0] ?? '');
  return isHeader && lines.some((line) => /request (latency|throughput)/i.test(line));
}

/** One run from the sections of a CSV file; it names neither model nor load. */
export function aiperfCsvMeasurement(records: readonly string[][], source: string): Measurement {
  const metrics: Json = {};
  let header: string[] = [];
  for (const record of records) {
    const [first] = record;
    if (first === 'Metric') header = record.map((name) => name.trim());
    else if (header.length > 1 && record.length > 1) {
      const m = /^(.*?)\s*(?:\(([^)]*)\))?$/.exec(first.trim())!;
      const name = m[1].toLowerCase().replaceAll(' ', '_');
      const values = header.slice(1).map((key, i) => [
        key === 'Value' ? 'avg' : key,
        // They write thousands with commas, in quotes.
        parseNumber((record[i + 1] ?? '').replaceAll(',', '')),
      ]);
      metrics[name] = { unit: m[2], ...Object.fromEntries(values) };
    }
  }
  return aiperfMeasurement(metrics, source);
}
