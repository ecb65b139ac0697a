/**
 * The program: one flat little-endian buffer that a task is compiled into, and that every backend
 * validates and steps. docs/adr/0002-program-buffer.md says why.
 *
 * | bytes                  | content                                                     |
 * |------------------------|-------------------------------------------------------------|
 * | 0 .. 32                | header: 8 u32, see `header` in `src/generated/common.ts`    |
 * | 32 .. 32 + 8 S         | S scalars, f64, in the order of the layout                  |
 * | then 8 T bytes         | table directory: T pairs of u32 (byte offset, element count)|
 * | 64-byte aligned tables | 4-byte elements, f32 or u32                                 |
 */
import { FORMAT_VERSION, header, headerNames, MAGIC } from '../generated/common.js';
import { camel, type Layout, type TableField } from './layout.js';

export const HEADER_BYTES = 4 * headerNames.length;
const TABLE_ALIGNMENT_BYTES = 64;

/** The faults of a program; the index says which header word, scalar or table. */
export const PROGRAM_FAULTS = [
  'header',
  'scalar_not_finite',
  'scalar_out_of_range',
  'table_bounds',
  'table_not_finite',
  'table_content',
] as const;
export type ProgramFault = (typeof PROGRAM_FAULTS)[number];

/** A program that a backend refuses; the message names the field. */
export class ProgramError extends Error {
  override name = 'ProgramError';
  constructor(
    readonly fault: ProgramFault,
    readonly field: string,
    message: string,
  ) {
    super(message);
  }
}

const FAULT_WORDS: Record<ProgramFault, string> = {
  header: 'is not what this build expects: the program is damaged, truncated or of another version',
  scalar_not_finite: 'is not a finite number',
  scalar_out_of_range: 'is outside its range',
  table_bounds: 'does not lie inside the program, is misaligned or overlaps the header',
  table_not_finite: 'has an element that is not a finite number',
  table_content: 'has a wrong length or an element that points outside its table',
};

/** One error for a fault, whichever backend found it. `code` is `fault << 16 | index`, plus one. */
export function programError(layout: Layout, code: number): ProgramError {
  const fault = PROGRAM_FAULTS[(code - 1) >>> 16] ?? 'header';
  const index = (code - 1) & 0xffff;
  if (fault === 'header') {
    const field = headerNames[index] ?? 'magic';
    return new ProgramError(fault, field, `program header field ${field} ${FAULT_WORDS.header}`);
  }
  if (fault === 'scalar_not_finite' || fault === 'scalar_out_of_range') {
    const scalar = layout.scalars[index];
    const range = scalar
      ? ` (${scalar.min}..${scalar.max}${scalar.integer ? ', integer' : ''})`
      : '';
    const field = scalar?.name ?? String(index);
    return new ProgramError(fault, field, `program scalar ${field} ${FAULT_WORDS[fault]}${range}`);
  }
  const field = layout.tables[index]?.name ?? String(index);
  return new ProgramError(fault, field, `program table ${field} ${FAULT_WORDS[fault]}`);
}

/** The code of a fault, as the backends return it. */
export const faultCode = (fault: ProgramFault, index: number): number =>
  ((PROGRAM_FAULTS.indexOf(fault) << 16) | index) + 1;

/** Word-wise FNV-1a, wrapping in 32 bits: any one changed word changes it. */
export function checksum(words: Uint32Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i]!, 0x01000193);
  return hash >>> 0;
}

const alignUp = (bytes: number): number =>
  Math.floor((bytes + TABLE_ALIGNMENT_BYTES - 1) / TABLE_ALIGNMENT_BYTES) * TABLE_ALIGNMENT_BYTES;

type Values = Readonly<Record<string, unknown>>;

/**
 * Packs scalars and tables (by their camelCase names) into a program.
 * Throws `ProgramError` naming a scalar or table that is missing, not finite or out of range.
 */
