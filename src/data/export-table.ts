import { parquetWriteBuffer } from 'hyparquet-writer';
import type { PerfTable } from './perf-table.js';
import { cellCount, PERF_METRICS, shortestF32 } from './perf-table.js';

/** The origin's prompt buckets: bucket i holds prompts of PROMPT_BUCKETS[i] tokens. */
export const PROMPT_BUCKETS: readonly number[] = [64, 128, 256, 512, 1024, 2048, 4096, 8192];

interface ExportColumn {
  name: string;
  isInteger: boolean;
  data: Float64Array;
}

/**
 * The table's rows as a parquet file (snappy) with the origin's columns, `prompt_len` in tokens
 * beside the bucket. Numbers are doubles of the fewest digits with the same f32, so importing the
 * file gives the same table. For a table of FP16 rows, `withQuantFactors` adds the other tiers.
 */
export function exportTable(table: PerfTable): Uint8Array {
  const columnData = exportColumns(table).map(({ name, isInteger, data }) => ({
    name,
    data: isInteger ? Int32Array.from(data) : data,
    type: isInteger ? ('INT32' as const) : ('DOUBLE' as const),
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

/** The same rows as CSV text. */
export function exportTableCsv(table: PerfTable): string {
  const columns = exportColumns(table);
  const lines = [columns.map((c) => c.name).join(',')];
  for (let row = 0; row < cellCount(table); row++) {
    lines.push(columns.map((c) => c.data[row]).join(','));
  }
  return `${lines.join('\n')}\n`;
}

function exportColumns(table: PerfTable): ExportColumn[] {
  const rows = cellCount(table);
  const column = (name: string, isInteger: boolean, at: (row: number) => number): ExportColumn => ({
    name,
    isInteger,
    data: Float64Array.from({ length: rows }, (_, row) => at(row)),
  });
  const node = (nodes: number[], stride: number) => (row: number) =>
    nodes[Math.floor(row / stride) % nodes.length];
  const strides = { prompt: 1, kv: 0, batch: 0, spec: 0, quant: 0 };
  strides.kv = table.promptLen.length;
  strides.batch = strides.kv * table.kv.length;
  strides.spec = strides.batch * table.batch.length;
  strides.quant = strides.spec * table.spec.length;
  const prompt = node(table.promptLen, strides.prompt);
  const columns = [
    column('batch_size', true, node(table.batch, strides.batch)),
    column('kv_budget', false, node(table.kv, strides.kv)),
    column('spec_length', true, node(table.spec, strides.spec)),
    column('quant_tier', true, node(table.quantTiers, strides.quant)),
  ];
  if (table.promptLen.every((tokens) => PROMPT_BUCKETS.includes(tokens))) {
    columns.push(column('prompt_len_bucket', true, (row) => PROMPT_BUCKETS.indexOf(prompt(row))));
  }
  columns.push(column('prompt_len', table.promptLen.every(Number.isInteger), prompt));
  PERF_METRICS.forEach((metric, m) => {
    const at = (row: number) => shortestF32(table.values[row * PERF_METRICS.length + m]);
    columns.push(column(metric, false, at));
  });
  return columns;
}
