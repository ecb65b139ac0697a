import { exp, log } from '../program/math.js';
import type { Columns } from './columns.js';
import { DataError } from './errors.js';
import type { PerfMetric, PerfMetrics, PerfTable } from './perf-table.js';
import { METRIC_MAX, METRIC_MIN, PERF_METRICS, shortestF32, TABLE_AXES } from './perf-table.js';
import { prefillTimes } from './prefill-times.js';
import type { TableAssumptions } from './table-assumptions.js';
import type { CellNodes, FilledCell, LogGrid } from './table-grid.js';
import { buildGrid, describeCell, fillHoles, heldoutError, indexOn } from './table-grid.js';
import type { MeasuredRows, TableProblem } from './table-rows.js';
import { median, readRows } from './table-rows.js';

export interface ImportOptions {
  name: string;
  /** Where the measurements come from; 'imported' when absent. */
  source?: string;
  /** 'not stated' when absent. */
  licence?: string;
  /** Whether the spec planes are measured; by default, whether any has spec_length above 0. */
  measuredSpeculation?: boolean;
  /** Mean answer length of the measurements in tokens, default 210. */
  meanOutputTokens?: number;
  /** Values of columns that the file lacks; see `TableAssumptions` for their defaults. */
  assumed?: TableAssumptions;
  /** Default 40, or the assumed memory where it was given. */
  deviceMemoryGb?: number;
  /** Default: what the columns imply, the median of cost_per_1k * tps * 3.6. */
  pricePerGpuHourUsd?: number;
  /**
   * Prefill times: quant_tier, num_prompts, prompt_len, prefill_ms_with_overhead. Rows of one
   * prompt are used, between them (and beyond them) linearly in log-log.
   */
  prefill?: Columns;
  /** Held-out error from a better source than the five-fold one, in percent. */
  heldoutErrorPercent?: Partial<PerfMetrics>;
}

export interface MonotonicityBreak {
  metric: PerfMetric;
  /** The axis along which the metric should not fall. */
  axis: string;
  /** The cell it falls to, and the neighbour's value and its own. */
  cell: CellNodes;
  from: number;
  to: number;
}

/** The findings of `checkTable`; the JSON of the command line. */
export interface TableReport {
  ok: boolean;
  /** Data rows read. */
  rows: number;
  /** Nodes of each axis by column; empty where the table is refused before it has a grid. */
  grid: Record<string, number[]>;
  /** Cells that had no row, and how they were filled. */
  filled: (CellNodes & { method: FilledCell['method'] })[];
  /** Cells with several rows, of which the median is taken. */
  duplicates: { cell: CellNodes; rows: number[] }[];
  /** The metric in which rows of one cell differ most, and by which factor; null without such. */
  repeat_spread: { metric: PerfMetric; times: number } | null;
  /** Why the table is refused, at most 100 of them. */
  problems: TableProblem[];
  problem_count: number;
  /** Places where memory falls with batch size or TTFT with prompt length, at most 100. */
  monotonicity: MonotonicityBreak[];
  monotonicity_count: number;
  /** Five-fold held-out error of interpolation in percent; null where nothing can be held out. */
  heldout_error: Record<PerfMetric, number | null>;
  warnings: string[];
}

const LISTED_MAX = 100;
const METRICS = PERF_METRICS.length;
const UNKNOWN_ERROR: TableReport['heldout_error'] = {
  ttft_p50: null,
  ttft_p99: null,
  tpot: null,
  tps: null,
  gpu_mem_gb: null,
  cost_per_1k: null,
};

/** Checks a table without keeping it; the report says what an import would fill or refuse. */
export function checkTable(columns: Columns, assumed: TableAssumptions = {}): TableReport {
  return analyse(columns, assumed).report;
}

/**
 * Makes a performance table of measured rows.
 *
 * Columns: batch_size, kv_budget, prompt_len in tokens (or prompt_len_bucket, 0..7 for 64..8192),
 * ttft_p50, ttft_p99, tpot (ms; `_ms` forms too), tps, gpu_mem_gb, cost_per_1k; optional
 * quant_tier and spec_length (0 where absent), spec_accept_rate, kv_occupancy. Rows of one cell
 * become their median; holes are filled along the axis whose known neighbours differ least.
 *
 * @throws DataError naming the row and column of the first problem, and how many there are.
 */
export function importTable(columns: Columns, options: ImportOptions): PerfTable {
  const { report, result } = analyse(columns, options.assumed ?? {});
  if (!result) throw refusal(report);
  return buildTable(report, result, options);
}

function refusal(report: TableReport): DataError {
  const { row, column, problem } = report.problems[0];
  const more = report.problem_count - 1;
  const rest = more > 0 ? ` (and ${more} more problems)` : '';
  return new DataError(problem + rest, row === null ? { column } : { row, column });
}

interface Analysis {
  rows: MeasuredRows;
  grid: LogGrid;
  rowsOfCell: number[][];
}

