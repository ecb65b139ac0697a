import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeSeries, resampled, scaled, windowOf } from '../../src/data/series.js';

const of = (values: number[], step_s = 60, start_s = 0) =>
  makeSeries({
    name: 'rate',
    unit: 'requests/s',
    values: Float64Array.from(values),
    step_s,
    start_s,
  });

describe('makeSeries', () => {
  it('lists runs of missing samples as gaps', () => {
    const series = of([1, NaN, NaN, 4, NaN], 15, 100);
    expect([...series.times_s]).toEqual([100, 115, 130, 145, 160]);
    expect(series.gaps).toEqual([
      { from_s: 115, to_s: 145 },
      { from_s: 160, to_s: 175 },
    ]);
  });

  it('refuses infinite values by their row, no values at all, and a step of nothing', () => {
    expect(() => of([1, Infinity])).toThrow(/data row 2, column "rate": is Infinity/);
    expect(() => of([NaN, NaN])).toThrow(/no sample has a value/);
    expect(() => of([1], 0)).toThrow(/step_s is 0/);
  });
});

describe('windows, factors and steps', () => {
  it('takes the samples from a time until before another', () => {
    const window = windowOf(of([1, 2, 3, 4], 60, 1000), 1060, 1180);
    expect([...window.values]).toEqual([2, 3]);
    expect(window.times_s[0]).toBe(1060);
    expect(() => windowOf(of([1, 2]), 500, 600)).toThrow(/outside of 0 \.\. 120/);
  });

  it('keeps a factor in the provenance', () => {
    const tenfold = scaled(of([1, NaN, 3]), 10);
    expect([...tenfold.values]).toEqual([10, NaN, 30]);
    expect(tenfold.provenance.converted).toEqual([{ what: 'values multiplied by 10', count: 3 }]);
  });

  it('keeps a gap when steps are joined', () => {
    const series = resampled(of([1, 3, NaN, 4, 5, 6]), 120);
    expect([...series.values]).toEqual([2, NaN, 5.5]);
    expect(series.gaps).toEqual([{ from_s: 120, to_s: 240 }]);
  });

  it('keeps the count of requests at any step that divides the recording', () => {
    const counts = fc.array(fc.integer({ min: 0, max: 1e6 }), { minLength: 12, maxLength: 120 });
    fc.assert(
      fc.property(counts, fc.constantFrom(1, 5, 7.5, 30, 60, 120, 240), (values, step_s) => {
        const whole = values.slice(0, Math.floor(values.length / 12) * 12);
        const series = of(whole, 20);
        const other = resampled(series, step_s);
        const count = (s: typeof series) => s.values.reduce((n, rate) => n + rate * s.step_s, 0);
        expect(count(other)).toBeCloseTo(count(series), 3);
      }),
    );
  });
});
