/**
 * Validation of a program, in the order of src/program/program.ts: header, scalars, tables,
 * checksum. Every function returns 0 or the code of the first fault.
 */
import {
  FORMAT_VERSION,
  HEADER_CHECKSUM,
  HEADER_COUNT,
  HEADER_FAMILY,
  HEADER_FORMAT_VERSION,
  HEADER_LAYOUT_HASH,
  HEADER_MAGIC,
  HEADER_SCALAR_COUNT,
  HEADER_TABLE_COUNT,
  HEADER_TOTAL_BYTES,
  MAGIC,
  SCALAR_ACTION_DIM,
  SCALAR_MASK_DIM,
  SCALAR_OBSERVATION_DIM,
  TABLE_ACTION_CHOICES,
  TABLE_ACTION_KIND,
  TABLE_ACTION_NUM_CHOICES,
  TABLE_ACTION_RANGES,
} from './generated/common';

const HEADER_BYTES: u32 = 4 * HEADER_COUNT;
const TABLE_ALIGNMENT_BYTES: u32 = 64;
const FNV_BASIS: u32 = 0x811c9dc5;
const FNV_PRIME: u32 = 0x01000193;
const NO_BOUND: u32 = 0xffffffff;

// The order of PROGRAM_FAULTS.
const FAULT_HEADER: u32 = 0;
const FAULT_SCALAR_NOT_FINITE: u32 = 1;
const FAULT_SCALAR_OUT_OF_RANGE: u32 = 2;
const FAULT_TABLE_BOUNDS: u32 = 3;
const FAULT_TABLE_NOT_FINITE: u32 = 4;
const FAULT_TABLE_CONTENT: u32 = 5;

/** The beginning of the programs of every family, which the batch reads. */
export class Common {
  static actionDim: u32 = 0;
  static observationDim: u32 = 0;
  static maskDim: u32 = 0;
  static actionKinds: usize = 0;
  static actionNumChoices: usize = 0;
  static actionRanges: usize = 0;
  static actionChoices: usize = 0;
}

function loadCommon(program: usize, scalars: usize, directory: usize): void {
  Common.actionDim = <u32>load<f64>(scalars + 8 * SCALAR_ACTION_DIM);
  Common.observationDim = <u32>load<f64>(scalars + 8 * SCALAR_OBSERVATION_DIM);
  Common.maskDim = <u32>load<f64>(scalars + 8 * SCALAR_MASK_DIM);
  Common.actionKinds = program + load<u32>(directory + 8 * TABLE_ACTION_KIND);
  Common.actionNumChoices = program + load<u32>(directory + 8 * TABLE_ACTION_NUM_CHOICES);
  Common.actionRanges = program + load<u32>(directory + 8 * TABLE_ACTION_RANGES);
  Common.actionChoices = program + load<u32>(directory + 8 * TABLE_ACTION_CHOICES);
}

function faultCode(fault: u32, index: i32): u32 {
  return ((fault << 16) | <u32>index) + 1;
}

function headerWord(program: usize, index: i32): u32 {
  return load<u32>(program + (<usize>index << 2));
}

/** Checks what comes before the family, and that there is a header at all. */
export function checkPrelude(program: usize, bytes: u32): u32 {
  if (bytes < HEADER_BYTES) return faultCode(FAULT_HEADER, HEADER_TOTAL_BYTES);
  if (headerWord(program, HEADER_MAGIC) != MAGIC) return faultCode(FAULT_HEADER, HEADER_MAGIC);
  if (headerWord(program, HEADER_FORMAT_VERSION) != FORMAT_VERSION) {
    return faultCode(FAULT_HEADER, HEADER_FORMAT_VERSION);
  }
  return 0;
}

/** The family of a program that has a header. */
export function familyOf(program: usize): u32 {
  return headerWord(program, HEADER_FAMILY);
}

/** The fault of a program of no known family. */
export function unknownFamily(): u32 {
  return faultCode(FAULT_HEADER, HEADER_FAMILY);
}

/** Validates a program behind its prelude and, where it is good, loads scalars and tables. */
export function loadProgram<Family>(program: usize, bytes: u32): u32 {
  const family = changetype<Family>(0);
  const scalars = program + HEADER_BYTES;
  const directory = scalars + 8 * <usize>family.numScalars;
  let code = checkHeader<Family>(program, bytes);
  if (code == 0) code = checkScalars<Family>(scalars);
  if (code == 0) code = checkTableBounds<Family>(program, bytes, directory);
  if (code != 0) return code;
  // The tables' lengths and bounds are written in terms of the scalars.
  loadCommon(program, scalars, directory);
  family.loadTables(program, directory);
  code = checkTableContents<Family>(program, directory);
  if (code == 0 && checksum(scalars, program + bytes) != headerWord(program, HEADER_CHECKSUM)) {
    return faultCode(FAULT_HEADER, HEADER_CHECKSUM);
  }
  return code;
}

