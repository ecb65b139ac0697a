/**
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random
 * numbers: as easy as 1, 2, 3" (SC'11). A block of four words is a pure function of counter and
 * key: nothing is stored, so no draw can depend on any other.
 */

const NUM_ROUNDS = 10;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
// Added to the key after each round: the golden ratio and sqrt(3) - 1, as 32-bit fractions.
const KEY_STEP_0 = 0x9e3779b9;
const KEY_STEP_1 = 0xbb67ae85;

/**
 * One block of four 32-bit words.
 *
 * @param counter four unsigned 32-bit words
 * @param key two unsigned 32-bit words
 * @param out where the four words go
 * @returns `out`
 */
export function philox4x32(
  counter: ArrayLike<number>,
  key: ArrayLike<number>,
  out: Uint32Array,
): Uint32Array {
  let x0 = counter[0] >>> 0;
  let x1 = counter[1] >>> 0;
  let x2 = counter[2] >>> 0;
  let x3 = counter[3] >>> 0;
  let key0 = key[0] >>> 0;
  let key1 = key[1] >>> 0;
  for (let round = 0; round < NUM_ROUNDS; round++) {
    const high0 = mulHigh(MULTIPLIER_0, x0);
    const low0 = Math.imul(MULTIPLIER_0, x0) >>> 0;
    const high1 = mulHigh(MULTIPLIER_1, x2);
    const low1 = Math.imul(MULTIPLIER_1, x2) >>> 0;
    x0 = (high1 ^ x1 ^ key0) >>> 0;
    x1 = low1;
    x2 = (high0 ^ x3 ^ key1) >>> 0;
    x3 = low0;
    key0 = (key0 + KEY_STEP_0) >>> 0;
    key1 = (key1 + KEY_STEP_1) >>> 0;
  }
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
  return out;
}

/**
 * The upper 32 bits of a 64-bit product, by 16-bit halves: a partial product plus a carry of 16
 * bits is below 2^32, so every sum is exact.
 */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = Math.imul(aLow, bLow) >>> 0;
  const middle = (Math.imul(aHigh, bLow) >>> 0) + (low >>> 16);
  const carry = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff);
  return ((Math.imul(aHigh, bHigh) >>> 0) + (middle >>> 16) + (carry >>> 16)) >>> 0;
}
