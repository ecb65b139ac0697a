/** Results of GuideLLM: JSON of every version, and its CSV with one or three header lines. */
import { latencyFields, type Measurement, measurement, type Statistic } from '../measurement.js';
import { parseNumber } from '../read/csv-dialect.js';
import { at, isObject, type Json, list, number, text, times } from '../read/json.js';
import { plainName } from '../read/rows.js';

export function isGuidellm(value: unknown): value is Json {
  if (!isObject(value) || !Array.isArray(value['benchmarks'])) return false;
  return value['benchmarks'].some((b) => isObject(at(b, 'metrics')) && 'config' in (b as Json));
}

/** One run a benchmark, i.e. a rate or a concurrency of a sweep. */
export function guidellmMeasurements(report: Json, source: string): Measurement[] {
  return list(report['benchmarks']).map((benchmark, i) =>
    oneBenchmark(report, benchmark, `${source}#${i}`),
  );
}

function oneBenchmark(report: Json, benchmark: unknown, source: string): Measurement {
  const strategy =
    at(benchmark, 'config', 'strategy') ?? at(benchmark, 'args', 'strategy') ?? undefined;
  const metrics = at(benchmark, 'metrics');
  const mean = (name: string) => number(at(metrics, name, 'successful', 'mean'));
  const totals = at(metrics, 'request_totals') ?? at(benchmark, 'request_totals');
  const kind = text(at(strategy, 'type_')) ?? text(at(strategy, 'strategy_type'));
  const latency = (name: 'ttft' | 'tpot' | 'itl' | 'e2e', key: string, factor = 1) =>
    latencyFields(name, (s) => times(statisticOf(at(metrics, key, 'successful'), s), factor));
  return measurement(
    {
      source,
      engine: text(at(benchmark, 'config', 'backend', 'type_')),
      model: modelOf(report, benchmark),
    },
    {
      concurrency: concurrencyOf(strategy, kind),
      request_rate_per_s: kind === 'throughput' ? Infinity : number(at(strategy, 'rate')),
      prompt_tokens: mean('prompt_token_count'),
      output_tokens: mean('output_token_count'),
      num_requests: number(at(totals, 'total')),
      completed: number(at(totals, 'successful')),
      failed: number(at(totals, 'errored')),
      duration_s:
        number(at(benchmark, 'duration')) ?? number(at(benchmark, 'run_stats', 'duration')),
      requests_per_s: mean('requests_per_second'),
      output_tokens_per_s: mean('output_tokens_per_second'),
      total_tokens_per_s: mean('tokens_per_second'),
      ...latency('ttft', 'time_to_first_token_ms'),
      ...latency('tpot', 'inter_token_latency_ms'),
      // Its time per output token counts the first token, too: it is no TPOT.
      ...latency('e2e', 'request_latency', 1e3),
    },
  );
}

/** The load that was set; the concurrency that came about is in the throughput and the latency. */
function concurrencyOf(strategy: unknown, kind: string | undefined): number | undefined {
  if (kind === 'synchronous') return 1;
  if (kind !== 'concurrent') return undefined;
  return number(at(strategy, 'streams')) ?? number(at(strategy, 'max_concurrency'));
}

function modelOf(report: Json, benchmark: unknown): string | undefined {
  return (
    text(at(report, 'args', 'model')) ??
    text(at(benchmark, 'config', 'backend', 'model')) ??
    text(at(benchmark, 'worker', 'backend_model')) ??
    text(at(benchmark, 'benchmarker', 'backend', 'model')) ??
    text(at(benchmark, 'requests', 'successful', 0, 'model'))
  );
}

function statisticOf(summary: unknown, statistic: Statistic): number | undefined {
  if (statistic === 'mean') return number(at(summary, 'mean'));
  const found = number(at(summary, 'percentiles', statistic));
  return found ?? (statistic === 'p50' ? number(at(summary, 'median')) : undefined);
}

/** Whether lines are a CSV file of GuideLLM. */
export function isGuidellmCsv(lines: readonly string[]): boolean {
  const head = lines.slice(0, 3).join('\n');
  const hasNames = /time[ _]to[ _]first[ _]token/i.test(head) && /successful/i.test(head);
  return hasNames && /run[ _]?id|Run Info/i.test(head);
}

/** Percentiles as it writes them into one cell: all but the median. */
const LISTED = ['min', 'p001', 'p01', 'p05', 'p10', 'p25', 'p75', 'p90', 'p95', 'p99', 'max'];

/** One run a row. Header lines are joined: there are one or three. */
export function guidellmCsvMeasurements(records: readonly string[][], source: string) {
  const isHeader = (record: string[]) => record.every((cell) => Number.isNaN(parseNumber(cell)));
  const first = records.findIndex((record) => !isHeader(record));
  const headers = records.slice(0, Math.max(1, first));
  const names = headers[0].map((_, c) => plainName(headers.map((row) => row[c] ?? '').join(' ')));
  return records
    .slice(headers.length)
    .filter((record) => record.length > 1)
    .map((record, i) => csvRun(names, record, `${source}#${i}`));
}

function csvRun(names: readonly string[], record: readonly string[], source: string): Measurement {
  const cell = (pattern: RegExp) => {
    const c = names.findIndex((name) => pattern.test(name));
    return c < 0 ? undefined : record[c];
  };
  const value = (pattern: RegExp) => number(cell(pattern));
  const latency = (name: 'ttft' | 'tpot' | 'e2e', words: string, factor: number) =>
    latencyFields(name, (s) => times(csvStatistic(cell, words, s), factor));
  const kind = cell(/strategy$/) ?? cell(/^(benchmark_)?type$/);
  return measurement(
    { source, model: modelIn(cell(/arguments$|^args$/)) },
    {
      concurrency: kind === 'synchronous' ? 1 : undefined,
      prompt_tokens: value(/successful.*(input|prompt)_tokens?(_count)?_mean/),
      output_tokens: value(/successful_output_tokens?(_count)?_mean/),
      completed: value(/^(request_counts_)?successful(_requests)?$/),
      failed: value(/^(request_counts_)?errored(_requests)?$/),
      duration_s: value(/duration/),
      requests_per_s: value(/successful.*requests(_per_second|\/sec).*mean/),
      output_tokens_per_s: value(/successful.*output_tokens(_per_second|\/sec).*mean/),
      ...latency('ttft', 'time_to_first_token', 1),
      ...latency('tpot', 'inter_token_latency', 1),
      ...latency('e2e', 'request_latency', 1e3),
    },
  );
}

function csvStatistic(
  cell: (pattern: RegExp) => string | undefined,
  words: string,
  statistic: Statistic,
): number | undefined {
  const of = (end: string) => new RegExp(`(?=.*${words})(?=.*successful).*${end}$`);
  if (statistic === 'mean') return number(cell(of('mean')));
  if (statistic === 'p50') return number(cell(of('median')));
  const listed = /\[(.*)\]/.exec(cell(of('(percentiles|max)')) ?? '')?.[1].split(',');
  return number(listed?.[LISTED.indexOf(statistic)]?.trim());
}

function modelIn(json: string | undefined): string | undefined {
  return /"model": ?"([^"]+)"/.exec(json ?? '')?.[1];
}
