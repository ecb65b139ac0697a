import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Track } from '../../web/src/charts/track.js';

function trackOf(values: Iterable<number>): Track {
  const track = new Track();
  for (const value of values) track.push(value);
  return track;
}

describe('a track', () => {
  it('is its values where they are few', () => {
    const track = trackOf([3, Number.NaN, -1]);
    expect(track.positions()).toEqual([0, 1, 2]);
    expect(track.values()).toEqual([3, null, -1]);
  });

  it('keeps the extremes of any number of values, in a bounded number of points', () => {
    const lengths = fc.integer({ min: 1025, max: 20_000 });
    const extreme = fc.record({ at: fc.nat(), value: fc.constantFrom(1000, -1000) });
    fc.assert(
      fc.property(lengths, extreme, (length, { at, value }) => {
        const place = at % length;
        const track = trackOf(
          Array.from({ length }, (_, i) => (i === place ? value : Math.sin(i / 50))),
        );
        const points = track.values();
        const positions = track.positions();
        expect(points.length).toBe(positions.length);
        expect(points.length).toBeLessThanOrEqual(2048);
        const shown = points.indexOf(value);
        expect(shown).toBeGreaterThanOrEqual(0);
        expect(Math.abs(positions[shown] - place)).toBeLessThan(track.bucketSize);
      }),
      { numRuns: 30 },
    );
  });

  it('draws a bucket in the order in which its extremes came', () => {
    // A sawtooth: within each bucket of 4 it rises, and so must the two points of each.
    const points = trackOf(Array.from({ length: 4096 }, (_, i) => i % 4)).values();
    for (let i = 0; i < points.length; i += 2) expect(points[i]!).toBeLessThan(points[i + 1]!);
  });

  it('begins again when it is cleared', () => {
    const track = trackOf(Array.from({ length: 5000 }, (_, i) => i));
    track.clear();
    track.push(7);
    expect(track.values()).toEqual([7]);
  });
});
