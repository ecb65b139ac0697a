/** `infragym import`: recordings and measurements of one's own, in canonical form. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  AGGREGATES,
  DEDUPES,
  encodeImported,
  FILLS,
  fileSource,
  IMPORT_KINDS,
  type ImportFilesOptions,
  type ImportReport,
  importFiles,
  importReport,
} from '../index.js';
import { finish } from './options.js';
import { formatCount, note, Progress, print, printJson, writeFileWhole } from './output.js';

type Flags = Omit<ImportFilesOptions, 'step_s' | 'limits' | 'onProgress'> & {
  readonly step?: number;
  readonly out?: string;
  readonly json?: boolean;
};

export function addImport(program: Command): void {
  const command = program
    .command('import <files...>')
    .description('read recordings and benchmark results of any known form, say what was read')
    .addOption(new Option('--as <kind>', 'what the files are').choices([...IMPORT_KINDS]))
    .option('--out <file>', 'write them in canonical form: .parquet, else CSV');
  readingOptions(command).action(runImport);
  finish(command, 'infragym import access.log.gz --step 15 --out load.parquet');
}

/** The options that say what a file does not, and the repairs. */
export function readingOptions(command: Command): Command {
  return command
    .option('--columns <roles>', 'columns by role, e.g. time=ts,value=rps', pairs)
    .option('--unit <unit>', 'of the values, e.g. requests, requests/s, cores')
    .option('--step <seconds>', 'bring samples to this spacing, count log lines by it', positive)
    .addOption(new Option('--aggregate <how>', 'of several signals').choices([...AGGREGATES]))
    .option('--from <time>', 'only from here: seconds or ISO 8601')
    .option('--to <time>', 'only until before here')
    .option('--rate <per second>', 'of requests in a file without arrival times', positive)
    .option('--counter', 'the values are counters: take their rate')
    .option('--no-counter', 'they are not, however they rise')
    .option('--tz <zone>', 'of times that name none, e.g. Europe/Berlin (default: UTC)')
    .addOption(new Option('--fill <how>', 'missing samples').choices([...FILLS]))
    .addOption(
      new Option('--dedupe [how]', 'join rows of one time')
        .choices([...DEDUPES])
        .preset('identical'),
    )
    .option('--sort', 'sort rows by time')
    .option('--skip-bad <n>', 'leave out up to n rows that cannot be read', wholeNumber)
    .option('--encoding <name>', 'of text that names none, e.g. windows-1252');
}

function pairs(text: string): Record<string, string> {
  const entries = text.split(',').map((pair) => pair.split('=').map((part) => part.trim()));
  const bad = entries.find((pair) => pair.length !== 2 || pair.includes(''));
  if (bad === undefined) return Object.fromEntries(entries) as Record<string, string>;
  throw new InvalidArgumentError(`"${bad.join('=')}" is not NAME=VALUE.`);
}

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('A number above 0 is needed.');
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A whole number is needed.');
}

/** The library's options from those of the command line. */
export function readingOf(flags: Flags): ImportFilesOptions {
  const { step, out: _out, json: _json, ...options } = flags;
  return { ...options, ...(step === undefined ? {} : { step_s: step }) };
}

async function runImport(files: readonly string[], flags: Flags): Promise<void> {
  const progress = new Progress('reading');
  const onProgress = (share: number) => progress.update(share);
  try {
    const options = { ...readingOf(flags), onProgress };
    const result = await importFiles(files.map(fileSource), options);
    progress.stop();
    if (flags.out !== undefined) writeFileWhole(flags.out, encodeImported(result.data, flags.out));
    const report = importReport(result, flags.out ?? null);
    if (flags.json) printJson(report);
    else printReport(report);
  } finally {
    progress.stop();
  }
}

function printReport(report: ImportReport): void {
  const { format, as, rows, columns, from, to, file } = report;
  print(`${format}, taken as ${as}: ${formatCount(rows)} ${NOUNS[as]}`);
  if (from !== null) print(`  from ${from} to ${to}`);
  for (const { name, unit, missing } of columns) {
    const gaps = missing > 0 ? `, ${formatCount(missing)} missing` : '';
    print(`  ${name}${unit === '' ? '' : ` in ${unit}`}${gaps}`);
  }
  for (const kind of ['converted', 'repaired', 'dropped'] as const) {
    for (const { what, count } of report[kind]) print(`${kind}: ${what}: ${formatCount(count)}`);
  }
  for (const { row, column, problem, option } of report.problems.slice(0, LISTED_MAX)) {
    const place = [
      row === null ? '' : `data row ${row}`,
      column === null ? '' : `column ${column}`,
    ];
    const where = place.filter((part) => part !== '').join(', ');
    print(`note: ${where}${where ? ': ' : ''}${problem}${option ? ` (${option})` : ''}`);
  }
  const more = report.problem_count - Math.min(report.problems.length, LISTED_MAX);
  if (more > 0) print(`note: … and ${more} more`);
  if (file !== null) note(`wrote ${file}`);
}

const LISTED_MAX = 10;
const NOUNS = { series: 'samples', trace: 'requests', bench: 'runs' } as const;
