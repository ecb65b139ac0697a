/** `infragym train`: trains a policy into a directory that every `--policy` takes. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  ALGORITHMS,
  type Algorithm,
  comparePolicies,
  createPolicy,
  type JsonObject,
  loadCharts,
  POLICY_FILE,
  type TrainResult,
  type TrainRow,
  testSeeds,
  train,
} from '../index.js';
import { finish, integer, readConfig } from './options.js';
import { formatRate, note, Progress, print, printJson, writeFileWhole } from './output.js';

const CHECKPOINT_FILE = 'checkpoint.bin';

interface TrainCommandOptions {
  readonly task: string;
  readonly config?: string;
  readonly steps: number;
  readonly seed: number[];
  readonly out: string;
  readonly resume?: boolean;
  readonly set: JsonObject;
  readonly learner: 'auto' | 'native' | 'wasm' | 'reference';
  readonly threads: number;
  readonly validationEpisodes: number;
  readonly keepBest?: boolean;
  readonly testEpisodes: number;
  readonly json?: boolean;
}

export function addTrain(program: Command): void {
  const command = program
    .command('train')
    .description('train a policy')
    .argument('<algorithm>', Object.keys(ALGORITHMS).join(', '), algorithm)
    .requiredOption('--task <task>', 'id or alias')
    .requiredOption('--steps <n>', 'environment steps', integer(1, Number.MAX_SAFE_INTEGER))
    .requiredOption('--out <dir>', 'the directory; with several seeds, of one for each')
    .option('--seed <seeds>', 'of weights, draws and episodes, e.g. 1 or 1,2,3', seedList, [1])
    .option('--config <json>', 'entries of the configuration to replace: JSON, or a file of it')
    .option('--set <name=value>', 'a setting of the algorithm; may be repeated', setting, {})
    .option('--resume', 'go on from the checkpoint in the directory')
    .option('--keep-best', 'keep the policy of the best validation, not the last')
    .option('--validation-episodes <n>', '0: none', integer(0, 10_000), 30)
    .option('--test-episodes <n>', 'held-out episodes at the end', integer(0, 10_000), 50)
    .option('--threads <n>', 'threads that step the environments', integer(1, 64), 1)
    .addOption(
      new Option('--learner <name>', 'what computes the gradients')
        .choices(['auto', 'native', 'wasm', 'reference'])
        .default('auto'),
    )
    .action(runTrain);
  finish(
    command,
    'infragym train ppo --task autoscaling-easy --steps 200000 --seed 1 --out runs/a',
  );
}

async function runTrain(name: Algorithm, options: TrainCommandOptions): Promise<void> {
  const reports = [];
  for (const seed of options.seed) {
    const dir = options.seed.length === 1 ? options.out : join(options.out, `seed-${seed}`);
    reports.push(await trainOne(name, options, seed, dir));
  }
  if (options.json) printJson(reports.length === 1 ? reports[0] : reports);
  else for (const report of reports) printReport(report);
}

async function trainOne(name: Algorithm, options: TrainCommandOptions, seed: number, dir: string) {
  mkdirSync(dir, { recursive: true });
  const checkpoint = readCheckpoint(dir, options.resume ?? false);
  const progress = new Progress(`training, seed ${seed}`);
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  process.once('SIGINT', stop);
  const log = new CurveLog(dir, progress, options.steps);
  const result = await train({
    algorithm: name,
    task: options.task,
    ...(options.config !== undefined && { config: readConfig(options.config) }),
    totalSteps: options.steps,
    seed,
    threads: options.threads,
    settings: options.set,
    learner: options.learner,
    validationEpisodes: options.validationEpisodes,
    keepBest: options.keepBest ?? false,
    signal: interrupt.signal,
    onRow: (row) => log.add(row),
    onCheckpoint: (bytes) => {
      writeFileWhole(join(dir, CHECKPOINT_FILE), bytes);
      log.write();
    },
    ...(checkpoint !== undefined && { checkpoint }),
  }).finally(() => {
    process.off('SIGINT', stop);
    progress.stop();
  });
  log.rows = [...result.rows];
  log.write();
  if (result.isInterrupted) {
    note(`interrupted after ${result.steps} steps: --resume goes on from ${dir}`);
  } else rmSync(join(dir, CHECKPOINT_FILE), { force: true });
  writeFileWhole(join(dir, POLICY_FILE), result.policy);
  await drawCurve(dir, result);
  return report(dir, result, options);
}

function readCheckpoint(dir: string, resume: boolean): Uint8Array | undefined {
  const file = join(dir, CHECKPOINT_FILE);
  if (!resume) {
    if (existsSync(file)) note(`${file} is of an interrupted run and will be replaced; --resume`);
    return undefined;
  }
  if (!existsSync(file)) {
    throw new RangeError(`--resume: ${file} does not exist: nothing was interrupted there`);
  }
  return new Uint8Array(readFileSync(file));
}

/** The curve as it grows: a line of JSON and a row of CSV for every iteration. */
class CurveLog {
  rows: TrainRow[] = [];

