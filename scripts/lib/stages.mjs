/**
 * The stages of `npm test`. A stage's `run` resolves to `{ passed, failed, skipped }`, the first
 * two counts and the last the reason, where it did not run.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTarget, describe, requiredBackends } from '../build.mjs';
import { findProgram, root, run } from './process.mjs';
import { targets } from './targets.mjs';

const echo = process.stdout;

function tool(script) {
  return join(root, 'node_modules', script);
}

function counted(isGood) {
  return { passed: isGood ? 1 : 0, failed: isGood ? 0 : 1 };
}

/** A stage that counts as one: passed where the program exits with 0. */
async function check(program, args) {
  return counted((await run(program, args, { echo })).code === 0);
}

function node(script, ...args) {
  return check(process.execPath, [tool(script), ...args]);
}

/** Runs a stage that needs cargo, or says why it does not. */
async function withCargo(stage) {
  if (findProgram('cargo') !== undefined) return stage();
  const reason = 'cargo is not on PATH';
  const isRequired = requiredBackends().some((name) => name === 'native' || name === 'wasm');
  if (!isRequired) return { passed: 0, failed: 0, skipped: reason };
  echo.write(`${reason}, and REQUIRE_BACKENDS names a backend that needs it\n`);
  return counted(false);
}

/** Sums the counts of cargo's "test result:" lines. */
export function countCargo(output) {
  let passed = 0;
  let failed = 0;
  for (const [, good, bad] of output.matchAll(/^test result: .*?(\d+) passed; (\d+) failed;/gm)) {
    passed += Number(good);
    failed += Number(bad);
  }
  return { passed, failed };
}

async function cargoTest(packages) {
  const { code, output } = await run('cargo', ['test', ...packages], { echo });
  const counts = countCargo(output);
  // A compile error or a crash fails without a single failed test.
  return { ...counts, failed: code !== 0 && counts.failed === 0 ? 1 : counts.failed };
}

/** Counts vitest's JSON report; a file that could not be loaded counts as one failure. */
export function countVitest(report) {
  const unloaded = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((t) => t.status === 'failed'),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
  };
}

/** Runs vitest and counts its tests. */
export async function vitest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'infragym-test-'));
  const file = join(folder, 'vitest.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const script = tool('vitest/vitest.mjs');
  const { code } = await run(process.execPath, [script, 'run', ...reporters, ...args], { echo });
  const hasReport = existsSync(file);
  const counts = hasReport ? countVitest(JSON.parse(readFileSync(file, 'utf8'))) : counted(false);
  rmSync(folder, { recursive: true });
  // An unhandled rejection fails the run without a failed test.
  return { ...counts, failed: code !== 0 && counts.failed === 0 ? 1 : counts.failed };
}

async function build(names) {
  const sum = { passed: 0, failed: 0 };
  for (const name of names) {
    const result = await buildTarget(name);
    echo.write(`${describe(name, result)}\n`);
    sum.passed += result.status === 'built' || result.status === 'up to date' ? 1 : 0;
    sum.failed += result.status === 'failed' ? 1 : 0;
  }
  return sum;
}

async function verifyQuick() {
  if (!existsSync(join(root, 'src/cli/main.ts'))) {
    return { passed: 0, failed: 0, skipped: 'this checkout has no src/cli/main.ts' };
  }
  return check(process.execPath, ['bin/infragym.mjs', 'verify', '--quick']);
}

const clippy = ['clippy', '--workspace', '--all-targets', '--', '-D', 'warnings'];
const slowTests = '**/*.slow.test.ts';

const types = { name: 'types', run: () => node('typescript/bin/tsc', '--noEmit') };
const lint = { name: 'lint', run: () => node('@biomejs/biome/bin/biome', 'check', '.') };
const buildAll = { name: 'build', run: () => build(Object.keys(targets)) };

/** All stages, cheapest first. */
export const allStages = [
  {
    name: 'generated layouts',
    run: () => node('tsx/dist/cli.mjs', 'scripts/generate.ts', '--check'),
  },
  {
    name: 'generated programs',
    run: () => node('tsx/dist/cli.mjs', 'scripts/core-fixtures.ts', '--check'),
  },
  types,
  lint,
  {
    name: 'cargo fmt',
    run: () => withCargo(() => check('cargo', ['fmt', '--all', '--', '--check'])),
  },
  { name: 'cargo clippy', run: () => withCargo(() => check('cargo', clippy)) },
  { name: 'cargo test', run: () => withCargo(() => cargoTest(['--workspace'])) },
  buildAll,
  { name: 'vitest', run: () => vitest([]) },
  { name: 'verify', run: verifyQuick },
];

/** The stages for every change: the core's tests, what is out of date built, no slow tests. */
export const quickStages = [
  types,
  lint,
  { name: 'cargo test (core)', run: () => withCargo(() => cargoTest(['-p', 'infragym-core'])) },
  buildAll,
  { name: 'vitest', run: () => vitest(['--exclude', slowTests]) },
];
