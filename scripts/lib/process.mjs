/** Child processes and the programs on PATH. */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root directory. */
export const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/[/\\]$/, '');

const suffixes = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Returns the path of a program on PATH, or undefined. */
export function findProgram(name) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const files = folders.flatMap((folder) => suffixes.map((suffix) => join(folder, name + suffix)));
  return files.find(isProgram);
}

/** Returns what a program prints on stdout, or undefined where it fails or is absent. */
export function outputOf(program, args) {
  const result = spawnSync(program, args, { cwd: root, encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/**
 * Runs a program in the repository's root and resolves to its exit code and all it printed.
 * With `echo` the output is also passed on as it comes, to stdout or, where that is taken, stderr.
 */
export function run(program, args, { env = {}, echo = undefined } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const take = (chunk) => {
      output += chunk;
      echo?.write(chunk);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.on('error', (error) => resolve({ code: 127, output: `${output}${error.message}\n` }));
    child.on('close', (code, signal) => {
      const note = signal === null ? '' : `${program} was ended by ${signal}\n`;
      resolve({ code: code ?? 1, output: output + note });
    });
  });
}
