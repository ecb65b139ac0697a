/**
 * The one test command: `node scripts/test.mjs [--quick]`. Runs every stage, whatever failed
 * before it, and ends with the line `N passed, N failed`: vitest's and cargo's tests as they
 * count them, one for each build target and one for each other stage. Exits with 1 where
 * anything failed or nothing ran. REQUIRE_BACKENDS (a comma-separated list of backends) turns
 * what an absent toolchain skips into a failure.
 */
import { requiredBackends } from './build.mjs';
import { allStages, quickStages } from './lib/stages.mjs';

function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

async function runStage(stage) {
  console.log(`\n=== ${stage.name} ===`);
  const started = performance.now();
  const { passed, failed, skipped } = await stage.run();
  const time = seconds(performance.now() - started);
  if (skipped !== undefined) console.log(`SKIPPED ${stage.name}: ${skipped}`);
  console.log(`--- ${stage.name}: ${passed} passed, ${failed} failed (${time})`);
  return { name: stage.name, passed, failed, skipped, time };
}

function summary({ name, passed, failed, skipped, time }) {
  const outcome =
    skipped === undefined ? `${passed} passed, ${failed} failed` : `SKIPPED ${skipped}`;
  return `${name.padEnd(18)} ${time.padStart(9)}   ${outcome}`;
}

async function main(args) {
  const unknown = args.filter((arg) => arg !== '--quick');
  if (unknown.length > 0) {
    console.error(`unknown argument ${unknown.join(' ')}; known: --quick`);
    return 2;
  }
  try {
    requiredBackends();
  } catch (error) {
    console.error(error.message);
    return 2;
  }
  const results = [];
  for (const stage of args.includes('--quick') ? quickStages : allStages) {
    results.push(await runStage(stage));
  }
  console.log('\n=== summary ===');
  for (const result of results) console.log(summary(result));
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
