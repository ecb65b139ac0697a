/**
 * `npm run test:e2e [-- file…]`: builds the web app and drives it in a real browser, Debian's
 * Chromium or the one that CHROMIUM names. Ends with the line `N passed, N failed`. Without a
 * browser it is skipped with the reason, or fails where REQUIRE_BROWSER is 1.
 */
import { existsSync } from 'node:fs';
import { build } from './build.mjs';
import { vitest } from './lib/stages.mjs';

const program = process.env.CHROMIUM ?? '/usr/bin/chromium';

async function main(args) {
  if (!existsSync(program)) {
    const isRequired = process.env.REQUIRE_BROWSER === '1';
    console.log(`SKIPPED: ${program} does not exist; CHROMIUM names another browser`);
    console.log(`0 passed, ${isRequired ? 1 : 0} failed`);
    return isRequired ? 1 : 0;
  }
  if (!(await build(['ts', 'assemblyscript', 'wasm', 'web']))) {
    console.log('0 passed, 1 failed');
    return 1;
  }
  const { passed, failed } = await vitest(['--config', 'tests/e2e/vitest.config.ts', ...args]);
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
