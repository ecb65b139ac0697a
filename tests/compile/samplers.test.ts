import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  type AliasTable,
  buildAlias,
  buildEqualCells,
  buildPieces,
  buildQuantile,
  lognormalTable,
  mergeCells,
  normalFactorTable,
  type PiecesTable,
  poissonProbabilities,
  sampleAlias,
  sampleEqualCells,
  samplePieces,
  sampleQuantile,
  uniformTable,
} from '../../src/compile/samplers.js';
import { exp, normalTail } from '../../src/program/math.js';

const WORDS_24 = 2 ** 24;
const WORDS_32 = 2 ** 32;

/** A fixed sequence of well mixed 32-bit words (a counter through murmur3's finaliser). */
function mixedWord(i: number): number {
  let h = Math.imul(i + 1, 0x9e3779b9);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

interface Exhaustive {
  /** sha256 of all 2^24 outputs as little-endian binary32, by rising word. */
  digest: string;
  moments: number[];
  min: number;
  max: number;
}

/** Samples every 24-bit word once: exact moments about `centre`, and a digest of every bit. */
function exhaust(sample: (word: number) => number, centre: number): Exhaustive {
  const block = new Float32Array(2 ** 18);
  const bytes = new Uint8Array(block.buffer);
  const hash = createHash('sha256');
  const sums = [0, 0, 0, 0];
  let [min, max] = [Infinity, -Infinity];
  for (let from = 0; from < WORDS_24; from += block.length) {
    for (let i = 0; i < block.length; i++) {
      const v = sample(((from + i) << 8) >>> 0);
      block[i] = v;
      const d = v - centre;
      sums[0] += d;
      sums[1] += d * d;
      sums[2] += d * d * d;
      sums[3] += d * d * d * d;
      if (v < min) min = v;
      if (v > max) max = v;
    }
    hash.update(bytes);
  }
  return { digest: hash.digest('hex'), moments: sums.map((s) => s / WORDS_24), min, max };
}

/** The units of 2^-32 an alias table gives each outcome. */
function aliasCounts({ bits, columns }: AliasTable): number[] {
  const counts = new Array<number>(columns.length).fill(0);
  const capacity = WORDS_32 / columns.length;
  columns.forEach((entry, j) => {
    counts[j] += entry >>> bits;
    counts[entry & (columns.length - 1)] += capacity - (entry >>> bits);
  });
  return counts;
}

/** Poisson probability by its closed form, independent of the recurrence. */
function poisson(mean: number, n: number): number {
  let logarithm = -mean;
  for (let i = 1; i <= n; i++) logarithm += Math.log(mean / i);
  return Math.exp(logarithm);
}

const MEANS = [0, 0.3, 10, 25, 80, 300];

/** r in {0, T - 1, T, last} of column j, with the side each is on. */
function edges(threshold: number, capacity: number): { r: number; side: number }[] {
  const last = { r: capacity - 1, side: 1 };
  const at = { r: threshold, side: 1 };
  if (threshold === 0) return [at, last];
  return [{ r: 0, side: 0 }, { r: threshold - 1, side: 0 }, at, last];
}

describe('A, alias', () => {
  test.each(MEANS)('Poisson(%d) is within n 2^-33 in total variation', (mean) => {
    const { offset, probabilities } = poissonProbabilities(mean);
    const counts = aliasCounts(buildAlias(probabilities, offset, 9));
    expect(counts.reduce((sum, count) => sum + count)).toBe(WORDS_32);
    let difference = 0;
    let covered = 0;
    counts.forEach((count, i) => {
      const p = poisson(mean, offset + i);
      covered += p;
      difference += Math.abs(count / WORDS_32 - p);
    });
    const outside = 1 - covered;
    expect(outside).toBeLessThan(1e-11);
    expect((difference + outside) / 2).toBeLessThan(probabilities.length * 2 ** -33 + 1e-11);
  });

  test.each(MEANS)('Poisson(%d): every edge of every column', (mean) => {
    const { offset, probabilities } = poissonProbabilities(mean);
    const table = buildAlias(probabilities, offset);
    const capacity = WORDS_32 / table.columns.length;
    table.columns.forEach((entry, j) => {
      const outcomes = [j, entry & (table.columns.length - 1)];
      for (const { r, side } of edges(entry >>> table.bits, capacity)) {
        expect(sampleAlias(table, j * capacity + r)).toBe(offset + outcomes[side]);
      }
    });
  });

  test('weights that are multiples of 2^-32 are kept exactly, zeros never occur', () => {
    const weights = [1, 0, WORDS_32 / 2 - 1, 0, WORDS_32 / 4, WORDS_32 / 4];
    expect(aliasCounts(buildAlias(weights))).toEqual([...weights, 0, 0]);
    expect(aliasCounts(buildAlias([0, 7, 0], 0, 9)).slice(0, 4)).toEqual([0, WORDS_32, 0, 0]);
    expect(aliasCounts(buildAlias([1, 1, 1]))).toEqual([1431655766, 1431655765, 1431655765, 0]);
  });

  test('a mean of zero and a single outcome always give the same', () => {
    const { offset, probabilities } = poissonProbabilities(0);
    expect({ offset, probabilities }).toEqual({ offset: 0, probabilities: [1] });
    expect([...buildAlias(probabilities, offset).columns]).toEqual([0, 0]);
    const table = buildAlias([3], -5);
    for (let i = 0; i < 1000; i++) expect(sampleAlias(table, mixedWord(i))).toBe(-5);
  });

  test('chi-square of Poisson(25) over 2^20 words', () => {
    const { offset, probabilities } = poissonProbabilities(25);
    const table = buildAlias(probabilities, offset);
    const draws = 2 ** 20;
    const observed = probabilities.map(() => 0);
    for (let i = 0; i < draws; i++) observed[sampleAlias(table, mixedWord(i)) - offset]++;
    let [statistic, bins, restObserved, restExpected] = [0, 0, 0, 0];
    observed.forEach((count, i) => {
      const expected = draws * poisson(25, offset + i);
      if (expected < 20) {
        restObserved += count;
        restExpected += expected;
        return;
      }
      statistic += (count - expected) ** 2 / expected;
      bins++;
    });
    statistic += (restObserved - restExpected) ** 2 / restExpected;
    // Mean `bins`, variance 2 bins: four standard deviations either way.
    expect(bins).toBeGreaterThan(35);
    expect(Math.abs(statistic - bins)).toBeLessThan(4 * Math.sqrt(2 * bins));
  });

  test('bad weights, bits, offsets and means are named', () => {
    expect(() => buildAlias([1, -2])).toThrow('weight 1 is -2');
    expect(() => buildAlias([1, Number.NaN])).toThrow('weight 1 is NaN');
    expect(() => buildAlias([0, 0])).toThrow('at least one weight');
    expect(() => buildAlias([])).toThrow('at least one weight');
    expect(() => buildAlias([1, 1, 1], 0, 1)).toThrow('bits is 1; 3 outcomes need');
    expect(() => buildAlias([1], 0, 10)).toThrow('bits is 10');
    expect(() => buildAlias([1], 0.5)).toThrow('offset is 0.5');
    expect(() => buildAlias(new Array(513).fill(1))).toThrow('513 outcomes');
    expect(() => poissonProbabilities(-1)).toThrow('Poisson mean is -1');
    expect(() => poissonProbabilities(5000)).toThrow('Poisson mean 5000 needs');
  });
});

const standardNormal = (): Float32Array =>
  buildQuantile((tail, p) => (tail === 'lower' ? normalTail(p) : 0 - normalTail(p)));

describe('Q, quantile', () => {
  test('every 24-bit word of the noise factor: golden bytes and moments', () => {
    const table = normalFactorTable(0.05);
    const { digest, moments, min, max } = exhaust((w) => sampleQuantile(table, w), 1);
    expect(digest).toBe('00b928ccc64b676e145c77119827ca9c37b14259dec74377122f591f2a99c7dc');
    expect(Math.abs(moments[0])).toBeLessThan(2e-8);
    expect(Math.abs(moments[1] / 0.05 ** 2 - 1)).toBeLessThan(2e-6);
    expect([min, max]).toEqual([
      Math.fround(1 - 0.05 * 5.419983),
      Math.fround(1 + 0.05 * 5.419983),
    ]);
  });

  test('every 24-bit word of the standard normal: moments, support, symmetry', () => {
    const table = standardNormal();
    const { moments, min, max } = exhaust((w) => sampleQuantile(table, w), 0);
    expect(moments[0]).toBe(0);
    expect(Math.abs(moments[1] - 1)).toBeLessThan(2e-6);
    expect(Math.abs(moments[2])).toBeLessThan(2e-6);
    // 2^24 midpoints themselves miss 5.2e-6 of the fourth moment, beyond the support.
    expect(Math.abs(moments[3] - 3)).toBeLessThan(1e-5);
    expect(max).toBeLessThan(5.42);
    expect(min).toBe(-max);
  });

  test('KS distance to the normal below 3e-6', () => {
    const table = standardNormal();
    let worst = 0;
    for (let m = 0; m < WORDS_24 / 2; m += 31) {
      const z = normalTail((2 * m + 1) / 2 ** 25);
      const error = Math.abs(sampleQuantile(table, (m << 8) >>> 0) - z);
      worst = Math.max(worst, (error * Math.exp(-0.5 * z * z)) / Math.sqrt(2 * Math.PI));
    }
    expect(worst).toBeLessThan(3e-6);
  });

  test('every octave edge on both tails reads the cell of the float bits', () => {
    const table = standardNormal();
    const float = new Float32Array(1);
    const bits = new Uint32Array(float.buffer);
    const slots = new Set<number>();
    for (let octave = 0; octave < 24; octave++) {
      for (let step = 0; step < 64; step++) {
        for (const nudge of [-1, 1]) {
          const y = (Math.floor((2 ** octave * (64 + step)) / 64) + nudge) | 1;
          if (y < 1 || y >= WORDS_24) continue;
          float[0] = y;
          for (const tail of [0, 1]) {
            const i = (tail << 11) + (bits[0] >>> 17) - (127 << 6);
            const v = Math.fround(table[2 * i] + Math.fround(table[2 * i + 1] * y));
            const word = ((tail << 31) | ((y >>> 1) << 8)) >>> 0;
            expect(sampleQuantile(table, word)).toBe(v);
            const z = (1 - 2 * tail) * normalTail(y / 2 ** 25);
            expect(Math.abs(v - z)).toBeLessThan(y < 2 ** 12 ? 2e-3 : 2e-4);
            slots.add(i);
          }
        }
      }
    }
    // Only odd y occur: octave o < 7 reaches max(1, 2^(o - 1)) of its 64 cells, later ones all.
    expect(slots.size).toBe(2 * (1 + 63 + 17 * 64));
    expect(table.filter((c, i) => c !== 0 && !slots.has(i >> 1)).length).toBe(0);
  });

  test('the low byte of the word is not used', () => {
    const table = standardNormal();
    for (let i = 0; i < 1000; i++) {
      const word = mixedWord(i);
      expect(sampleQuantile(table, word)).toBe(sampleQuantile(table, (word | 255) >>> 0));
    }
  });

  test('lognormal moments', () => {
    const [mu, sigma] = [5.2, 0.9];
    const table = lognormalTable(mu, sigma);
    const mean = Math.exp(mu + sigma ** 2 / 2);
    const { moments, min, max } = exhaust((w) => sampleQuantile(table, w), 0);
    expect(Math.abs(moments[0] / mean - 1)).toBeLessThan(2e-6);
    // The second moment loses what lies beyond |z| = 5.42, about 1e-4 of it at sigma = 0.9.
    expect(Math.abs(moments[1] / (mean ** 2 * Math.exp(sigma ** 2)) - 1)).toBeLessThan(2e-4);
    expect(min).toBeCloseTo(exp(mu + sigma * normalTail(2 ** -25)), 4);
    expect(max / exp(mu - sigma * normalTail(2 ** -25))).toBeCloseTo(1, 6);
  });

  test('uniform moments and KS', () => {
    const table = uniformTable(-2, 6);
    const { moments, min, max } = exhaust((w) => sampleQuantile(table, w), 2);
    expect(Math.abs(moments[0])).toBeLessThan(1e-7);
    expect(Math.abs(moments[1] / (64 / 12) - 1)).toBeLessThan(1e-6);
    expect(min).toBeGreaterThanOrEqual(-2);
    expect(min).toBeLessThan(-2 + 1e-6);
    expect(max).toBe(6);
    let worst = 0;
    for (let m = 0; m < WORDS_24 / 2; m += 127) {
      const v = sampleQuantile(table, ((m << 8) | 0x80000000) >>> 0);
      worst = Math.max(worst, Math.abs((6 - v) / 8 - (2 * m + 1) / 2 ** 25));
    }
    expect(worst).toBeLessThan(2e-7);
  });

  test('what binary32 cannot hold is refused by name', () => {
    expect(() => normalFactorTable(-1)).toThrow('std is -1');
    expect(() => normalFactorTable(1e39)).toThrow('quantile(lower, 1 / 2^25) is');
    expect(() => lognormalTable(Number.NaN, 1)).toThrow('mu is NaN');
    expect(() => lognormalTable(80, 2)).toThrow('mu is 80, sigma 2');
    expect(() => uniformTable(1, 0)).toThrow('hi is 0; it must be finite and >= 1');
    expect(() => buildQuantile(() => Number.NaN)).toThrow('is NaN; it must be finite');
  });
});

const MIXTURE = [
  { weight: 0.7, lo: 10, hi: 20 },
  { weight: 0.2, lo: 100, hi: 300 },
  { weight: 0.1, lo: 50, hi: 50 },
];

describe('P, pieces', () => {
  const thin = [0, 1, 2].flatMap((i) => [
    { weight: 1e-9, lo: 1000 * i, hi: 1000 * i + 1 },
    { weight: 1 + i / 7, lo: 1000 * i + 2, hi: 1000 * i + 700 },
  ]);
  const cases: [string, PiecesTable, { lo: number; hi: number }[]][] = [
    ['a mixture with a gap and an atom', buildPieces(MIXTURE, 6), MIXTURE],
    ['pieces of weight 1e-9', buildPieces(thin), thin],
    ['equal pieces', buildPieces(thin.map((piece) => ({ ...piece, weight: 1 }))), thin],
  ];

  test.each(cases)('%s: each side of each column runs over one piece', (_, table, pieces) => {
    const capacity = WORDS_32 / table.columns.length;
    table.columns.forEach((entry, j) => {
      const threshold = entry >>> table.bits;
      expect(threshold).toBeLessThanOrEqual(capacity / 2);
      const at = (r: number): number => samplePieces(table, j * capacity + r);
      const found = edges(threshold, capacity).map(({ r }) => at(r));
      const sides = threshold === 0 ? [found] : [found.slice(0, 2), found.slice(2)];
      sides.forEach(([first, last], i) => {
        const width = sides.length === 1 ? capacity : i === 0 ? threshold : capacity - threshold;
        const piece = pieces.find(({ lo, hi }) => lo <= first && last <= hi);
        expect(piece, `column ${j}: ${first} to ${last}`).toBeDefined();
        const { lo, hi } = piece as { lo: number; hi: number };
        const slack = (hi - lo) * (1 / width + 1e-6) + hi * 2 ** -22;
        expect(first - lo).toBeLessThanOrEqual(slack);
        expect(hi - last).toBeLessThanOrEqual(slack);
      });
    });
  });

  test('KS of a mixture over 2^20 words, nothing in the gaps, the atom exact', () => {
    const table = buildPieces(MIXTURE);
    const draws = 2 ** 20;
    const values = Float64Array.from({ length: draws }, (_, i) =>
      samplePieces(table, mixedWord(i)),
    ).sort();
    const cdf = (v: number): number =>
      MIXTURE.reduce((sum, { weight, lo, hi }) => {
        const part = hi === lo ? Number(v >= lo) : (v - lo) / (hi - lo);
        return sum + weight * Math.min(1, Math.max(0, part));
      }, 0);
    let [worst, atoms, stray] = [0, 0, 0];
    values.forEach((v, i) => {
      if (v === 50) atoms++;
      else worst = Math.max(worst, Math.abs((i + 0.5) / draws - cdf(v)));
      if (!MIXTURE.some(({ lo, hi }) => lo <= v && v <= hi)) stray++;
    });
    expect(stray).toBe(0);
    expect(Math.abs(atoms / draws - 0.1)).toBeLessThan(4 * Math.sqrt(0.09 / draws));
    // The Kolmogorov distribution's 99.9 % point.
    expect(worst).toBeLessThan(1.95 / Math.sqrt(draws));
  });

  test('moments as exact sums over the sides', () => {
    const table = buildPieces(MIXTURE, 5);
    const capacity = WORDS_32 / table.columns.length;
    let mean = 0;
    table.columns.forEach((entry, j) => {
      const threshold = entry >>> table.bits;
      [
        [0, threshold],
        [threshold, capacity],
      ].forEach(([start, end], side) => {
        const [a, b] = table.coefficients.subarray(4 * j + 2 * side);
        mean += ((end - start) * (a + (b * (start + end - 1)) / 2)) / WORDS_32;
      });
    });
    expect(mean).toBeCloseTo(0.7 * 15 + 0.2 * 200 + 0.1 * 50, 5);
  });

  test('bad pieces are named', () => {
    expect(() => buildPieces([{ weight: 1, lo: 2, hi: 1 }])).toThrow('piece 0 runs from 2 to 1');
    expect(() => buildPieces([{ weight: 1, lo: 0, hi: 1e39 }])).toThrow('the end of piece 0');
    expect(() => buildPieces([{ weight: -1, lo: 0, hi: 1 }])).toThrow('weight 0 is -1');
  });
});

describe('E, equal cells', () => {
  const knots = [1, 3, 4, 4, 9, 50, 1000, 1010];
  const table = buildEqualCells(knots);
  const n = table.length / 2;

  test('every 24-bit word: golden bytes, moments, support', () => {
    const { digest, moments, min, max } = exhaust((w) => sampleEqualCells(table, n, w), 0);
    expect(digest).toBe('357cad0d7d0f5b0d4ed9dc5cc3b46f4e5a04ceb89355cdea350d72f13fc6b4a6');
    const cells = knots.slice(1).map((hi, i) => [knots[i], hi]);
    const mean = cells.reduce((sum, [lo, hi]) => sum + (lo + hi) / 2, 0) / n;
    const square = cells.reduce((sum, [lo, hi]) => sum + (lo * lo + lo * hi + hi * hi) / 3, 0) / n;
    expect(Math.abs(moments[0] / mean - 1)).toBeLessThan(1e-6);
    expect(Math.abs(moments[1] / square - 1)).toBeLessThan(1e-6);
    expect(min).toBe(Math.fround(1 + (2 * 7) / 2 ** 25));
    expect(max).toBe(1010);
  });

  test.each([1, 7, 100, 128])('KS of %d cells below 1e-6, support kept', (count) => {
    const ladder = Array.from({ length: count + 1 }, (_, i) => i * i + i / 3);
    const cells = buildEqualCells(ladder);
    let [worst, stray] = [0, 0];
    for (let u = 0; u < WORDS_24; u += 61) {
      const p = (u + 0.5) / WORDS_24;
      const cell = Math.floor(p * count);
      const width = ladder[cell + 1] - ladder[cell];
      const v = sampleEqualCells(cells, count, (u << 8) >>> 0);
      if (v < Math.fround(ladder[cell]) || v > Math.fround(ladder[cell + 1])) stray++;
      worst = Math.max(worst, Math.abs((cell + (v - ladder[cell]) / width) / count - p));
    }
    expect(stray).toBe(0);
    expect(worst).toBeLessThan(1e-6);
  });

  test('the last word of 128 cells does not overflow', () => {
    const cells = buildEqualCells(Array.from({ length: 129 }, (_, i) => i));
    expect(sampleEqualCells(cells, 128, 0xffffffff)).toBe(128);
    expect(sampleEqualCells(cells, 128, 0)).toBeLessThan(1e-5);
  });

  test('a heavy-tailed file of 1001 knots keeps its mean and support in 128 cells', () => {
    const long = Array.from({ length: 1001 }, (_, i) => 10 * (1001 / (1001 - i)) ** 0.8);
    const mean = long.slice(1).reduce((sum, hi, i) => sum + (hi + long[i]) / 2, 0) / 1000;
    const merged = buildEqualCells(long);
    expect(merged.length).toBe(256);
    const { moments, min, max } = exhaust((w) => sampleEqualCells(merged, 128, w), 0);
    expect(Math.abs(moments[0] / mean - 1)).toBeLessThan(1e-6);
    expect(min).toBeGreaterThanOrEqual(Math.fround(long[0]));
    expect(max).toBeLessThanOrEqual(long[1000]);
    const halves = mergeCells(long, 500);
    expect(halves.reduce((sum, { lo, hi }) => sum + (lo + hi) / 2, 0) / 500).toBeCloseTo(mean, 9);
  });

  test('bad knots are named', () => {
    expect(() => buildEqualCells([1])).toThrow('1 knots given');
    expect(() => buildEqualCells([1, 3, 2])).toThrow('cell 1 runs from 3 to 2');
    expect(() => buildEqualCells([1, Number.NaN])).toThrow('the end of cell 0 is NaN');
    expect(() => mergeCells([1, 2, 3], 3)).toThrow('cells is 3');
  });
});
