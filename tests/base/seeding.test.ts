import { describe, expect, it } from 'vitest';
import { addSeed, formatSeed, makeRng, parseSeed, parseSeedRange } from '../../src/base/seeding.js';

describe('parseSeed', () => {
  it('reads numbers, BigInts and digits alike', () => {
    const seed = { lo: 1, hi: 0x200000 };
    expect(parseSeed(2n ** 53n + 1n)).toEqual(seed);
    expect(parseSeed('9007199254740993')).toEqual(seed);
    expect(parseSeed(7)).toEqual(parseSeed('007'));
    expect(parseSeed(2 ** 53)).toEqual({ lo: 0, hi: 0x200000 });
    expect(parseSeed(2n ** 64n - 1n)).toEqual({ lo: 0xffffffff, hi: 0xffffffff });
  });

  it('spreads other text over 64 bits, the same ones for ever', () => {
    expect(formatSeed(parseSeed('hello'))).toBe('930788753341852344');
    expect(parseSeed('hello')).not.toEqual(parseSeed('hello!'));
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53 + 2, -1n, 2n ** 64n, '18446744073709551616', '-3', '1.5'])(
    'refuses %s',
    (seed) => expect(() => parseSeed(seed)).toThrow(/^seed is .*: a whole number from 0/),
  );

  it('refuses an empty text and other types', () => {
    expect(() => parseSeed('')).toThrow('seed is ""');
    expect(() => parseSeed(null as unknown as string)).toThrow('seed is of type object');
  });
});

describe('addSeed', () => {
  it.each([
    [5n, 3],
    [0xffffffffn, 1],
    [2n ** 64n - 1n, 1],
    [123456789012345678n, 2 ** 53 - 1],
    [2n ** 64n - 1n, 2 ** 53],
  ])('adds to %s with carry: %s', (seed, i) => {
    const sum = (seed + BigInt(i)) % 2n ** 64n;
    expect(addSeed(parseSeed(seed), i)).toEqual(parseSeed(sum));
  });

  it('prints what it reads', () => {
    for (const text of ['0', '4294967296', '18446744073709551615']) {
      expect(formatSeed(parseSeed(text))).toBe(text);
    }
  });

  it('refuses offsets that are not whole', () => {
    expect(() => addSeed(parseSeed(1), -1)).toThrow('seed offset is -1');
  });
});

describe('parseSeedRange', () => {
  it('reads ranges, lists and single seeds', () => {
    expect(parseSeedRange('0..14')).toEqual(Array.from({ length: 15 }, (_, i) => i));
    expect(parseSeedRange('3,5,8')).toEqual([3, 5, 8]);
    expect(parseSeedRange('7')).toEqual([7]);
    expect(parseSeedRange('0..2, 9')).toEqual([0, 1, 2, 9]);
    expect(parseSeedRange('9007199254740993')).toEqual([9007199254740993n]);
  });

  it.each([
    ['', '"" is not understood'],
    ['1..', '"1.." is not understood'],
    ['-1', '"-1" is not understood'],
    ['5..2', '5..2 falls; write 2..5'],
    ['1,2,1', '1 is given more than once'],
    ['0..1000000', 'at most 1000000 seeds'],
    ['18446744073709551616', 'seed is 18446744073709551616'],
  ])('refuses "%s"', (text, message) => {
    expect(() => parseSeedRange(text)).toThrow(message);
  });
});

describe('makeRng', () => {
  it('gives the same numbers for the same seed, however written', () => {
    const draw = (rng = makeRng(42)) => [rng.nextUint32(), rng.nextFloat(), rng.nextUint32()];
    expect(draw()).toEqual(draw(makeRng('42')));
    expect(draw()).toEqual(draw(makeRng({ lo: 42, hi: 0 })));
    expect(draw()).not.toEqual(draw(makeRng(43)));
    expect(makeRng(42).nextUint32()).toBe(30140002);
  });

  it('fills its ranges evenly', () => {
    const rng = makeRng('evenness');
    const counts = new Array<number>(16).fill(0);
    for (let i = 0; i < 32_000; i++) counts[Math.floor(rng.nextFloat() * 16)]++;
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(220);
  });
});
