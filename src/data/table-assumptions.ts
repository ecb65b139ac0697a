/** Columns that a benchmark does not measure or calls otherwise. */
import { type Column, type Columns, emptyColumns, rowCount } from './columns.js';
import { plainName } from './read/rows.js';

/** Values of columns that are not in a file, the same in every row. */
export interface TableAssumptions {
  /** Default 0.9, vLLM's gpu_memory_utilization. */
  readonly kvBudget?: number;
  /** Memory of the device in GB, of which the budget is used; default 80. */
  readonly memoryGb?: number;
  /** Dollars an hour; default 2. */
  readonly pricePerHourUsd?: number;
}

/** Columns of a benchmark: the load, the prompt, latencies and throughput. */
const MEASURED = ['batch_size', 'prompt_len', 'ttft_p50', 'tpot', 'tps'] as const;

/** Names that benchmarks give the columns. */
const ALIASES: Readonly<Record<string, string>> = {
  concurrency: 'batch_size',
  max_concurrency: 'batch_size',
  prompt_tokens: 'prompt_len',
  input_len: 'prompt_len',
  isl: 'prompt_len',
  output_throughput: 'tps',
  output_tokens_per_s: 'tps',
  median_ttft_ms: 'ttft_p50',
  p99_ttft_ms: 'ttft_p99',
  ttft_ms_mean: 'ttft_p50',
  median_tpot_ms: 'tpot',
  tpot_ms_mean: 'tpot',
};

/** Precisions by name, as the tier that is nearest in bytes a weight. */
const PRECISIONS: Readonly<Record<string, number>> = {
  ...{ fp16: 0, bf16: 0, float16: 0, bfloat16: 0, half: 0 },
  ...{ fp8: 1, int8: 1, w8a8: 1, fp8_e4m3: 1 },
  ...{ int4: 2, awq: 2, gptq: 2, w4a16: 2, fp4: 2, nvfp4: 2 },
};

/** The tier of a precision's name, or null. */
export function tierOfPrecision(name: string): number | null {
  const plain = name.trim().toLowerCase();
  return Object.hasOwn(PRECISIONS, plain) ? PRECISIONS[plain] : null;
}

/**
 * Columns by the names that tables use. Where a file holds what a benchmark measures, columns that
 * it does not measure are assumed, each with a remark.
 *
 * @param known the names that tables use
 */
export function withAssumed(
  columns: Columns,
  known: readonly string[],
  assumed: TableAssumptions,
  remarks: string[],
): Columns {
  const found = emptyColumns();
  for (const name of Object.keys(columns)) {
    if (known.includes(name)) found[name] = columns[name];
  }
  for (const name of Object.keys(columns)) {
    const plain = plainName(name);
    const alias = Object.hasOwn(ALIASES, plain) ? ALIASES[plain] : plain;
    const target = known.includes(alias) && found[alias] === undefined ? alias : name;
    found[target] ??= columns[name];
  }
  const has = (name: string) => found[name] !== undefined || found[`${name}_ms`] !== undefined;
  if (MEASURED.every(has)) assume(found, assumed, remarks);
  return found;
}

function assume(found: Columns, assumed: TableAssumptions, remarks: string[]): void {
  const { kvBudget = 0.9, memoryGb = 80, pricePerHourUsd = 2 } = assumed;
  const rows = rowCount(found);
  const fill = (name: string, value: number, option: string) => {
    if (found[name] !== undefined) return;
    found[name] = new Float64Array(rows).fill(value);
    remarks.push(`${name} is not in the file: ${value} is assumed (${option})`);
  };
  fill('kv_budget', kvBudget, '--kv-budget');
  fill('gpu_mem_gb', Number((memoryGb * kvBudget).toPrecision(6)), '--memory-gb');
  if (found['cost_per_1k'] !== undefined) return;
  const tps = Float64Array.from(found['tps'] as Column as string[], Number);
  // Dollars an hour over the thousands of tokens in an hour.
  found['cost_per_1k'] = tps.map((x) => pricePerHourUsd / (3.6 * x));
  remarks.push(`cost_per_1k is not in the file: $${pricePerHourUsd} an hour is assumed (--price)`);
}
