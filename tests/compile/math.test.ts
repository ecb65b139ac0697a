import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  cos2pi,
  exp,
  log,
  normalQuantile,
  normalTail,
  pow,
  sin2pi,
} from '../../src/program/math.js';

/**
 * Rows [argument(s)…, high, low]: the true value, from 60-digit arithmetic (mpmath), is high + low
 * far beyond double precision. Half the arguments are edges of the reductions, half random.
 */
const vectors = JSON.parse(
  readFileSync(new URL('./math-vectors.json', import.meta.url), 'utf8'),
) as Record<string, number[][]>;

/** Spacing of doubles just above |x|. */
function ulp(x: number): number {
  const cell = new Float64Array([Math.abs(x)]);
  const bits = new BigInt64Array(cell.buffer);
  bits[0] += 1n;
  return cell[0] - Math.abs(x);
}

describe('against high-precision values, in ulps', () => {
  const cases: [string, (...x: number[]) => number, number][] = [
    ['exp', exp, 0.9],
    ['log', log, 0.9],
    ['pow', pow, 16],
    ['normalTail', normalTail, 6],
    ['cos2pi', cos2pi, 2],
    ['sin2pi', sin2pi, 2],
  ];
  test.each(cases)('%s', (name, f, bound) => {
    expect(vectors[name].length).toBeGreaterThan(15);
    for (const row of vectors[name]) {
      const x = row.slice(0, -2);
      const [high, low] = row.slice(-2);
      const error = Math.abs(f(...x) - high - low) / ulp(high);
      expect(error, `${name}(${x.join(', ')})`).toBeLessThan(bound);
    }
  });
});

describe('against the host, which is itself within an ulp or so', () => {
  const count = 200_000;
  test.each([
    ['exp', exp, Math.exp, (i: number) => -708 + (1417 * i) / count],
    ['exp near 0', exp, Math.exp, (i: number) => -2 + (4 * i) / count],
    ['log', log, Math.log, (i: number) => Math.exp(-700 + (1400 * i) / count)],
    ['log near 1', log, Math.log, (i: number) => 0.4 + (2 * i) / count],
  ])('%s stays within 2 ulp', (_, ours, host, argument) => {
    let worst = 0;
    for (let i = 0; i <= count; i++) {
      const x = argument(i);
      const theirs = host(x);
      if (theirs === 0) expect(ours(x)).toBe(0);
      else worst = Math.max(worst, Math.abs(ours(x) - theirs) / ulp(theirs));
    }
    expect(worst).toBeLessThanOrEqual(2);
  });
});

test('exact values are exact', () => {
  expect(exp(0)).toBe(1);
  expect(log(1)).toBe(0);
  expect([pow(3, 0), pow(1, 99), pow(0, 2), pow(0, 0), pow(0.3, 1)]).toEqual([1, 1, 0, 1, 0.3]);
  expect([pow(9, 0.5), pow(1.1, 2), pow(3, -1)]).toEqual([3, 1.1 * 1.1, 1 / 3]);
  expect([cos2pi(0), cos2pi(0.25), cos2pi(0.5), cos2pi(-3)]).toEqual([1, 0, -1, 1]);
  expect([sin2pi(0), sin2pi(0.25), sin2pi(0.5), sin2pi(-0.25)]).toEqual([0, 1, 0, -1]);
});

test('log undoes exp, and exp rises', () => {
  let before = 0;
  for (let x = -700; x <= 700; x += 0.37) {
    const y = exp(x);
    expect(y).toBeGreaterThan(before);
    expect(Math.abs(log(y) - x)).toBeLessThanOrEqual(2 ** -52 * Math.max(1, Math.abs(x)));
    before = y;
  }
});

test('sine and cosine keep their symmetries bit for bit', () => {
  for (let x = 0; x < 1; x += 1 / 4096 + 1e-7) {
    expect(cos2pi(-x)).toBe(cos2pi(x));
    expect(sin2pi(-x)).toBe(x === 0 ? 0 : -sin2pi(x));
    expect(Math.abs(cos2pi(x) ** 2 + sin2pi(x) ** 2 - 1)).toBeLessThan(1e-15);
  }
});

test('the normal quantile is symmetric and never forms 1 - p', () => {
  for (const p of [0.5, 0.3, 0.075, 1e-3, 2 ** -25, 1e-300]) {
    expect(normalQuantile('lower', p)).toBe(normalTail(p));
    expect(normalQuantile('upper', p) + normalTail(p)).toBe(0);
  }
  expect(normalQuantile('upper', 1e-300)).toBeGreaterThan(37);
});

test('arguments out of range are refused by name and value', () => {
  expect(() => exp(709.5)).toThrow('exp(709.5): x must lie in [-708, 709]');
  expect(() => exp(Number.NaN)).toThrow('exp(NaN)');
  expect(() => log(0)).toThrow('log(0): x must be positive and finite');
  expect(() => log(-1)).toThrow(RangeError);
  expect(() => log(Infinity)).toThrow('log(Infinity)');
  expect(() => pow(-2, 3)).toThrow('pow(-2, 3)');
  expect(() => pow(0, -1)).toThrow('pow(0, -1)');
  expect(() => pow(10, 400)).toThrow('pow(10, 400): the result is not a normal double');
  expect(() => pow(2, Infinity)).toThrow('pow(2, Infinity)');
  expect(() => normalTail(0.6)).toThrow('normalTail(0.6): p must lie in (0, 0.5]');
  expect(() => normalQuantile('upper', 0)).toThrow('normalTail(0)');
  expect(() => cos2pi(Infinity)).toThrow('cos2pi(Infinity): x must be finite');
  expect(() => sin2pi(Number.NaN)).toThrow('sin2pi(NaN)');
});
