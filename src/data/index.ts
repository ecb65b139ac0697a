/** Performance tables of a user's own: reading, checking, importing, looking up and exporting. */
export { type Column, type Columns, type DataLimits, DEFAULT_DATA_LIMITS } from './columns.js';
export { readCsv } from './csv.js';
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
export { syntheticTable } from './synthetic-table.js';
