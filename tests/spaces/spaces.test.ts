import { describe, expect, it } from 'vitest';
import { makeRng } from '../../src/base/seeding.js';
import type { Space } from '../../src/spaces/index.js';
import { Box, batchSpace, Dict, Discrete, MultiDiscrete } from '../../src/spaces/index.js';

const SERVER = new Dict({
  tier: new Discrete(3, 1),
  knobs: new MultiDiscrete([4, 2, 5]),
  load: new Box({ low: [0, -1], high: [1, Number.POSITIVE_INFINITY] }),
});
const SPACES: [string, Space<unknown>][] = [
  ['Box', new Box({ low: -2, high: 3, shape: [2, 3] })],
  ['Discrete', new Discrete(7, -3)],
  ['MultiDiscrete', new MultiDiscrete([3, 4], { start: [1, -1] })],
  ['Dict', SERVER],
  ['batch of Dict', batchSpace(SERVER, 4)],
];

describe.each(SPACES)('%s', (_name, space) => {
  it('samples members, which survive flattening', () => {
    const rng = makeRng(1);
    for (let i = 0; i < 200; i++) {
      const x = space.sample(rng);
      expect(space.describe(x)).toBeNull();
      const flat = space.flatten(x);
      expect(flat).toHaveLength(space.flatDim);
      expect(space.unflatten(flat)).toEqual(x);
    }
  });

  it('repeats its samples under the same seed', () => {
    expect(space.sample(makeRng(5))).toEqual(space.sample(makeRng(5)));
  });

  it('equals itself only', () => {
    for (const [, other] of SPACES) expect(space.equals(other)).toBe(other === space);
  });

  it('says what is wrong with other values', () => {
    for (const wrong of [null, undefined, 'x', { unknown: 1 }, [Number.NaN], true, 1.5]) {
      expect(space.contains(wrong)).toBe(false);
      expect(space.describe(wrong, 'action')).toMatch(/^action.* (needed|known)$/);
      expect(() => space.flatten(wrong)).toThrow();
    }
    expect(() => space.unflatten(new Float32Array(space.flatDim + 1))).toThrow(/are needed/);
  });
});

describe('Box', () => {
  it('takes its shape from the bounds', () => {
    expect(new Box({ low: 0, high: 1 }).shape).toEqual([1]);
    expect(new Box({ low: [0, 0, 0], high: 1 }).shape).toEqual([3]);
    expect(new Box({ low: 0, high: 1, shape: [] }).flatDim).toBe(1);
  });

  it('compares in binary32 and refuses what is not finite', () => {
    const box = new Box({ low: 0.1, high: Number.POSITIVE_INFINITY });
    expect(box.contains([0.1])).toBe(true);
    expect(box.contains([0.09])).toBe(false);
    expect(box.contains([Number.POSITIVE_INFINITY])).toBe(false);
    expect(box.contains([1e39])).toBe(false);
    expect(box.describe([-1], 'observation')).toBe(
      `observation[0] is -1: a finite number of at least ${Math.fround(0.1)} is needed`,
    );
  });

  it.each([
    ['both bounds', 2, 6, 4, 4 / Math.sqrt(12)],
    ['no bound', Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 1],
    ['a low bound', 2, Number.POSITIVE_INFINITY, 3, 1],
    ['a high bound', Number.NEGATIVE_INFINITY, 2, 1, 1],
  ])('samples with %s from the right distribution', (_name, low, high, mean, deviation) => {
    const size = 40_000;
    const x = new Box({ low, high, shape: [size] }).sample(makeRng(11));
    const average = x.reduce((sum, value) => sum + value, 0) / size;
    const squares = x.reduce((sum, value) => sum + (value - average) ** 2, 0);
    expect(Math.abs(average - mean)).toBeLessThan(4 * (deviation / Math.sqrt(size)));
    expect(Math.sqrt(squares / size)).toBeCloseTo(deviation, 1);
  });

  it('never steps over a bound when rounding', () => {
    const edge = { nextFloat: () => 1 - 2 ** -32, nextUint32: () => 2 ** 32 - 1 };
    const box = new Box({ low: 16777216, high: 16777218 });
    expect(box.contains(box.sample(edge))).toBe(true);
  });

  it('refuses bounds that allow nothing and masks', () => {
    expect(() => new Box({ low: 1, high: 0 })).toThrow('low[0] is 1 and high[0] is 0');
    expect(() => new Box({ low: Number.NaN, high: 0 })).toThrow('low[0] is NaN');
    expect(() => new Box({ low: [0, 0], high: 1, shape: [3] })).toThrow('low has 2 numbers');
    expect(() => new Box({ low: 0, high: 1, shape: [0] })).toThrow('shape is [0]');
    const box: Space<unknown> = new Box({ low: 0, high: 1 });
    expect(() => box.sample(makeRng(1), [1])).toThrow('mask is given');
  });
});

