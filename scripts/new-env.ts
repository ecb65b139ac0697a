/**
 * Starts an environment family: `npm run new-env NAME`. Writes the files that a family has in
 * every language, from the templates in `scripts/new-env`: a small queue, complete and tested, to
 * be changed step by step into the new environment. Its spec registers it: what knows every family
 * is generated. Formats, and says what comes next. Writes nothing where a name is unfit.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { camel, type FamilySpec, pascal, upper } from './generate/spec.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const templates = join(root, 'scripts', 'new-env');
const ENDING = '.template';
// A longer name would take a line of assembly/families.ts beyond 100 columns.
const NAME = /^[a-z](_?[a-z]){1,12}$/;
const NAME_MAX = 13;
// Neither a module nor a type of one of the languages may be called so.
const RESERVED = new Set(
  (
    'abstract as async await become box break case catch class common const continue crate ' +
    'debugger default delete do dyn else enum export extends extern false final finally fn for ' +
    'function gen if impl import in index instanceof interface let loop macro match mod move mut ' +
    'new null override package priv pub ref return self static string struct super switch this ' +
    'throw trait true try type typeof unsafe unsized use var virtual void where while with yield'
  ).split(' '),
);

const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** A template's path in the repository, with its text. */
interface Template {
  readonly path: string;
  readonly text: string;
}

function readTemplates(): Template[] {
  return readdirSync(templates, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ENDING))
    .sort()
    .map((path) => ({
      path: path.slice(0, -ENDING.length),
      text: readFileSync(join(templates, path), 'utf8'),
    }));
}

/** Throws where no family may have the name. */
function checkName(stem: string, sources: readonly Template[]): void {
  if (!NAME.test(stem) || stem.length > NAME_MAX) {
    const needed = `2 to ${NAME_MAX} lower-case letters, with single underscores between them,`;
    throw new Error(`NAME is "${stem}": ${needed} are needed`);
  }
  if (RESERVED.has(stem)) throw new Error(`NAME is "${stem}": a reserved word`);
  if (existsSync(join(root, `src/envs/${stem}/spec.json`))) {
    throw new Error(`NAME is "${stem}": there is such an environment`);
  }
  // The templates' files declare its class, and assembly/families.ts its number, beside these.
  const texts = [...sources.map(({ text }) => text), read('assembly/families.ts')];
  for (const word of [pascal(stem), upper(stem)]) {
    if (texts.some((text) => new RegExp(`\\b${word}\\b`).test(text))) {
      throw new Error(`NAME is "${stem}": ${word} is the name of something else there`);
    }
  }
}

/** The number after the highest that a family has. */
function nextFamily(): number {
  const numbers = readdirSync(join(root, 'src/envs'))
    .map((stem) => `src/envs/${stem}/spec.json`)
    .filter((path) => existsSync(join(root, path)))
    .map((path) => (JSON.parse(read(path)) as FamilySpec).family);
  return Math.max(...numbers) + 1;
}

/** Puts a name and a family number for the placeholders. */
function fillIn(text: string, stem: string, family: number): string {
  return text
    .replaceAll('__stem__', stem)
    .replaceAll('__camel__', camel(stem))
    .replaceAll('__Stem__', pascal(stem))
    .replaceAll('__family__', String(family));
}

/** The new files, path → text. Throws where one cannot be made. */
function planFiles(stem: string): Map<string, string> {
  const sources = readTemplates();
  checkName(stem, sources);
  const family = nextFamily();
  const created = new Map<string, string>();
  for (const { path, text } of sources) {
    const target = fillIn(path, stem, family);
    if (existsSync(join(root, target))) {
      throw new Error(`NAME is "${stem}": ${target} exists and is not overwritten`);
    }
    created.set(target, fillIn(text, stem, family));
  }
  return created;
}

function run(command: string, args: readonly string[]): void {
  const { status, error, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status === 0) return;
  console.error(`${[command, ...args].join(' ')}: ${error?.message ?? stderr}`);
  process.exitCode = 1;
}

function format(paths: readonly string[]): void {
  const scripts = paths.filter((path) => path.endsWith('.ts') && !path.startsWith('assembly/'));
  const biome = 'node_modules/@biomejs/biome/bin/biome';
  run(process.execPath, [biome, 'check', '--write', ...scripts]);
  const rust = paths.filter((path) => path.endsWith('.rs'));
  if (spawnSync('rustfmt', ['--version']).status === 0) {
    run('rustfmt', ['--edition', '2024', ...rust]);
  } else {
    console.log(`SKIPPED rustfmt, which is not installed: ${rust.join(', ')}`);
  }
}

function main(args: readonly string[]): void {
  if (args.length !== 1) throw new Error('usage: npm run new-env NAME');
  const stem = args[0]!;
  const created = planFiles(stem);
  for (const [path, text] of created) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(`wrote ${path}`);
  }
  run(process.execPath, ['--import', 'tsx', 'scripts/generate.ts']);
  format([...created.keys()]);
  console.log(`
Next, as "Add an environment" in CONTRIBUTING.md says:
  npm run build
  npx vitest run tests/envs/${stem}.test.ts
  npx infragym verify --quick --tasks ${stem}/base-v1
and, once it computes what it should, a row in README.md's table of environments and:
  npm run goldens
  npm test`);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