export function encodeProgram(layout: Layout, scalars: object, tables: object): Uint8Array {
  const scalarValues = layout.scalars.map((field, i) => {
    const value = (scalars as Values)[camel(field.name)];
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw describe(layout, 'scalar_not_finite', i, value);
    }
    const inRange = value >= field.min && value <= field.max;
    if (!inRange || (field.integer && Math.floor(value) !== value)) {
      throw describe(layout, 'scalar_out_of_range', i, value);
    }
    return value;
  });
  checkAgreement(layout, scalarValues);
  const tableValues = layout.tables.map((field, i) => {
    const value = (tables as Values)[camel(field.name)];
    const fits =
      field.dtype === 'f32' ? value instanceof Float32Array : value instanceof Uint32Array;
    if (!fits) throw describe(layout, 'table_content', i, value);
    const problem = contentProblem(field, value as Float32Array | Uint32Array, scalarValues);
    if (problem) throw describe(layout, 'table_content', i, problem);
    return value as Float32Array | Uint32Array;
  });
  return pack(layout, scalarValues, tableValues);
}

/** Throws where a scalar is not what the others fix it to be. */
function checkAgreement(layout: Layout, scalars: readonly number[]): void {
  layout.scalars.forEach(({ equals }, i) => {
    if (equals === null || equals(scalars) === scalars[i]) return;
    const got = `${scalars[i]}, where the other scalars ask for ${equals(scalars)}`;
    throw describe(layout, 'scalar_out_of_range', i, got);
  });
}

/** The fault of a table's length or elements, or null. */
function contentProblem(
  field: TableField,
  values: Float32Array | Uint32Array,
  scalars: readonly number[],
): string | null {
  const length = field.length(scalars);
  if (values.length !== length) return `${values.length} elements instead of ${length}`;
  const isFloat = field.dtype === 'f32';
  const low = isFloat ? field.min : 0;
  const high = isFloat ? field.max : field.below(scalars) - 1;
  const bad = values.findIndex((value) => !(value >= low && value <= high));
  return bad < 0 ? null : `element ${bad} = ${values[bad]}, allowed ${low}..${high}`;
}

function describe(layout: Layout, fault: ProgramFault, index: number, value: unknown) {
  const error = programError(layout, faultCode(fault, index));
  return new ProgramError(fault, error.field, `${error.message}; got ${String(value)}`);
}

function pack(layout: Layout, scalars: number[], tables: (Float32Array | Uint32Array)[]) {
  const directory = HEADER_BYTES + 8 * scalars.length;
  let end = directory + 8 * tables.length;
  const offsets = tables.map((table) => {
    const offset = alignUp(end);
    end = offset + table.byteLength;
    return offset;
  });
  const bytes = new Uint8Array(alignUp(end));
  const view = new DataView(bytes.buffer);
  scalars.forEach((value, i) => {
    view.setFloat64(HEADER_BYTES + 8 * i, value, true);
  });
  tables.forEach((table, i) => {
    view.setUint32(directory + 8 * i, offsets[i]!, true);
    view.setUint32(directory + 8 * i + 4, table.length, true);
    bytes.set(new Uint8Array(table.buffer, table.byteOffset, table.byteLength), offsets[i]);
  });
  const head = new Uint32Array(bytes.buffer, 0, headerNames.length);
  head[header.magic] = MAGIC;
  head[header.formatVersion] = FORMAT_VERSION;
  head[header.family] = layout.family;
  head[header.layoutHash] = layout.hash;
  head[header.totalBytes] = bytes.length;
  head[header.scalarCount] = scalars.length;
  head[header.tableCount] = tables.length;
  head[header.checksum] = checksum(new Uint32Array(bytes.buffer, HEADER_BYTES));
  return bytes;
}

/** A program by name: what the reference steps and what `describe` commands print. */
export interface DecodedProgram<S = Values, T = Values> {
  readonly scalars: S;
  readonly tables: T;
}

/** The family number of a program, or 0 where there is not even a header. */
export function programFamily(bytes: Uint8Array): number {
  if (bytes.byteLength < HEADER_BYTES) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4 * header.family, true);
}

/** The scalar block of a program that has been validated. */
export function programScalars(layout: Layout, bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return layout.scalars.map((_, i) => view.getFloat64(HEADER_BYTES + 8 * i, true));
}

