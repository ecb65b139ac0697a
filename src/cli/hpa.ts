/** `infragym hpa`: Kubernetes' decisions without a cluster, for published cases or own pods. */
import type { Command } from 'commander';
import { parse as parseYaml } from 'yaml';
import { type Decision, playDryRun, readBounded, readDryRun, runHpaCases } from '../index.js';
import { finish } from './options.js';
import { CheckFailure, formatTable, note, print, printJson, UsageError } from './output.js';

const BYTES_MAX = 256 * 2 ** 20;

interface HpaCommandOptions {
  readonly syncs?: string;
  readonly json?: boolean;
}

const FORMS = `
FILE is YAML or JSON of one of these forms:
  {cases: […]}                        decisions to check: exit code 1 where one differs
  {hpa, syncs, controller?, replicas?}  an autoscaling/v2 object and a series of its pods
  an autoscaling/v2 object            with --syncs FILE: a list of syncs
A sync is {time_s, replicas?, pods: [{ready?, phase?, usage: {cpu: 250m}, requests: {cpu: 1}}],
metrics?: {queue_depth: 30}}; without replicas it takes the size decided before.`;

export function addHpa(program: Command): void {
  const command = program
    .command('hpa')
    .description("decide as Kubernetes' HorizontalPodAutoscaler would, sync by sync")
    .argument('<file>', 'cases, a dry run, or an autoscaling/v2 object')
    .option('--syncs <file>', 'the syncs of a dry run, where they are a file of their own')
    .addHelpText('after', FORMS)
    .action(async (file: string, options: HpaCommandOptions) => {
      const document = await readDocument(file);
      if (isCases(document)) checkCases(document, options);
      else await dryRun(document, file, options);
    });
  finish(command, 'infragym hpa autoscaler.yaml --syncs pods.json --json');
}

function isCases(document: unknown): boolean {
  return typeof document === 'object' && document !== null && 'cases' in document;
}

function checkCases(document: unknown, { json }: HpaCommandOptions): void {
  const results = runHpaCases(document);
  const numWrong = results.filter(({ ok }) => !ok).length;
  if (json) printJson({ ok: numWrong === 0, cases: results });
  else {
    const rows = results.map(({ ok, name, desired, expected }) => {
      return [ok ? 'ok' : 'WRONG', name, desired, expected ?? ''];
    });
    print(formatTable(['', 'case', 'desired', 'expected'], rows));
  }
  if (numWrong > 0) throw new CheckFailure(`${numWrong} of ${results.length} cases differ`);
}

async function dryRun(document: unknown, file: string, options: HpaCommandOptions): Promise<void> {
  const syncs = options.syncs === undefined ? undefined : await readDocument(options.syncs);
  if (syncs === undefined && !(typeof document === 'object' && document && 'hpa' in document)) {
    throw new UsageError(`${file}: syncs are needed: --syncs FILE, or a file of {hpa, syncs}`);
  }
  const run = readDryRun(document, syncs);
  for (const warning of run.hpa.spec.warnings) note(`warning: ${warning}`);
  const decisions = playDryRun(run);
  if (options.json) printJson({ spec: run.hpa.spec, flags: run.hpa.flags, decisions });
  else print(decisionTable(decisions));
}

function decisionTable(decisions: readonly Decision[]): string {
  const header = ['time s', 'replicas', 'desired', 'recommended', 'limit', 'why'];
  const rows = decisions.map(({ time_s, replicas, desired, recommendation, limit, ...rest }) => {
    const said = rest.metrics.map(({ name, current, error, replicas: asked, unit }) =>
      error === null ? `${name} ${inUnit(current!, unit)} → ${asked}` : `${name}: ${error}`,
    );
    const why = [...(rest.reason === 'metrics' ? [] : [rest.reason]), ...said].join('; ');
    const isHeld = limit === 'none' ? '' : limit;
    return [time_s, replicas, desired, recommendation ?? '', isHeld, why];
  });
  return formatTable(header, rows);
}

function inUnit(current: number, unit: 'percent' | 'milli'): string {
  return unit === 'percent' ? `${current} %` : String(current / 1000);
}

/** A file of YAML; JSON is YAML too, but its own parser is the quicker one. */
async function readDocument(file: string): Promise<unknown> {
  const text = new TextDecoder().decode(await readBounded(file, BYTES_MAX));
  try {
    return /^\s*[[{]/.test(text) ? JSON.parse(text) : parseYaml(text);
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}
