/**
 * Builds data/demand from the recordings: npx tsx scripts/data/build-cluster.ts
 * They are read from ../shared/data/cluster; only what is computed from them is written.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { readCsv } from '../../src/data/csv.js';
import { type DemandSamples, encodeDemand } from '../../src/data/demand-samples.js';

const RECORDINGS = '../shared/data/cluster';
const FOLDER = 'data/demand';
/** Columns of the largest alias table. */
const NUM_SAMPLES = 512;
/** Free and batch bands: the closest stand-in for batch jobs, see the data's README. */
const PRIORITY_MAX = 8;
const SIGNIFICANT_DIGITS = 6;

function numbers(file: string, column: string): number[] {
  const bytes = readFileSync(`${RECORDINGS}/${file}`);
  const columns = readCsv(file.endsWith('.gz') ? gunzipSync(bytes) : bytes);
  return Array.from(columns[column] as Float64Array);
}

/** Values at the middles of equal shares, from a quantile function given at equal steps. */
function middles(sorted: readonly number[]): number[] {
  return Array.from({ length: NUM_SAMPLES }, (_, i) => {
    const at = ((i + 0.5) / NUM_SAMPLES) * (sorted.length - 1);
    const below = Math.floor(at);
    const value = sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]);
    return Number(value.toPrecision(SIGNIFICANT_DIGITS));
  });
}

function googleDemand(column: string): number[] {
  const file = 'google_v2_tasks_alive_at_t0.csv.gz';
  const priorities = numbers(file, 'priority');
  const requests = numbers(file, column).filter((_, i) => priorities[i] <= PRIORITY_MAX);
  return middles(requests.sort((a, b) => a - b));
}

const samples: DemandSamples = {
  name: 'google_v2_sampled',
  source:
    'demand: Google ClusterData2011_2 (J. Wilkes, C. Reiss), tasks of priority 0-8 alive at t=0; ' +
    'runtimes: Alibaba GPU cluster v2023 (openb), scheduled pods. Sampled independently: not ' +
    "Google's durations, nor its joint demand",
  licence: 'CC-BY-4.0 (demand), Apache-2.0 (runtimes)',
  cpuFraction: googleDemand('cpu_request'),
  memFraction: googleDemand('mem_request'),
  runtimeS: middles(numbers('alibaba_openb_quantiles_1001.csv', 'runtime_s_scheduled')),
};

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const row = (name: string, values: readonly number[], unit: string): string => {
  const at = (p: number) => values[Math.floor(p * values.length)];
  const cells = [mean(values), at(0.5), at(0.9), at(0.99), values[values.length - 1]];
  return `| ${name} | ${unit} | ${cells.map((x) => x.toPrecision(3)).join(' | ')} |`;
};

mkdirSync(FOLDER, { recursive: true });
writeFileSync(`${FOLDER}/${samples.name}.json`, encodeDemand(samples));
writeFileSync(
  `${FOLDER}/README.md`,
  `# Demand samples

Written by \`npx tsx scripts/data/build-cluster.ts\`; do not edit. Each file holds
${NUM_SAMPLES} equally likely samples of each marginal of what jobs ask for, computed from public
recordings, not the recordings. \`google_v2_sampled\` is *sampled*: Google's demand (tasks of
priority 0-8 alive at the start of the 2011 trace), openb's runtimes, each drawn independently of
the other.

| marginal | unit | mean | p50 | p90 | p99 | last |
|---|---|---|---|---|---|---|
${row('cpu_fraction', samples.cpuFraction, 'of the largest machine')}
${row('mem_fraction', samples.memFraction, 'of the largest machine')}
${row('runtime_s', samples.runtimeS, 's')}

Sources:
- Google ClusterData2011_2 (J. Wilkes, C. Reiss), CC-BY-4.0, by
  jeffersontuc/MetCientifica @ 6d1db32a
- Alibaba GPU cluster v2023 (openb), Apache-2.0, by
  hkust-adsl/kubernetes-scheduler-simulator @ 8f3d6417
`,
);
