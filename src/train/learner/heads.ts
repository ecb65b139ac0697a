/** Heads: how a net's outputs become actions. */
import type { CategoricalHead, Entities, GaussianHead, Head } from './types.js';

const CHOICES_MAX = 1048576;

export interface CategoricalOptions {
  readonly masked?: boolean;
  /** Default: zeros. */
  readonly lowest?: readonly number[];
}

/**
 * A choice for each field; the logits of the fields stand side by side.
 *
 * @param fields number of choices of each, 1 or more
 */
export function categorical(
  fields: readonly number[],
  options: CategoricalOptions = {},
): CategoricalHead {
  if (fields.length === 0) throw new RangeError('fields is empty: one number or more is needed');
  fields.forEach((count, i) => {
    checkInteger(`fields[${i}]`, count, 1, CHOICES_MAX);
  });
  const lowest = options.lowest ?? fields.map(() => 0);
  if (lowest.length !== fields.length) {
    const needed = `one for each of ${fields.length} fields is needed`;
    throw new RangeError(`lowest has ${lowest.length} numbers: ${needed}`);
  }
  lowest.forEach((number, i) => {
    checkInteger(`lowest[${i}]`, number, -CHOICES_MAX, CHOICES_MAX);
  });
  return { kind: 'categorical', fields, lowest, masked: options.masked ?? false, classes: [] };
}

export interface GaussianOptions {
  /** Initial logarithm of the deviation. Default 0. */
  readonly logStd?: number;
}

/** `size` independent normal numbers, unbounded: environments clip them. */
export function gaussian(size: number, { logStd = 0 }: GaussianOptions = {}): GaussianHead {
  checkInteger('size', size, 1, CHOICES_MAX);
  return { kind: 'gaussian', size, logStd: checkFinite('logStd', logStd), low: [], high: [] };
}

export interface SquashedOptions extends GaussianOptions {
  /** Default: −1 everywhere. */
  readonly low?: readonly number[];
  /** Default: 1 everywhere. */
  readonly high?: readonly number[];
}

/** `size` normal numbers, squashed by tanh into low .. high. */
export function squashedGaussian(size: number, options: SquashedOptions = {}): GaussianHead {
  checkInteger('size', size, 1, CHOICES_MAX);
  const low = options.low ?? Array<number>(size).fill(-1);
  const high = options.high ?? Array<number>(size).fill(1);
  for (const [name, bounds] of [['low', low] as const, ['high', high] as const]) {
    if (bounds.length === size) continue;
    throw new RangeError(`${name} has ${bounds.length} numbers: ${size} are needed`);
  }
  low.forEach((bound, i) => {
    if (checkFinite(`low[${i}]`, bound) < checkFinite(`high[${i}]`, high[i])) return;
    throw new RangeError(`low[${i}] is ${bound}: less than high[${i}], ${high[i]}, is needed`);
  });
  const logStd = checkFinite('logStd', options.logStd ?? 0);
  return { kind: 'squashed', size, logStd, low, high };
}

/**
 * One choice among placing a slot's job on a server (k · servers + n), waiting (slots · servers)
 * and, with `toggles`, toggling server n (slots · servers + 1 + n), masked. Its nets know the
 * entities: `{ kind: 'pairs' }` gives the logits, `{ kind: 'set' }` a value. A greedy choice
 * decides among placing, waiting and toggling first, by their summed probabilities.
 */
export function pairs(entities: Entities): CategoricalHead {
  const { servers, slots, toggles } = entities;
  for (const name of ['servers', 'slots', 'serverDim', 'slotDim', 'globalDim'] as const) {
    checkInteger(`entities.${name}`, entities[name], 1, 4096);
  }
  checkInteger('entities.pairDim', entities.pairDim, 0, 4096);
  const classes = [servers * slots, 1, ...(toggles ? [servers] : [])];
  const field = classes.reduce((sum, count) => sum + count, 0);
  return { kind: 'categorical', fields: [field], lowest: [0], masked: true, classes, entities };
}

/** Width of an observation made of entities. */
export function entitiesDim(entities: Entities): number {
  const { servers, slots, serverDim, slotDim, globalDim, pairDim } = entities;
  return servers * serverDim + slots * slotDim + globalDim + slots * servers * pairDim;
}

/** Outputs that a head reads: the logits of all fields, or a mean for each number. */
export function headOutputs(head: Head): number {
  if (head.kind !== 'categorical') return head.size;
  return head.fields.reduce((sum, count) => sum + count, 0);
}

/** Numbers of an action: F. */
export function actionDimOf(head: Head): number {
  return head.kind === 'categorical' ? head.fields.length : head.size;
}

export function checkInteger(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(
    `${name} is ${String(value)}: an integer from ${least} to ${most} is needed`,
  );
}

export function checkFinite(name: string, value: number): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new RangeError(`${name} is ${String(value)}: a finite number is needed`);
}