function checkHeader<Family>(program: usize, bytes: u32): u32 {
  const family = changetype<Family>(0);
  if (headerWord(program, HEADER_LAYOUT_HASH) != family.hash) {
    return faultCode(FAULT_HEADER, HEADER_LAYOUT_HASH);
  }
  if (headerWord(program, HEADER_TOTAL_BYTES) != bytes || bytes % 4 != 0) {
    return faultCode(FAULT_HEADER, HEADER_TOTAL_BYTES);
  }
  if (headerWord(program, HEADER_SCALAR_COUNT) != <u32>family.numScalars) {
    return faultCode(FAULT_HEADER, HEADER_SCALAR_COUNT);
  }
  if (headerWord(program, HEADER_TABLE_COUNT) != <u32>family.numTables) {
    return faultCode(FAULT_HEADER, HEADER_TABLE_COUNT);
  }
  const tablesFrom = HEADER_BYTES + 8 * <u32>(family.numScalars + family.numTables);
  return bytes < tablesFrom ? faultCode(FAULT_HEADER, HEADER_TOTAL_BYTES) : 0;
}

function checkScalars<Family>(scalars: usize): u32 {
  const family = changetype<Family>(0);
  for (let i = 0; i < family.numScalars; i++) {
    const value = load<f64>(scalars + 8 * <usize>i);
    const bounds = family.scalarBounds + 24 * <usize>i;
    if (!isFinite(value)) return faultCode(FAULT_SCALAR_NOT_FINITE, i);
    const whole = load<f64>(bounds, 16) == 0 || Math.floor(value) == value;
    if (value < load<f64>(bounds) || value > load<f64>(bounds, 8) || !whole) {
      return faultCode(FAULT_SCALAR_OUT_OF_RANGE, i);
    }
  }
  family.loadScalars(scalars);
  const disagreeing = family.disagreeingScalar();
  return disagreeing < 0 ? 0 : faultCode(FAULT_SCALAR_OUT_OF_RANGE, disagreeing);
}

/** Each table lies inside the program behind the directory, and floats are finite. */
function checkTableBounds<Family>(program: usize, bytes: u32, directory: usize): u32 {
  const family = changetype<Family>(0);
  const first = <u32>(directory - program) + 8 * <u32>family.numTables;
  for (let i = 0; i < family.numTables; i++) {
    const offset = load<u32>(directory + 8 * <usize>i);
    const length = load<u32>(directory + 8 * <usize>i, 4);
    const inside = offset >= first && <u64>offset + 4 * <u64>length <= <u64>bytes;
    if (!inside || offset % TABLE_ALIGNMENT_BYTES != 0) return faultCode(FAULT_TABLE_BOUNDS, i);
    if (load<u8>(family.tableFloats + i) == 0) continue;
    for (let k: u32 = 0; k < length; k++) {
      if (!isFinite(load<f32>(program + offset + 4 * k))) {
        return faultCode(FAULT_TABLE_NOT_FINITE, i);
      }
    }
  }
  return 0;
}

/** Each table has the length its scalars say, and its elements are in their bounds. */
function checkTableContents<Family>(program: usize, directory: usize): u32 {
  const family = changetype<Family>(0);
  for (let i = 0; i < family.numTables; i++) {
    const table = program + load<u32>(directory + 8 * <usize>i);
    const length = load<u32>(directory + 8 * <usize>i, 4);
    if (length != <u32>family.tableLength(i)) return faultCode(FAULT_TABLE_CONTENT, i);
    const range = family.tableRanges + 8 * <usize>i;
    const isFloat = load<u8>(family.tableFloats + i) != 0;
    const good = isFloat
      ? floatsWithin(table, length, load<f32>(range), load<f32>(range, 4))
      : wordsBelow(table, length, family.tableBelow(i));
    if (!good) return faultCode(FAULT_TABLE_CONTENT, i);
  }
  return 0;
}

function floatsWithin(table: usize, length: u32, low: f32, high: f32): bool {
  for (let k: u32 = 0; k < length; k++) {
    const value = load<f32>(table + 4 * k);
    if (value < low || value > high) return false;
  }
  return true;
}

function wordsBelow(table: usize, length: u32, below: u32): bool {
  if (below == NO_BOUND) return true;
  for (let k: u32 = 0; k < length; k++) {
    if (load<u32>(table + 4 * k) >= below) return false;
  }
  return true;
}

/** Word-wise FNV-1a, wrapping in 32 bits. */
function checksum(from: usize, to: usize): u32 {
  let hash = FNV_BASIS;
  for (let at = from; at < to; at += 4) hash = (hash ^ load<u32>(at)) * FNV_PRIME;
  return hash;
}
