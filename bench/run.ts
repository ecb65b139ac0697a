/**
 * `npm run bench`: measures the built library and writes `bench.json`, `bench.md` and `bench.png`.
 * `npm run bench -- --help` lists the options.
 */

import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Definition,
  definitions,
  GROUPS,
  idOf,
  peerDefinitions,
  SUBJECTS,
} from './definitions.js';
import { readDigests, writeDigests } from './harness/digests.js';
import { countInstructions } from './harness/instructions.js';
import { loadBackends, loadLibrary, ROOT } from './harness/library.js';
import { describeMachine } from './harness/machine.js';
import { measureMemory } from './harness/memory.js';
import { Progress } from './harness/progress.js';
import { Calm } from './harness/quiet-machine.js';
import { FORMAT, type Results } from './harness/results.js';
import { Session } from './harness/session.js';
import type { Build } from './harness/workload.js';
import {
  type ComparisonReport,
  compareBuilds,
  compareRuns,
  readResults,
} from './report/compare.js';
import { RECORD, writeDocument } from './report/docs.js';
import { comparisonText, resultsText } from './report/report.js';
import { saveResults } from './report/save.js';

const HELP = `npm run bench -- [options]

  --quick                  the most telling measurements, in less than a minute
  --filter TEXT            only what has TEXT in its name, e.g. "serving step, 4096" or "threads:"
  --list                   print the names and measure nothing
  --out DIR                where bench.json, bench.md and bench.png go (default results/bench)
  --instructions           also count instructions a step with valgrind
  --peers                  also time the environments of bench/peers, in turns with ours
  --compare BASE.json      compare with an earlier run, by ratios to the calibration of each
  --compare-checkout DIR   time the build in another checkout in turns with this one
  --patience SECONDS       wait so long, before each round, for a calm machine (default 0)
  --tolerance SHARE        a slowdown beyond this is a regression (default 0.15)
  --write-digests          make the expected digests anew, on the reference
  --record                 as --out bench/record/<today>, to be committed
  --write-docs             fill the tables of docs/PERFORMANCE.md from the newest record

It exits with 1 for a digest that is not the expected one and for a regression.
`;

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    filter: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    out: { type: 'string', default: 'results/bench' },
    instructions: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    compare: { type: 'string' },
    'compare-checkout': { type: 'string' },
    patience: { type: 'string', default: '0' },
    tolerance: { type: 'string', default: '0.15' },
    'write-digests': { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    'write-docs': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const FULL = { rounds: 7, sampleSeconds: 0.04 };
const QUICK = { rounds: 3, sampleSeconds: 0.015 };
const settings = options.quick ? QUICK : FULL;
const tolerance = Number(options.tolerance);
const patience = Number(options.patience);
const progress = new Progress();

function chosenDefinitions(): Definition[] {
  return definitions().filter((definition) => {
    return (!options.quick || definition.isQuick) && idOf(definition).includes(options.filter);
  });
}

function emptyResults(): Results {
  return {
    format: FORMAT,
    complete: false,
    quick: options.quick,
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(Number(loadavg()[0].toFixed(2))),
    rounds: settings.rounds,
    sample_seconds: settings.sampleSeconds,
    measurements: [],
    skipped: [],
    memory: [],
    instructions: [],
    peers: [],
  };
}

async function loadBuild(checkout: string, prefix: string): Promise<Build> {
  const library = await loadLibrary(checkout);
  const backends = await loadBackends(library);
  return { library, backends, digests: readDigests(checkout), prefix };
}

/** Everything that was asked for, one group after the other. */
async function measureAll(session: Session, builds: readonly Build[]): Promise<void> {
  const { results } = session;
  const chosen = chosenDefinitions();
  for (const group of GROUPS) {
    for (const { environment } of SUBJECTS) {
      const members = chosen.filter((d) => d.group === group && d.environment === environment);
      if (members.length > 0) await session.measureGroup(`${group}: ${environment}`, members);
    }
  }
  if (options.peers) await session.measurePeers(peerDefinitions());
  if (options.filter === '' && !options.quick) {
    progress.show('memory');
    await measureMemory([...builds[0].backends.available.keys()], (row) => {
      results.memory.push(row);
      progress.show(`memory: ${row.environment}, ${row.backend}`);
    });
  }
  if (options.instructions) {
    progress.show('counting instructions');
    results.instructions = await countInstructions();
  }
  progress.clear();
  results.complete = true;
}

function comparison(session: Session, base: Results | null): ComparisonReport | null {
  if (options['compare-checkout'] !== undefined) {
    return compareBuilds(session.results.measurements, session.base, tolerance);
  }
  return base === null ? null : compareRuns(session.results, base, tolerance);
}

function folderOf(results: Results): string {
  return options.record ? join(ROOT, RECORD, results.date) : options.out;
}

async function run(): Promise<void> {
  const { compare, 'compare-checkout': checkout, filter } = options;
  if (chosenDefinitions().length === 0) throw new Error(`--filter "${filter}" matches nothing`);
  const base = compare === undefined ? null : readResults(readFileSync(compare, 'utf8'));
  const builds = [await loadBuild(ROOT, '')];
  if (checkout !== undefined) builds.push(await loadBuild(checkout, 'base '));
  const calm = new Calm(patience);
  const session = new Session(builds, emptyResults(), settings, progress, calm);
  // Not `once`: npm passes the signal on too, and a second one would end the process in between.
  process.on('SIGINT', () => {
    session.settle();
    console.error(
      `stopped; ${saveResults(session.results, folderOf(session.results))} has what was measured`,
    );
    process.exit(130);
  });
  try {
    await measureAll(session, builds);
  } finally {
    session.settle();
    if (session.results.measurements.length > 0)
      saveResults(session.results, folderOf(session.results));
  }
  console.log(resultsText(session.results));
  const report = comparison(session, base);
  if (report === null) return;
  console.log(comparisonText(report, tolerance));
  if (report.rows.some(({ isRegression }) => isRegression)) process.exitCode = 1;
}

async function main(): Promise<void> {
  if (!(tolerance > 0 && tolerance < 1)) {
    throw new Error(`--tolerance is ${options.tolerance}: a share between 0 and 1 is needed`);
  }
  if (!(patience >= 0)) {
    throw new Error(`--patience is ${options.patience}: seconds, 0 or more, are needed`);
  }
  if (options.help) process.stdout.write(HELP);
  else if (options.list) console.log(chosenDefinitions().map(idOf).join('\n'));
  else if (options['write-digests']) await writeDigests(await loadLibrary(), definitions());
  else if (options['write-docs']) writeDocument();
  else await run();
}

main().catch((error: unknown) => {
  progress.clear();
  console.error(String(error));
  process.exitCode = 1;
});
