/** `infragym tasks`: what there is to play. */
import type { Command } from 'commander';
import { type CompiledTask, compileTask, listTasks } from '../index.js';
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

function describeTask(task: CompiledTask) {
  const { spec, layout } = task;
  return {
    id: spec.id,
    aliases: spec.aliases,
    family: layout.name,
    difficulty: spec.difficulty,
    description: spec.description,
    actions: layout.actions,
    observations: task.observationNames.map((name) => {
      return layout.observations.find((field) => field.name === name) ?? { name };
    }),
    episode_length: task.horizonSteps,
    program_digest: task.programDigest,
  };
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
