/**
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random
 * numbers: as easy as 1, 2, 3" (SC'11). A block of four words is a pure function of counter and
 * key: nothing is stored, so no draw can depend on any other.
 */
import {
  STREAM_RESET,
  WORD_EPISODE,
  WORD_SEED_HI,
  WORD_SEED_LO,
  WORD_STEP,
} from './generated/common';
import { word, wordRow, wordsOf } from './state';

const NUM_ROUNDS: i32 = 10;
const MULTIPLIER_0: u32 = 0xd2511f53;
const MULTIPLIER_1: u32 = 0xcd9e8d57;
// Added to the key after each round: the golden ratio and sqrt(3) - 1, as 32-bit fractions.
const KEY_STEP_0: u32 = 0x9e3779b9;
const KEY_STEP_1: u32 = 0xbb67ae85;

/** The words of the block drawn last. */
export class Words {
  static x0: u32 = 0;
  static x1: u32 = 0;
  static x2: u32 = 0;
  static x3: u32 = 0;
}

/** Draws the block (step, episode, stream, block) of environment i into `Words`. */
export function drawBlock(i: i32, stream: u32, block: u32): void {
  const w = wordsOf(i);
  const step = stream == STREAM_RESET ? 0 : word(w, WORD_STEP);
  const lo = word(w, WORD_SEED_LO);
  philox4x32(step, word(w, WORD_EPISODE), stream, block, lo, word(w, WORD_SEED_HI));
}

/** One block of four words into `Words`. */
export function philox4x32(x0: u32, x1: u32, x2: u32, x3: u32, key0: u32, key1: u32): void {
  for (let round = 0; round < NUM_ROUNDS; round++) {
    const product0 = <u64>MULTIPLIER_0 * <u64>x0;
    const product1 = <u64>MULTIPLIER_1 * <u64>x2;
    x0 = <u32>(product1 >> 32) ^ x1 ^ key0;
    x1 = <u32>product1;
    x2 = <u32>(product0 >> 32) ^ x3 ^ key1;
    x3 = <u32>product0;
    key0 += KEY_STEP_0;
    key1 += KEY_STEP_1;
  }
  Words.x0 = x0;
  Words.x1 = x1;
  Words.x2 = x2;
  Words.x3 = x3;
}


/** As `drawBlock` for the four environments from i on, into [4 words][4 environments] at `out`. */
export function drawBlocks(i: i32, stream: u32, block: u32, out: usize): void {
  const w = wordsOf(i);
  const zero = i32x4.splat(0);
  let x0 = stream == STREAM_RESET ? zero : wordRow(w, WORD_STEP);
  let x1 = wordRow(w, WORD_EPISODE);
  let x2 = i32x4.splat(stream);
  let x3 = i32x4.splat(block);
  let key0 = wordRow(w, WORD_SEED_LO);
  let key1 = wordRow(w, WORD_SEED_HI);
  const multiplier0 = i32x4.splat(MULTIPLIER_0);
  const multiplier1 = i32x4.splat(MULTIPLIER_1);
  const keyStep0 = i32x4.splat(KEY_STEP_0);
  const keyStep1 = i32x4.splat(KEY_STEP_1);
  for (let round = 0; round < NUM_ROUNDS; round++) {
    const low0 = i64x2.extmul_low_i32x4_u(x0, multiplier0);
    const high0 = i64x2.extmul_high_i32x4_u(x0, multiplier0);
    const low1 = i64x2.extmul_low_i32x4_u(x2, multiplier1);
    const high1 = i64x2.extmul_high_i32x4_u(x2, multiplier1);
    x0 = v128.xor(v128.xor(upperWords(low1, high1), x1), key0);
    x1 = lowerWords(low1, high1);
    x2 = v128.xor(v128.xor(upperWords(low0, high0), x3), key1);
    x3 = lowerWords(low0, high0);
    key0 = i32x4.add(key0, keyStep0);
    key1 = i32x4.add(key1, keyStep1);
  }
  v128.store(out, x0);
  v128.store(out, x1, 16);
  v128.store(out, x2, 32);
  v128.store(out, x3, 48);
}

/** The lower halves of four products, two in each register. */
@inline
function lowerWords(low: v128, high: v128): v128 {
  return v128.shuffle<i32>(low, high, 0, 2, 4, 6);
}

/** The upper halves of four products, two in each register. */
@inline
function upperWords(low: v128, high: v128): v128 {
  return v128.shuffle<i32>(low, high, 1, 3, 5, 7);
}

/** An integer uniform on [0, n), n <= 2^21: the upper word of word x n, exact in binary64. */
export function wordBelow(word: u32, n: f64): f64 {
  return Math.floor((<f64>word * n) / 4294967296.0);
}

/** The top 24 bits of a word as an f32 in [0, 1). */
export function unitOf(word: u32): f32 {
  return <f32>(word >> 8) * <f32>(1.0 / 16777216.0);
}
