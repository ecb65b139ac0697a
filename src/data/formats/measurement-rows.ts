/** Measurements in rows: aiconfigurator, optimum-benchmark, tables of one's own, our own files. */
import { DataError } from '../errors.js';
import type { ImportLog } from '../import/options.js';
import {
  LATENCIES,
  MEASUREMENT_NUMBERS,
  MEASUREMENT_TEXTS,
  type Measurement,
  type MeasurementNumber,
  type MeasurementText,
  measurement,
} from '../measurement.js';
import { isMissing, parseNumber } from '../read/csv-dialect.js';
import { attempt, type Cell, plainName, type Rows } from '../read/rows.js';

/** A column's field, and the factor that brings it to the field's unit. */
interface NumberColumn {
  readonly field: MeasurementNumber;
  readonly factor: number;
}

const TEXT_NAMES: Readonly<Record<string, MeasurementText>> = {
  ...Object.fromEntries(MEASUREMENT_TEXTS.map((name) => [name, name])),
  backend: 'engine',
  framework: 'engine',
  version: 'engine_version',
  backend_version: 'engine_version',
  model_id: 'model',
  model_path: 'model',
  model_name: 'model',
  system: 'gpu',
  gpu_type: 'gpu',
  gpu_name: 'gpu',
  hardware: 'gpu',
  environment_gpus: 'gpu',
  environment_gpu: 'gpu',
  config_environment_gpu: 'gpu',
  gemm: 'precision',
  dtype: 'precision',
  quantization: 'precision',
  backend_torch_dtype: 'precision',
  config_backend_torch_dtype: 'precision',
  config_backend_model: 'model',
  experiment_name: 'source',
  id: 'source',
  parallel: 'flags',
};

const number = (field: MeasurementNumber, factor = 1): NumberColumn => ({ field, factor });

const NUMBER_NAMES: Readonly<Record<string, NumberColumn>> = {
  ...Object.fromEntries(MEASUREMENT_NUMBERS.map((name) => [name, number(name)])),
  isl: number('prompt_tokens'),
  input_len: number('prompt_tokens'),
  input_length: number('prompt_tokens'),
  input_tokens: number('prompt_tokens'),
  prompt_len: number('prompt_tokens'),
  mean_input_tokens: number('prompt_tokens'),
  benchmark_input_shapes_sequence_length: number('prompt_tokens'),
  config_scenario_input_shapes_sequence_length: number('prompt_tokens'),
  osl: number('output_tokens'),
  output_len: number('output_tokens'),
  output_length: number('output_tokens'),
  mean_output_tokens: number('output_tokens'),
  benchmark_new_tokens: number('output_tokens'),
  config_scenario_generate_kwargs_max_new_tokens: number('output_tokens'),
  max_concurrency: number('concurrency'),
  num_concurrent_requests: number('concurrency'),
  users: number('concurrency'),
  global_bs: number('batch_size'),
  bs: number('batch_size'),
  benchmark_input_shapes_batch_size: number('batch_size'),
  config_scenario_input_shapes_batch_size: number('batch_size'),
  num_total_gpus: number('gpus'),
  num_gpus: number('gpus'),
  tp: number('tensor_parallel'),
  tp_size: number('tensor_parallel'),
  tensor_parallel_size: number('tensor_parallel'),
  ttft: number('ttft_ms_mean'),
  ttft_ms: number('ttft_ms_mean'),
  silicon_ttft_ms: number('ttft_ms_mean'),
  mean_ttft_ms: number('ttft_ms_mean'),
  median_ttft_ms: number('ttft_ms_p50'),
  p99_ttft_ms: number('ttft_ms_p99'),
  tpot: number('tpot_ms_mean'),
  tpot_ms: number('tpot_ms_mean'),
  silicon_tpot_ms: number('tpot_ms_mean'),
  mean_tpot_ms: number('tpot_ms_mean'),
  median_tpot_ms: number('tpot_ms_p50'),
  p99_tpot_ms: number('tpot_ms_p99'),
  mean_itl_ms: number('itl_ms_mean'),
  median_itl_ms: number('itl_ms_p50'),
  p99_itl_ms: number('itl_ms_p99'),
  request_latency: number('e2e_ms_mean'),
  mean_e2el_ms: number('e2e_ms_mean'),
  median_e2el_ms: number('e2e_ms_p50'),
  p99_e2el_ms: number('e2e_ms_p99'),
  generate_latency_s: number('e2e_ms_mean', 1e3),
  forward_latency_s: number('ttft_ms_mean', 1e3),
  report_prefill_latency_mean: number('ttft_ms_mean', 1e3),
  report_prefill_latency_p50: number('ttft_ms_p50', 1e3),
  report_prefill_latency_p99: number('ttft_ms_p99', 1e3),
  'seq/s': number('requests_per_s'),
  request_throughput: number('requests_per_s'),
  rps: number('requests_per_s'),
  request_rate: number('request_rate_per_s'),
  tps: number('output_tokens_per_s'),
  'tokens/s': number('output_tokens_per_s'),
  output_throughput: number('output_tokens_per_s'),
  output_token_throughput: number('output_tokens_per_s'),
  'generate_throughput_tokens/s': number('output_tokens_per_s'),
  report_decode_throughput_value: number('output_tokens_per_s'),
  total_token_throughput: number('total_tokens_per_s'),
  memory: number('gpu_memory_gb'),
  gpu_mem_gb: number('gpu_memory_gb'),
  generate_peak_memory_mb: number('gpu_memory_gb', 1e-3),
  duration: number('duration_s'),
  num_prompts: number('num_requests'),
};

