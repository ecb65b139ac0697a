/** The repository's files, as git sees them: tracked, or new and not ignored. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The repository's root, ending in a slash. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
const listed = execFileSync('git', list, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });

/** Paths relative to the root, of files that exist. */
export const files = listed
  .split('\0')
  .filter((path) => path !== '' && existsSync(root + path) && statSync(root + path).isFile());

const textEndings = /\.(ts|tsx|mjs|js|rs|md|toml|css|html|sh|yml|yaml)$|(^|\/)(run|LICENSE)$/;

/** Files people write and read, generated ones and locks left out. */
export const writtenFiles = files.filter(
  (path) =>
    textEndings.test(path) &&
    !path.includes('/generated/') &&
    !path.startsWith('data/') &&
    !path.startsWith('bench/record/'),
);

/** TypeScript and JavaScript that people write. */
export const scriptFiles = writtenFiles.filter((path) => /\.(ts|tsx|mjs|js)$/.test(path));

/** Rust that people write. */
export const rustFiles = writtenFiles.filter((path) => path.endsWith('.rs'));

const texts = new Map<string, string>();

/** The text of a file, read once. */
export function textOf(path: string): string {
  const known = texts.get(path);
  if (known !== undefined) return known;
  const text = readFileSync(root + path, 'utf8');
  texts.set(path, text);
  return text;
}

/** The line (from 1) of an offset in a text. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Every match of a pattern in a text as `path:line: match`. */
export function findAll(path: string, text: string, pattern: RegExp): string[] {
  const matches = [...text.matchAll(new RegExp(pattern, 'g'))];
  return matches.map((match) => `${path}:${lineAt(text, match.index)}: ${match[0].trim()}`);
}
