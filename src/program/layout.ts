/**
 * The content of a generated layout file: the order and the bounds of everything a backend reads
 * from a program or keeps as state. The files under `src/generated` are written by
 * `npm run generate` from `src/envs/<stem>/spec.json`.
 */

import { channels } from '../generated/common.js';

/** A number of the program's scalar block. */
export interface ScalarField {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly integer: boolean;
  readonly unit: string;
  readonly doc: string;
  /** The value that other scalars fix this one to be, or null. */
  readonly equals: ((scalars: readonly number[]) => number) | null;
}

/** A table of the program: 4-byte elements, f32 or u32. */
export interface TableField {
  readonly name: string;
  readonly dtype: 'f32' | 'u32';
  /** Elements, from the scalar block. */
  readonly length: (scalars: readonly number[]) => number;
  /** u32: every element is below this. */
  readonly below: (scalars: readonly number[]) => number;
  /** f32: every element lies in [min, max]. */
  readonly min: number;
  readonly max: number;
  readonly doc: string;
}

/** A u32 slot of the state; `max` is a number or the name of the scalar that bounds it. */
export interface WordField {
  readonly name: string;
  readonly max: number | string;
  readonly doc: string;
}

/** An array of the state, whose size a task decides: a slot of the state for each element. */
export interface ArrayField {
  readonly name: string;
  readonly dtype: 'u32' | 'f32' | 'f64';
  /** Elements, from the scalar block. */
  readonly length: (scalars: readonly number[]) => number;
  /** u32: bound of every element, a number or the name of the scalar that bounds it. */
  readonly max: number | string;
  readonly doc: string;
}

/** An f64 slot of the state. */
export interface RealField {
  readonly name: string;
  readonly doc: string;
}

/** How a statistic is folded from the f32 outputs of each step, in step order. */
export type Fold =
  | 'sum'
  | 'max'
  | 'welford_mean'
  | 'welford_m2'
  | 'delta_mean'
  | 'delta_m2'
  | 'histogram'
  | 'histogram_bin';

/** An f64 slot of the episode statistics. */
export interface StatisticField {
  readonly name: string;
  readonly fold: Fold;
  readonly of: string;
  readonly doc: string;
}

/** One number of an action row, as its spec describes it. */
export interface ActionField {
  readonly name: string;
  readonly low?: number;
  readonly high?: number;
  readonly integer?: boolean;
  readonly choices?: readonly number[];
  readonly unit: string;
  readonly doc: string;
}

/** One number of an observation row; `null` is unbounded. */
export interface ObservationField {
  readonly name: string;
  readonly low: number | null;
  readonly high: number | null;
  readonly scale: number;
  readonly variant: string;
  readonly unit: string;
  readonly doc: string;
}

/** One number of a metrics row (what `info` reports). */
export interface MetricField {
  readonly name: string;
  readonly doc: string;
}

/** Everything that is fixed about a family's programs and state. */
export interface Layout {
  readonly family: number;
  readonly name: string;
  readonly version: number;
  readonly title: string;
  /** The family's own policies that the core plays, in the order of their numbers. */
  readonly heuristics: readonly string[];
  readonly hash: number;
  readonly scalars: readonly ScalarField[];
  readonly tables: readonly TableField[];
  readonly words: readonly WordField[];
  readonly arrays: readonly ArrayField[];
  readonly reals: readonly RealField[];
  readonly statistics: readonly StatisticField[];
  readonly actions: readonly ActionField[];
  readonly observations: readonly ObservationField[];
  readonly metrics: readonly MetricField[];
}

/** One number of an environment's state, as a batch exports it. */
export interface StateSlot {
  readonly name: string;
  /** u32: `max` bounds it, a number or the name of a scalar; f32 and f64: any finite number. */
  readonly dtype: 'u32' | 'f32' | 'f64';
  readonly max: number | string;
}

/** Neighbouring slots of the state that share a name: one, or an array's elements. */
export interface StateField extends StateSlot {
  readonly part: 'words' | 'arrays' | 'reals' | 'statistics';
  readonly length: number;
}

/**
 * The state in the documented order: words, arrays of 4-byte elements, reals, statistics, arrays
 * of f64 (docs/adr/0010-state-arrays.md).
 */
export function stateFields(layout: Layout, scalars: readonly number[]): StateField[] {
  const real = { dtype: 'f64', max: Infinity, length: 1 } as const;
  const words = layout.words.map(({ name, max }): StateField => {
    return { name, dtype: 'u32', max, part: 'words', length: 1 };
  });
  const arrays = layout.arrays.map(({ name, dtype, length, max }): StateField => {
    return { name, dtype, max, part: 'arrays', length: length(scalars) };
  });
  return [
    ...words,
    ...arrays.filter(({ dtype }) => dtype !== 'f64'),
    ...layout.reals.map(({ name }): StateField => ({ name, part: 'reals', ...real })),
    ...layout.statistics.map(({ name }): StateField => ({ name, part: 'statistics', ...real })),
    ...arrays.filter(({ dtype }) => dtype === 'f64'),
  ];
}

/** Every slot of the state, one by one; an array's are named `name[0]`, `name[1]`, ... */
export function stateSlots(layout: Layout, scalars: readonly number[]): StateSlot[] {
  return stateFields(layout, scalars).flatMap((field) => {
    const { dtype, max, length } = field;
    return Array.from({ length }, (_, i) => ({ name: slotName(field, i), dtype, max }));
  });
}

/** The name of slot i of a field. */
export function slotName({ name, part }: StateField, i: number): string {
  return part === 'arrays' ? `${name}[${i}]` : name;
}

/** Bytes of one element of each type. */
export const ELEMENT_BYTES = { f32: 4, f64: 8, u32: 4, u8: 1 } as const;

/** A name of the layout as TypeScript writes it: `queue_max` → `queueMax`. */
export const camel = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** Widths of the rows that a program decides. */
export interface RowWidths {
  readonly actionDim: number;
  readonly observationDim: number;
  readonly maskDim: number;
}

/** Elements per environment of every channel, in the channels' order. */
export function channelWidths(layout: Layout, rows: RowWidths, metrics: boolean): number[] {
  const widths: Record<string, number> = {
    actions: rows.actionDim,
    observations: rows.observationDim,
    finalObservations: rows.observationDim,
    metrics: metrics ? layout.metrics.length : 0,
    finalStatistics: layout.statistics.length,
    masks: rows.maskDim,
  };
  return channels.map(({ name }) => widths[name] ?? 1);
}
