import { expect, it } from 'vitest';
import { Calm } from '../../bench/harness/quiet-machine.js';

it('without patience never waits', async () => {
  const calm = new Calm(0);
  await calm.wait();
  expect(calm.waitedSeconds).toBe(0);
});

it('waits until every probe is quick', async () => {
  let looks = 0;
  const calm = new Calm(60, [{ isQuick: () => true }, { isQuick: () => ++looks === 3 }]);
  await calm.wait();
  expect(looks).toBe(3);
  expect(calm.waitedSeconds).toBeGreaterThan(0);
});

it('goes on when its patience is over, and adds its waits up', async () => {
  const calm = new Calm(0.2, [{ isQuick: () => false }]);
  await calm.wait();
  await calm.wait();
  expect(calm.waitedSeconds).toBeGreaterThanOrEqual(0.4);
});
