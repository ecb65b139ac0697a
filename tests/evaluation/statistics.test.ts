import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeRng } from '../../src/base/seeding.js';
import {
  bootstrapInterval,
  interquartileMean,
  mean,
  quantile,
  studentTQuantile,
  studentTTwoSidedTail,
  summarize,
  summarizePaired,
  variance,
} from '../../src/evaluation/statistics.js';
import { chiSquareTest, ksTest, poolCells } from '../support/distribution.js';

// Expected figures are SciPy 1.17's and NumPy's unless a comment says otherwise.
const A = [0.61, 0.58, 0.7, 0.66, 0.49, 0.73, 0.55, 0.68];
const B = [0.5, 0.55, 0.61, 0.6, 0.5, 0.62, 0.51, 0.59];

describe("Student's t", () => {
  const url = new URL('student-t.json', import.meta.url);
  const scipy: { t975: number[]; t995: number[] } = JSON.parse(readFileSync(url, 'utf8'));

  it('agrees with SciPy from 1 to 200 degrees of freedom', () => {
    for (let df = 1; df <= 200; df++) {
      expect(Math.abs(studentTQuantile(0.975, df) / scipy.t975[df - 1] - 1)).toBeLessThan(1e-13);
      expect(Math.abs(studentTQuantile(0.995, df) / scipy.t995[df - 1] - 1)).toBeLessThan(1e-13);
    }
  });

  it('agrees with SciPy elsewhere', () => {
    expect(studentTQuantile(0.9, 2.5)).toBeCloseTo(1.7302509288071766, 13);
    expect(studentTQuantile(0.975, 1e6)).toBeCloseTo(1.959966356814107, 10);
    expect(studentTQuantile(0.5, 3)).toBe(0);
    expect(studentTTwoSidedTail(-1.3, 4.7) / 2).toBeCloseTo(0.12684864793230508, 14);
    expect(studentTTwoSidedTail(1e200, 3)).toBe(0);
  });

  it('is symmetric, and quantile and tail invert each other', () => {
    for (const df of [1, 1.5, 7, 90, 4000]) {
      for (const p of [0.6, 0.9, 0.999, 1 - 1e-9]) {
        const t = studentTQuantile(p, df);
        expect(studentTTwoSidedTail(t, df) / (2 * (1 - p))).toBeCloseTo(1, 10);
        expect(studentTQuantile(0.25, df)).toBeCloseTo(-studentTQuantile(0.75, df), 13);
      }
    }
  });

  it('refuses what has no quantile', () => {
    expect(() => studentTQuantile(1, 5)).toThrow('p is 1');
    expect(() => studentTQuantile(0.9, 0)).toThrow('degreesOfFreedom is 0');
    expect(() => studentTTwoSidedTail(Number.NaN, 2)).toThrow('t is NaN');
  });
});

describe('summaries', () => {
  it('give mean, standard error and interval', () => {
    const { mean: average, standardError, ci95 } = summarize(A);
    expect(average).toBeCloseTo(0.625, 14);
    expect(standardError).toBeCloseTo(0.028970428272390353, 14);
    expect(ci95?.[0]).toBeCloseTo(0.5564958227280765, 13);
    expect(ci95?.[1]).toBeCloseTo(0.6935041772719235, 13);
  });

  it('give no interval for one value', () => {
    expect(summarize([3])).toEqual({ n: 1, mean: 3, standardError: null, ci95: null });
  });

  it('pair policies seed by seed', () => {
    const { mean: average, ci95 } = summarizePaired(A, B);
    expect(average).toBeCloseTo(0.065, 14);
    expect(ci95?.[0]).toBeCloseTo(0.0292502416352758, 13);
    expect(ci95?.[1]).toBeCloseTo(0.1007497583647242, 13);
    expect(() => summarizePaired(A, [1])).toThrow('pairs are needed');
  });

  it('refuse missing and non-finite values', () => {
    expect(() => mean([])).toThrow('values is empty');
    expect(() => summarize([1, Number.NaN])).toThrow('values[1] is NaN');
    expect(() => variance([1])).toThrow('needs 2');
  });

  it('cover the true mean about 95 times in 100', () => {
    const rng = makeRng('coverage');
    let covered = 0;
    for (let i = 0; i < 1000; i++) {
      const sample = Array.from({ length: 8 }, () => rng.nextFloat() + rng.nextFloat());
      const [lo, hi] = summarize(sample).ci95 ?? [0, 0];
      if (lo <= 1 && hi >= 1) covered++;
    }
    expect(Math.abs(covered - 950)).toBeLessThan(28);
  });
});

