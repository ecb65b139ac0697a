/** `infragym table`: performance tables from measurements of one's own. */
import { existsSync } from 'node:fs';
import { basename, extname } from 'node:path';
import type { Command } from 'commander';
import {
  checkTable,
  decodePerfTable,
  encodePerfTable,
  exportTable,
  exportTableCsv,
  importTable,
  loadShippedTable,
  lookupTable,
  type PerfMetrics,
  type PerfTable,
  readBounded,
  readTableFile,
  SHIPPED_TABLES,
  syntheticTable,
  type TableReport,
} from '../index.js';
import { finish } from './options.js';
import {
  CheckFailure,
  formatTable,
  note,
  print,
  printJson,
  UsageError,
  writeFileWhole,
} from './output.js';

const TABLE_FILE_BYTES_MAX = 64 * 2 ** 20;
const LISTED_MAX = 10; // findings that are printed; --json has more

interface OutOption {
  readonly out: string;
  readonly json?: boolean;
}

/** Values of columns that a benchmark does not measure. */
interface AssumedOptions {
  readonly kvBudget?: number;
  readonly memoryGb?: number;
  readonly price?: number;
}

function assumedOptions(command: Command): Command {
  return command
    .option('--kv-budget <share>', 'where the file has none (default: 0.9)', positiveNumber)
    .option('--memory-gb <gb>', "the device's memory", positiveNumber)
    .option('--price <usd>', 'an hour, where the file has no cost (default: 2)', positiveNumber);
}

function assumedOf({ kvBudget, memoryGb, price }: AssumedOptions) {
  return {
    ...(kvBudget === undefined ? {} : { kvBudget }),
    ...(memoryGb === undefined ? {} : { memoryGb }),
    ...(price === undefined ? {} : { pricePerHourUsd: price }),
  };
}

interface ImportCommandOptions extends OutOption, AssumedOptions {
  readonly name?: string;
  readonly source?: string;
  readonly licence?: string;
}

export function addTable(program: Command): void {
  const table = program
    .command('table')
    .description('check, import, look up and export tables of server measurements');
  addCheck(table);
  addImport(table);
  addLookup(table);
  addExport(table);
}

function addCheck(table: Command): void {
  const command = table
    .command('check <file>')
    .description('say what an import of a parquet or CSV file would fill, or why it is refused')
    .action(async (file: string, options: AssumedOptions & { json?: boolean }) => {
      report(checkTable(await readTableFile(file), assumedOf(options)), options.json);
    });
  finish(assumedOptions(command), 'infragym table check measurements.csv');
}

function addImport(table: Command): void {
  const command = table
    .command('import <file>')
    .description('make a table file, which a task can name, of a parquet or CSV file')
    .requiredOption('--out <file>', 'the table file to write, e.g. my-server.json')
    .option('--name <name>', 'what the table is called (default: as the file)')
    .option('--source <text>', 'where the measurements come from')
    .option('--licence <text>', 'under which licence')
    .action(async (file: string, options: ImportCommandOptions) => {
      const columns = await readTableFile(file);
      const assumed = assumedOf(options);
      const checked = checkTable(columns, assumed);
      if (checked.ok) {
        const { source, licence, memoryGb } = options;
        const imported = importTable(columns, {
          assumed,
          name: options.name ?? basename(file, extname(file)),
          ...(source === undefined ? {} : { source }),
          ...(licence === undefined ? {} : { licence }),
          ...(memoryGb === undefined ? {} : { deviceMemoryGb: memoryGb }),
        });
        writeFileWhole(options.out, encodePerfTable(imported));
        note(`wrote ${options.out}; a serving task takes it as config.table`);
      }
      report(checked, options.json);
    });
  finish(
    assumedOptions(command),
    'infragym table import measurements.parquet --out my-server.json',
  );
}

