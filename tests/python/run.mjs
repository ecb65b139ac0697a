/**
 * Real Python clients against the built server: `node tests/python/run.mjs`. Makes two virtual
 * environments below `.venv/` (openenv 0.10.0 with our package, openenv-core 0.3.0), runs OpenEnv's
 * validators at the root and at every mount, its client and Gymnasium's checker for every task.
 * Ends with the line `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const clients = [
  { folder: '.venv/openenv-0.10.0', packages: ['openenv==0.10.0', '.[remote]'] },
  { folder: '.venv/openenv-core-0.3.0', packages: ['openenv-core==0.3.0'] },
];

/** Runs a program; resolves to its exit code and what it printed. */
function run(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.on('error', (error) => resolve({ code: 1, output: error.message }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

async function install({ folder, packages }) {
  const python = join(root, folder, 'bin/python');
  if (!existsSync(python)) {
    const made = await run('python3', ['-m', 'venv', folder]);
    if (made.code !== 0) throw new Error(`python3 -m venv failed: ${made.output}`);
  }
  const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages];
  const installed = await run(python, args);
  if (installed.code !== 0) throw new Error(`pip install ${packages.join(' ')} failed`);
}

/** Starts the built server on a free port and resolves to it and its address. */
function startServer() {
  const args = ['bin/infragym.mjs', 'serve', '--port', '0', '--rate-limit', '0'];
  const options = { cwd: root, env: { ...process.env, INFRAGYM_DATA_DIR: ':memory:' } };
  const server = spawn(process.execPath, args, {
    ...options,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    server.stdout.once('data', (data) => resolve({ server, base: String(data).trim() }));
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
}

const counts = { passed: 0, failed: 0 };

function report(name, isGood, output = '') {
  counts[isGood ? 'passed' : 'failed']++;
  console.log(`${isGood ? 'ok' : 'FAILED'} ${name}${isGood ? '' : `\n${output}`}`);
}

/** Runs a script that prints a line for each check, and counts them. */
async function countChecks(folder, script, base) {
  const python = join(root, folder, 'bin/python');
  const { output } = await run(python, [`tests/python/${script}`, base]);
  console.log(`${folder.slice(6)} ${script}`);
  process.stdout.write(output.replace(/^\d+ passed.*\n/gm, ''));
  counts.passed += output.match(/^ok /gm)?.length ?? 0;
  // A script that ends early has printed no count, and so has failed.
  const isWhole = /^\d+ passed, \d+ failed$/m.test(output);
  counts.failed += (output.match(/^FAILED /gm)?.length ?? 0) + (isWhole ? 0 : 1);
}

/** The package as committed: the validator takes no symbolic links, and node_modules has some. */
async function validatePackage() {
  const folder = mkdtempSync(join(tmpdir(), 'infragym-package-'));
  const archive = join(folder, 'package.tar');
  const source = join(folder, 'package');
  mkdirSync(source);
  await run('git', ['archive', '--format=tar', '-o', archive, 'HEAD']);
  await run('tar', ['-xf', archive, '-C', source]);
  const openenv = join(root, clients[0].folder, 'bin/openenv');
  const { code, output } = await run(openenv, ['validate', source, '--level', 'static']);
  report('openenv validate . --level static', code === 0, output);
  rmSync(folder, { recursive: true });
}

async function main() {
  for (const client of clients) await install(client);
  const { server, base } = await startServer();
  try {
    for (const { folder } of clients) await countChecks(folder, 'validate.py', base);
    await validatePackage();
    await countChecks(clients[0].folder, 'check.py', base);
  } finally {
    server.kill();
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
}

await main();
