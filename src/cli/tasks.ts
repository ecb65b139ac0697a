/** `infragym tasks`: what there is to play. */
import type { Command } from 'commander';
import { type CompiledTask, compileTask, describeTask, listTasks } from '../index.js';
import { finish } from './options.js';
import { formatTable, print, printJson } from './output.js';

export function addTasks(program: Command): void {
  const command = program
    .command('tasks')
    .description('list the tasks with their spaces and the digests that name them exactly')
    .action(({ json }: { json?: boolean }) => {
      const tasks = listTasks().map((task) => compileTask(task.id));
      if (json) printJson(tasks.map(describeTask));
      else print(taskTable(tasks));
    });
  finish(command, 'infragym tasks --json');
}

function taskTable(tasks: readonly CompiledTask[]): string {
  const rows = tasks.map(({ spec, horizonSteps, actionDim, observationDim, programDigest }) => [
    spec.id,
    spec.aliases.join(', '),
    spec.difficulty,
    horizonSteps,
    actionDim,
    observationDim,
    programDigest,
  ]);
  const header = ['task', 'also called', 'level', 'steps', 'actions', 'observations', 'digest'];
  return formatTable(header, rows);
}
