/** Every kind of damaged program, made from a good one. */

import { header, headerNames } from '../../src/generated/common.js';
import type { Layout } from '../../src/program/layout.js';
import { checksum, HEADER_BYTES } from '../../src/program/program.js';

export interface Damage {
  readonly name: string;
  readonly program: Uint8Array;
}

/** A program that is damaged at one place; `make` yields a fresh one on each call. */
type Maker = () => Damage;

/** A copy with something changed, and the checksum made good unless it is what was changed. */
function altered(good: Uint8Array, name: string, alter: (view: DataView) => void): Damage {
  const program = good.slice();
  alter(new DataView(program.buffer));
  return { name, program };
}

function resealed(damage: Damage): Damage {
  const words = new Uint32Array(damage.program.buffer, HEADER_BYTES);
  new Uint32Array(damage.program.buffer)[header.checksum] = checksum(words);
  return damage;
}

/** The program with one scalar changed, sealed: still a valid one where the value is. */
export function withScalar(
  layout: Layout,
  good: Uint8Array,
  name: string,
  change: (value: number) => number,
): Uint8Array {
  const at = HEADER_BYTES + 8 * layout.scalars.findIndex((scalar) => scalar.name === name);
  const write = (view: DataView) => view.setFloat64(at, change(view.getFloat64(at, true)), true);
  return resealed(altered(good, name, write)).program;
}

/** Programs cut at every word up to the tables, then before, at and behind each table's ends. */
export function truncations(layout: Layout, good: Uint8Array): Maker[] {
  const directory = HEADER_BYTES + 8 * layout.scalars.length;
  const first = directory + 8 * layout.tables.length;
  const view = new DataView(good.buffer);
  const lengths = new Set<number>([1, 2, 3, good.length - 1, good.length - 4]);
  for (let bytes = 0; bytes <= first; bytes += 4) lengths.add(bytes);
  layout.tables.forEach((_, i) => {
    const start = view.getUint32(directory + 8 * i, true);
    const end = start + 4 * view.getUint32(directory + 8 * i + 4, true);
    for (const at of [start, end]) for (const by of [-4, 0, 4]) lengths.add(at + by);
  });
  const shorter = [...lengths].filter((bytes) => bytes < good.length);
  return shorter.flatMap((bytes) => [
    () => ({ name: `cut to ${bytes} bytes`, program: good.slice(0, bytes) }),
    () => cutAndSealed(good, bytes),
  ]);
}

/** Cut, with the length and the checksum of the header made to fit. */
function cutAndSealed(good: Uint8Array, bytes: number): Damage {
  const damage = { name: `cut to ${bytes} bytes and sealed`, program: good.slice(0, bytes) };
  if (bytes < HEADER_BYTES || bytes % 4 !== 0) return damage;
  new Uint32Array(damage.program.buffer)[header.totalBytes] = bytes;
  return resealed(damage);
}

/** Each header word with its lowest and its highest bit flipped, and zeroed. */
export function headerDamages(good: Uint8Array): Maker[] {
  return headerNames.flatMap((field, i) =>
    [(x: number) => x ^ 1, (x: number) => x ^ 0x80000000, () => 0].map(
      (change, k) => () =>
        altered(good, `header ${field}, change ${k}`, (view) => {
          view.setUint32(4 * i, change(view.getUint32(4 * i, true)) >>> 0, true);
        }),
    ),
  );
}

/** Each scalar not finite, outside its range on both sides, and broken where it is an integer. */
export function scalarDamages(layout: Layout, good: Uint8Array): Maker[] {
  return layout.scalars.flatMap((field, i) => {
    const outside = [field.min - 1, field.max + 1, field.max * 1.5 + 1, -1e300];
    const broken = field.integer && field.max > field.min ? [field.min + 0.5] : [];
    return [Number.NaN, Infinity, -Infinity, ...outside, ...broken].map(
      (value) => () =>
        resealed(
          altered(good, `scalar ${field.name} = ${value}`, (view) => {
            view.setFloat64(HEADER_BYTES + 8 * i, value, true);
          }),
        ),
    );
  });
}

/** Each table's place and length in the directory made wrong. */
export function directoryDamages(layout: Layout, good: Uint8Array): Maker[] {
  const directory = HEADER_BYTES + 8 * layout.scalars.length;
  const changes: [name: string, at: number, change: (x: number) => number][] = [
    ['offset + 4', 0, (x) => x + 4],
    ['offset 0', 0, () => 0],
    ['offset at the end', 0, () => good.length],
    ['offset beyond 2^32', 0, () => 0xffffffc0],
    ['length + 1', 4, (x) => x + 1],
    ['length - 1', 4, (x) => x - 1],
    ['length 2^30', 4, () => 2 ** 30],
    ['length 2^32 - 1', 4, () => 0xffffffff],
  ];
  return layout.tables.flatMap((field, i) =>
    changes.map(([name, at, change]) => () => {
      const place = directory + 8 * i + at;
      return resealed(
        altered(good, `table ${field.name}: ${name}`, (view) => {
          view.setUint32(place, change(view.getUint32(place, true)) >>> 0, true);
        }),
      );
    }),
  );
}

/** Each table's first and last element made wrong: not finite, out of range, out of its table. */
export function elementDamages(layout: Layout, good: Uint8Array): Maker[] {
  const directory = HEADER_BYTES + 8 * layout.scalars.length;
  const read = new DataView(good.buffer);
  return layout.tables.flatMap((field, i) => {
    const start = read.getUint32(directory + 8 * i, true);
    const last = start + 4 * (read.getUint32(directory + 8 * i + 4, true) - 1);
    const values = field.dtype === 'f32' ? [Number.NaN, -Infinity, 3e38, -3e38] : [2 ** 31, 255];
    return [start, last].flatMap((at) =>
      values.map(
        (value) => () =>
          resealed(
            altered(good, `table ${field.name}: byte ${at} holds ${value}`, (view) => {
              if (field.dtype === 'f32') view.setFloat32(at, value, true);
              else view.setUint32(at, value, true);
            }),
          ),
      ),
    );
  });
}

/** A changed bit that only the checksum tells. */
export function unsealedDamages(layout: Layout, good: Uint8Array): Maker[] {
  const grid = layout.tables.findIndex((field) => field.dtype === 'f32' && field.max > 1e8);
  const directory = HEADER_BYTES + 8 * layout.scalars.length;
  const at = new DataView(good.buffer).getUint32(directory + 8 * grid, true);
  return [
    () =>
      altered(good, 'one bit of a table', (view) => {
        view.setUint32(at, view.getUint32(at, true) ^ 1, true);
      }),
  ];
}
