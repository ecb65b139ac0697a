/**
 * Measures what tests/envs/serving-tasks.test.ts promises of the measured serving tasks, over
 * seeds 0 .. 14, and writes tests/envs/serving-tasks.json:
 * npx tsx scripts/measure-serving.ts [--check]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { listTasks } from '../src/index.js';
import { measureTask } from '../tests/support/serving-properties.js';

const RESULT = 'tests/envs/serving-tasks.json';

async function main(): Promise<void> {
  const ids = listTasks()
    .filter(({ id, config }) => id.startsWith('serving/') && config['dynamics'] === 'measured')
    .map(({ id }) => id);
  const rows: unknown[] = [];
  for (const id of ids) {
    const row = await measureTask(id);
    console.log(JSON.stringify(row));
    rows.push(row);
  }
  const lines = rows.map((row) => JSON.stringify(row)).join(',\n');
  const text = `[\n${lines}\n]\n`;
  if (!process.argv.includes('--check')) writeFileSync(RESULT, text);
  else if (readFileSync(RESULT, 'utf8') !== text) throw new Error(`${RESULT} is out of date`);
}

main();
