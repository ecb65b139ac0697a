/** The measurements of a measured serving task: scores of policies and searches on its seeds. */
import {
  baselineReturns,
  type CompiledTask,
  compileTask,
  constantPolicy,
  digestOf,
  evaluateEpisodes,
  makeRng,
  type Policy,
  randomPolicy,
  servingAction,
} from '../../src/index.js';
import { greedyPolicy } from '../../src/policies/serving/greedy.js';
import { taskHysteresisPolicy } from '../../src/policies/serving/index.js';
import {
  findBestConstant,
  rankConstants,
  scoreConstants,
} from '../../src/policies/serving/search.js';

export const SEEDS = Array.from({ length: 15 }, (_, i) => i);
const SEARCH = { firstSeed: 0, numSeeds: SEEDS.length };

export interface TaskProperties {
  readonly task: string;
  /** Of the configuration that was measured. */
  readonly configDigest: string;
  /** Mean returns over the seeds. */
  readonly baselineReturn: number;
  readonly randomReturn: number;
  readonly boundReturn: number;
  /** Share of the arrivals that the baseline serves in time. */
  readonly baselineGoodput: number;
  /** Mean scores over the seeds. */
  readonly randomScore: number;
  /** Of the published grid. */
  readonly bestConstant: readonly number[];
  readonly bestConstantScore: number;
  /** Refined by hill-climbing. */
  readonly climbedScore: number;
  readonly hysteresisScore: number;
  readonly greedyScore: number;
  /** Best mean score of 500 constants drawn by a cross-entropy search. */
  readonly crossEntropyScore: number;
  /** Largest return over bound in any episode of any of these. */
  readonly largestShareOfBound: number;
}

const round = (x: number): number => Number(x.toFixed(4));
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Names a task's configuration, whatever layout its program has. */
export function configDigest(task: CompiledTask): string {
  return digestOf(new TextEncoder().encode(JSON.stringify(task.config)));
}

/** Mean arrivals per step over the whole profile: a good request's reward is its inverse. */
export function meanRateOf(task: CompiledTask): number {
  const at = task.layout.scalars.findIndex(({ name }) => name === 'reward_good');
  const view = new DataView(task.program.buffer, task.program.byteOffset);
  return 1 / view.getFloat64(32 + 8 * at, true);
}

/** Scores, returns and bounds of a policy's episodes. */
export async function play(task: CompiledTask, policy: Policy) {
  const episodes = await evaluateEpisodes(task, policy, SEEDS);
  const meanRate = meanRateOf(task);
  const bounds = episodes.map(({ statistics }) => statistics['arrivals_sum'] / meanRate);
  return {
    score: mean(episodes.map((episode) => episode.score)),
    return: mean(episodes.map((episode) => episode.return)),
    bound: mean(bounds),
    goodput: mean(episodes.map(({ statistics: s }) => s['good_sum'] / s['arrivals_sum'])),
    shareOfBound: Math.max(...episodes.map((episode, i) => episode.return / bounds[i])),
  };
}

/**
 * A cross-entropy search over constants, 10 rounds of 50: KV and log2 of the batch normal, the
 * other knobs categorical, refitted to the best ten of each round.
 */
export async function crossEntropy(task: CompiledTask) {
  const rng = makeRng(`cross-entropy ${task.spec.id}`);
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - rng.nextFloat())) * Math.cos(2 * Math.PI * rng.nextFloat());
  const choices = [
    [0, 1, 2, 4, 8],
    [0, 1],
    [0, 1, 2],
  ];
  let kv = { mean: 0.6, std: 0.3 };
  let log2Batch = { mean: 5, std: 2 };
  let weights = choices.map((values) => values.map(() => 1));
  let best = { row: [] as number[], score: -1 };
  for (let round = 0; round < 10; round++) {
    const rows = Array.from({ length: 50 }, () => [
      Math.min(1, Math.max(0.1, kv.mean + kv.std * normal())),
      Math.round(2 ** Math.min(9, Math.max(0, log2Batch.mean + log2Batch.std * normal()))),
      ...choices.map((values, k) => values[draw(weights[k], rng.nextFloat())]),
    ]);
    const scores = await scoreConstants(task, rows, SEARCH);
    const ranked = rows.map((row, i) => ({ row, score: scores[i] }));
    ranked.sort((a, b) => b.score - a.score);
    if (ranked[0].score > best.score) best = ranked[0];
    const elite = ranked.slice(0, 10).map(({ row }) => row);
    kv = fit(
      elite.map((row) => row[0]),
      0.03,
    );
    log2Batch = fit(
      elite.map((row) => Math.log2(row[1])),
      0.2,
    );
    weights = choices.map((values, k) =>
      values.map((value) => 0.5 + elite.filter((row) => row[k + 2] === value).length),
    );
  }
  return best;
}

function draw(weights: readonly number[], u: number): number {
  let left = u * weights.reduce((sum, weight) => sum + weight, 0);
  const found = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return found < 0 ? weights.length - 1 : found;
}

function fit(values: readonly number[], least: number) {
  const centre = mean(values);
  const spread = Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
  return { mean: centre, std: Math.max(spread, least) };
}

/** Measures a task; a few seconds on the native backend. */
export async function measureTask(id: string): Promise<TaskProperties> {
  const task = compileTask(id);
  await baselineReturns(task, SEEDS);
  const constant = (row: readonly number[]) => constantPolicy(servingAction(task, row));
  const [best] = await rankConstants(task, SEARCH);
  const climbed = await findBestConstant(task, SEARCH);
  const drawn = await crossEntropy(task);
  const baseline = await play(task, constantPolicy(task.baselineAction));
  const random = await play(task, randomPolicy());
  const hysteresis = await play(task, await taskHysteresisPolicy(task));
  const greedy = await play(task, greedyPolicy());
  const constants = await Promise.all(
    [best.row, climbed.row, drawn.row].map((row) => play(task, constant(row))),
  );
  const all = [baseline, random, hysteresis, greedy, ...constants];
  return {
    task: id,
    configDigest: configDigest(task),
    baselineReturn: round(baseline.return),
    randomReturn: round(random.return),
    boundReturn: round(baseline.bound),
    baselineGoodput: round(baseline.goodput),
    randomScore: round(random.score),
    bestConstant: best.row,
    bestConstantScore: round(best.score),
    climbedScore: round(climbed.score),
    hysteresisScore: round(hysteresis.score),
    greedyScore: round(greedy.score),
    crossEntropyScore: round(drawn.score),
    largestShareOfBound: round(Math.max(...all.map(({ shareOfBound }) => shareOfBound))),
  };
}
