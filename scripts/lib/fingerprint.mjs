/**
 * Fingerprints of build inputs. Contents are hashed rather than modification times compared,
 * because a checkout, a copy or a cache gives files new times without changing them.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './process.mjs';

const folder = join(root, 'dist', '.build');

function filesBelow(path) {
  const absolute = join(root, path);
  if (!existsSync(absolute)) return [];
  if (!statSync(absolute).isDirectory()) return [path];
  const names = readdirSync(absolute).filter(
    (name) => name !== 'node_modules' && name !== 'target',
  );
  return names.sort().flatMap((name) => filesBelow(`${path}/${name}`));
}

/** Hashes the names and contents of all files at or below the given paths. */
export function hashInputs(paths) {
  const hash = createHash('sha256');
  for (const file of paths.flatMap(filesBelow)) {
    const bytes = readFileSync(join(root, file));
    hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

/** Reads what a target was last built from: `{ inputs, tools }`, or undefined. */
export function readFingerprint(target) {
  const file = join(folder, `${target}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** Records what a target has just been built from. */
export function writeFingerprint(target, fingerprint) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${target}.json`), `${JSON.stringify(fingerprint, null, 2)}\n`);
}
