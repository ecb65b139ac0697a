import { AXIS_NODES_MAX } from '../program/grid.js';
import type { Column, Columns } from './columns.js';
import { rowCount } from './columns.js';
import { parseNumber } from './csv.js';
import { quote } from './errors.js';
import { PROMPT_BUCKETS } from './export-table.js';
import type { PerfMetric } from './perf-table.js';
import {
  METRIC_MAX,
  METRIC_MIN,
  nodeProblem,
  PERF_METRICS,
  shortestF32,
  TABLE_AXES,
} from './perf-table.js';
import { impossible, unlikely } from './plausibility.js';
import { type TableAssumptions, tierOfPrecision, withAssumed } from './table-assumptions.js';

/** Why a table is refused. `row` counts data rows from 1; null where it is the whole column. */
export interface TableProblem {
  row: number | null;
  column: string;
  problem: string;
}

/** Rows whose every number is in range, nodes and metrics by row. */
export interface MeasuredRows {
  count: number;
  /** One array of nodes for each of TABLE_AXES, canonical in f32. */
  nodes: Float64Array[];
  /** One array for each of PERF_METRICS. */
  metrics: Float64Array[];
  /** 0..1 by row, where the file has the column. */
  specAcceptRate?: Float64Array;
  kvUsageRatio?: Float64Array;
}

interface RowsResult {
  count: number;
  /** Absent where there are problems. */
  rows?: MeasuredRows;
  problems: TableProblem[];
  warnings: string[];
}

/** Names under which a metric's column is found. */
const METRIC_COLUMNS: Record<PerfMetric, readonly string[]> = {
  ttft_p50: ['ttft_p50', 'ttft_p50_ms', 'ttft_ms_p50'],
  ttft_p99: ['ttft_p99', 'ttft_p99_ms', 'ttft_ms_p99'],
  tpot: ['tpot', 'tpot_ms'],
  tps: ['tps'],
  gpu_mem_gb: ['gpu_mem_gb'],
  cost_per_1k: ['cost_per_1k'],
};

const ACCEPT_COLUMNS = ['spec_accept_rate'];
const USAGE_COLUMNS = ['kv_usage_ratio', 'kv_occupancy'];
const BUCKET = 'prompt_len_bucket';

/** Every column name that a performance table may use: what is worth reading from a file. */
export const TABLE_COLUMNS: readonly string[] = [
  ...TABLE_AXES.map((axis) => axis.column),
  BUCKET,
  ...PERF_METRICS.flatMap((metric) => METRIC_COLUMNS[metric]),
  ...ACCEPT_COLUMNS,
  ...USAGE_COLUMNS,
];

/** Reads the columns of a performance table and names everything that is wrong with them. */
export function readRows(columns: Columns, assumed: TableAssumptions = {}): RowsResult {
  return new RowReader(columns, assumed).read();
}

class RowReader {
  private readonly count: number;
  private readonly problems: TableProblem[] = [];
  private readonly warnings: string[] = [];

  private readonly columns: Columns;

  constructor(columns: Columns, assumed: TableAssumptions) {
    this.columns = withAssumed(columns, TABLE_COLUMNS, assumed, this.warnings);
    this.count = rowCount(columns);
  }

  read(): RowsResult {
    const { count, problems, warnings } = this;
    const nodes = TABLE_AXES.map((axis) => this.nodes(axis.column));
    const metrics = PERF_METRICS.map((metric) => {
      const name = this.find(METRIC_COLUMNS[metric]);
      return name === undefined
        ? this.missing(metric, METRIC_COLUMNS[metric])
        : this.metric(metric, name);
    });
    const accept = this.ratios(ACCEPT_COLUMNS);
    const usage = this.ratios(USAGE_COLUMNS);
    if (count === 0 && problems.length === 0) {
      this.refuse(null, 'batch_size', 'the table has no rows');
    }
    if (problems.length === 0) this.checkUnits(nodes, metrics);
    if (problems.length === 0) {
      problems.push(...impossible(metrics));
      warnings.push(...unlikely(nodes, metrics));
    }
    if (problems.length > 0) return { count, problems, warnings };
    const rows: MeasuredRows = { count, nodes, metrics };
    if (accept) rows.specAcceptRate = accept;
    if (usage) rows.kvUsageRatio = usage;
    return { count, rows, problems, warnings };
  }

  /** Own hardware may cost nothing an hour; a table's logarithms need a number above 0. */
  private metric(metric: PerfMetric, name: string): Float64Array {
    const isFree = (x: number) => metric === 'cost_per_1k' && x === 0;
    const check = (x: number) => (isFree(x) ? null : rangeProblem(x, METRIC_MIN, METRIC_MAX));
    const numbers = this.numbers(name, check);
    const free = numbers.filter(isFree).length;
    if (free > 0) this.warnings.push(`cost_per_1k is 0 in ${free} rows: the server is free`);
    return numbers.map((x) => (isFree(x) ? METRIC_MIN : x));
  }

  private refuse(row: number | null, column: string, problem: string): void {
    this.problems.push({ row, column, problem });
  }

  private find(names: readonly string[]): string | undefined {
    const found = names.filter((name) => this.columns[name] !== undefined);
    if (found.length > 1) {
      this.refuse(null, found[1], `stands beside ${found[0]}, which means the same`);
    }
    return found[0];
  }

  private missing(column: string, names: readonly string[]): Float64Array {
    const others = names.length > 1 ? ` (or ${names.slice(1).join(' or ')})` : '';
    this.refuse(null, column, `the column is missing${others}`);
    return new Float64Array(this.count);
  }

