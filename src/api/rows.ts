/** Rows of a batch's arrays: what one environment's part of them says. */

import type { EpisodeStatistics } from '../envs/family.js';
import type { Layout } from '../program/layout.js';

type Rows = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Environment i's part of an array of a whole batch of `numEnvs`. */
export function rowOf<T extends Rows>(rows: T, i: number, numEnvs: number): T {
  if (numEnvs === 1) return rows; // a view of the whole would cost more than a look at it
  const width = rows.length / numEnvs;
  return rows.subarray(i * width, (i + 1) * width) as T;
}

/** Sets the rows to zero, of every environment or where the mask is 1. */
export function clearRows(rows: Rows, numEnvs: number, mask?: ArrayLike<number | boolean>): void {
  for (let i = 0; i < numEnvs; i++) {
    if (mask === undefined || Number(mask[i]) === 1) rowOf(rows, i, numEnvs).fill(0);
  }
}

/** Copies a mask that has been checked. */
export function writeMask(target: Uint8Array, mask: ArrayLike<number | boolean>): void {
  for (let i = 0; i < mask.length; i++) target[i] = Number(mask[i]);
}

/** @throws RangeError for another length than `numEnvs` and for what is no flag. */
export function checkMask(mask: ArrayLike<number | boolean>, numEnvs: number): void {
  if (mask.length !== numEnvs) {
    throw new RangeError(`mask has ${mask.length} flags: ${numEnvs} are needed`);
  }
  for (let i = 0; i < mask.length; i++) {
    if (Number(mask[i]) === 0 || Number(mask[i]) === 1) continue;
    throw new RangeError(`mask[${i}] is ${String(mask[i])}: 0, 1, false or true is needed`);
  }
}

/** The statistics of a finished episode from their row, null where there was none. */
export function statisticsOfRow(layout: Layout, row: Float64Array): EpisodeStatistics | null {
  const names = layout.statistics;
  const length = names.findIndex(({ name }) => name === 'length_steps');
  if (row[length] === 0) return null;
  return Object.fromEntries(names.map(({ name }, slot) => [name, row[slot]]));
}

/** The statistics of the episode environment i is in, from an exported state. */
export function statisticsOfState(
  layout: Layout,
  state: Uint8Array,
  i: number,
  numEnvs: number,
): EpisodeStatistics {
  const names = layout.statistics;
  const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
  // The statistics are the last f64 slots of the state, [slot][env].
  const start = state.byteLength - 8 * names.length * numEnvs;
  const value = (slot: number) => view.getFloat64(start + 8 * (slot * numEnvs + i), true);
  return Object.fromEntries(names.map(({ name }, slot) => [name, value(slot)]));
}
