/**
 * Tests the Python package: `npm run test:python [-- pytest arguments]`. Makes a virtual
 * environment below `.venv/`, builds the wheel, has Node write what the package must give, and
 * runs pytest. With `--full` it runs what needs torch or RLlib instead (bindings/python/full), with
 * `--bench` the benchmarks (bindings/python/bench), each in an environment of its own; the last
 * outputs are committed beside them. `PYTHON` names another interpreter than python3.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, root, run } from './lib/process.mjs';

const KINDS = {
  quick: {
    folder: '.venv/python',
    tests: 'bindings/python/tests',
    packages: [
      ...['maturin>=1.9,<2', 'pytest', 'ruff', 'mypy', 'cloudpickle'],
      ...['ray>=2.9', 'pyarrow', 'websockets>=13'],
    ],
  },
  full: {
    folder: '.venv/python-full',
    tests: 'bindings/python/full',
    packages: [
      ...['maturin>=1.9,<2', 'pytest', 'cloudpickle', 'torch', 'ray[rllib]>=2.9', 'websockets>=13'],
      ...['stable-baselines3>=2.7', 'sb3-contrib>=2.7', 'torchrl', 'psutil', 'rich'],
      ...['rich-argparse', 'nvidia-ml-py'],
    ],
    // It asks for one version of torch; what is used of it here needs none.
    alone: ['pufferlib-core'],
  },
  bench: {
    folder: '.venv/python-bench',
    scripts: ['bindings/python/bench/speed.py', 'bindings/python/bench/ray_cost.py'],
    packages: ['maturin>=1.9,<2', 'envpool', 'ray>=2.9', 'pyarrow'],
  },
};

/** Runs a step and shows what it prints; throws where it fails. */
async function step(title, program, args, env = {}) {
  console.log(`--- ${title}`);
  const { code, output } = await run(program, args, { echo: process.stdout, env });
  if (code === 0) return output;
  throw Object.assign(new Error(`${title} failed`), { output });
}

/** The interpreter of a virtual environment that has what the tests need. */
async function makeEnvironment({ folder, packages, alone = [] }) {
  const python = join(root, folder, 'bin/python');
  if (!existsSync(python)) {
    await step(`making ${folder}`, process.env.PYTHON ?? 'python3', ['-m', 'venv', folder]);
  }
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  await step('installing packages', python, [...pip, ...packages]);
  if (alone.length > 0) await step('and more', python, [...pip, '--no-deps', ...alone]);
  return python;
}

/** Builds the wheel and installs it, as `pip install .` would. */
async function installWheel(python) {
  const folder = join(root, '.venv/wheels');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const build = ['-m', 'maturin', 'build', '--quiet', '--out', folder];
  await step('building the wheel', python, build);
  const [wheel] = readdirSync(folder);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  await step('installing the wheel', python, [...pip, join(folder, wheel)]);
  const again = ['--force-reinstall', '--no-deps', join(folder, wheel)];
  await step('renewing it', python, [...pip, ...again]);
}

/** Style and types, where the environment has what tells them: how many of the three fail. */
async function checkSources(python, { packages }) {
  if (!packages.includes('ruff')) return 0;
  const checks = [
    ['ruff', 'check', 'bindings/python', 'examples/python'],
    ['ruff', 'format', '--check', 'bindings/python', 'examples/python'],
    ['mypy'],
  ];
  let failed = 0;
  for (const check of checks) {
    const { code } = await run(python, ['-m', ...check], { echo: process.stdout });
    if (code !== 0) failed++;
  }
  return failed;
}

/** Runs the benchmarks, one after the other. */
async function runScripts(python, scripts) {
  for (const script of scripts) await step(script, python, [script]);
  return 0;
}

/** pytest's counts, and one failure where it has none. */
function countsOf(output, hasFailed) {
  const count = (word) => Number(new RegExp(`(\\d+) ${word}`).exec(output)?.[1] ?? 0);
  const failed = count('failed') + count('errors?');
  return { passed: count('passed'), failed: hasFailed && failed === 0 ? 1 : failed };
}

async function main(args) {
  const name = args.includes('--bench') ? 'bench' : args.includes('--full') ? 'full' : 'quick';
  const kind = KINDS[name];
  const rest = args.filter((arg) => arg !== `--${name}`);
  let output = '';
  let hasFailed = false;
  let badStyle = 0;
  try {
    if (findProgram('cargo') === undefined) throw new Error('cargo is missing: install Rust');
    await step('building TypeScript', process.execPath, ['scripts/build.mjs', 'ts']);
    const python = await makeEnvironment(kind);
    badStyle = await checkSources(python, kind);
    await installWheel(python);
    if (kind.scripts) return await runScripts(python, kind.scripts);
    const folder = join(root, '.venv/expected');
    const tsx = [join(root, 'node_modules/tsx/dist/cli.mjs'), 'tests/python/expected.ts', folder];
    await step("writing Node's figures", process.execPath, tsx);
    const env = { INFRAGYM_EXPECTED: folder };
    output = await step(
      'pytest',
      python,
      ['-m', 'pytest', ...(rest[0] ? rest : [kind.tests])],
      env,
    );
  } catch (error) {
    console.log(error.message);
    output = error.output ?? '';
    hasFailed = true;
  }
  const counts = countsOf(output.slice(-2000), hasFailed);
  const { passed } = counts;
  const failed = counts.failed + badStyle;
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
