import type { Column, Columns } from './columns.js';
import { rowCount } from './columns.js';
import { parseNumber } from './csv.js';
import { DataError, quote } from './errors.js';
import type { PerfQuery } from './interpolate.js';
import { perfLookup } from './interpolate.js';
import type { PerfMetrics, PerfTable } from './perf-table.js';

const REQUIRED = ['batch_size', 'kv_budget', 'spec_length', 'prompt_len'] as const;

/**
 * The six metrics for every row of a query file, in its order: columns batch_size, kv_budget,
 * spec_length, prompt_len and optionally quant_tier. Noise is off; a quantisation factor is
 * applied only where the column is given and the table has no rows of the tier.
 *
 * @throws DataError naming the row and column of a query that is no number or no known tier, or
 * the column that is missing.
 */
export function lookupTable(table: PerfTable, queries: Columns): PerfMetrics[] {
  for (const column of REQUIRED) {
    if (queries[column] === undefined) throw new DataError('the column is missing', { column });
  }
  const lookup = perfLookup(table);
  return Array.from({ length: rowCount(queries) }, (_, i) => {
    const at = (column: string) => cell(queries[column], i, column);
    const query: PerfQuery = {
      batch_size: at('batch_size'),
      kv_budget: at('kv_budget'),
      spec_length: at('spec_length'),
      prompt_len: at('prompt_len'),
    };
    if (queries['quant_tier'] !== undefined) query.quant_tier = at('quant_tier');
    try {
      return lookup(query);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new DataError(error.message, { row: i + 1, column: 'quant_tier' });
    }
  });
}

function cell(values: Column, i: number, column: string): number {
  const value = values[i];
  const number = typeof value === 'number' ? value : parseNumber(value);
  if (Number.isFinite(number)) return number;
  throw new DataError(`is ${quote(String(value))}, expected a finite number`, {
    row: i + 1,
    column,
  });
}
