/** Parts of several files as one. */
import { DataError } from '../errors.js';
import type { Part } from './format.js';

/**
 * Joins what was read from files of one kind.
 *
 * @throws DataError where they are of different kinds
 */
export function joinParts(files: readonly { readonly part: Part; readonly name: string }[]): Part {
  const [first, ...others] = files;
  let joined = first.part;
  for (const { part, name } of others) joined = joinTwo(joined, part, name);
  if (joined.as !== 'series' || joined.counts === undefined) return joined;
  return { as: 'series', series: [...joined.series, joined.counts.series()] };
}

function joinTwo(a: Part, b: Part, name: string): Part {
  if (a.as === 'bench' && b.as === 'bench') return { as: 'bench', runs: [...a.runs, ...b.runs] };
  if (a.as === 'series' && b.as === 'series') {
    const counts = a.counts ?? b.counts;
    if (a.counts && b.counts) a.counts.merge(b.counts);
    const series = [...a.series, ...b.series];
    return counts ? { as: 'series', series, counts } : { as: 'series', series };
  }
  if (a.as === b.as) throw new DataError(`only one file of ${a.as} can be read at once`);
  throw new DataError(`is ${b.as}, the files before it are ${a.as}`).inFile(name);
}
