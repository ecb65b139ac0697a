/** The committed digests belong to the tasks as they are. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compileTask, type Goldens, listTasks } from '../../src/index.js';

const file = fileURLToPath(new URL('../vectors/goldens.json', import.meta.url));
const command =
  'npm run goldens writes them; if results changed on purpose, the task needs a new version';

describe(`tests/vectors/goldens.json (${command})`, () => {
  const goldens: Goldens = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as { tasks: Goldens }).tasks
    : {};

  it('has every task and no other', () => {
    const ids = listTasks().map(({ id }) => id);
    expect(Object.keys(goldens).sort()).toEqual([...ids].sort());
  });

  it.each(listTasks().map(({ id }) => id))('%s is the program they were made with', (id) => {
    const { programDigest } = compileTask(id);
    expect(goldens[id]?.program).toBe(programDigest);
    for (const digests of [goldens[id]?.quick, goldens[id]?.full]) {
      expect(Object.keys(digests ?? {})).toEqual(['1', '7', '64', '1000']);
    }
  });
});
