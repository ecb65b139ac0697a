/** The examples of docs/training.md run. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { root, runScript, temporaryFolder } from './cli/run.js';

const page = readFileSync(join(root, 'docs/training.md'), 'utf8');
const library = pathToFileURL(join(root, 'src/index.ts')).href;
const folder = temporaryFolder();

it.each([
  ['stepAsync', /^4096 environments\n$/],
  ['record', /^16384 16384 16384 34304\n$/],
  ['parametricPolicy', /^\d+ 3\n$/],
])('the example of %s', async (name, expected) => {
  const examples = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]);
  const example = examples.find((text) => text.includes(`${name}(`)) ?? '';
  const script = join(folder, `${name}.mts`);
  writeFileSync(script, example.replace("'infragym'", JSON.stringify(library)));
  const { code, stdout, stderr } = await runScript(script);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toMatch(expected);
});