function addLookup(table: Command): void {
  const command = table
    .command('lookup <table>')
    .description('interpolate a table at the rows of a query file, without noise')
    .requiredOption('--queries <file>', 'columns batch_size, kv_budget, spec_length, prompt_len')
    .action(async (name: string, { queries, json }: { queries: string; json?: boolean }) => {
      const answers = lookupTable(await tableOf(name), await readTableFile(queries));
      if (json) printJson(answers);
      else print(answerTable(answers));
    });
  finish(command, 'infragym table lookup llama3-8b-a100-40gb --queries queries.csv --json');
}

function addExport(table: Command): void {
  const command = table
    .command('export <table>')
    .description('write a table as parquet or, where the name ends in .csv, as CSV')
    .requiredOption('--out <file>', 'the file to write')
    .action(async (name: string, { out, json }: OutOption) => {
      const source = await tableOf(name);
      const isCsv = extname(out).toLowerCase() === '.csv';
      writeFileWhole(out, isCsv ? exportTableCsv(source) : exportTable(source));
      if (json) printJson({ file: out, table: source.name, format: isCsv ? 'csv' : 'parquet' });
      else print(`wrote ${out}`);
    });
  finish(command, 'infragym table export synthetic-a --out synthetic-a.parquet');
}

/** A table by its name, from a table file, or imported from parquet or CSV. */
async function tableOf(nameOrFile: string): Promise<PerfTable> {
  if (nameOrFile === 'synthetic-a') return syntheticTable();
  if ((SHIPPED_TABLES as readonly string[]).includes(nameOrFile))
    return loadShippedTable(nameOrFile);
  if (!existsSync(nameOrFile)) {
    const names = ['synthetic-a', ...SHIPPED_TABLES].join(', ');
    throw new UsageError(`table "${nameOrFile}" is neither a file nor one of ${names}`);
  }
  const extension = extname(nameOrFile);
  if (extension.toLowerCase() !== '.json') {
    const name = basename(nameOrFile, extension);
    return importTable(await readTableFile(nameOrFile), { name });
  }
  const bytes = await readBounded(nameOrFile, TABLE_FILE_BYTES_MAX);
  return decodePerfTable(new TextDecoder().decode(bytes));
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new UsageError(`"${text}" is no number above 0`);
}

/** Prints what was found; problems make the exit code 1. */
function report(checked: TableReport, json: boolean | undefined): void {
  if (json) printJson(checked);
  else printReport(checked);
  if (!checked.ok) throw new CheckFailure('the table is refused');
}

function printReport(checked: TableReport): void {
  const { ok, rows, grid, filled, problems, problem_count, warnings, heldout_error } = checked;
  print(ok ? `${rows} rows: a good table` : `${rows} rows: REFUSED, ${problem_count} problems`);
  for (const { row, column, problem } of problems.slice(0, LISTED_MAX)) {
    print(`  ${row === null ? '' : `data row ${row}, `}column ${column}: ${problem}`);
  }
  if (problem_count > LISTED_MAX) print(`  … and ${problem_count - LISTED_MAX} more`);
  for (const [axis, nodes] of Object.entries(grid)) print(`  ${axis}: ${nodes.join(' ')}`);
  for (const { method, ...cell } of filled.slice(0, LISTED_MAX)) {
    print(`  filled (${method}): ${JSON.stringify(cell)}`);
  }
  for (const warning of warnings) print(`note: ${warning}`);
  if (!ok) return;
  const errors = Object.entries(heldout_error).map(([metric, error]) => [
    metric,
    error === null ? 'unknown' : `${error.toFixed(2)} %`,
  ]);
  print();
  print(formatTable(['metric', 'held-out error'], errors));
}

function answerTable(answers: readonly PerfMetrics[]): string {
  const header = ['ttft_p50', 'ttft_p99', 'tpot', 'tps', 'gpu_mem_gb', 'cost_per_1k'] as const;
  return formatTable(
    header,
    answers.map((answer) => header.map((metric) => answer[metric].toPrecision(6))),
  );
}
