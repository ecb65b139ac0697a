/** `infragym evaluate`: plays policies on the same seeds and compares their scores. */
import type { Command } from 'commander';
import {
  type CompiledTask,
  compileTask,
  createPolicy,
  type EpisodeResult,
  episodeMetrics,
  evaluateEpisodes,
  formatSeed,
  type Interval,
  loadBackend,
  mean,
  parseSeed,
  type SeedLike,
  summarize,
  summarizePaired,
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

export interface EvaluateRequest {
  /** Id or alias. */
  readonly task: string;
  readonly policies: readonly string[];
  readonly seeds: readonly SeedLike[];
  /** Episodes of each seed; episode k of seed s is the world of seed s + k·2^32. */
  readonly episodes: number;
  readonly backend: BackendChoice;
}

export interface PolicyScore {
  readonly policy: string;
  readonly score_mean: number;
  /** Student's t; null where there is one episode only. */
  readonly score_ci95: Interval | null;
  readonly return_mean: number;
  readonly return_ci95: Interval | null;
  readonly episode_length_mean: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface Evaluation {
  readonly task: string;
  readonly backend: string;
  readonly seeds: readonly (number | string)[];
  readonly policies: readonly PolicyScore[];
  /** Differences of every two policies on the same episodes. */
  readonly paired: readonly {
    readonly a: string;
    readonly b: string;
    readonly score_difference_mean: number;
    readonly ci95: Interval | null;
  }[];
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
  const { policies: names, backend } = request;
  const task = compileTask(request.task);
  const { name } = await loadBackend(backend, task.program);
  const worlds = episodeSeeds(request.seeds, request.episodes);
  const results: EpisodeResult[][] = [];
  for (const [p, policyName] of names.entries()) {
    onProgress(p / names.length, policyName);
    const policy = await createPolicy(policyName, task);
    const report = (share: number) => onProgress((p + share) / names.length, policyName);
    results.push(await evaluateEpisodes(task, policy, worlds, { backend, onProgress: report }));
  }
  return {
    task: task.spec.id,
    backend: name,
    seeds: request.seeds.map((seed) => (typeof seed === 'bigint' ? String(seed) : seed)),
    policies: names.map((policy, p) => ({ policy, ...summarizeResults(task, results[p]) })),
    paired: pairsOf(names).map(([a, b]) => {
      const summary = summarizePaired(scoresOf(results[a]), scoresOf(results[b]));
      const difference = { score_difference_mean: summary.mean, ci95: summary.ci95 };
      return { a: names[a], b: names[b], ...difference };
    }),
  };
}

function summarizeResults(
  task: CompiledTask,
  results: readonly EpisodeResult[],
): Omit<PolicyScore, 'policy'> {
  const score = summarize(scoresOf(results));
  const total = summarize(results.map((result) => result.return));
  return {
    score_mean: score.mean,
    score_ci95: score.ci95,
    return_mean: total.mean,
    return_ci95: total.ci95,
    episode_length_mean: mean(results.map((result) => result.length)),
    metrics: episodeMetrics(
      task,
      results.map((result) => result.statistics),
    ),
  };
}

function scoresOf(results: readonly EpisodeResult[]): number[] {
  return results.map((result) => result.score);
}

function episodeSeeds(seeds: readonly SeedLike[], episodes: number): bigint[] {
  return seeds.flatMap((seed) => {
    const first = BigInt(formatSeed(parseSeed(seed)));
    return Array.from({ length: episodes }, (_, k) => (first + (BigInt(k) << 32n)) % 2n ** 64n);
  });
}

function pairsOf(names: readonly string[]): [number, number][] {
  return names.flatMap((_, a) =>
    names.slice(a + 1).map((_, k): [number, number] => [a, a + 1 + k]),
  );
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
  if (paired.length === 0) return;
  print('\ndifferences on the same episodes');
  const differences = paired.map((pair) => [
    `${pair.a} − ${pair.b}`,
    pair.score_difference_mean.toFixed(3),
    formatInterval(pair.ci95),
  ]);
  print(formatTable(['policies', 'score', '95 % interval'], differences));
}

/** `[0.312, 0.345]`, or a dash where one episode gives no interval. */
export function formatInterval(interval: Interval | null): string {
  if (interval === null) return '–';
  return `[${interval.map((bound) => bound.toFixed(3)).join(', ')}]`;
}
