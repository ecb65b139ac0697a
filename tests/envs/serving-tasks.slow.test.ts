import { expect, it } from 'vitest';
import { measureTask, type TaskProperties } from '../support/serving-properties.js';
import results from './serving-tasks.json' with { type: 'json' };

/** The searches anew: the grid, hill-climbing, cross-entropy over 500 constants, and greedy. */
it.each(results as readonly TaskProperties[])(
  '$task measures as it is written down',
  async (row) => {
    const { bestConstant, ...measured } = await measureTask(row.task);
    const { bestConstant: writtenConstant, ...written } = row;
    expect(bestConstant).toEqual(writtenConstant);
    for (const [name, value] of Object.entries(written)) {
      const found = measured[name as keyof typeof measured];
      if (typeof value === 'number') expect(found, name).toBeCloseTo(value, 3);
      else expect(found, name).toBe(value);
    }
  },
  300_000,
);
