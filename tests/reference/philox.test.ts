import { expect, it } from 'vitest';
import { philox4x32 } from '../../src/reference/philox.js';

// The known-answer vectors that Random123 publishes for philox4x32 with 10 rounds.
it.each([
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
])('answers counter %s, key %s as Random123 does', (counter, key, expected) => {
  const out = new Uint32Array(4);
  expect(philox4x32(counter, key, out)).toBe(out);
  expect([...out]).toEqual(expected);
});

/** The same function in BigInt, where a 64-bit product needs no halves. */
function philoxWide(counter: number[], key: number[]): number[] {
  const mask = 0xffffffffn;
  let [x0, x1, x2, x3] = counter.map(BigInt);
  let [key0, key1] = key.map(BigInt);
  for (let round = 0; round < 10; round++) {
    const product0 = 0xd2511f53n * x0;
    const product1 = 0xcd9e8d57n * x2;
    x0 = (product1 >> 32n) ^ x1 ^ key0;
    x2 = (product0 >> 32n) ^ x3 ^ key1;
    x1 = product1 & mask;
    x3 = product0 & mask;
    key0 = (key0 + 0x9e3779b9n) & mask;
    key1 = (key1 + 0xbb67ae85n) & mask;
  }
  return [x0, x1, x2, x3].map(Number);
}

it('agrees with 64-bit arithmetic on many blocks', () => {
  const out = new Uint32Array(4);
  let words = [1, 2, 3, 4, 5, 6];
  for (let i = 0; i < 2000; i++) {
    const [counter, key] = [words.slice(0, 4), words.slice(4)];
    philox4x32(counter, key, out);
    expect([...out]).toEqual(philoxWide(counter, key));
    words = [...out, out[0] ^ out[1], out[2] ^ out[3]].map((word) => word >>> 0);
  }
});

it('may write over its own counter', () => {
  const block = new Uint32Array(4);
  philox4x32(block, [0, 0], block);
  expect(block[0]).toBe(0x6627e8d5);
});