describe('robust statistics', () => {
  it('take quantiles as NumPy does', () => {
    const expected = [0.49, 0.532, 0.5725, 0.635, 0.709, 0.73];
    [0, 0.1, 0.25, 0.5, 0.9, 1].forEach((p, i) => {
      expect(quantile(A, p)).toBeCloseTo(expected[i], 14);
    });
    expect(() => quantile(A, 1.5)).toThrow('p is 1.5');
  });

  it('trim quarters as scipy.stats.trim_mean does', () => {
    expect(interquartileMean(A)).toBeCloseTo(0.6325, 14);
    expect(interquartileMean(A.slice(0, 7))).toBeCloseTo(0.62, 14);
    expect(interquartileMean([5])).toBe(5);
  });

  it('bootstrap the same interval each time, near the exact one', () => {
    const [lo, hi] = bootstrapInterval(A, mean);
    expect(bootstrapInterval(A, mean)).toEqual([lo, hi]);
    expect(bootstrapInterval(A, mean, { seed: 1 })).not.toEqual([lo, hi]);
    // The normal interval with the plug-in deviation, which a bootstrap of a mean approaches.
    const margin = 1.96 * Math.sqrt((variance(A) * 7) / 8 / 8);
    expect(Math.abs(lo - (0.625 - margin))).toBeLessThan(0.004);
    expect(Math.abs(hi - (0.625 + margin))).toBeLessThan(0.004);
    const [narrowLo, narrowHi] = bootstrapInterval(A, mean, { level: 0.5, resamples: 2000 });
    expect(narrowHi - narrowLo).toBeLessThan((hi - lo) / 2);
  });

  it('refuse bad options', () => {
    expect(() => bootstrapInterval(A, mean, { resamples: 0 })).toThrow('resamples is 0');
    expect(() => bootstrapInterval(A, mean, { level: 1 })).toThrow('level is 1');
  });
});

describe('distribution tests', () => {
  it('agree with SciPy on chi-square', () => {
    const test = chiSquareTest([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8]);
    expect(test.statistic).toBeCloseTo(3.5, 14);
    expect(test.pValue).toBeCloseTo(0.6233876277495822, 12);
    const tail = chiSquareTest([100, 10], [80, 30]); // statistic 18.33, one degree of freedom
    expect(tail.pValue / 1.8543408153079394e-5).toBeCloseTo(1, 8);
  });

  it('pool sparse cells without losing counts', () => {
    const pooled = poolCells([1, 2, 3, 40, 2, 1], [1, 2, 4, 38, 3, 1]);
    expect(pooled).toEqual({ observed: [6, 43], expected: [7, 42] });
    expect(() => chiSquareTest([1, 2], [2, 1])).toThrow('below 5');
    expect(() => chiSquareTest([10, 20], [10, 10])).toThrow('sum to');
  });

  it('agree with SciPy on Kolmogorov-Smirnov', () => {
    const uniform = (x: number) => x;
    const ten = [0.05, 0.11, 0.2, 0.31, 0.37, 0.52, 0.6, 0.61, 0.77, 0.93];
    const small = ksTest(ten, uniform);
    expect(small.statistic).toBeCloseTo(0.19, 14);
    expect(Math.abs(small.pValue - 0.7994599807966072)).toBeLessThan(0.003);
    const many = Array.from({ length: 1000 }, (_, i) => ((i + 0.5) / 1000) * 0.97);
    const large = ksTest(many, uniform);
    expect(large.statistic).toBeCloseTo(0.030485, 12);
    expect(Math.abs(large.pValue - 0.3044110416421919)).toBeLessThan(2e-5);
  });

  it('tell a wrong distribution from the right one', () => {
    const rng = makeRng('ks');
    const samples = Array.from({ length: 2000 }, () => rng.nextFloat());
    expect(ksTest(samples, (x) => x).pValue).toBeGreaterThan(0.01);
    expect(ksTest(samples, (x) => x * x).pValue).toBeLessThan(1e-9);
  });
});
