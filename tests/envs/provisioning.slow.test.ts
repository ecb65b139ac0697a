import { expect, it } from 'vitest';
import { provisioning } from '../support/provisioning.js';
import { searchReturns } from '../support/provisioning-search.js';

it.each(['easy', 'medium', 'hard'])('no policy of 500 exceeds the bound of %s', (name) => {
  const seeds = Array.from({ length: 20 }, (_, i) => i);
  const results = searchReturns(provisioning(name), 500, seeds);
  expect(results.length).toBe(10_000);
  const shares = results.map(({ reached, bound }) => reached / bound);
  expect(Math.max(...shares)).toBeLessThanOrEqual(1);
  // A search that finds nothing good would prove nothing.
  expect(Math.max(...shares)).toBeGreaterThan(0.7);
});