/** Rows are measurements where a latency or a throughput stands beside a size or a load. */
export function isMeasurementRows(rows: Rows): boolean {
  const fields = rows.columns.flatMap((name) => NUMBER_NAMES[plainName(name)]?.field ?? []);
  const isResult = (f: string) => /_ms_|per_s$/.test(f) && f !== 'request_rate_per_s';
  const isLoad = (f: string) => /^(concurrency|batch_size|request_rate_per_s)$/.test(f);
  const hasResult = fields.some(isResult);
  const hasLatency = fields.some((f) => LATENCIES.some((name) => f.startsWith(name)));
  return hasResult && (fields.some(isLoad) || hasLatency) && fields.includes('prompt_tokens');
}

/** One run a row. Rows that `where` leaves out are counted. */
export async function measurementsFromRows(
  rows: Rows,
  source: string,
  log: ImportLog,
): Promise<Measurement[]> {
  const plain = rows.columns.map(plainName);
  // aiconfigurator's request_rate is what it reached, which seq/s says, too.
  const isReached = plain.includes('seq/s');
  const numbers = plain.map((name) =>
    isReached && name === 'request_rate' ? undefined : NUMBER_NAMES[name],
  );
  const texts = plain.map((name) => TEXT_NAMES[name]);
  const runs: Measurement[] = [];
  let row = 0;
  for await (const batch of rows.batches(log.badRow)) {
    for (const cells of batch) {
      row++;
      const run = attempt(() => oneRun(cells, { rows, texts, numbers, source, row }), log.badRow);
      if (run !== null) runs.push(run);
    }
  }
  return runs;
}

interface Reading {
  readonly rows: Rows;
  readonly texts: readonly (MeasurementText | undefined)[];
  readonly numbers: readonly (NumberColumn | undefined)[];
  readonly source: string;
  readonly row: number;
}

function oneRun(cells: readonly Cell[], reading: Reading): Measurement {
  const { rows, texts, numbers, source, row } = reading;
  const foundTexts: Partial<Record<MeasurementText, string>> = {};
  const found: Partial<Record<MeasurementNumber, number>> = {};
  cells.forEach((cell, c) => {
    const textField = texts[c];
    if (textField !== undefined && cell !== null) foundTexts[textField] ||= String(cell);
    const numberColumn = numbers[c];
    if (numberColumn === undefined || cell === null || isMissing(`${cell}`)) return;
    const value = readNumber(cell, rows.decimal);
    if (Number.isNaN(value)) {
      throw new DataError(`is "${cell}", not a number`, { row, column: rows.columns[c] });
    }
    if (value < 0) throw new DataError(`is ${value}, below zero`, { row, column: rows.columns[c] });
    found[numberColumn.field] ??= value * numberColumn.factor;
  });
  foundTexts.source ||= `${source}#${row}`;
  return measurement(foundTexts, found);
}

function readNumber(cell: string | number, decimal: '.' | ','): number {
  if (typeof cell === 'number') return cell;
  return /^(inf|infinity)$/i.test(cell.trim()) ? Infinity : parseNumber(cell, decimal);
}
