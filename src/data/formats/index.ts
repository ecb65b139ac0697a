/** Every format that is known, in the order in which files are asked whether they are it. */
import type { JsonFormat, RowFormat, TextFormat } from '../import/format.js';
import { BENCH_JSON, BENCH_ROWS, BENCH_TEXT } from './bench.js';
import { SERIES_JSON, SERIES_ROWS, SERIES_TEXT } from './series.js';
import { TRACE_JSON, TRACE_ROWS } from './traces.js';

export const JSON_FORMATS: readonly JsonFormat[] = [...BENCH_JSON, ...SERIES_JSON, ...TRACE_JSON];

export const ROW_FORMATS: readonly RowFormat[] = [...TRACE_ROWS, BENCH_ROWS, ...SERIES_ROWS];

export const TEXT_FORMATS: readonly TextFormat[] = [...BENCH_TEXT, ...SERIES_TEXT];
