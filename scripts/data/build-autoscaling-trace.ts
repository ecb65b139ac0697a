/**
 * Builds data/rates from the recordings: npx tsx scripts/data/build-autoscaling-trace.ts
 * They are read from ../shared/data/autoscaling; only what is computed from them is written.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { readCsv } from '../../src/data/csv.js';
import { readRateTrace } from '../../src/data/rate-trace.js';

const RECORDING = '../shared/data/autoscaling/nasa_http_per_minute.csv.gz';
const FOLDER = 'data/rates';
const SEGMENT = '1995-07';
const NAME = `nasa-http-${SEGMENT}`;
const MINUTES_PER_STEP = 5;

const NASA = {
  source:
    'NASA Kennedy Space Center HTTP logs (Jim Dumoulin, NASA; collected by Martin Arlitt and ' +
    'Carey Williamson, University of Saskatchewan), Internet Traffic Archive; per-second counts ' +
    'of reconfigurable-ml-pipeline/web-service-datasets @ 7404ad66',
  licence: '"The traces may be freely redistributed." (Internet Traffic Archive, NASA-HTTP)',
};

/** The rows of one segment, and of them the two columns that the importer knows. */
function readSegment() {
  const { segment, minute, requests } = readCsv(gunzipSync(readFileSync(RECORDING)));
  const rows = [...segment.keys()].filter((i) => segment[i] === SEGMENT);
  const pick = (column: ArrayLike<number | string>) =>
    Float64Array.from(rows, (i) => Number(column[i]));
  return { minute: pick(minute), requests: pick(requests) };
}

const trace = readRateTrace(readSegment(), {
  name: NAME,
  ...NASA,
  minutesPerStep: MINUTES_PER_STEP,
});
const lines = trace.requests.map((count, i) => `${i * MINUTES_PER_STEP},${count}`);
const mean = trace.requests.reduce((sum, count) => sum + count, 0) / trace.requests.length;
mkdirSync(FOLDER, { recursive: true });
writeFileSync(`${FOLDER}/${NAME}.csv`, `minute,requests\n${lines.join('\n')}\n`);
writeFileSync(
  `${FOLDER}/README.md`,
  `# Request rates

Written by \`npx tsx scripts/data/build-autoscaling-trace.ts\`; do not edit. Each file holds the
requests of a public web server, summed over ${MINUTES_PER_STEP} minutes: a rate profile, not the
log it was counted from. An autoscaling task names it in \`request_pattern\` and scales every
window of it to its own mean.

| file | steps | mean requests a step |
|---|---|---|
| ${NAME}.csv | ${trace.requests.length} | ${mean.toFixed(1)} |

Source: ${NASA.source}.
Licence: ${NASA.licence}
`,
);
