import { Box } from './box.js';
import { Choice } from './choice.js';
import { Dict } from './dict.js';
import { Discrete } from './discrete.js';
import { MultiDiscrete } from './multi-discrete.js';
import type { Space } from './space.js';
import { checkShape } from './space.js';

export function batchSpace(space: Box, n: number): Box;
export function batchSpace(space: Discrete | MultiDiscrete, n: number): MultiDiscrete;
export function batchSpace(space: Dict, n: number): Dict;
export function batchSpace(space: Space<unknown>, n: number): Space<unknown>;
/**
 * The space of n members side by side, for a vector environment: a new first dimension of size n,
 * field by field in a Dict. Discrete becomes MultiDiscrete; a Choice becomes the Box between its
 * ends, and what lies between its values is refused where an action is encoded.
 *
 * @throws TypeError for a space of another kind, RangeError unless n is a positive integer.
 */
export function batchSpace(space: Space<unknown>, n: number): Space<unknown> {
  checkShape([n], 'number of environments');
  if (space instanceof Box) {
    const low = repeat(space.low, n);
    return new Box({ low, high: repeat(space.high, n), shape: [n, ...space.shape] });
  }
  if (space instanceof Choice) {
    const { values } = space;
    return new Box({ low: values[0], high: values[values.length - 1], shape: [n] });
  }
  if (space instanceof Discrete) {
    return new MultiDiscrete(repeat([space.n], n), { start: repeat([space.start], n) });
  }
  if (space instanceof MultiDiscrete) {
    const start = repeat(space.start, n);
    return new MultiDiscrete(repeat(space.nvec, n), { start, shape: [n, ...space.shape] });
  }
  if (space instanceof Dict) {
    const fields = Object.entries<Space<unknown>>(space.fields);
    return new Dict(
      Object.fromEntries(fields.map(([name, field]) => [name, batchSpace(field, n)])),
    );
  }
  throw new TypeError(
    'space is of an unknown kind: Box, Choice, Discrete, MultiDiscrete or Dict is needed',
  );
}

function repeat(numbers: ArrayLike<number>, n: number): Float64Array {
  const repeated = new Float64Array(numbers.length * n);
  for (let i = 0; i < n; i++) repeated.set(numbers, i * numbers.length);
  return repeated;
}
