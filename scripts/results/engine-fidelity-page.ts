/** The fidelity of the engine in words and tables: docs/results/engine-fidelity.md. */
import { fittedServers } from '../../src/data/engine/fitted-servers.js';
import type { FidelityMetric } from '../../src/envs/engine/measured.js';
import type { Compared } from './llm-engine-runs.js';

/** A run is met where the error of each mean is within these, in percent. */
export const LIMITS = { ttft: 18, tpot: 7, e2e: 7 } as const satisfies Partial<
  Record<FidelityMetric, number>
>;
type Judged = keyof typeof LIMITS;
const JUDGED = Object.keys(LIMITS) as Judged[];

/** The part of an id that the runs of one sweep share: all up to the load. */
export const sweepOf = ({ run }: Compared): string => run.id.replace(/__q[\d.]+$/, '');

export const isMet = ({ error }: Compared): boolean =>
  JUDGED.every((metric) => Math.abs(100 * error[metric].mean) <= LIMITS[metric]);

const isHeldOut = ({ run }: Compared) => run.row['split'] !== 'calibration';

function medianError(compared: readonly Compared[], metric: FidelityMetric): number {
  const errors = compared.map(({ error }) => Math.abs(100 * error[metric].mean));
  errors.sort((a, b) => a - b);
  const middle = errors.length >> 1;
  if (errors.length % 2 === 1) return errors[middle]!;
  return (errors[middle - 1]! + errors[middle]!) / 2;
}

const shareMet = (compared: readonly Compared[]) =>
  `${compared.filter(isMet).length} of ${compared.length}`;

/** One group of runs: how many, median errors, how many met. */
function figures(compared: readonly Compared[]): string[] {
  const medians = [...JUDGED, 'throughput' as const].map((m) =>
    medianError(compared, m).toFixed(1),
  );
  return [String(compared.length), ...medians, shareMet(compared)];
}

/** Groups that are reported: name and runs. */
function groupsOf(compared: readonly Compared[]): [string, Compared[]][] {
  const heldOut = compared.filter(isHeldOut);
  const groups: [string, Compared[]][] = [
    ['held out, configuration known', heldOut.filter(({ run }) => run.isConfigurationKnown)],
    ['held out, all', heldOut],
    ['calibration', compared.filter((c) => !isHeldOut(c))],
    ['all', [...compared]],
  ];
  return groups.filter(([, runs]) => runs.length > 0);
}

/** The summary as lines of text, for the terminal. */
export function summaryLines(compared: readonly Compared[]): string[] {
  const rows = [
    ['runs', 'n', 'TTFT %', 'TPOT %', 'E2E %', 'tokens/s %', 'met'],
    ...groupsOf(compared).map(([name, runs]) => [name, ...figures(runs)]),
  ];
  const widths = rows[0]!.map((_, j) => Math.max(...rows.map((row) => row[j]!.length)));
  const line = (row: string[]) =>
    row
      .map((cell, j) => (j === 0 ? cell.padEnd(widths[j]!) : cell.padStart(widths[j]!)))
      .join('  ');
  return ['median |error of the mean|; met: TTFT 18, TPOT 7, E2E 7 %', ...rows.map(line)];
}

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  `| ${header.join(' | ')} |`,
  `|${header.map(() => '---').join('|')}|`,
  ...rows.map((row) => `| ${row.join(' | ')} |`),
];

const HEADER = ['runs', 'n', 'TTFT %', 'TPOT %', 'E2E %', 'tokens/s %', 'met'];

/** The page. */
export function fidelityPage(compared: readonly Compared[]): string {
  const sweeps = new Map<string, Compared[]>();
  for (const c of compared) sweeps.set(sweepOf(c), [...(sweeps.get(sweepOf(c)) ?? []), c]);
  const missed = compared.filter((c) => !isMet(c));
  const percent = (c: Compared, m: FidelityMetric) => (100 * c.error[m].mean).toFixed(1);
  return `${[
    '# How far the engine is from real ones',
    '',
    'Written by `npm run results -- engine-fidelity`. Do not edit.',
    '',
    'Every measured run is replayed open loop with its arrivals and its numbers of tokens; the',
    'coefficients were fitted on the calibration runs only and are frozen. Errors are of the mean:',
    'simulated / measured - 1. A run is met where TTFT is within 18 %, TPOT and E2E within 7 %.',
    'Where the replica of a request was drawn, the simulation is the mean over three draws.',
    'The structure of the model was chosen with errors of held-out runs in view, so the rows named',
    'held out are no blind test.',
    '',
    ...table(
      HEADER,
      groupsOf(compared).map(([name, runs]) => [name, ...figures(runs)]),
    ),
    '',
    '![measured against simulated, by load](engine-fidelity.svg)',
    '',
    '## By sweep',
    '',
    'Median over the loads of each sweep. Two deployments of one server differ by -13 to +19 % in',
    'TTFT below saturation (70B on A100: `exp0_vllm` and `exp0_llmd004`), and by a factor beyond.',
    '',
    ...table(
      ['sweep', ...HEADER.slice(1)],
      [...sweeps].map(([name, runs]) => [name, ...figures(runs)]),
    ),
    '',
    '## What was fitted',
    '',
    `${fittedServers.length} servers, four numbers each, in microseconds. Slopes come from facts.`,
    '',
    ...table(['server', 'layer', 'sequence', 'prefill', 'arrival', 'fitted on'], fittedRows()),
    '',
    '## Not met',
    '',
    `${missed.length} of ${compared.length} runs.`,
    '',
    ...table(
      ['run', 'TTFT %', 'TPOT %', 'E2E %', 'configuration'],
      missed.map((c) => [
        c.run.id,
        ...JUDGED.map((m) => percent(c, m)),
        c.run.isConfigurationKnown ? 'known' : 'not stated',
      ]),
    ),
  ].join('\n')}\n`;
}

function fittedRows(): string[][] {
  const micro = (seconds: number) => (1e6 * seconds).toFixed(1);
  return fittedServers.map(({ name, generation, calibration: c, fittedOn }) => [
    `${name}, ${generation}`,
    micro(c.layer_s),
    micro(c.sequence_s),
    micro(c.prefill_s),
    micro(c.arrival_s),
    fittedOn.map((id) => id.split('/').at(-1)).join(', '),
  ]);
}
