/** AIPerf's records of single requests, JSON lines, as a trace or as one run. */
import { DataError } from '../errors.js';
import type { ImportLog } from '../import/options.js';
import { TraceBuilder } from '../import/trace-builder.js';
import { type Measurement, measurement } from '../measurement.js';
import { at, number, times } from '../read/json.js';
import type { Rows } from '../read/rows.js';
import type { RequestTrace } from '../request-trace.js';
import { latencyStatistics } from './statistics.js';

/** Whether rows are such records: `metadata` and `metrics` are objects in them. */
export function isAiperfRecords(rows: Rows): boolean {
  const [metadata, metrics] = [rows.columns.indexOf('metadata'), rows.columns.indexOf('metrics')];
  if (rows.container !== 'jsonl' || metadata < 0 || metrics < 0) return false;
  return `${rows.sample[0]?.[metadata] ?? ''}`.includes('request_start_ns');
}

interface AiperfRecord {
  /** Nanoseconds of the Unix epoch. */
  readonly start_ns: number;
  readonly prompt: number;
  readonly output: number;
  readonly ttft_ms: number | undefined;
  readonly tpot_ms: number | undefined;
  readonly e2e_ms: number | undefined;
}

async function recordsOf(rows: Rows, log: ImportLog): Promise<AiperfRecord[]> {
  const columns = ['metadata', 'metrics', 'error'].map((name) => rows.columns.indexOf(name));
  const records: AiperfRecord[] = [];
  for await (const batch of rows.batches(log.badRow)) {
    for (const cells of batch) {
      const [metadata, metrics, error] = columns.map((c) => (c < 0 ? null : parsed(cells[c])));
      if (at(metadata, 'benchmark_phase') === 'warmup') continue;
      if (error !== null || at(metadata, 'was_cancelled') === true) {
        log.count('dropped', 'requests that failed');
        continue;
      }
      const value = (name: string) => number(at(metrics, name, 'value'));
      const ms = (name: string) => times(value(name), at(metrics, name, 'unit') === 's' ? 1e3 : 1);
      records.push({
        start_ns: number(at(metadata, 'request_start_ns')) ?? Number.NaN,
        prompt: value('input_sequence_length') ?? Number.NaN,
        output: value('output_sequence_length') ?? value('output_token_count') ?? Number.NaN,
        ttft_ms: ms('time_to_first_token'),
        tpot_ms: ms('inter_token_latency'),
        e2e_ms: ms('request_latency'),
      });
    }
  }
  if (records.length === 0) throw new DataError('the file has no requests that succeeded');
  return records.sort((a, b) => a.start_ns - b.start_ns);
}

function parsed(cell: unknown): unknown {
  try {
    return typeof cell === 'string' ? JSON.parse(cell) : cell;
  } catch {
    return null;
  }
}

/** The requests by their start. */
export async function aiperfTrace(
  rows: Rows,
  source: string,
  log: ImportLog,
): Promise<RequestTrace> {
  const builder = new TraceBuilder(source, log);
  for (const [i, record] of (await recordsOf(rows, log)).entries()) {
    const { start_ns, prompt, output } = record;
    const whole_s = Math.floor(start_ns / 1e9);
    const place = { whole_s, fraction_s: (start_ns - whole_s * 1e9) / 1e9 };
    const [ttft_s, e2e_s] = [times(record.ttft_ms, 1e-3), times(record.e2e_ms, 1e-3)];
    builder.add({ ...place, prompt, output, ttft_s, e2e_s }, i + 1);
  }
  return builder.finish('epoch');
}

/** All requests as one run; the load is not in the records. */
export async function aiperfRun(rows: Rows, source: string, log: ImportLog): Promise<Measurement> {
  const records = await recordsOf(rows, log);
  const ends = records.map((r) => r.start_ns / 1e9 + (r.e2e_ms ?? 0) / 1e3);
  const duration_s = ends.reduce((a, b) => Math.max(a, b)) - records[0].start_ns / 1e9;
  const sum = (field: 'prompt' | 'output') => records.reduce((n, r) => n + r[field], 0);
  const values = (field: 'ttft_ms' | 'tpot_ms' | 'e2e_ms') =>
    records.flatMap((r) => r[field] ?? []);
  return measurement(
    { source },
    {
      prompt_tokens: sum('prompt') / records.length,
      output_tokens: sum('output') / records.length,
      completed: records.length,
      duration_s,
      requests_per_s: records.length / duration_s,
      output_tokens_per_s: sum('output') / duration_s,
      ...latencyStatistics('ttft', values('ttft_ms')),
      ...latencyStatistics('tpot', values('tpot_ms')),
      ...latencyStatistics('e2e', values('e2e_ms')),
    },
  );
}
