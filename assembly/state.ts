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
 * Arrays, whose size a task decides, are kept environment by environment behind the blocks.
 */
import { allocateRows } from './memory';

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
let arrays: usize = 0;
let slot: usize = 0;

/** Allocates the state of a batch, all zero. */
export function allocateState(
  n: u32,
  words: u32,
  arrayElements: u32,
  reals: u32,
  statistics: u32,
): void {
  numEnvs = n;
  numWords = words;
  numArrayElements = arrayElements;
  slot = allocateRows(n, 8);
  // Words are padded to whole rows of f64, so that all rows are aligned.
  realsOffset = (words * WORD_ROW_BYTES + REAL_ROW_BYTES - 1) & ~(REAL_ROW_BYTES - 1);
  statisticsOffset = realsOffset + reals * REAL_ROW_BYTES;
  blockBytes = statisticsOffset + statistics * REAL_ROW_BYTES;
  base = allocateRows((n + LANES - 1) / LANES, blockBytes);
  arrays = allocateRows(n, 4 * arrayElements);
}

/** Where environment i's arrays are; the generated `a_` offsets count from here. */
@inline
export function arraysOf(i: i32): usize {
  return arrays + <usize>i * (<usize>numArrayElements << 2);
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

/** Where slots are exchanged: 8 bytes an environment. */
export function slotBuffer(): usize {
  return slot;
}

/** Copies slot k of every environment out: words, then arrays, reals and statistics. */
export function exportSlot(k: i32): void {
  const element = k - numWords;
  const realSlot = element - numArrayElements;
  for (let i: u32 = 0; i < numEnvs; i++) {
    const at = slot + (i << 2);
    if (element < 0) store<u32>(at, word(wordsOf(i), k));
    else if (realSlot < 0) store<u32>(at, load<u32>(arraysOf(i) + (<usize>element << 2)));
    else store<f64>(slot + (i << 3), real(realsOf(i), realSlot));
  }
}

/** Takes slot k of every environment. */
export function importSlot(k: i32): void {
  const element = k - numWords;
  const realSlot = element - numArrayElements;
  for (let i: u32 = 0; i < numEnvs; i++) {
    const at = slot + (i << 2);
    if (element < 0) setWord(wordsOf(i), k, load<u32>(at));
    else if (realSlot < 0) store<u32>(arraysOf(i) + (<usize>element << 2), load<u32>(at));
    else setReal(realsOf(i), realSlot, load<f64>(slot + (i << 3)));
  }
}
