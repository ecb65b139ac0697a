import { describe, expect, it } from 'vitest';
import { makeRng } from '../../src/base/seeding.js';
import { Box, batchSpace, Choice } from '../../src/spaces/index.js';

describe('Choice', () => {
  const space = new Choice([0, 1, 2, 4, 8]);

  it('has its values and nothing between them', () => {
    for (const value of space.values) expect(space.contains(value)).toBe(true);
    expect(space.describe(3, 'spec_length')).toBe(
      'spec_length is 3: one of 0, 1, 2, 4, 8 is needed',
    );
    for (const other of ['2', [2], null, Number.NaN]) expect(space.contains(other)).toBe(false);
  });

  it('draws each value about equally often', () => {
    const rng = makeRng(1);
    const counts = new Map<number, number>();
    for (let i = 0; i < 5000; i++) {
      const value = space.sample(rng);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([0, 1, 2, 4, 8]);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('flattens one-hot and back', () => {
    expect([...space.flatten(4)]).toEqual([0, 0, 0, 1, 0]);
    expect(space.unflatten([0, 0, 0, 1, 0])).toBe(4);
    expect(() => space.flatten(5)).toThrow(/5/);
  });

  it('is described, compared and batched', () => {
    expect(space.toJSON()).toEqual({ space: 'Choice', type: 'number', enum: [0, 1, 2, 4, 8] });
    expect(space.equals(new Choice([0, 1, 2, 4, 8]))).toBe(true);
    expect(space.equals(new Choice([0, 1]))).toBe(false);
    const batch = batchSpace(space, 3);
    expect(batch).toBeInstanceOf(Box);
    expect(batch.contains([0, 8, 2])).toBe(true);
  });

  it('refuses values that do not ascend', () => {
    expect(() => new Choice([])).toThrow(/values/);
    expect(() => new Choice([1, 1])).toThrow(/ascend/);
  });
});
