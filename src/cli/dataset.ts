/** `infragym dataset`: plays a policy and writes its transitions as parquet. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { compileTask, createPolicy, parseSeed, writeDataset } from '../index.js';
import { type BackendChoice, backendOption, finish, integer } from './options.js';
import { formatCount, note, Progress, print, printJson, UsageError } from './output.js';

interface DatasetCommandOptions {
  readonly task: string;
  readonly policy: string;
  readonly episodes: number;
  readonly seed: string;
  readonly backend: BackendChoice;
  readonly out: string;
  readonly json?: boolean;
}

export function addDataset(program: Command): void {
  const command = program
    .command('dataset')
    .description('write the transitions of a policy as parquet, for offline learning')
    .requiredOption('--task <task>', 'id or alias')
    .requiredOption('--policy <name>', 'who plays')
    .requiredOption('--episodes <n>', 'how many episodes', integer(1, 2 ** 31 - 1))
    .requiredOption('--out <file>', 'the file; an interrupted run goes on where it was')
    .option('--seed <seed>', 'episode k is episode 0 of seed + k', '0')
    .addOption(backendOption())
    .action(runDataset);
  finish(
    command,
    'infragym dataset --task provisioning-medium --policy match-queue --episodes 500 ' +
      '--out medium.parquet',
  );
}

async function runDataset(options: DatasetCommandOptions): Promise<void> {
  const { episodes, backend, out, json } = options;
  parseSeed(options.seed);
  const task = compileTask(options.task);
  const policy = await createPolicy(options.policy, task);
  const progress = new Progress('dataset');
  let hasBegun = false;
  const onProgress = (done: number) => {
    if (!hasBegun && done > 0) note(`going on after ${formatCount(done)} episodes`);
    hasBegun = true;
    progress.update(done / episodes, `${formatCount(done)} of ${formatCount(episodes)}`);
  };
  makeFolder(out);
  try {
    const request = { episodes, seed: options.seed, backend, onProgress };
    const result = await writeDataset(out, task, policy, request);
    progress.stop();
    if (json) printJson(result);
    else {
      print(`${result.file}: ${formatCount(result.transitions)} transitions`);
      print(`${formatCount(episodes)} episodes, digest ${result.digest}`);
    }
  } finally {
    progress.stop();
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw new UsageError(`${path} cannot be written: ${(error as Error).message}`);
  }
}
