/** Tables, recordings and their readers: what a task can be made of. */
export { type Column, type Columns, type DataLimits, DEFAULT_DATA_LIMITS } from './columns.js';
export { readCsv } from './csv.js';
export { type DemandSamples, decodeDemand } from './demand-samples.js';
export { DataError } from './errors.js';
export { exportTable, exportTableCsv } from './export-table.js';
export {
  checkTable,
  type ImportOptions,
  importTable,
  type MonotonicityBreak,
  type TableReport,
} from './import-table.js';
export { lookupPerf, type PerfQuery } from './interpolate.js';
export {
  importOpenbPods,
  importSwf,
  importTaskEvents,
  type JobImport,
  type JobImportOptions,
} from './job-importers.js';
export { type JobTrace, readJobTrace } from './job-trace.js';
export { lookupTable } from './lookup.js';
export { readParquet } from './parquet.js';
export {
  decodePerfTable,
  encodePerfTable,
  type PerfMetrics,
  type PerfTable,
  perfTableDigest,
} from './perf-table.js';
export { withQuantFactors } from './quant-factors.js';
export { type RateTrace, type RateTraceOptions, readRateTrace } from './rate-trace.js';
export { syntheticTable } from './synthetic-table.js';
