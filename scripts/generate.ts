/**
 * Writes the layout of every environment, from `src/envs/<stem>/spec.json`, into TypeScript, Rust,
 * AssemblyScript and the tables of its page in `docs/environments`, the package's version into
 * TypeScript, and every task's bundle for the Python package. `--check` writes nothing and fails
 * where a file is out of date.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { assemblyCommon, assemblyFamily } from './generate/assembly.js';
import { renewPage } from './generate/docs.js';
import {
  assemblyFamilies,
  environmentFamilies,
  referenceFamilies,
  rustFamilies,
} from './generate/families.js';
import { pythonCommon } from './generate/python.js';
import { rustCommon, rustFamily, rustModule } from './generate/rust.js';
import { type CommonSpec, type FamilySpec, mergeFamily } from './generate/spec.js';
import {
  typescriptCommon,
  typescriptFamily,
  typescriptIndex,
  typescriptVersion,
} from './generate/typescript.js';

const root = new URL('..', import.meta.url);
const read = <T>(path: string): T => JSON.parse(readFileSync(new URL(path, root), 'utf8')) as T;

/** The stems that have a spec, in the order of their family numbers. */
function loadFamilies(common: CommonSpec): FamilySpec[] {
  return readdirSync(new URL('src/envs/', root))
    .map((stem) => `src/envs/${stem}/spec.json`)
    .filter((path) => existsSync(new URL(path, root)))
    .map((path) => mergeFamily(common, read<FamilySpec>(path)))
    .sort((a, b) => a.family - b.family);
}

/** Path → text of every generated file. */
export function generatedFiles(): Map<string, string> {
  const common = read<CommonSpec>('src/envs/common.spec.json');
  const families = loadFamilies(common);
  const files = new Map<string, string>([
    ['src/generated/common.ts', typescriptCommon(common)],
    ['src/generated/index.ts', typescriptIndex(families)],
    [
      'src/generated/version.ts',
      typescriptVersion(read<{ version: string }>('package.json').version),
    ],
    ['crates/core/src/generated/common.rs', rustCommon(common)],
    ['crates/core/src/generated/mod.rs', rustModule(families)],
    ['assembly/generated/common.ts', assemblyCommon(common)],
    ['src/envs/families.ts', environmentFamilies(families)],
    ['src/reference/families.ts', referenceFamilies(families)],
    ['crates/core/src/envs/mod.rs', rustFamilies(families)],
    ['assembly/families.ts', assemblyFamilies(families)],
    ['bindings/python/python/infragym/_generated.py', pythonCommon(common)],
  ]);
  for (const family of families) {
    files.set(`src/generated/${family.name}.ts`, typescriptFamily(family));
    files.set(`crates/core/src/generated/${family.name}.rs`, rustFamily(family));
    files.set(`assembly/generated/${family.name}.ts`, assemblyFamily(family));
    const page = `docs/environments/${family.name}.md`;
    const url = new URL(page, root);
    if (existsSync(url)) files.set(page, renewPage(readFileSync(url, 'utf8'), family));
  }
  return files;
}

/** Writes the generated files that are out of date, unless it only looks; returns their paths. */
function renewFiles(check: boolean): string[] {
  const outdated = [...generatedFiles()].filter(([path, text]) => {
    const url = new URL(path, root);
    return !existsSync(url) || readFileSync(url, 'utf8') !== text;
  });
  for (const [path, text] of check ? [] : outdated) {
    const url = new URL(path, root);
    mkdirSync(dirname(url.pathname), { recursive: true });
    writeFileSync(url, text);
  }
  return outdated.map(([path]) => path);
}

/** As `renewFiles`, for the bundles; loaded late, for the tasks are compiled by generated files. */
async function renewBundles(check: boolean): Promise<string[]> {
  const { BUNDLES, bundleFiles, isCurrent, removeFile, stored, strayBundles } = await import(
    './generate/bundles.js'
  );
  const files = bundleFiles();
  const strays = strayBundles(root, files);
  const outdated = files.filter((file) => !isCurrent(root, file));
  if (!check) {
    mkdirSync(new URL(`${BUNDLES}/`, root), { recursive: true });
    for (const path of strays) removeFile(root, path);
    for (const file of outdated) writeFileSync(new URL(file.path, root), stored(file));
  }
  return [...strays, ...outdated.map(({ path }) => path)];
}

async function main(check: boolean): Promise<void> {
  const outdated = [...renewFiles(check), ...(await renewBundles(check))];
  if (check && outdated.length > 0) {
    console.error(`out of date, run "npm run generate": ${outdated.join(', ')}`);
    process.exit(1);
  }
  console.log(outdated.length === 0 ? 'generated files are up to date' : outdated.join('\n'));
}

await main(process.argv.includes('--check'));
