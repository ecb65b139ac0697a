import { exp, log } from '../program/math.js';
import type { Columns } from './columns.js';
import { DataError } from './errors.js';

/**
 * Prefill time in ms of one prompt at every tier and node, [quant][prompt], from rows of
 * quant_tier, num_prompts, prompt_len and prefill_ms_with_overhead: those with one prompt, between
 * them (and beyond them, along the last two) linear in log-log.
 *
 * @throws DataError naming a column that is missing or a cell that is not positive.
 */
export function prefillTimes(prefill: Columns, tiers: number[], promptLen: number[]): Float64Array {
  const [tier, prompts, length, ms] = [
    'quant_tier',
    'num_prompts',
    'prompt_len',
    'prefill_ms_with_overhead',
  ].map((column) => positiveColumn(prefill, column));
  const times: number[] = [];
  for (const wanted of tiers) {
    const points = Array.from(length, (x, i) => ({ x: log(x), y: log(ms[i]), i }))
      .filter(({ i }) => tier[i] === wanted && prompts[i] === 1)
      .sort((a, b) => a.x - b.x);
    if (points.length < 2) {
      throw new DataError(`fewer than two rows of tier ${wanted} with one prompt`, {
        column: 'prefill_ms_with_overhead',
      });
    }
    for (const tokens of promptLen) times.push(Math.fround(exp(alongPoints(points, log(tokens)))));
  }
  return Float64Array.from(times);
}

function positiveColumn(columns: Columns, column: string): Float64Array {
  const values = columns[column];
  if (!(values instanceof Float64Array)) {
    throw new DataError(values ? 'is not a column of numbers' : 'the column is missing', {
      column,
    });
  }
  const bad = values.findIndex((x) => !(x > 0 && Number.isFinite(x)) && column !== 'quant_tier');
  if (bad >= 0) {
    throw new DataError(`is ${values[bad]}, expected a number above 0`, { row: bad + 1, column });
  }
  return values;
}

function alongPoints(points: { x: number; y: number }[], x: number): number {
  const above = points.findIndex((p) => p.x >= x);
  const j = above < 0 ? points.length - 1 : above > 0 ? above : 1;
  const [a, b] = [points[j - 1], points[j]];
  return a.y + ((b.y - a.y) * (x - a.x)) / (b.x - a.x);
}
