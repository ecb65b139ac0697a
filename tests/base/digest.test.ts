import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { Digest, digestOf } from '../../src/base/digest.js';

it('is the beginning of SHA-256 over the bytes', () => {
  const floats = Float32Array.from({ length: 1000 }, (_, i) => i / 3);
  const bytes = new Uint8Array(floats.buffer);
  const expected = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  expect(digestOf(floats)).toBe(expected);
  expect(digestOf(floats.subarray(0, 7), new DataView(floats.buffer, 28))).toBe(expected);
  expect(digestOf()).toBe('e3b0c44298fc1c14');
});

it('goes on after it was read', () => {
  const digest = new Digest().update(new Uint8Array([1]));
  expect(digest.hex()).toBe(digestOf(new Uint8Array([1])));
  digest.update(new Uint8Array([2]));
  expect(digest.hex()).toBe(digestOf(new Uint8Array([1, 2])));
});

it('refuses what is not finite when asked to', () => {
  const digest = new Digest({ assertFinite: true });
  expect(() => digest.update(new Float64Array([1, Number.NaN]))).toThrow('element 1');
  expect(() => digest.update(new Float32Array([Number.POSITIVE_INFINITY]))).toThrow('Infinity');
  expect(digest.update(new Uint32Array([0x7fc00000])).hex()).toHaveLength(16);
});
