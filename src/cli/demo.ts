/** `infragym demo`, which `npm start` runs: what the library does, on this machine, in a minute. */
import { relative } from 'node:path';
import type { Command } from 'commander';
import {
  type BackendStatus,
  backendReport,
  backendsToVerify,
  familyOf,
  loadBackend,
  loadCharts,
  type ScoreRow,
  type VerifyReport,
  verify,
} from '../index.js';
import { type Evaluation, evaluatePolicies, formatInterval } from './evaluate.js';
import { finish } from './options.js';
import {
  CheckFailure,
  formatCount,
  formatRate,
  formatTable,
  Progress,
  print,
  printJson,
  shortenPaths,
  writeFileWhole,
} from './output.js';
import { type RolloutResult, rollout } from './rollout.js';
import { formatImplementations } from './verify.js';

/** A measured task, the origin's three, and one of every other family. */
const TASKS = [
  'serving/llama3-8b-a100-40gb-azure-conv-v1',
  'serving/static-uniform-v1',
  'serving/bursty-sharegpt-v1',
  'serving/adversarial-multi-tenant-v1',
  'autoscaling/medium-v1',
  'provisioning/medium-v1',
  'scheduling/sleep-aware-v2',
];
const SEEDS = Array.from({ length: 15 }, (_, i) => i);
const ROLLOUT_ENVS = 4096;
/** Steps that take about a second: the rate differs a hundredfold. */
const ROLLOUT_STEPS = { native: 4000, wasm: 2000, assemblyscript: 1000, reference: 60 } as const;

interface DemoOptions {
  readonly out: string;
  readonly json?: boolean;
}

interface DemoResults {
  readonly backend: string;
  readonly backends: readonly BackendStatus[];
  readonly evaluations: readonly Evaluation[];
  readonly throughput: readonly RolloutResult[];
  readonly verify: Pick<VerifyReport, 'ok' | 'results' | 'firstDifference'>;
}

export function addDemo(program: Command): void {
  const command = program
    .command('demo')
    .description('score the built-in policies, measure the backends, compare their digests')
    .option('--out <folder>', 'where results are saved', 'results')
    .action(async (options: DemoOptions) => {
      const began = performance.now();
      const results = await run(options.json ? () => {} : print);
      const files = await save(results, options.out);
      if (options.json) printJson({ ...results, files });
      else {
        const seconds = ((performance.now() - began) / 1000).toFixed(0);
        print(`\n${seconds} s; saved ${files.map((file) => relative('.', file)).join(', ')}`);
      }
      if (!results.verify.ok) throw new CheckFailure('the digests differ');
    });
  finish(command, 'infragym demo --out results');
}

async function run(say: (text: string) => void): Promise<DemoResults> {
  const backends = await backendReport();
  const { name: backend } = await loadBackend();
  say(describeChoice(backend, backends));
  say(`\nScores, mean over seeds ${SEEDS[0]}..${SEEDS.at(-1)} with 95 % intervals`);
  say('(measured task: 0 is the fixed baseline, 1 a bound that nobody exceeds)\n');
  const evaluations = await evaluateAll();
  say(scoreTable(evaluations));
  const throughput = await measureAll(backends);
  const [{ task }] = throughput;
  say(`\nThroughput, ${formatCount(ROLLOUT_ENVS)} environments of ${task}, one thread\n`);
  say(speedTable(throughput));
  const report = await verifyAll();
  say(`\nThe same actions on every backend, every output byte hashed\n`);
  say(digestTable(report));
  const { ok, results, firstDifference } = report;
  return { backend, backends, evaluations, throughput, verify: { ok, results, firstDifference } };
}

/** Which backend steps, and why a faster one does not. */
function describeChoice(backend: string, backends: readonly BackendStatus[]): string {
  const lines = backends.map(({ name, available, refused, kernel, reason }) => {
    const mark = name === backend ? '▶' : ' ';
    const absence = refused ? 'REFUSED' : 'not available';
    const state = available ? kernel : `${absence}: ${shortenPaths(reason ?? '')}`;
    return `${mark} ${name.padEnd(15)} ${state}`;
  });
  return [`InfraGym steps on ${backend} here.\n`, ...lines].join('\n');
}

