/** Where the peers' files are. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, '../..');
export const venv = join(root, '.venv/peers');
export const python = join(venv, 'bin/python');
export const requirements = join(here, 'requirements.txt');
export const requirementsWithoutDependencies = join(here, 'requirements-no-deps.txt');
