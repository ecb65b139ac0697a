/**
 * Tunes the hysteresis rule of serving tasks and prints them as they stand in a task's
 * configuration: npx tsx scripts/tune-serving.ts [task…]
 * Seeds 1000 .. 1014, apart from those that scores are published for.
 */
import { compileTask, hysteresisJson, listTasks } from '../src/index.js';
import { findBestConstant, tuneHysteresis } from '../src/policies/serving/search.js';

const SEARCH = { firstSeed: 1000, numSeeds: 15 };

const named = process.argv.slice(2);
const ids = listTasks()
  .map((task) => task.id)
  .filter((id) => id.startsWith('serving/'));

async function main(): Promise<void> {
  for (const id of named.length > 0 ? named : ids) {
    const task = compileTask(id);
    const constant = await findBestConstant(task, SEARCH);
    const { rule, score } = await tuneHysteresis(task, SEARCH);
    const found = `constant [${constant.row.join(', ')}] ${constant.score.toFixed(3)}`;
    console.log(`${id}: ${found}, hysteresis ${score.toFixed(3)}`);
    console.log(JSON.stringify(hysteresisJson(rule)));
  }
}

main();
