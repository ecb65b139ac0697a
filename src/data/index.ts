/** A user's own data: recordings, measurements of servers, and performance tables of them. */
export { type Column, type Columns, type DataLimits, DEFAULT_DATA_LIMITS } from './columns.js';
export { readCsv } from './csv.js';
export { type DemandSamples, decodeDemand } from './demand-samples.js';
export { DataError } from './errors.js';
export { exportTable, exportTableCsv } from './export-table.js';
export { encodeImported, type ImportReport, importReport } from './import/encode.js';
export { type ImportedData, type ImportResult, importFiles } from './import/import.js';
export {
  AGGREGATES,
  DEDUPES,
  FILLS,
  IMPORT_KINDS,
  type ImportFilesOptions,
  type ImportKind,
  type ImportProblem,
} from './import/options.js';
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
export type { Measurement, Measurements } from './measurement.js';
export { readParquet } from './parquet.js';
export {
  decodePerfTable,
  encodePerfTable,
  type PerfMetrics,
  type PerfTable,
  perfTableDigest,
} from './perf-table.js';
export type { Change, Provenance, SourceFile } from './provenance.js';
export { withQuantFactors } from './quant-factors.js';
export { type RateTrace, type RateTraceOptions, readRateTrace } from './rate-trace.js';
export { type ByteSource, blobSource, bytesSource, type ReadLimits } from './read/source.js';
export type { RequestTrace } from './request-trace.js';
export {
  makeSeries,
  resampled,
  type Series,
  type SeriesGap,
  type SeriesParts,
  scaled,
  windowOf,
} from './series.js';
export { syntheticTable } from './synthetic-table.js';
export { decodeTraffic } from './traffic-profile.js';
