/** The files and refusals of `npm run new-env`, in a copy of the repository's parts. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layouts } from '../src/generated/index.js';
import { root } from './tidy/files.js';

const COPIED = [
  ...['assembly', 'bindings/python', 'crates/core/src', 'crates/core/tests', 'docs/environments'],
  'scripts',
];
const ROOT_FILES = ['src', 'data', 'package.json', 'biome.json', '.gitignore', 'README.md'];
// As long as a name may be, and of two words: every form of it differs from the others.
const STEM = 'weighted_fair';
const NEXT = 1 + Math.max(...layouts.map(({ family }) => family));
const REGISTRIES = [
  'src/envs/families.ts',
  'src/reference/families.ts',
  'crates/core/src/envs/mod.rs',
  'assembly/families.ts',
];

let copy: string;
const read = (path: string) => readFileSync(join(copy, path), 'utf8');
const registries = () => REGISTRIES.map(read);

function newEnv(...args: string[]): { status: number | null; output: string } {
  const command = ['--import', 'tsx', 'scripts/new-env.ts', ...args];
  const run = spawnSync(process.execPath, command, { cwd: copy, encoding: 'utf8' });
  return { status: run.status, output: run.stdout + run.stderr };
}

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'new-env-'));
  for (const path of [...COPIED, ...ROOT_FILES]) {
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir');
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe('new-env', () => {
  it.each([
    [[], /usage: npm run new-env NAME/],
    [['Toy'], /NAME is "Toy": 2 to 13 lower-case letters/],
    [['fourteen_chars'], /2 to 13/],
    [['match'], /a reserved word/],
    [['provisioning'], /there is such an environment/],

    [['channels'], /Channels is the name of something else/],
  ])('refuses %o and writes nothing', (args, message) => {
    const before = registries();
    const { status, output } = newEnv(...args);
    expect(output).toMatch(message);
    expect(status).toBe(1);
    expect(registries()).toEqual(before);
  });

  it('writes every file, whose spec registers the family, and does so once', () => {
    const { status, output } = newEnv(STEM);
    expect(output).toContain('npm run goldens');
    expect(status, output).toBe(0);
    const written = [...output.matchAll(/^wrote (.*)$/gm)].map((match) => match[1]!);
    expect(written.length).toBe(8);
    for (const path of written) {
      const lines = read(path).split('\n');
      expect(lines.join('\n'), path).not.toMatch(/__\w+?__/);
      if (path.endsWith('.json')) continue;
      const long = lines.filter((line) => [...line].length > 100 && !line.startsWith('|'));
      expect(long, path).toEqual([]);
    }
    expect(JSON.parse(read(`src/envs/${STEM}/spec.json`))).toMatchObject({ family: NEXT });
    expect(read(`src/generated/${STEM}.ts`)).toContain('export const weightedFairLayout');
    expect(read(`docs/environments/${STEM}.md`)).toContain('### Observation row');

    const [index, reference, rust, assembly] = registries();
    expect(index).toContain("import { weightedFairFamily } from './weighted_fair/family.js';");
    expect(index).toContain('  weightedFairFamily,\n];');
    expect(reference).toContain('case weightedFairLayout.family: {');
    expect(rust).toContain('mod weighted_fair;');
    expect(rust).toContain('weighted_fair::WeightedFair::new');
    expect(assembly!.match(/case WEIGHTED_FAIR: return /g)).toHaveLength(4);
    expect(assembly!.split('\n').filter((line) => line.length > 100)).toEqual([]);

    expect(newEnv(STEM).output).toMatch(/there is such an environment/);
    expect(newEnv('tiny').status).toBe(0);
    expect(JSON.parse(read('src/envs/tiny/spec.json'))).toMatchObject({ family: NEXT + 1 });
  });
});
