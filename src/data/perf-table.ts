import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { AXIS_NODES_MAX } from '../program/grid.js';
import { DataError, quote } from './errors.js';

/** The six metrics of a cell in stored order: ms, ms, ms/token, tokens/s, GB, $ per 1000 tokens. */
export const PERF_METRICS = [
  'ttft_p50',
  'ttft_p99',
  'tpot',
  'tps',
  'gpu_mem_gb',
  'cost_per_1k',
] as const;

export type PerfMetric = (typeof PERF_METRICS)[number];
export type PerfMetrics = Record<PerfMetric, number>;

/**
 * A performance table of an LLM inference server: six metrics on a grid of configurations.
 * Every number is exactly representable in f32, the precision in which the kernels interpolate.
 * Cells are in C order over [quant][spec][batch][kv][prompt].
 */
export interface PerfTable {
  name: string;
  /** Where the numbers come from, and under which licence; printed on the cards of its tasks. */
  source: string;
  licence: string;
  /** Concurrent requests, ascending, 1..4096. */
  batch: number[];
  /** KV budget, ascending, 0.1..1. */
  kv: number[];
  /** Draft tokens of speculative decoding, ascending, 0..16. */
  spec: number[];
  /** Prompt tokens, ascending. */
  promptLen: number[];
  /** Quantisation tiers with rows of their own: 0 FP16, 1 INT8, 2 INT4. */
  quantTiers: number[];
  /** [quant][spec][batch][kv][prompt][metric], all positive. */
  values: Float64Array;
  /** Prefill time of one prompt in ms, [quant][prompt]; absent where the table has none. */
  prefillMs?: Float64Array;
  /** Accepted share of the draft tokens, [quant][spec][batch][kv][prompt], 0..1. */
  specAcceptRate?: Float64Array;
  /** Mean used share of the KV pool, [quant][spec][batch][kv][prompt], 0..1. */
  kvUsageRatio?: Float64Array;
  /** True where the spec planes are measured; else the environment applies its own speed-up. */
  measuredSpeculation: boolean;
  /** Mean answer length that the table was made with, in tokens. */
  meanOutputTokens: number;
  deviceMemoryGb: number;
  pricePerGpuHourUsd: number;
  /** Mean absolute error of interpolation at points held out, in percent. */
  heldoutErrorPercent?: Partial<PerfMetrics>;
}

export const PERF_TABLE_FORMAT = 'infragym-perf-table/1';

/** Axes in the order of the cells: wire name, field, allowed range. */
export const TABLE_AXES = [
  { column: 'quant_tier', field: 'quantTiers', min: 0, max: 2 },
  { column: 'spec_length', field: 'spec', min: 0, max: 16 },
  { column: 'batch_size', field: 'batch', min: 1, max: 4096 },
  { column: 'kv_budget', field: 'kv', min: 0.1, max: 1 },
  { column: 'prompt_len', field: 'promptLen', min: 1, max: 131_072 },
] as const;

const CELL_ARRAYS = [
  ['spec_accept_rate', 'specAcceptRate'],
  ['kv_usage_ratio', 'kvUsageRatio'],
] as const;

/** Cells of the grid: the product of the axes' lengths. */
export function cellCount(table: PerfTable): number {
  return TABLE_AXES.reduce((n, axis) => n * table[axis.field].length, 1);
}

/** The double with the fewest decimal digits that rounds to the f32 nearest x. */
export function shortestF32(x: number): number {
  const f32 = Math.fround(x);
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(f32.toPrecision(digits));
    if (Math.fround(candidate) === f32) return candidate;
  }
  return Number(f32.toPrecision(9));
}

/**
 * Writes a table as JSON text: one line for each metric, every number in the fewest digits that
 * give the same f32 back. The same table gives the same text on every engine.
 */
