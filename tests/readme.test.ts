/** The README's example runs, and its commands exist. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compileTask, listFamilies, listTasks } from '../src/index.js';
import { infragym, root, runScript, temporaryFolder } from './cli/run.js';

const readme = readFileSync(join(root, 'README.md'), 'utf8');

describe('README', () => {
  const folder = temporaryFolder();

  it('has an example in TypeScript that runs', async () => {
    const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const library = pathToFileURL(join(root, 'src/index.ts')).href;
    const script = join(folder, 'example.mts');
    writeFileSync(script, example.replace("'infragym'", JSON.stringify(library)));
    const { code, stdout, stderr } = await runScript(script);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^episode of 600 steps on (native|wasm|assemblyscript|reference):/);
    expect(stdout).toMatch(/1024 episodes, digest [0-9a-f]{16} on every backend\n$/);
  });

  it('names every environment and only tasks that exist', () => {
    const table = /## Environments\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? '';
    for (const { name } of listFamilies()) expect(table).toContain(`| \`${name}\` |`);
    for (const [, name, tasks] of table.matchAll(/^\| `(\w+)` \|.*\|(.*)\|$/gm)) {
      const known = listTasks().filter(({ id }) => id.startsWith(`${name}/`));
      for (const [, part] of tasks.matchAll(/`([^`]+)`/g)) {
        expect(known.some(({ id }) => id.includes(part))).toBe(true);
      }
    }
    expect(compileTask('serving/llama3-8b-a100-40gb-azure-conv-v1').horizonSteps).toBe(600);
  });

  it('names only commands that exist', async () => {
    const table = /## Commands\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? '';
    const commands = [...table.matchAll(/^\| `(\w+)/gm)].map((match) => match[1]);
    expect(commands.length).toBeGreaterThan(5);
    const help = (await infragym(['--help'])).stdout;
    for (const command of commands) expect(help).toMatch(new RegExp(`^ {2}${command} `, 'm'));
  });
});
