/** The commands, and what becomes of errors: a message and an exit code. */
import { Command, CommanderError } from 'commander';
import {
  BackendUnavailableError,
  BundleError,
  DataError,
  ProgramError,
  SnapshotError,
  VERSION,
} from '../index.js';
import { addCompile } from './compile.js';
import { addDataset } from './dataset.js';
import { addDemo } from './demo.js';
import { addDoctor } from './doctor.js';
import { addEvaluate } from './evaluate.js';
import { addGrade } from './grade.js';
import { addHpa } from './hpa.js';
import { addImport } from './import.js';
import { CheckFailure, note, UsageError } from './output.js';
import { addRollout } from './rollout.js';
import { addServe } from './serve.js';
import { addTable } from './table.js';
import { addTasks } from './tasks.js';
import { addTrain } from './train.js';
import { addVerify } from './verify.js';

/** Wrong input: what the library says of it is what there is to say. */
const INPUT_ERRORS = [
  UsageError,
  RangeError,
  DataError,
  BundleError,
  ProgramError,
  SnapshotError,
  BackendUnavailableError,
];

const EXIT_CODES = `
Exit codes: 0 done, 1 a check failed, 2 wrong usage or input, 3 an error inside.
DEBUG=1 adds stack traces to errors.`;

/** Runs a command line and resolves to its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const program = new Command('infragym')
    .description('Reinforcement-learning environments for computing infrastructure.')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(--help tells more)')
    .addHelpText('after', EXIT_CODES);
  for (const add of [addTasks, addEvaluate, addRollout, addVerify, addTable, addImport]) {
    add(program);
  }
  const others = [addGrade, addHpa, addCompile, addDataset, addDoctor, addDemo, addServe, addTrain];
  for (const add of others) add(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return exitCodeOf(error);
  }
}

/** Says what went wrong, and whose turn it is. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CheckFailure) return 1;
  // Commander has printed its own message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const isInput = INPUT_ERRORS.some((kind) => error instanceof kind);
  const message = error instanceof Error ? error.message : String(error);
  note(isInput ? `error: ${message}` : `internal error: ${message}`);
  if (process.env['DEBUG'] && error instanceof Error) note(error.stack ?? '');
  return isInput ? 2 : 3;
}
