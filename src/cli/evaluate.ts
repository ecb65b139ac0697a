/** `infragym evaluate`: plays policies on the same seeds and compares their scores. */
import type { Command } from 'commander';
import {
  comparePolicies,
  compileTask,
  createPolicy,
  formatSeed,
  type Interval,
  loadBackend,
  type Policy,
  type PolicyScore,
  parseSeed,
  type ScoreDifference,
  type SeedLike,
} from '../index.js';
import {
  type BackendChoice,
  backendOption,
  finish,
  integer,
  nameList,
  seedRange,
} from './options.js';
import { formatTable, note, Progress, print, printJson, writeFileWhole } from './output.js';

interface EvaluateRequest {
  /** Id or alias. */
  readonly task: string;
  readonly policies: readonly string[];
  readonly seeds: readonly SeedLike[];
  /** Episodes of each seed; episode k of seed s is the world of seed s + k·2^32. */
  readonly episodes: number;
  readonly backend: BackendChoice;
}

export interface Evaluation {
  readonly task: string;
  readonly backend: string;
  readonly seeds: readonly (number | string)[];
  readonly policies: readonly Omit<PolicyScore, 'episodes'>[];
  /** Differences of every two policies on the same episodes. */
  readonly paired: readonly ScoreDifference[];
}

interface EvaluateCommandOptions extends Omit<EvaluateRequest, 'policies'> {
  readonly policy: string[];
  readonly out?: string;
  readonly json?: boolean;
}

export function addEvaluate(program: Command): void {
  const command = program
    .command('evaluate')
    .description('score policies on the same seeds, with confidence intervals')
    .requiredOption('--task <task>', 'id or alias')
    .requiredOption('--policy <names>', 'separated by commas', nameList)
    .option('--seeds <seeds>', '0..14, 3,5,8 or 7', seedRange, seedRange('0..14'))
    .option('--episodes <n>', 'episodes of each seed', integer(1, 100_000), 1)
    .addOption(backendOption())
    .option('--out <file>', 'write the JSON there as well')
    .action(async ({ policy, out, json, ...rest }: EvaluateCommandOptions) => {
      const progress = new Progress('evaluating');
      const evaluation = await evaluatePolicies({ ...rest, policies: policy }, (share, label) =>
        progress.update(share, label),
      );
      progress.stop();
      if (out !== undefined) {
        writeFileWhole(out, `${JSON.stringify(evaluation, null, 2)}\n`);
        note(`wrote ${out}`);
      }
      if (json) printJson(evaluation);
      else printEvaluation(evaluation);
    });
  finish(command, 'infragym evaluate --task static-uniform --policy baseline,random --seeds 0..14');
}

/** Plays every policy on every episode and summarises. */
export async function evaluatePolicies(
  request: EvaluateRequest,
  onProgress: (share: number, policy: string) => void = () => {},
): Promise<Evaluation> {
  const { backend, seeds } = request;
  const task = compileTask(request.task);
  const { name } = await loadBackend(backend, task.program);
  const policies: Record<string, Policy> = {};
  for (const policy of request.policies) {
    onProgress(0, policy);
    policies[policy] = await createPolicy(policy, task);
  }
  const worlds = episodeSeeds(seeds, request.episodes);
  const comparison = await comparePolicies(task, policies, worlds, { backend, onProgress });
  return {
    task: task.spec.id,
    backend: name,
    seeds: seeds.map((seed) => (typeof seed === 'bigint' ? String(seed) : seed)),
    policies: comparison.policies.map(({ episodes, ...row }) => row),
    paired: comparison.paired,
  };
}

function episodeSeeds(seeds: readonly SeedLike[], episodes: number): bigint[] {
  return seeds.flatMap((seed) => {
    const first = BigInt(formatSeed(parseSeed(seed)));
    return Array.from({ length: episodes }, (_, k) => (first + (BigInt(k) << 32n)) % 2n ** 64n);
  });
}

function printEvaluation({ task, backend, seeds, policies, paired }: Evaluation): void {
  print(`${task} on ${backend}, ${seeds.length} seed${seeds.length > 1 ? 's' : ''}\n`);
  const best = [...policies].sort((a, b) => b.score_mean - a.score_mean);
  const header = ['policy', 'score', '95 % interval', 'return', 'steps'];
  const rows = best.map((p) => [
    p.policy,
    p.score_mean.toFixed(3),
    formatInterval(p.score_ci95),
    p.return_mean.toFixed(1),
    p.episode_length_mean.toFixed(0),
  ]);
  print(formatTable(header, rows));
  printMetrics(best);
  if (paired.length === 0) return;
  print('\ndifferences on the same episodes');
  const differences = paired.map((pair) => [
    `${pair.a} − ${pair.b}`,
    pair.score_difference_mean.toFixed(3),
    formatInterval(pair.ci95),
  ]);
  print(formatTable(['policies', 'score', '95 % interval'], differences));
}

/** Columns of one table; what a task reports beyond them goes into another. */
const METRICS_PER_TABLE = 5;

/** The means of the task's own metrics, and medians of what is relative to a bound. */
function printMetrics(policies: Evaluation['policies']): void {
  const columns = policies.map(({ metrics, medians }) => ({
    ...Object.fromEntries(Object.entries(medians).map(([k, value]) => [`${k} (median)`, value])),
    ...metrics,
  }));
  const names = Object.keys(columns[0] ?? {});
  for (let from = 0; from < names.length; from += METRICS_PER_TABLE) {
    const some = names.slice(from, from + METRICS_PER_TABLE);
    const rows = policies.map(({ policy }, i) => [
      policy,
      ...some.map((name) => formatNumber((columns[i] as Record<string, number>)[name])),
    ]);
    print(`\n${formatTable(['policy', ...some], rows)}`);
  }
}

/** Four figures that count, without an exponent. */
const formatNumber = (value: number): string =>
  value.toFixed(Math.max(0, Math.min(4, 3 - Math.floor(Math.log10(Math.abs(value) || 1)))));

/** `[0.312, 0.345]`, or a dash where one episode gives no interval. */
export function formatInterval(interval: Interval | null): string {
  if (interval === null) return '–';
  return `[${interval.map((bound) => bound.toFixed(3)).join(', ')}]`;
}
