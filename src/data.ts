/** Performance tables of a user's own: reading, checking, importing, looking up and exporting. */
export { type Column, type Columns, type DataLimits, DEFAULT_DATA_LIMITS } from './data/columns.js';
export { readCsv } from './data/csv.js';
export { DataError } from './data/errors.js';
export { exportTable, exportTableCsv } from './data/export-table.js';
export {
  checkTable,
  type ImportOptions,
  importTable,
  type MonotonicityBreak,
  type TableReport,
} from './data/import-table.js';
export { lookupPerf, type PerfQuery } from './data/interpolate.js';
export { lookupTable } from './data/lookup.js';
export { readParquet } from './data/parquet.js';
export {
  decodePerfTable,
  encodePerfTable,
  type PerfMetrics,
  type PerfTable,
  perfTableDigest,
} from './data/perf-table.js';
export { withQuantFactors } from './data/quant-factors.js';
export { syntheticTable } from './data/synthetic-table.js';