/**
 * Reads and validates a program: header, finite scalars in range, tables inside the buffer and
 * finite, checksum. Throws `ProgramError` with the first field that is wrong, in that order.
 */
export function decodeProgram<S, T>(layout: Layout, bytes: Uint8Array): DecodedProgram<S, T> {
  const copy = new Uint8Array(bytes); // aligned; a Buffer's slice would share its memory
  checkHeader(layout, copy);
  const view = new DataView(copy.buffer);
  const scalarValues = layout.scalars.map((field, i) => {
    const value = view.getFloat64(HEADER_BYTES + 8 * i, true);
    if (!Number.isFinite(value)) throw describe(layout, 'scalar_not_finite', i, value);
    const whole = !field.integer || Math.floor(value) === value;
    if (value < field.min || value > field.max || !whole) {
      throw describe(layout, 'scalar_out_of_range', i, value);
    }
    return value;
  });
  checkAgreement(layout, scalarValues);
  const tableValues = layout.tables.map((_, i) => readTable(layout, copy, i));
  layout.tables.forEach((field, i) => {
    const problem = contentProblem(field, tableValues[i]!, scalarValues);
    if (problem) throw describe(layout, 'table_content', i, problem);
  });
  const words = new Uint32Array(copy.buffer, HEADER_BYTES);
  if (view.getUint32(4 * header.checksum, true) !== checksum(words)) {
    throw programError(layout, faultCode('header', header.checksum));
  }
  const scalars = byName(layout.scalars, scalarValues);
  return { scalars: scalars as S, tables: byName(layout.tables, tableValues) as T };
}

/**
 * Values by their camelCase names. Made at once: an object that grows to this size name by name
 * becomes a hash table in V8, and every look-up of a step would search it.
 */
function byName<T>(fields: readonly { readonly name: string }[], values: readonly T[]) {
  return Object.fromEntries(fields.map(({ name }, i) => [camel(name), values[i]!]));
}

function checkHeader(layout: Layout, bytes: Uint8Array): void {
  const refuse = (index: number) => programError(layout, faultCode('header', index));
  if (bytes.length < HEADER_BYTES) throw refuse(header.totalBytes);
  const head = new Uint32Array(bytes.buffer, 0, headerNames.length);
  if (head[header.magic] !== MAGIC) throw refuse(header.magic);
  if (head[header.formatVersion] !== FORMAT_VERSION) throw refuse(header.formatVersion);
  if (head[header.family] !== layout.family) throw refuse(header.family);
  if (head[header.layoutHash] !== layout.hash) throw refuse(header.layoutHash);
  if (head[header.totalBytes] !== bytes.length || bytes.length % 4 !== 0) {
    throw refuse(header.totalBytes);
  }
  if (head[header.scalarCount] !== layout.scalars.length) throw refuse(header.scalarCount);
  if (head[header.tableCount] !== layout.tables.length) throw refuse(header.tableCount);
  const tablesFrom = HEADER_BYTES + 8 * (layout.scalars.length + layout.tables.length);
  if (bytes.length < tablesFrom) throw refuse(header.totalBytes);
}

function readTable(layout: Layout, bytes: Uint8Array, index: number): Float32Array | Uint32Array {
  const field = layout.tables[index]!;
  const directory = HEADER_BYTES + 8 * layout.scalars.length;
  const entry = new Uint32Array(bytes.buffer, directory + 8 * index, 2);
  const offset = entry[0]!;
  const length = entry[1]!;
  const first = directory + 8 * layout.tables.length;
  const inside = offset >= first && offset + 4 * length <= bytes.length;
  if (!inside || offset % TABLE_ALIGNMENT_BYTES !== 0) {
    throw programError(layout, faultCode('table_bounds', index));
  }
  if (field.dtype === 'u32') return new Uint32Array(bytes.buffer, offset, length);
  const values = new Float32Array(bytes.buffer, offset, length);
  for (const value of values) {
    if (!Number.isFinite(value)) throw describe(layout, 'table_not_finite', index, value);
  }
  return values;
}
