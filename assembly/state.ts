/**
 * The state of a batch, in blocks of four environments. Within a block it is a structure of
 * arrays, four values a slot, which is what a SIMD register takes; and the blocks keep an
 * environment's slots in neighbouring cache lines, where one array a slot would put them whole
 * powers of two apart, into the same few sets of the cache.
 *
 * | block of four  | content                         |
 * |----------------|---------------------------------|
 * | words          | [slot][4], u32                  |
 * | reals          | [slot][4], f64                  |
 * | statistics     | [slot][4], f64                  |
 *
 * Arrays, whose size a task decides, are kept environment by environment behind the blocks: those
 * of 4-byte elements together, and those of f64.
 */
import { allocate, allocateRows } from './memory';

/** Environments in a block. */
export const LANES: i32 = 4;
const WORD_ROW_BYTES: u32 = 4 * LANES;
const REAL_ROW_BYTES: u32 = 8 * LANES;

let base: usize = 0;
let blockBytes: u32 = 0;
let realsOffset: u32 = 0;
let statisticsOffset: u32 = 0;
let numEnvs: u32 = 0;
let numWords: i32 = 0;
let numArrayElements: i32 = 0;
let numReals: i32 = 0;
let numStatistics: i32 = 0;
let numRealArrayElements: i32 = 0;
let arrays: usize = 0;
let realArrays: usize = 0;

/** Room for slots on their way: few calls move the state, and little memory is taken for it. */
const SLOTS_BYTES: u32 = 1 << 18;
let slots: usize = 0;
let slotsBytes: u32 = 0;

/** Allocates the state of a batch, all zero. */
export function allocateState(
  n: u32,
  words: i32,
  arrayElements: i32,
  reals: i32,
  statistics: i32,
  realArrayElements: i32,
): void {
  numEnvs = n;
  numWords = words;
  numArrayElements = arrayElements;
  numReals = reals;
  numStatistics = statistics;
  numRealArrayElements = realArrayElements;
  if (<u64>n * 8 > <u64>u32.MAX_VALUE) unreachable();
  slotsBytes = n << 3 > SLOTS_BYTES ? n << 3 : SLOTS_BYTES;
  slots = allocate(slotsBytes);
  // Words are padded to whole rows of f64, so that all rows are aligned.
  realsOffset = (words * WORD_ROW_BYTES + REAL_ROW_BYTES - 1) & ~(REAL_ROW_BYTES - 1);
  statisticsOffset = realsOffset + reals * REAL_ROW_BYTES;
  blockBytes = statisticsOffset + statistics * REAL_ROW_BYTES;
  base = allocateRows((n + LANES - 1) / LANES, blockBytes);
  arrays = allocateRows(n, 4 * arrayElements);
  realArrays = allocateRows(n, 8 * realArrayElements);
}

/** Where environment i's arrays are; the generated `a_` offsets count from here. */
@inline
export function arraysOf(i: i32): usize {
  return arrays + <usize>i * (<usize>numArrayElements << 2);
}

/** Where environment i's arrays of f64 are; the generated `a_` offsets count from here. */
@inline
export function realArraysOf(i: i32): usize {
  return realArrays + <usize>i * (<usize>numRealArrayElements << 3);
}

/** Where environment i's words are; `word` and `setWord` take it. */
@inline
export function wordsOf(i: i32): usize {
  return base + (<u32>i / LANES) * blockBytes + ((<u32>i % LANES) << 2);
}

/** Where environment i's reals are; `real` and `setReal` take it. */
@inline
export function realsOf(i: i32): usize {
  return base + (<u32>i / LANES) * blockBytes + realsOffset + ((<u32>i % LANES) << 3);
}

/** Where environment i's statistics are; `real` and `setReal` take it. */
@inline
export function statisticsOf(i: i32): usize {
  return base + (<u32>i / LANES) * blockBytes + statisticsOffset + ((<u32>i % LANES) << 3);
}

@inline
export function word(words: usize, slot: i32): u32 {
  return load<u32>(words + <usize>slot * WORD_ROW_BYTES);
}

/** A word of four environments; `words` is where the first one's are. */
@inline
export function wordRow(words: usize, slot: i32): v128 {
  return v128.load(words + <usize>slot * WORD_ROW_BYTES);
}

@inline
export function setWord(words: usize, slot: i32, value: u32): void {
  store<u32>(words + <usize>slot * WORD_ROW_BYTES, value);
}

@inline
export function real(reals: usize, slot: i32): f64 {
  return load<f64>(reals + <usize>slot * REAL_ROW_BYTES);
}

@inline
export function setReal(reals: usize, slot: i32, value: f64): void {
  store<f64>(reals + <usize>slot * REAL_ROW_BYTES, value);
}

@inline
export function setWordRow(words: usize, slot: i32, row: v128): void {
  v128.store(words + <usize>slot * WORD_ROW_BYTES, row);
}

/** A real or statistic of two environments; `reals` is where the first one's are. */
@inline
export function realPair(reals: usize, slot: i32): v128 {
  return v128.load(reals + <usize>slot * REAL_ROW_BYTES);
}

@inline
export function setRealPair(reals: usize, slot: i32, pair: v128): void {
  v128.store(reals + <usize>slot * REAL_ROW_BYTES, pair);
}

/** Where slots are exchanged. */
export function slotBuffer(): usize {
  return slots;
}

/** Bytes of that buffer: one slot of all environments at least. */
export function slotBufferBytes(): u32 {
  return slotsBytes;
}

/** Where slot k of environment i is kept: words, arrays, reals, statistics, arrays of f64. */
function placeOf(k: i32, i: i32): usize {
  if (k < numWords) return wordsOf(i) + <usize>k * WORD_ROW_BYTES;
  let left = k - numWords;
  if (left < numArrayElements) return arraysOf(i) + (<usize>left << 2);
  left -= numArrayElements;
  if (left < numReals) return realsOf(i) + <usize>left * REAL_ROW_BYTES;
  left -= numReals;
  if (left < numStatistics) return statisticsOf(i) + <usize>left * REAL_ROW_BYTES;
  return realArraysOf(i) + (<usize>(left - numStatistics) << 3);
}

@inline
function slotSize(k: i32): i32 {
  return k < numWords + numArrayElements ? 4 : 8;
}

/** Copies `count` slots from `first` on out, [slot][environment]. */
export function exportSlots(first: i32, count: i32): void {
  let at = slots;
  for (let k = first; k < first + count; k++) {
    const size = slotSize(k);
    for (let i: u32 = 0; i < numEnvs; i++, at += size) {
      if (size === 4) store<u32>(at, load<u32>(placeOf(k, i)));
      else store<u64>(at, load<u64>(placeOf(k, i)));
    }
  }
}

/** Takes what `exportSlots` gave. */
export function importSlots(first: i32, count: i32): void {
  let at = slots;
  for (let k = first; k < first + count; k++) {
    const size = slotSize(k);
    for (let i: u32 = 0; i < numEnvs; i++, at += size) {
      if (size === 4) store<u32>(placeOf(k, i), load<u32>(at));
      else store<u64>(placeOf(k, i), load<u64>(at));
    }
  }
}
