import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const isReady = existsSync(`${root}.venv/openenv-0.10.0`) && existsSync(`${root}dist/cli/main.js`);
const isRequired = process.env['REQUIRE_PYTHON'] !== undefined;

if (!isReady && !isRequired) {
  console.log('SKIPPED Python clients: node tests/python/run.mjs makes their environments first');
}

it.skipIf(!isReady && !isRequired)(
  'the real Python clients play every task',
  () => {
    const { status, stdout } = spawnSync('node', ['tests/python/run.mjs'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^\d+ passed, 0 failed$/m);
    expect(status).toBe(0);
  },
  900_000,
);
