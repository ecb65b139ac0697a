import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { targets } from '../../scripts/lib/targets.mjs';
import { DEFAULT_CONFIG, variableName } from '../../src/server/index.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string) => readFileSync(root + file, 'utf8');
const dockerfile = read('Dockerfile').replace(/\\\n/g, ' ');
const lines = dockerfile.split('\n');

/** Everything an instruction of the file copies from the build context. */
const copied = lines
  .filter((line) => /^COPY (?!--from)/.test(line))
  .flatMap((line) => line.split(/\s+/).slice(1, -1));

describe('the Dockerfile', () => {
  it('copies what exists and what .dockerignore lets through', () => {
    const ignored = read('.dockerignore').split('\n');
    expect(copied.length).toBeGreaterThan(10);
    expect(copied.filter((path) => !existsSync(root + path))).toEqual([]);
    expect(copied.filter((path) => ignored.includes(path))).toEqual([]);
  });

  it('has what the build reads before it builds', () => {
    const build = lines.slice(
      0,
      lines.findIndex((line) => line.startsWith('RUN node scripts')),
    );
    const present = build.join('\n');
    for (const target of ['ts', 'assemblyscript', 'native'] as const) {
      const inputs = targets[target].inputs.filter((path: string) => existsSync(root + path));
      for (const input of inputs) expect(present).toContain(input.split('/')[0]);
    }
  });

  it('copies from one stage to another only what that stage has', () => {
    const stages = lines.flatMap((line) => /^FROM \S+ AS (\w+)/.exec(line)?.slice(1) ?? []);
    const sources = lines.flatMap((line) => /^COPY --from=(\w+)/.exec(line)?.slice(1) ?? []);
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) expect(stages).toContain(source);
  });

  it('runs a file that is in the image, as another user than root, on the right port', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    const [, command] = /^CMD (\[.*\])$/m.exec(last) ?? [];
    const [program, script, ...args] = JSON.parse(command!) as string[];
    expect([program, ...args]).toEqual(['node', 'serve']);
    expect(existsSync(root + script)).toBe(true);
    expect(last).toContain('COPY bin bin');
    expect(last).toMatch(/^USER node$/m);
    expect(last).toContain(`EXPOSE ${DEFAULT_CONFIG.port}`);
  });

  it('and compose.yaml set variables that the server reads', () => {
    const known = Object.keys(DEFAULT_CONFIG).map(variableName);
    const text = dockerfile + read('compose.yaml');
    const named = [...text.matchAll(/(INFRAGYM_\w+)[=:]/g)].map((match) => match[1]!);
    expect(named.length).toBeGreaterThan(2);
    for (const name of named) expect(known).toContain(name);
  });
});

describe('openenv.yaml', () => {
  it('names files that exist and the version of the package', () => {
    const yaml = read('openenv.yaml');
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(yaml).toContain(`\nversion: ${version}\n`);
    // Cargo's version is the Python package's too.
    expect(read('Cargo.toml')).toContain(`
version = "${version}"
`);
    for (const key of ['app', 'probe_path', 'dockerfile']) {
      const [, file] = new RegExp(`^ *${key}: (\\S+)$`, 'm').exec(yaml) ?? [];
      expect(existsSync(root + file)).toBe(true);
    }
    const plan = JSON.parse(read('validation/runtime.json')) as { actions: unknown[] };
    expect(plan.actions.length).toBeGreaterThan(0);
  });
});
