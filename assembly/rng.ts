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
import { word, wordsOf } from './state';

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

/** An integer uniform on [0, n), n <= 2^21: the upper word of word x n, exact in binary64. */
export function wordBelow(word: u32, n: f64): f64 {
  return Math.floor((<f64>word * n) / 4294967296.0);
}

/** The top 24 bits of a word as an f32 in [0, 1). */
export function unitOf(word: u32): f32 {
  return <f32>(word >> 8) * <f32>(1.0 / 16777216.0);
}
