/**
 * Makes `.venv/peers` with the pinned packages of both requirements files:
 * `node bench/peers/install.mjs`. Needs Python 3.11 or later as `python3` (another one: the
 * environment variable PYTHON) and about 2 GB of disk, most of it EnvPool's assets.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { python, requirements, requirementsWithoutDependencies, venv } from './paths.mjs';

function run(program, args) {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
}

/** Makes the environment, or brings an older one up to the pins. */
export function install() {
  if (!existsSync(python)) run(process.env.PYTHON ?? 'python3', ['-m', 'venv', venv]);
  const quietly = ['--quiet', '--disable-pip-version-check'];
  const pip = ['-m', 'pip', 'install', ...quietly];
  run(python, [...pip, '-r', requirements]);
  run(python, [...pip, '--no-deps', '-r', requirementsWithoutDependencies]);
}

install();