describe('Discrete', () => {
  it('draws uniformly, and only what a mask allows', () => {
    const rng = makeRng(3);
    const counts = [0, 0, 0];
    for (let i = 0; i < 9000; i++) counts[new Discrete(3, 5).sample(rng) - 5]++;
    for (const count of counts) expect(Math.abs(count - 3000)).toBeLessThan(180);
    const drawn = new Set<number>();
    for (let i = 0; i < 100; i++) drawn.add(new Discrete(4, 10).sample(rng, [0, 1, 0, 1]));
    expect([...drawn].sort()).toEqual([11, 13]);
  });

  it('refuses masks that fit badly or allow nothing', () => {
    expect(() => new Discrete(2).sample(makeRng(1), [1])).toThrow('mask has 1 flags: 2');
    expect(() => new Discrete(2).sample(makeRng(1), [0, 0])).toThrow('mask allows no outcome');
  });

  it('redraws words that would favour small outcomes', () => {
    const words = [2 ** 32 - 1, 5];
    const rng = { nextFloat: () => 0, nextUint32: () => words.shift() ?? 0 };
    expect(new Discrete(3).sample(rng)).toBe(2);
  });

  it('names the value and the range', () => {
    expect(new Discrete(6).describe(7, 'action.batch_size')).toBe(
      'action.batch_size is 7: an integer from 0 to 5 is needed',
    );
    expect(() => new Discrete(0)).toThrow('n is 0');
    expect(() => new Discrete(2, 0.5)).toThrow('start is 0.5');
  });
});

describe('MultiDiscrete', () => {
  it('accepts plain and typed arrays and names the element', () => {
    const space = new MultiDiscrete([4, 2]);
    expect(space.contains([3, 1])).toBe(true);
    expect(space.contains(new Float32Array([3, 1]))).toBe(true);
    expect(space.describe([3, 2], 'action')).toMatch(/^action\[1\] is 2: an integer from 0 to 1/);
  });

  it('applies one mask for each element', () => {
    const space = new MultiDiscrete([3, 2]);
    const draw = space.sample(makeRng(2), [[0, 0, 1], undefined]);
    expect(draw[0]).toBe(2);
  });

  it('refuses a flat array that is not one-hot', () => {
    const space = new MultiDiscrete([2, 2]);
    expect([...space.unflatten([0, 1, 1, 0])]).toEqual([1, 0]);
    expect(() => space.unflatten([0, 1, 1, 1])).toThrow('elements 2 to 3');
    expect(() => space.unflatten([0, 0.5, 1, 0])).toThrow('elements 0 to 1');
  });
});

describe('Dict', () => {
  it('names the path to the wrong field', () => {
    const x = { tier: 1, knobs: [0, 0, 9], load: [0, 0] };
    expect(SERVER.describe(x, 'action')).toMatch(/^action\.knobs\[2\] is 9/);
    expect(SERVER.describe({ tier: 1 }, 'action')).toMatch(/^action\.knobs is missing/);
    expect(SERVER.describe({ ...x, rack: 1 }, 'action')).toMatch(/^action\.rack is unknown/);
    expect(() => SERVER.sample(makeRng(1), { rack: [1] })).toThrow('mask.rack is unknown');
  });

  it('passes masks on by name', () => {
    expect(SERVER.sample(makeRng(1), { tier: [0, 0, 1] }).tier).toBe(3);
  });

  it('describes itself as JSON Schema', () => {
    expect(JSON.parse(JSON.stringify(SERVER))).toMatchObject({
      type: 'object',
      required: ['tier', 'knobs', 'load'],
      properties: {
        tier: { type: 'integer', minimum: 1, maximum: 3 },
        knobs: { type: 'array', minItems: 3, prefixItems: [{ maximum: 3 }, {}, {}] },
        load: {
          prefixItems: [
            { minimum: 0, maximum: 1 },
            { type: 'number', minimum: -1 },
          ],
        },
      },
    });
  });
});

describe('batchSpace', () => {
  it('puts the environments first', () => {
    const box = batchSpace(new Box({ low: [0, 1], high: [2, 3] }), 3);
    expect(box.shape).toEqual([3, 2]);
    expect([...box.low]).toEqual([0, 1, 0, 1, 0, 1]);
    const discrete = batchSpace(new Discrete(4, 2), 3);
    expect([...discrete.nvec]).toEqual([4, 4, 4]);
    expect(discrete.contains([2, 5, 3])).toBe(true);
    expect(batchSpace(new MultiDiscrete([4, 2]), 3).shape).toEqual([3, 2]);
  });

  it('refuses other spaces and sizes', () => {
    expect(() => batchSpace(new Discrete(2), 0)).toThrow('number of environments is [0]');
    const strange = { ...new Discrete(2) } as unknown as Space<unknown>;
    expect(() => batchSpace(strange, 2)).toThrow('unknown kind');
  });
});
