/**
 * Builds data/tables from the measured traces: npx tsx scripts/data/build-tables.ts
 * The traces are read from ../shared/data/llm_perf; only what is computed from them is written.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { checkTable, importTable } from '../../src/data/import-table.js';
import { readTableFile, SHIPPED_TABLES } from '../../src/data/node.js';
import type { PerfMetrics, PerfTable } from '../../src/data/perf-table.js';
import { encodePerfTable, PERF_METRICS, perfTableDigest } from '../../src/data/perf-table.js';
import { TABLE_COLUMNS } from '../../src/data/table-rows.js';

const TRACES = '../shared/data/llm_perf';
const TABLES = 'data/tables';

const DEVICES = {
  'llama3-8b-a100-40gb': { file: 'a100_40gb', memoryGb: 40, price: 1.5 },
  'llama3-8b-a100-80gb': { file: 'a100_80gb', memoryGb: 80, price: 2 },
  'llama3-8b-h100-80gb': { file: 'h100_80gb', memoryGb: 80, price: 3.5 },
};

const SOURCE = [
  'Llama-3-8B on one GPU, computed from operation profiles of microsoft/vidur @ 7d475133 (MIT)',
  'and ai-dynamo/aiconfigurator @ 095f58a5 (Apache-2.0), calibrated and validated with',
  'argonne-lcf/LLM-Inference-Bench @ 4211f5d4 (BSD-3-Clause); answer lengths from the Microsoft',
  'Azure Public Dataset, LLM inference trace 2023 (CC-BY-4.0)',
].join(' ');
const LICENCE = 'sources MIT, Apache-2.0, BSD-3-Clause and CC-BY-4.0; the table itself MIT';

/** Errors at 240 off-grid configurations, interpolated as the kernels do: linear in the axes. */
async function offGridErrors(): Promise<Partial<PerfMetrics>> {
  const rows = await readTableFile(`${TRACES}/validation/table_interpolation_offgrid.csv`);
  const errors: Partial<PerfMetrics> = {};
  for (const metric of PERF_METRICS) {
    const row = (rows['mode'] as string[]).findIndex(
      (mode, i) => mode.startsWith('linear') && rows['metric'][i] === metric,
    );
    if (row >= 0) errors[metric] = rows['mape'][row] as number;
  }
  return errors;
}

function percent(x: number | null | undefined): string {
  return x === null || x === undefined ? '' : `${x.toFixed(2)} %`;
}

/** Breaks text into lines of at most 100 columns. */
function wrap(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1];
    const joined = last === '' ? word : `${last} ${word}`;
    if (joined.length <= 100) lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  return lines.join('\n');
}

function readme(rows: string[], offGrid: Partial<PerfMetrics>): string {
  const header = `| table | size | digest | ${PERF_METRICS.join(' | ')} |`;
  const rule = `|---|---|---|${PERF_METRICS.map(() => '---').join('|')}|`;
  const measured = PERF_METRICS.map((metric) => `${metric} ${percent(offGrid[metric])}`)
    .filter((text) => text.includes('%'))
    .join(', ');
  return `# Measured performance tables

Written by \`npx tsx scripts/data/build-tables.ts\`; do not edit. Each file is one table in the
format of \`src/data/perf-table.ts\`: Meta-Llama-3-8B on one GPU (tensor parallelism 1), 5,400
configurations of batch size, KV budget, draft length, quantisation tier and prompt length.
Latencies in ms, memory in GB (1e9 bytes), cost in $ per 1,000 output tokens at the GPU-hour price
in the file. Answers are 210 tokens long on average (Azure 2023 conversation lengths).

The files hold figures computed from public measurements, not the measurements themselves:
${wrap(`${SOURCE}. Licence: ${LICENCE}.`)}

Error of linear interpolation at 240 off-grid configurations, simulated anew (from the source's
validation, which does not name the device):
${measured}.

Five-fold held-out error of \`infragym table check\`, each held-out cell predicted from measured
neighbours:

${[header, rule, ...rows].join('\n')}

Assumptions: a draft token is accepted with probability 0.7; INT4 on H100 takes the A100's ratios;
batch sizes above 64 extrapolate the framework's overhead; prices are $1.50, $2.00 and $3.50.
\`prefill_ms\` is the time to prefill one prompt, overhead included, by tier and prompt length.
`;
}

async function buildTable(name: (typeof SHIPPED_TABLES)[number], errors: Partial<PerfMetrics>) {
  const { file, memoryGb, price } = DEVICES[name];
  const trace = `${TRACES}/traces_llama3_8b_${file}.parquet`;
  const columns = await readTableFile(trace, { columns: TABLE_COLUMNS });
  const table: PerfTable = importTable(columns, {
    name,
    source: SOURCE,
    licence: LICENCE,
    measuredSpeculation: true,
    meanOutputTokens: 210,
    deviceMemoryGb: memoryGb,
    pricePerGpuHourUsd: price,
    prefill: await readTableFile(`${TRACES}/prefill_${file}.csv`),
    heldoutErrorPercent: errors,
  });
  const text = encodePerfTable(table);
  writeFileSync(`${TABLES}/${name}.json`, text);
  const folds = checkTable(columns).heldout_error;
  const cells = PERF_METRICS.map((metric) => percent(folds[metric]));
  const digest = perfTableDigest(table).slice(0, 16);
  return `| ${name} | ${text.length} | ${digest} | ${cells.join(' | ')} |`;
}

async function main(): Promise<void> {
  mkdirSync(TABLES, { recursive: true });
  const errors = await offGridErrors();
  const rows: string[] = [];
  for (const name of SHIPPED_TABLES) rows.push(await buildTable(name, errors));
  writeFileSync(`${TABLES}/README.md`, readme(rows, errors));
  console.log(rows.join('\n'));
}

await main();
