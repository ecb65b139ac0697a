import { expect, it } from 'vitest';
import { Calm } from '../../bench/calm.js';

it('waits no longer than its patience, and without any not at all', async () => {
  const none = new Calm(0);
  await none.wait();
  expect(none.waitedSeconds).toBe(0);
  const some = new Calm(0.2);
  for (let i = 0; i < 3; i++) await some.wait();
  // What a wait is made of is a pause, and a look of some milliseconds.
  expect(some.waitedSeconds).toBeGreaterThanOrEqual(0);
  expect(Number.isFinite(some.waitedSeconds)).toBe(true);
});