  /** Canonical nodes of one axis by row. */
  private nodes(column: string): Float64Array {
    const check = (x: number) => nodeProblem(column, x);
    let nodes: Float64Array;
    if (this.columns[column] !== undefined) {
      if (column === 'quant_tier') this.namePrecisions();
      nodes = this.numbers(column, check).map(shortestF32);
    } else if (column === 'prompt_len') {
      nodes = this.promptBuckets();
    } else if (column === 'quant_tier' || column === 'spec_length') {
      this.warnings.push(`the column ${column} is missing; every row is taken as ${column} 0`);
      nodes = new Float64Array(this.count);
    } else {
      nodes = this.missing(column, [column]);
    }
    this.checkNodeCount(column, nodes);
    return nodes;
  }

  /** Precisions given by name become tiers; which stands for which is said. */
  private namePrecisions(): void {
    const column = this.columns['quant_tier'];
    if (column instanceof Float64Array) return;
    for (const name of new Set(column)) {
      const tier = tierOfPrecision(name);
      if (tier !== null) this.warnings.push(`quant_tier ${name} is taken as tier ${tier}`);
    }
    this.columns['quant_tier'] = column.map((text) => `${tierOfPrecision(text) ?? text}`);
  }

  private promptBuckets(): Float64Array {
    if (this.columns[BUCKET] === undefined) return this.missing('prompt_len', ['', BUCKET]);
    const check = (x: number) =>
      PROMPT_BUCKETS[x] === undefined ? `is ${x}, expected 0 to 7; tokens go in prompt_len` : null;
    return this.numbers(BUCKET, check).map((bucket) => PROMPT_BUCKETS[bucket] ?? 0);
  }

  private checkNodeCount(column: string, nodes: Float64Array): void {
    const seen = new Set<number>();
    for (let i = 0; i < nodes.length; i++) {
      seen.add(nodes[i]);
      if (seen.size <= AXIS_NODES_MAX) continue;
      const problem = `is a value too many: an axis has at most ${AXIS_NODES_MAX} different values`;
      this.refuse(i + 1, column, problem);
      return;
    }
  }

  private ratios(names: readonly string[]): Float64Array | undefined {
    const name = this.find(names);
    return name === undefined ? undefined : this.numbers(name, (x) => rangeProblem(x, 0, 1));
  }

  /** A column's numbers; every cell that is not a finite number in range is a problem. */
  private numbers(name: string, check: (x: number) => string | null): Float64Array {
    const column = this.columns[name];
    const numbers = new Float64Array(column.length);
    for (let i = 0; i < column.length; i++) {
      numbers[i] =
        typeof column[i] === 'number' ? (column[i] as number) : parseNumber(`${column[i]}`);
      const problem = Number.isFinite(numbers[i]) ? check(numbers[i]) : notFinite(column, i);
      if (problem) this.refuse(i + 1, name, problem);
    }
    return numbers;
  }

  /** Units that every row gets wrong alike, found by what no server does. */
  private checkUnits(nodes: Float64Array[], metrics: Float64Array[]): void {
    const [ttft, ttftP99, tpot, tps, memory] = metrics;
    const batch = nodes[TABLE_AXES.findIndex((axis) => axis.column === 'batch_size')];
    const seconds = (name: PerfMetric, column: Float64Array) => {
      const middle = median(column);
      if (middle < 1) this.refuseUnit(name, column, middle, 'is it in seconds? give milliseconds');
    };
    seconds('ttft_p50', ttft);
    seconds('ttft_p99', ttftP99);
    const memoryMiddle = median(memory);
    if (memoryMiddle > 1000) {
      this.refuseUnit('gpu_mem_gb', memory, memoryMiddle, 'is it in MB? give GB (1e9 bytes)');
    }
    // At most `batch` requests run, each giving a token every tpot ms: tps * tpot <= 1000 batch.
    const share = median(tps.map((x, i) => (x * tpot[i]) / (1000 * batch[i])));
    if (share < 0.003) {
      this.refuseUnit('tpot', tpot, median(tpot), 'too short for tps; give milliseconds per token');
    } else if (share > 30) {
      this.refuseUnit('tpot', tpot, median(tpot), 'too long for tps; give milliseconds per token');
    }
    const inverted = ttft.findIndex((x, i) => x > ttftP99[i]);
    if (inverted >= 0) {
      const count = ttft.filter((x, i) => x > ttftP99[i]).length;
      this.warnings.push(
        `ttft_p99 is below ttft_p50 in ${count} rows, first in row ${inverted + 1}`,
      );
    }
  }

  private refuseUnit(metric: PerfMetric, column: Float64Array, middle: number, hint: string): void {
    const name = this.find(METRIC_COLUMNS[metric]) ?? metric;
    this.refuse(1, name, `is ${column[0]}, and the column's median ${middle}: ${hint}`);
  }
}

function rangeProblem(x: number, min: number, max: number): string | null {
  if (x >= min && x <= max) return null;
  if (x < 0) return `is ${x}, a negative number`;
  return x === 0 ? 'is 0, expected a number above 0' : `is ${x}, expected ${min} to ${max}`;
}

function notFinite(column: Column, i: number): string {
  const value = column[i];
  if (typeof value === 'number') {
    return Number.isNaN(value) ? 'is missing or not a number' : `is ${value}, not a finite number`;
  }
  return value.trim() === '' ? 'is empty' : `is ${quote(value)}, not a finite number`;
}

/** The middle value, or the mean of the two middle ones. */
export function median(values: Iterable<number>): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
