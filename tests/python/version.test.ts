import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

it('gives the Python package, which takes its version from Cargo, that of the npm package', () => {
  const [, cargo] = /^\[workspace\.package\]\nversion = "([^"]+)"/m.exec(read('Cargo.toml'))!;
  expect(cargo).toBe(JSON.parse(read('package.json')).version);
});
