/** The draws of an environment: one Philox block per (step, episode, stream, block). */
import { stream } from '../generated/common.js';
import type { CommonState } from './environment.js';
import { philox4x32 } from './philox.js';

const counter = new Uint32Array(4);
const key = new Uint32Array(2);

/** Writes the four words of a block into `out`. Nothing is stored or advanced. */
export function drawBlock(
  state: CommonState,
  streamIndex: number,
  block: number,
  out: Uint32Array,
): Uint32Array {
  counter[0] = streamIndex === stream.reset ? 0 : state.step;
  counter[1] = state.episode;
  counter[2] = streamIndex;
  counter[3] = block;
  key[0] = state.seedLo;
  key[1] = state.seedHi;
  return philox4x32(counter, key, out);
}

/** An integer uniform on [0, n), n <= 2^21: the upper word of word × n, exact in binary64. */
export function wordBelow(word: number, n: number): number {
  return Math.floor((word * n) / 4294967296);
}

/** The top 24 bits of a word as an f32 in [0, 1). */
export const unitOf = (word: number): number => (word >>> 8) / 16777216;
