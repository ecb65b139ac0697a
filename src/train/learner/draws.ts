/** The learner's draws: Philox blocks named by seed and counter; no generator is advanced. */

import { parseSeed } from '../../base/seeding.js';
import { stream } from '../../generated/common.js';
import { philox4x32 } from '../../reference/philox.js';

/** Streams beside those of environments; `policy` is shared, under a key of its own. */
const learnerStream = { policy: stream.policy, weights: 0x10, order: 0x11 } as const;

const counter = new Uint32Array(4);
const key = new Uint32Array(2);

/** Draws of one seed. The array that a call returns is the next call's too. */
export class Draws {
  private readonly words = new Uint32Array(4);
  private readonly lo: number;
  private readonly hi: number;

  constructor(seed: number | bigint | string) {
    const { lo, hi } = parseSeed(seed);
    this.lo = lo;
    this.hi = hi;
  }

  /** Of an action's number `field`: the first word draws it, the others epsilon and its choice. */
  action(step: number, env: number, field: number): Uint32Array {
    return this.block(step, env, learnerStream.policy, field);
  }

  /** Four words for the weights of a matrix. */
  weights(matrix: number, row: number, block: number): Uint32Array {
    return this.block(row, matrix, learnerStream.weights, block);
  }

  /** Brings 0 .. n − 1 into a random order (Fisher and Yates), another for every `step`. */
  permutation(step: number, order: Uint32Array): Uint32Array {
    for (let i = 0; i < order.length; i++) order[i] = i;
    for (let i = order.length - 1; i > 0; i--) {
      const used = order.length - 1 - i;
      if (used % 4 === 0) this.block(step, 0, learnerStream.order, used / 4);
      const other = Math.floor((this.words[used % 4] * (i + 1)) / 4294967296);
      const value = order[i];
      order[i] = order[other];
      order[other] = value;
    }
    return order;
  }

  /** Uniform numbers in [0, 1) with 24 bits. */
  uniform(step: number, index: number): number {
    return (this.block(step, index, learnerStream.order, 0xffffffff)[0] >>> 8) / 16777216;
  }

  private block(c0: number, c1: number, c2: number, c3: number): Uint32Array {
    counter[0] = c0;
    counter[1] = c1;
    counter[2] = c2;
    counter[3] = c3;
    key[0] = this.lo;
    key[1] = this.hi;
    return philox4x32(counter, key, this.words);
  }
}