export function encodePerfTable(table: PerfTable): string {
  const cells = cellCount(table);
  const fields: [string, unknown][] = [
    ['format', PERF_TABLE_FORMAT],
    ['name', table.name],
    ['source', table.source],
    ['licence', table.licence],
    ['measured_speculation', table.measuredSpeculation],
    ['mean_output_tokens', table.meanOutputTokens],
    ['device_memory_gb', table.deviceMemoryGb],
    ['price_per_gpu_hour_usd', table.pricePerGpuHourUsd],
  ];
  if (table.heldoutErrorPercent) {
    fields.push(['heldout_error_percent', inMetricOrder(table.heldoutErrorPercent)]);
  }
  for (const axis of TABLE_AXES) fields.push([axis.column, decimals(table[axis.field])]);
  PERF_METRICS.forEach((metric, m) => {
    const column = Array.from({ length: cells }, (_, i) => table.values[i * 6 + m]);
    fields.push([metric, decimals(column)]);
  });
  if (table.prefillMs) fields.push(['prefill_ms', decimals(table.prefillMs)]);
  for (const [column, field] of CELL_ARRAYS) {
    const values = table[field];
    if (values) fields.push([column, decimals(values)]);
  }
  const lines = fields.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

function inMetricOrder(errors: Partial<PerfMetrics>): Partial<PerfMetrics> {
  const ordered: Partial<PerfMetrics> = {};
  for (const metric of PERF_METRICS) {
    const error = errors[metric];
    if (error !== undefined) ordered[metric] = error;
  }
  return ordered;
}

function decimals(values: ArrayLike<number>): number[] {
  return Array.from(values, shortestF32);
}

/** SHA-256 of the table's encoded text, in hexadecimal: the table's exact identity. */
export function perfTableDigest(table: PerfTable): string {
  return bytesToHex(sha256(new TextEncoder().encode(encodePerfTable(table))));
}

/**
 * Reads what `encodePerfTable` wrote. Browser-safe.
 *
 * @throws DataError naming the field that is missing, of the wrong length or out of range.
 */
export function decodePerfTable(text: string): PerfTable {
  const json = parseObject(text);
  if (json['format'] !== PERF_TABLE_FORMAT) {
    throw new DataError(`format is ${show(json['format'])}, expected "${PERF_TABLE_FORMAT}"`);
  }
  const axes = TABLE_AXES.map((axis) => readAxis(json, axis));
  const [quantTiers, spec, batch, kv, promptLen] = axes;
  const cells = axes.reduce((n, axis) => n * axis.length, 1);
  const table: PerfTable = {
    name: readString(json, 'name'),
    source: readString(json, 'source'),
    licence: readString(json, 'licence'),
    batch,
    kv,
    spec,
    promptLen,
    quantTiers,
    values: readValues(json, cells),
    measuredSpeculation: readBoolean(json, 'measured_speculation'),
    meanOutputTokens: readPositive(json, 'mean_output_tokens'),
    deviceMemoryGb: readPositive(json, 'device_memory_gb'),
    pricePerGpuHourUsd: readPositive(json, 'price_per_gpu_hour_usd'),
  };
  readOptional(json, table, cells);
  return table;
}

type Json = Record<string, unknown>;

function parseObject(text: string): Json {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DataError(`the table is not JSON: ${(error as Error).message}`);
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Json;
  throw new DataError('the table is not a JSON object');
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : quote(String(value));
}

function readString(json: Json, key: string): string {
  const value = json[key];
  if (typeof value === 'string' && value !== '') return value;
  throw new DataError(`${key} is ${show(value)}, expected a text`);
}

function readBoolean(json: Json, key: string): boolean {
  const value = json[key];
  if (typeof value === 'boolean') return value;
  throw new DataError(`${key} is ${show(value)}, expected true or false`);
}

function readPositive(json: Json, key: string): number {
  const value = json[key];
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new DataError(`${key} is ${show(value)}, expected a number above 0`);
}

/** An array of finite numbers within [min, max], rounded to f32. */
function readNumbers(json: Json, key: string, length: number, min: number, max: number) {
  const array = json[key];
  if (!Array.isArray(array) || array.length !== length) {
    const found = Array.isArray(array) ? `${array.length} numbers` : show(array);
    throw new DataError(`${key} is ${found}, expected ${length} numbers`);
  }
  const numbers = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const value: unknown = array[i];
    if (typeof value !== 'number' || !(value >= min && value <= max)) {
      throw new DataError(`${key}[${i}] is ${show(value)}, expected ${min} to ${max}`);
    }
    numbers[i] = Math.fround(value);
  }
  return numbers;
}

/** Metrics lie in this range: positive and normal in f32, so that a factor cannot overflow them. */
export const METRIC_MIN = 1e-12;
export const METRIC_MAX = 1e12;

function readValues(json: Json, cells: number): Float64Array {
  const values = new Float64Array(cells * PERF_METRICS.length);
  PERF_METRICS.forEach((metric, m) => {
    const column = readNumbers(json, metric, cells, METRIC_MIN, METRIC_MAX);
    for (let i = 0; i < cells; i++) values[i * PERF_METRICS.length + m] = column[i];
  });
  return values;
}

function readAxis(json: Json, axis: (typeof TABLE_AXES)[number]): number[] {
  const { column, min, max } = axis;
  const array = json[column];
  const count = Array.isArray(array) ? array.length : 0;
  if (count < 1 || count > AXIS_NODES_MAX) {
    throw new DataError(`${column} has ${count} nodes, expected 1 to ${AXIS_NODES_MAX}`);
  }
  const nodes = Array.from(readNumbers(json, column, count, min, max), shortestF32);
  for (let i = 0; i < count; i++) {
    const problem = nodeProblem(column, nodes[i]);
    if (problem) throw new DataError(`${column}[${i}] ${problem}`);
    if (i > 0 && !(nodes[i] > nodes[i - 1])) throw new DataError(`${column} does not ascend`);
  }
  return nodes;
}

/** Why a number cannot be a node of an axis, or null. */
export function nodeProblem(column: string, node: number): string | null {
  const axis = TABLE_AXES.find((a) => a.column === column)!;
  if (!(node >= axis.min && node <= axis.max)) {
    const percent = column === 'kv_budget' && node > 1 ? '; is it a percentage?' : '';
    return `is ${node}, expected ${axis.min} to ${axis.max}${percent}`;
  }
  const isWhole = column === 'kv_budget' || column === 'prompt_len' || Number.isInteger(node);
  return isWhole ? null : `is ${node}, expected a whole number`;
}

function readOptional(json: Json, table: PerfTable, cells: number): void {
  if (json['prefill_ms'] !== undefined) {
    const count = table.quantTiers.length * table.promptLen.length;
    table.prefillMs = readNumbers(json, 'prefill_ms', count, METRIC_MIN, METRIC_MAX);
  }
  for (const [column, field] of CELL_ARRAYS) {
    if (json[column] !== undefined) table[field] = readNumbers(json, column, cells, 0, 1);
  }
  const errors = json['heldout_error_percent'];
  if (errors === undefined) return;
  if (typeof errors !== 'object' || errors === null) {
    throw new DataError(`heldout_error_percent is ${show(errors)}, expected an object`);
  }
  const read: Partial<PerfMetrics> = {};
  for (const [metric, error] of Object.entries(errors)) {
    const isMetric = (PERF_METRICS as readonly string[]).includes(metric);
    if (!isMetric || typeof error !== 'number' || !(error >= 0 && Number.isFinite(error))) {
      throw new DataError(`heldout_error_percent.${metric} is ${show(error)}`);
    }
    read[metric as PerfMetric] = error;
  }
  table.heldoutErrorPercent = read;
}