async function evaluateAll(): Promise<Evaluation[]> {
  const progress = new Progress('evaluating');
  const evaluations: Evaluation[] = [];
  for (const [i, task] of TASKS.entries()) {
    // `constant` is the baseline under another name.
    const policies = familyOf(task).policies.filter((name) => name !== 'constant');
    const request = { task, policies, seeds: SEEDS, episodes: 1, backend: 'auto' } as const;
    const report = (share: number, policy: string) =>
      progress.update((i + share) / TASKS.length, `${task} ${policy}`);
    evaluations.push(await evaluatePolicies(request, report));
  }
  progress.stop();
  return evaluations;
}

async function measureAll(backends: readonly BackendStatus[]): Promise<RolloutResult[]> {
  const progress = new Progress('measuring');
  const there = backends.filter(({ available }) => available);
  const results: RolloutResult[] = [];
  for (const [i, { name }] of there.entries()) {
    const [task] = TASKS;
    const size = { envs: ROLLOUT_ENVS, steps: ROLLOUT_STEPS[name], threads: 1 };
    const request = { task, policy: 'constant', seed: 0, backend: name, ...size };
    results.push(
      await rollout(request, (share) => progress.update((i + share) / there.length, name)),
    );
  }
  progress.stop();
  return results;
}

async function verifyAll(): Promise<VerifyReport> {
  const progress = new Progress('comparing');
  const { backends, unloaded } = await backendsToVerify();
  const report = await verify(backends, {
    tasks: TASKS,
    unloaded,
    level: 'quick',
    onProgress: ({ done, total, label }) => progress.update(done / total, label),
  });
  progress.stop();
  return report;
}

function scoreTable(evaluations: readonly Evaluation[]): string {
  const rows = evaluations.flatMap(({ task, policies }) =>
    [...policies]
      .sort((a, b) => b.score_mean - a.score_mean)
      .map((policy, i) => [
        i === 0 ? task : '',
        policy.policy,
        policy.score_mean.toFixed(3),
        formatInterval(policy.score_ci95),
      ]),
  );
  return formatTable(['task', 'policy', 'score', '95 % interval'], rows);
}

function speedTable(throughput: readonly RolloutResult[]): string {
  const rows = throughput.map((result) => [
    result.backend,
    result.kernel,
    formatRate(result.steps_per_s),
    `${result.ns_per_step.toFixed(1)} ns`,
  ]);
  return formatTable(['backend', 'kernel', 'environment steps', 'a step'], rows);
}

/** A line a task: one digest where all agree. */
function digestTable({ results, ok, firstDifference }: VerifyReport): string {
  const tasks = [...new Set(results.map(({ task }) => task))];
  const rows = tasks.map((task) => {
    const own = results.filter((result) => result.task === task && result.envs === 1000);
    const digests = [...new Set(own.map(({ digest }) => digest))];
    const implementations = new Set(own.map((r) => `${r.backend} ${r.kernel} ${r.threads}`));
    return [task, digests.join(' '), formatImplementations(implementations.size)];
  });
  const verdict = ok
    ? 'All digests of all batch sizes are equal.'
    : `NOT EQUAL: ${JSON.stringify(firstDifference)}`;
  return `${formatTable(['task', 'digest', 'given by'], rows)}\n\n${verdict}`;
}

/** Writes the numbers and the picture; returns the files. */
async function save(results: DemoResults, folder: string): Promise<string[]> {
  const { scoreChart, renderPng } = await loadCharts();
  const rows = results.evaluations.flatMap(({ task, policies }): ScoreRow[] =>
    policies.map(({ policy, score_mean: mean, score_ci95 }) => {
      const [lo, hi] = score_ci95 ?? [mean, mean];
      return { task, policy, mean, lo, hi };
    }),
  );
  const svg = scoreChart(rows, {
    title: 'Scores of the built-in policies',
    subtitle: `mean and 95 % interval over ${SEEDS.length} seeds, the same for every policy`,
  });
  const files = ['demo.json', 'scores.svg', 'scores.png'].map((name) => `${folder}/${name}`);
  writeFileWhole(files[0], `${JSON.stringify(results, null, 2)}\n`);
  writeFileWhole(files[1], svg);
  writeFileWhole(files[2], renderPng(svg));
  return files;
}