function analyse(
  columns: Columns,
  assumed: TableAssumptions,
): { report: TableReport; result?: Analysis } {
  const { count, rows, problems, warnings } = readRows(columns, assumed);
  const report: TableReport = {
    ok: false,
    rows: count,
    grid: {},
    filled: [],
    duplicates: [],
    repeat_spread: null,
    problems,
    problem_count: problems.length,
    monotonicity: [],
    monotonicity_count: 0,
    heldout_error: { ...UNKNOWN_ERROR },
    warnings,
  };
  const result = rows && analyseGrid(rows, report);
  report.problem_count = problems.length;
  report.problems = problems.slice(0, LISTED_MAX);
  report.ok = problems.length === 0;
  return report.ok && result ? { report, result } : { report };
}

function analyseGrid(rows: MeasuredRows, report: TableReport): Analysis {
  const { grid, rowsOfCell, duplicates } = buildGrid(rows);
  report.grid = Object.fromEntries(TABLE_AXES.map(({ column }, a) => [column, grid.nodes[a]]));
  report.duplicates = duplicates.map((d) => ({ cell: describeCell(grid, d.cell), rows: d.rows }));
  report.repeat_spread = repeatSpread(rows, duplicates);
  checkCoverage(grid, report);
  if (report.problems.length > 0) return { rows, grid, rowsOfCell };
  report.heldout_error = heldoutError(grid);
  findMonotonicityBreaks(grid, report);
  const filled = fillHoles(grid);
  report.filled = filled.map(({ cell, method }) => ({ ...describeCell(grid, cell), method }));
  checkFilled(grid, filled, report);
  warn(report, filled);
  return { rows, grid, rowsOfCell };
}

/** The largest ratio between rows of one cell. */
function repeatSpread(
  rows: MeasuredRows,
  duplicates: readonly { rows: number[] }[],
): TableReport['repeat_spread'] {
  let worst: TableReport['repeat_spread'] = null;
  for (const { rows: numbers } of duplicates) {
    PERF_METRICS.forEach((metric, m) => {
      let [least, most] = [Infinity, 0];
      for (const row of numbers) {
        least = Math.min(least, rows.metrics[m][row - 1]);
        most = Math.max(most, rows.metrics[m][row - 1]);
      }
      const times = Number((most / least).toPrecision(3));
      if (times > (worst?.times ?? 1)) worst = { metric, times };
    });
  }
  return worst;
}

function checkCoverage(grid: LogGrid, report: TableReport): void {
  TABLE_AXES.forEach(({ column }, a) => {
    const needsTwo = column === 'batch_size' || column === 'prompt_len';
    if (!needsTwo || grid.nodes[a].length >= 2) return;
    const problem = `too few points: every row has ${grid.nodes[a][0]}, two values are needed`;
    report.problems.push({ row: null, column, problem });
  });
  const cells = grid.known.length;
  const measured = grid.known.reduce((sum, k) => sum + k, 0);
  if (measured * 4 < cells) {
    const problem = `too few points: ${measured} of the grid's ${cells} cells, a quarter is needed`;
    report.problems.push({ row: null, column: 'batch_size', problem });
  }
}

/** Refuses a table with holes that stay, or whose extrapolated values make no sense. */
function checkFilled(grid: LogGrid, filled: FilledCell[], report: TableReport): void {
  const refuse = (cell: number, problem: string) => {
    const nodes = JSON.stringify(describeCell(grid, cell));
    const place = { row: null, column: 'batch_size' };
    report.problems.push({ ...place, problem: `too few points: ${problem} ${nodes}` });
  };
  const unfilled = grid.known.indexOf(0);
  if (unfilled >= 0) refuse(unfilled, 'no axis has two known cells for');
  const isAbsurd = (x: number) => x < log(METRIC_MIN) || x > log(METRIC_MAX);
  const absurd = filled.find(({ cell }) =>
    grid.logs.subarray(cell * METRICS, (cell + 1) * METRICS).some(isAbsurd),
  );
  if (absurd) refuse(absurd.cell, 'the measured cells extrapolate to absurd values at');
}

function warn(report: TableReport, filled: FilledCell[]): void {
  const { warnings, duplicates } = report;
  if (duplicates.length > 0) {
    const spread = report.repeat_spread;
    const most = spread === null ? '' : `; ${spread.metric} differs by up to ${spread.times} times`;
    warnings.push(`${duplicates.length} cells have several rows; their median is taken${most}`);
  }
  const jump = PERF_METRICS.find((metric) => (report.heldout_error[metric] ?? 0) > 100);
  if (jump !== undefined) {
    const error = report.heldout_error[jump]?.toFixed(0);
    warnings.push(`${jump} has a held-out error of ${error} %: do its rows have one unit?`);
  }
  const beyond = filled.filter((f) => f.method === 'extrapolated').length;
  if (filled.length > 0) {
    warnings.push(`${filled.length} cells had no row and were filled, ${beyond} by extrapolation`);
  }
  if (report.monotonicity_count > 0) {
    const places = `${report.monotonicity_count} places`;
    warnings.push(`memory falls with batch size, or TTFT with prompt length, in ${places}`);
  }
  if (PERF_METRICS.some((metric) => report.heldout_error[metric] === null)) {
    warnings.push('the grid is too small to hold cells out: the interpolation error is unknown');
  }
}

