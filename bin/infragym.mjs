#!/usr/bin/env node
/**
 * The `infragym` command. An installed package runs its built command line; a fresh checkout,
 * which has none yet, first builds the parts that need npm only. Notes go to stderr, because
 * stdout belongs to the command.
 */
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);
const builder = new URL('../scripts/build.mjs', import.meta.url);

async function prepareCheckout() {
  const { build, staleTargets } = await import(builder.href);
  if (existsSync(main)) {
    const stale = staleTargets();
    if (stale.length === 0) return true;
    process.stderr.write(`note: older than its sources: ${stale.join(', ')}; npm run build\n`);
    return true;
  }
  process.stderr.write('building the command line (once; npm run build adds faster backends)\n');
  return build(['ts', 'assemblyscript'], { log: process.stderr });
}

if (!existsSync(builder) || (await prepareCheckout())) {
  await import(main.href);
} else {
  process.exitCode = 3;
}
