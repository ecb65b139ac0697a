import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HAND } from '../../web/src/play/game.js';
import {
  packText,
  readSegments,
  segmentsOf,
  textOfSegments,
  unpackText,
} from '../../web/src/play/script.js';

const RESET = Number.NaN;

function textOf(by: readonly string[], rows: readonly (readonly number[])[]): string {
  const all = [[RESET], ...rows];
  return textOfSegments(segmentsOf({ by: [HAND, ...by], row: (index) => all[index] }));
}

describe('the moves of an address', () => {
  it('are short where a move is repeated', () => {
    const rows = [[2], [2], [0], [1], [1]];
    expect(textOf([HAND, HAND, 'hpa', 'hpa', HAND], rows)).toBe('2*2~@hpa*2~1');
    expect(textOf([HAND], [[Math.fround(0.1), 64, -3]])).toBe('0.1,64,-3');
  });

  it('come back as they were, in single precision', () => {
    const number = fc.float({ noNaN: true, noDefaultInfinity: true });
    const row = fc.array(number, { minLength: 1, maxLength: 5 });
    const move = fc.record({ row, policy: fc.option(fc.constantFrom('hpa', 'best-fit')) });
    fc.assert(
      fc.property(fc.array(move, { minLength: 1, maxLength: 30 }), (moves) => {
        const by = moves.map(({ policy }) => policy ?? HAND);
        const segments = readSegments(
          textOf(
            by,
            moves.map((one) => one.row),
          ),
        );
        const back = segments.flatMap(({ mover, steps }) => Array(steps).fill(mover));
        expect(back.length).toBe(moves.length);
        for (const [i, mover] of back.entries()) {
          if (by[i] !== HAND) expect(mover).toEqual({ policy: by[i] });
          // An address need not tell 0 from -0, which no environment does either.
          else
            expect(mover.row.map((x: number) => Math.fround(x) + 0)).toEqual(
              moves[i].row.map((x) => x + 0),
            );
        }
      }),
    );
  });

  it('are deflated where they are long', async () => {
    const text = Array.from({ length: 2000 }, (_, i) => i % 7).join('~');
    const packed = await packText(text);
    expect(packed).toMatch(/^![\w-]+$/);
    expect(packed.length).toBeLessThan(text.length / 10);
    expect(await unpackText(packed)).toBe(text);
    expect(await packText('1*20')).toBe('1*20');
  });

  it('are refused by name where they are none', async () => {
    expect(() => readSegments('1~<script>')).toThrow('"<script>" is no row and no policy');
    expect(() => readSegments('@hpa*0x')).toThrow('@hpa*0x');
    await expect(unpackText('!@@')).rejects.toThrow();
  });
});
