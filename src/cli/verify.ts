/** `infragym verify`: proves that every backend gives the same bytes. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import {
  type BackendName,
  type BackendStatus,
  backendsToVerify,
  type FirstDifference,
  type Goldens,
  makeGoldens,
  type VerifyReport,
  verify,
} from '../index.js';
import { backendList, finish, nameList } from './options.js';
import {
  CheckFailure,
  formatTable,
  note,
  Progress,
  print,
  printJson,
  shortenPaths,
  writeFileWhole,
} from './output.js';

interface VerifyCommandOptions {
  readonly quick?: boolean;
  readonly tasks?: string[];
  readonly backends?: BackendName[];
  readonly write?: boolean;
  readonly json?: boolean;
}

const GOLDENS = fileURLToPath(new URL('../../tests/vectors/goldens.json', import.meta.url));

const GOLDENS_COMMENT =
  'Digests of every output byte of the runs that `infragym verify` plays, by batch size: the ' +
  'first 16 hex digits of SHA-256. The TypeScript reference alone writes them: npm run goldens.';

export function addVerify(program: Command): void {
  const command = program
    .command('verify')
    .description('step every task on every backend and compare every output byte')
    .option('--quick', 'a subset that takes less than a minute')
    .option('--tasks <tasks>', 'ids or aliases, separated by commas (default: all)', nameList)
    .option('--backends <names>', 'separated by commas (default: all there are)', backendList)
    .option('--write', 'write the golden digests from the reference first')
    .action(run);
  finish(command, 'infragym verify --quick --backends native,reference');
}

async function run(options: VerifyCommandOptions): Promise<void> {
  const progress = new Progress('verifying');
  const onProgress = ({ done, total, label }: { done: number; total: number; label: string }) =>
    progress.update(done / total, label);
  if (options.write) {
    const written = await makeGoldens(options.tasks, onProgress);
    writeGoldens(options.tasks ? { ...readGoldens(), ...written } : written);
  }
  const { backends, unloaded, statuses } = await backendsToVerify(options.backends);
  const report = await verify(backends, {
    ...(options.tasks ? { tasks: options.tasks } : {}),
    level: options.quick ? 'quick' : 'full',
    goldens: readGoldens(),
    unloaded,
    onProgress,
  });
  progress.stop();
  if (options.json) printJson(toJson(report, statuses));
  else printReport(report, statuses);
  if (!report.ok) throw new CheckFailure('the backends differ');
}

/** The committed digests; none in an installed package, which has no tests. */
function readGoldens(): Goldens {
  if (!existsSync(GOLDENS)) return {};
  return (JSON.parse(readFileSync(GOLDENS, 'utf8')) as { tasks: Goldens }).tasks;
}

function writeGoldens(tasks: Goldens): void {
  const text = JSON.stringify({ comment: GOLDENS_COMMENT, tasks }, null, 2);
  writeFileWhole(GOLDENS, `${text}\n`);
  note(`wrote ${GOLDENS}`);
}

/** The document of `--json`. */
function toJson(report: VerifyReport, statuses: readonly BackendStatus[]) {
  const backends = statuses.map(({ name, kernel, available, refused, reason }) => {
    return { backend: name, kernel, available, refused, reason };
  });
  const { ok, results, checks, firstDifference, differences } = report;
  return { ok, backends, results, checks, first_difference: firstDifference, differences };
}

function printReport(report: VerifyReport, statuses: readonly BackendStatus[]): void {
  for (const { name, available, refused, reason } of statuses) {
    const what = refused ? 'REFUSED' : 'not available:';
    if (!available) print(`${what} ${name}: ${shortenPaths(reason ?? '')}`);
  }
  print(digestTable(report));
  const failed = report.checks.filter((check) => !check.ok);
  for (const { check, task, backend } of failed) {
    print(
      check === task ? `FAILED ${check}: ${backend}` : `FAILED ${check}: ${task} on ${backend}`,
    );
  }
  print(`${report.checks.length - failed.length} of ${report.checks.length} cross checks hold`);
  for (const difference of report.differences) print(describeDifference(difference));
  print(report.ok ? 'every digest is equal' : 'NOT EQUAL');
}

/** One line for each task, batch size and digest, and who gave it. */
export function digestTable({ results }: VerifyReport): string {
  const givers = new Map<string, Set<string>>();
  const cells = new Map<string, (string | number)[]>();
  for (const { task, backend, kernel, envs, threads, digest, golden } of results) {
    const key = JSON.stringify([task, envs, digest]);
    const isGolden = golden === null ? 'none' : golden === digest ? 'equal' : golden;
    cells.set(key, [task, envs, digest, isGolden]);
    const name = `${backend} ${kernel}${threads > 1 ? ` ${threads} threads` : ''}`;
    givers.set(key, (givers.get(key) ?? new Set()).add(name));
  }
  const sizes = results.map(({ task, envs }) => JSON.stringify([task, envs]));
  const isAgreed = givers.size === new Set(sizes).size;
  const rows = [...givers].map(([key, names]) => {
    const who = isAgreed ? formatImplementations(names.size) : [...names].join(', ');
    return [...(cells.get(key) ?? []), who];
  });
  const all = [...new Set([...givers.values()].flatMap((names) => [...names]))];
  const table = formatTable(['task', 'envs', 'digest', 'golden', 'given by'], rows);
  return `${table}\n\nimplementations: ${all.join(', ')}`;
}

/** `1 implementation`, `8 implementations`. */
export function formatImplementations(count: number): string {
  return `${count} implementation${count === 1 ? '' : 's'}`;
}

function describeDifference(d: FirstDifference): string {
  const batch = d.envs > 0 ? ` (${d.kernel}, ${d.envs} envs, ${d.threads} threads)` : '';
  const mode = d.autoreset === null ? '' : `, autoreset ${d.autoreset}`;
  const place = d.step === null ? '' : ` at step ${d.step}, environment ${d.env ?? 'any'}`;
  const task = d.task === '' ? '' : `${d.task} on `;
  return [
    `first difference: ${task}${d.backend}${batch}${mode}${place}`,
    `  field    ${d.field}`,
    `  expected ${d.expected}`,
    `  got      ${d.got}`,
  ].join('\n');
}
