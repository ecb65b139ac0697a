/** `infragym grade`: scores a recorded episode. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import {
  type CompiledTask,
  compileTask,
  type Grade,
  gradeContext,
  parseSeed,
  readBounded,
  type SeedLike,
} from '../index.js';
import { finish } from './options.js';
import { CheckFailure, formatTable, print, printJson, UsageError } from './output.js';

const LOG_BYTES_MAX = 256 * 2 ** 20;
const NAMED_FORM = '{"task", "program_digest", "seed", "steps": […]}';

interface GradeCommandOptions {
  readonly task: string;
  readonly log: string;
  readonly threshold?: number;
  readonly json?: boolean;
}

/** An episode's steps and, where the log names it, its seed. */
interface EpisodeLog {
  readonly seed: SeedLike | null;
  readonly steps: unknown;
}

export function addGrade(program: Command): void {
  const command = program
    .command('grade')
    .description("grade an episode's log")
    .requiredOption('--task <task>', 'id or alias')
    .requiredOption('--log <file>', `JSON: an array of steps, or ${NAMED_FORM}`)
    .option('--threshold <score>', 'exit with 1 where the score is below', threshold)
    .action(async (options: GradeCommandOptions) => {
      const grade = await gradeFile(compileTask(options.task), options.log);
      if (options.json) printJson(grade);
      else printGrade(grade);
      const { threshold: least } = options;
      if (least !== undefined && grade.score < least) throw new CheckFailure('below threshold');
    });
  finish(command, 'infragym grade --task static-uniform --log episode.json --threshold 0.3');
}

async function gradeFile(task: CompiledTask, file: string): Promise<Grade> {
  if (task.gradeLog === undefined) {
    throw new UsageError(`task ${task.spec.id}: logs of ${task.layout.name} cannot be graded`);
  }
  const bytes = await readBounded(file, LOG_BYTES_MAX);
  const { seed, steps } = readLog(task, file, new TextDecoder().decode(bytes));
  if (seed === null) return task.gradeLog(steps);
  return task.gradeLog(steps, await gradeContext(task, seed));
}

/** Reads either form of a log; one that names its episode must be of this very task. */
function readLog(task: CompiledTask, file: string, text: string): EpisodeLog {
  const refuse = (problem: string) => new UsageError(`${file}: ${problem}`);
  const log = parseJson(text, refuse);
  if (Array.isArray(log)) {
    if (!task.needsBaseline && task.bound === undefined) return { seed: null, steps: log };
    const why = "its score is relative to the seed's own baseline or bound";
    throw refuse(
      `the log is a bare array of steps: ${task.spec.id} needs ${NAMED_FORM}, for ${why}`,
    );
  }
  if (typeof log !== 'object' || log === null) {
    throw refuse(`the log is ${JSON.stringify(log)}: an array of steps or ${NAMED_FORM} is needed`);
  }
  const { task: id, program_digest: digest, seed, steps } = log as Record<string, unknown>;
  if (id !== undefined && (typeof id !== 'string' || compileTask(id).spec.id !== task.spec.id)) {
    throw refuse(`task is ${JSON.stringify(id)}: ${task.spec.id} is needed, or another --task`);
  }
  if (digest !== task.programDigest) {
    const found = JSON.stringify(digest) ?? 'missing';
    throw refuse(`program_digest is ${found}: ${task.programDigest} is needed for ${task.spec.id}`);
  }
  if (typeof seed !== 'number' && typeof seed !== 'string') {
    const found = JSON.stringify(seed) ?? 'missing';
    throw refuse(`seed is ${found}: the number or the string the episode began with is needed`);
  }
  parseSeed(seed);
  return { seed, steps };
}

function parseJson(text: string, refuse: (problem: string) => UsageError): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refuse(`is no JSON: ${(error as Error).message}`);
  }
}

function threshold(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('A number from 0 to 1 is needed.');
}

function printGrade({ score, breakdown, feedback }: Grade): void {
  print(`score ${score.toFixed(4)}\n`);
  const rows = Object.entries(breakdown).map(([part, value]) => [part, value.toFixed(4)]);
  if (rows.length > 0) print(`${formatTable(['part', 'score'], rows)}\n`);
  print(feedback);
}