  constructor(
    private readonly dir: string,
    private readonly progress: Progress,
    private readonly totalSteps: number,
  ) {}

  add(row: TrainRow): void {
    this.rows.push(row);
    const shown = ['episode_return_mean', 'validation_score_mean', 'steps_per_s']
      .filter((name) => Number.isFinite(row[name]))
      .map((name) => `${name} ${row[name].toPrecision(4)}`);
    this.progress.update(row['steps'] / this.totalSteps, shown.join(', '));
  }

  write(): void {
    const { rows, dir } = this;
    const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const lines = rows.map((row) => names.map((name) => row[name] ?? '').join(','));
    writeFileWhole(join(dir, 'curve.csv'), `${[names.join(','), ...lines].join('\n')}\n`);
    const json = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    writeFileWhole(join(dir, 'curve.jsonl'), json);
  }
}

/** A picture of the validation scores, or of the training returns where there are none. */
async function drawCurve(dir: string, { rows, task, header }: TrainResult): Promise<void> {
  const isValidated = rows.some((row) => row['validation_score_mean'] !== undefined);
  const name = isValidated ? 'validation_score_mean' : 'episode_return_mean';
  const points = rows.filter((row) => Number.isFinite(row[name]));
  if (points.length < 2) return;
  const { lineChart, renderPng } = await loadCharts();
  const series = {
    name: header.algorithm,
    x: points.map((row) => row['steps']),
    y: points.map((row) => row[name]),
  };
  const chart = {
    title: `${header.algorithm} on ${task.spec.id}, seed ${header.seed}`,
    x: 'environment steps',
    y: isValidated ? 'score on validation seeds' : 'return of training episodes',
  };
  writeFileWhole(join(dir, 'curve.png'), renderPng(lineChart([series], chart)));
}

/** The line of `--json`, with held-out scores beside the task's baseline. */
async function report(dir: string, result: TrainResult, options: TrainCommandOptions) {
  const { rows, steps, seconds, header, task } = result;
  const last = rows.findLast((row) => row['validation_score_mean'] !== undefined);
  const summary = {
    dir,
    algorithm: header.algorithm,
    task: task.spec.id,
    seed: header.seed,
    steps,
    seconds,
    steps_per_s: steps / seconds,
    weights_digest: header.weights_digest,
    interrupted: result.isInterrupted,
    validation: last === undefined ? null : { score_mean: last['validation_score_mean'] },
  };
  if (options.testEpisodes === 0 || result.isInterrupted) return { ...summary, evaluation: null };
  const policies = {
    [header.algorithm]: await createPolicy(dir, task),
    baseline: await createPolicy('baseline', task),
  };
  const compared = await comparePolicies(task, policies, testSeeds(options.testEpisodes));
  const rowsOf = compared.policies.map(({ episodes: _episodes, ...row }) => row);
  return { ...summary, evaluation: { policies: rowsOf, paired: compared.paired } };
}

type Report = Awaited<ReturnType<typeof report>>;

function printReport(done: Report): void {
  const speed = formatRate(done.steps_per_s);
  print(`${done.dir}: ${done.algorithm} on ${done.task}, seed ${done.seed}`);
  print(`  ${done.steps} steps in ${done.seconds.toFixed(1)} s, ${speed}`);
  print(`  weights ${done.weights_digest}`);
  for (const { policy, score_mean, return_mean } of done.evaluation?.policies ?? []) {
    print(`  ${policy}: score ${score_mean.toFixed(4)}, return ${return_mean.toFixed(2)} held out`);
  }
}

function algorithm(text: string): Algorithm {
  if (Object.hasOwn(ALGORITHMS, text)) return text as Algorithm;
  throw new InvalidArgumentError(`There are ${Object.keys(ALGORITHMS).join(', ')}.`);
}

function seedList(text: string): number[] {
  const seeds = text.split(',').map(Number);
  if (seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31)) return seeds;
  throw new InvalidArgumentError('Whole numbers below 2^31 are needed, e.g. 1,2,3.');
}

/** `name=value` into the settings; the value is JSON, else a text. */
function setting(text: string, settings: JsonObject): JsonObject {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('name=value is needed, e.g. learningRate=0.001.');
  const value = text.slice(at + 1);
  try {
    return { ...settings, [text.slice(0, at)]: JSON.parse(value) as JsonObject[string] };
  } catch {
    return { ...settings, [text.slice(0, at)]: value };
  }
}
