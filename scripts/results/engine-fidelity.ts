/**
 * How far the simulated engine is from real ones: every measured run replayed open loop, with
 * coefficients that were fitted on calibration rows only.
 *
 *   npm run results -- engine-fidelity [--data DIR] [--out CSV] [--fit]
 *
 * Without `--data`, the shipped runs; the page and the picture in docs/results are written then.
 * `--fit` fits the coefficients again and writes src/data/engine/fitted-servers.ts.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compareRun, METRICS, STATISTICS } from '../../src/envs/engine/measured.js';
import { fitServers } from './engine-fidelity-fit.js';
import { fidelityPage, summaryLines } from './engine-fidelity-page.js';
import { drawFidelity } from './engine-fidelity-picture.js';
import { type Compared, type RecordedRun, readRuns } from './llm-engine-runs.js';

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const SHIPPED = file('validation/llm-engine');

export function run(options: readonly string[]): void {
  const { values } = parseArgs({
    args: [...options],
    options: {
      data: { type: 'string' },
      out: { type: 'string' },
      fit: { type: 'boolean' },
    },
  });
  const runs = readRuns(values.data ?? SHIPPED);
  if (values.fit) {
    fitServers(runs, file('src/data/engine/fitted-servers.ts'));
    process.stdout.write('coefficients written; run again to see what they give\n');
    return;
  }
  const compared = compareAll(runs);
  if (values.out !== undefined) writeFileSync(values.out, csvOf(compared));
  if (values.data === undefined) {
    writeFileSync(file('docs/results/engine-fidelity.csv'), csvOf(compared));
    writeFileSync(file('docs/results/engine-fidelity.svg'), drawFidelity(compared));
    writeFileSync(file('docs/results/engine-fidelity.md'), fidelityPage(compared));
  }
  process.stdout.write(`${summaryLines(compared).join('\n')}\n`);
}

function compareAll(runs: readonly RecordedRun[]): Compared[] {
  const started = Date.now();
  return runs.map((run, i) => {
    if (process.stderr.isTTY) {
      const seconds = ((Date.now() - started) / 1000).toFixed(0);
      process.stderr.write(`\r${i + 1} of ${runs.length} runs, ${seconds} s`);
      if (i + 1 === runs.length) process.stderr.write('\n');
    }
    return { ...compareRun(run), run };
  });
}

/** One row a run: errors in percent. */
function csvOf(compared: readonly Compared[]): string {
  const columns = METRICS.flatMap((m) => STATISTICS.map((s) => ({ m, s })));
  const header = ['id', 'n', ...columns.map(({ m, s }) => `${m}_${s}_error_percent`)];
  const rows = compared.map(({ run, error }) => {
    const n = run.ttft_s.filter((ttft) => !Number.isNaN(ttft)).length;
    return [run.id, n, ...columns.map(({ m, s }) => (100 * error[m][s]).toFixed(2))];
  });
  return `${[header, ...rows].map((row) => row.join(',')).join('\n')}\n`;
}