const MONOTONE: readonly [PerfMetric, string][] = [
  ['gpu_mem_gb', 'batch_size'],
  ['ttft_p50', 'prompt_len'],
  ['ttft_p99', 'prompt_len'],
];

/** Compares measured neighbours, before holes are filled. */
function findMonotonicityBreaks(grid: LogGrid, report: TableReport): void {
  for (const [metric, column] of MONOTONE) {
    const m = PERF_METRICS.indexOf(metric);
    const axis = TABLE_AXES.findIndex((a) => a.column === column);
    for (let cell = 0; cell < grid.known.length; cell++) {
      if (indexOn(grid, cell, axis) === 0) continue;
      const before = cell - grid.strides[axis];
      if (grid.known[cell] === 0 || grid.known[before] === 0) continue;
      const from = grid.logs[before * METRICS + m];
      const to = grid.logs[cell * METRICS + m];
      if (to >= from) continue;
      report.monotonicity_count++;
      if (report.monotonicity.length >= LISTED_MAX) continue;
      const place = { metric, axis: column, cell: describeCell(grid, cell) };
      const values = { from: shortestF32(exp(from)), to: shortestF32(exp(to)) };
      report.monotonicity.push({ ...place, ...values });
    }
  }
}

function buildTable(report: TableReport, result: Analysis, options: ImportOptions): PerfTable {
  const { rows, grid, rowsOfCell } = result;
  const [quantTiers, spec, batch, kv, promptLen] = grid.nodes;
  const table: PerfTable = {
    name: options.name,
    source: options.source ?? 'imported',
    licence: options.licence ?? 'not stated',
    batch,
    kv,
    spec,
    promptLen,
    quantTiers,
    values: tableValues(result),
    measuredSpeculation: options.measuredSpeculation ?? spec.some((s) => s > 0),
    meanOutputTokens: options.meanOutputTokens ?? 210,
    deviceMemoryGb: options.deviceMemoryGb ?? options.assumed?.memoryGb ?? 40,
    pricePerGpuHourUsd: options.pricePerGpuHourUsd ?? impliedPrice(rows),
  };
  if (options.prefill) table.prefillMs = prefillTimes(options.prefill, quantTiers, promptLen);
  if (rows.specAcceptRate) {
    table.specAcceptRate = ratioByCell(rows.specAcceptRate, grid, rowsOfCell);
  }
  if (rows.kvUsageRatio) table.kvUsageRatio = ratioByCell(rows.kvUsageRatio, grid, rowsOfCell);
  const errors = options.heldoutErrorPercent ?? knownErrors(report);
  if (Object.keys(errors).length > 0) table.heldoutErrorPercent = errors;
  return table;
}

function knownErrors(report: TableReport): Partial<PerfMetrics> {
  const errors: Partial<PerfMetrics> = {};
  for (const metric of PERF_METRICS) {
    const error = report.heldout_error[metric];
    if (error !== null) errors[metric] = Math.round(error * 100) / 100;
  }
  return errors;
}

/** Measured cells keep their medians; only filled ones come from logarithms. */
function tableValues({ rows, grid, rowsOfCell }: Analysis): Float64Array {
  return Float64Array.from(grid.logs, (logarithm, i) => {
    const found = rowsOfCell[Math.floor(i / METRICS)];
    if (found.length === 0) return Math.fround(exp(logarithm));
    const column = rows.metrics[i % METRICS];
    return Math.fround(median(found.map((row) => column[row])));
  });
}

/** $/1000 tokens times tokens/s is $/1000 s; an hour has 3.6 times as many seconds. */
function impliedPrice(rows: MeasuredRows): number {
  const tps = rows.metrics[PERF_METRICS.indexOf('tps')];
  const cost = rows.metrics[PERF_METRICS.indexOf('cost_per_1k')];
  return Number(median(cost.map((c, i) => c * tps[i] * 3.6)).toPrecision(3));
}

/** The median by cell; a hole takes the mean of its plane, on which these ratios hardly vary. */
function ratioByCell(column: Float64Array, grid: LogGrid, rowsOfCell: number[][]): Float64Array {
  const ratios = Float64Array.from(rowsOfCell, (found) =>
    found.length > 0 ? median(found.map((row) => column[row])) : Number.NaN,
  );
  const plane = grid.strides[1];
  for (let start = 0; start < ratios.length; start += plane) {
    const known = ratios.slice(start, start + plane).filter((x) => !Number.isNaN(x));
    const mean = known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : 0;
    for (let i = start; i < start + plane; i++) if (Number.isNaN(ratios[i])) ratios[i] = mean;
  }
  return ratios.map(Math.fround);
}
