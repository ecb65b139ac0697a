/** Every format that is known, in the order in which files are asked whether they are it. */
import type { JsonFormat, RowFormat, TextFormat } from '../import/format.js';
import { isSeriesRows, seriesFromRows } from '../import/series-rows.js';
import { isVllmBench, vllmMeasurement, vllmResults } from './vllm-bench.js';

export const JSON_FORMATS: readonly JsonFormat[] = [
  {
    id: 'vllm-bench',
    label: 'results of vllm bench serve or sweep',
    kinds: ['bench'],
    recognise: isVllmBench,
    read: (value, _as, source) => ({
      as: 'bench',
      runs: vllmResults(value).map((result) => vllmMeasurement(result, source)),
    }),
  },
];

export const ROW_FORMATS: readonly RowFormat[] = [
  {
    id: 'series',
    label: 'a series',
    kinds: ['series'],
    recognise: isSeriesRows,
    read: async (rows, _as, _source, log) => ({
      as: 'series',
      series: await seriesFromRows(rows, log),
    }),
  },
];

export const TEXT_FORMATS: readonly TextFormat[] = [];
