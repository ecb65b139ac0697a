/** Searches over constant configurations and hysteresis rules of a serving task. */
import {
  type BackendName,
  type CompiledTask,
  type GradeContext,
  gradeContexts,
  type HysteresisRule,
  loadBackend,
  servingAction,
  servingGrid,
  TaskVectorEnv,
} from '../../library.js';
import { HysteresisState } from './hysteresis.js';

export interface SearchOptions {
  /** Default `auto`; what is found does not depend on it. */
  readonly backend?: BackendName | 'auto';
  /** Seeds firstSeed .. firstSeed + numSeeds - 1. Default 1000: apart from what is evaluated on. */
  readonly firstSeed?: number;
  /** Default 8. */
  readonly numSeeds?: number;
}

/** A configuration and its mean score on the search's seeds. */
export interface ScoredRow {
  /** kv_budget, batch_size, spec_length, prefill_disagg, quant_tier. */
  readonly row: readonly number[];
  readonly score: number;
}

/** Most environments in a batch of the search. */
const BATCH_MAX = 16_384;

/** Plays candidates on the same seeds, side by side, and gives each one's mean score. */
async function scoreCandidates<T>(
  task: CompiledTask,
  candidates: readonly T[],
  options: SearchOptions,
  play: (env: TaskVectorEnv, group: readonly T[], numSeeds: number) => void,
): Promise<number[]> {
  const { backend = 'auto', firstSeed = 1000, numSeeds = 8 } = options;
  const implementation = await loadBackend(backend);
  const seeds = Array.from({ length: numSeeds }, (_, i) => firstSeed + i);
  const contexts = await gradeContexts(task, seeds, { backend });
  const perBatch = Math.max(1, Math.floor(BATCH_MAX / numSeeds));
  const scores: number[] = [];
  for (let from = 0; from < candidates.length; from += perBatch) {
    const group = candidates.slice(from, from + perBatch);
    const numEnvs = group.length * numSeeds;
    const env = new TaskVectorEnv(task, implementation, { numEnvs, autoreset: 'disabled' });
    resetGroups(env, firstSeed, numSeeds);
    play(env, group, numSeeds);
    scores.push(...group.map((_, g) => meanScore(env, g * numSeeds, numSeeds, contexts)));
    env.close();
  }
  return scores;
}

/** Every group of `numSeeds` environments takes the same seeds. */
function resetGroups(env: TaskVectorEnv, firstSeed: number, numSeeds: number): void {
  const mask = new Uint8Array(env.numEnvs);
  env.reset({ seed: firstSeed });
  for (let from = numSeeds; from < env.numEnvs; from += numSeeds) {
    mask.fill(0).fill(1, from, from + numSeeds);
    // Environment i takes seed + i, modulo 2^64.
    env.reset({ seed: BigInt.asUintN(64, BigInt(firstSeed - from)), mask });
  }
}

function meanScore(
  env: TaskVectorEnv,
  from: number,
  count: number,
  contexts: readonly GradeContext[],
): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const statistics = env.statisticsOf(from + i);
    if (statistics === null) throw new Error(`environment ${from + i} has not finished`);
    sum += env.task.grade(statistics, contexts[i]).score;
  }
  return sum / count;
}

/** Mean scores of holding each configuration throughout. */
export async function scoreConstants(
  task: CompiledTask,
  rows: readonly (readonly number[])[],
  options: SearchOptions = {},
): Promise<number[]> {
  return scoreCandidates(task, rows, options, (env, group, numSeeds) => {
    group.forEach((row, g) => {
      fillRows(env, g * numSeeds, numSeeds, servingAction(task, row));
    });
    env.rollout('constant', task.horizonSteps);
  });
}

function fillRows(env: TaskVectorEnv, from: number, count: number, action: unknown): void {
  const { actionDim } = env.task;
  for (let i = from; i < from + count; i++) {
    env.task.encodeAction(action, env.actions.subarray(i * actionDim, (i + 1) * actionDim));
  }
}

/** Every configuration of the discrete grid with its score, best first. */
export async function rankConstants(
  task: CompiledTask,
  options: SearchOptions = {},
): Promise<ScoredRow[]> {
  const rows = servingGrid(task);
  const scores = await scoreConstants(task, rows, options);
  return rows.map((row, i) => ({ row, score: scores[i] })).sort((a, b) => b.score - a.score);
}

/**
 * The best constant configuration: the grid's, refined by hill-climbing in KV budget and batch
 * size where the task's actions are real numbers.
 */
export async function findBestConstant(
  task: CompiledTask,
  options: SearchOptions = {},
): Promise<ScoredRow> {
  const [best] = await rankConstants(task, options);
  return task.actionDtype === 'index' ? best : climb(task, best, options);
}

/**
 * Hill-climbing from a configuration: KV budget up and down by a step, batch size by a ratio; the
 * best neighbour is taken while one is better, then the steps are halved.
 */
async function climb(
  task: CompiledTask,
  start: ScoredRow,
  options: SearchOptions = {},
): Promise<ScoredRow> {
  let best = start;
  for (let step = 0.1; step > 0.02; ) {
    const rows = neighbours(task, best.row, step);
    const scores = await scoreConstants(task, rows, options);
    const top = scores.indexOf(Math.max(...scores));
    if (scores[top] > best.score) best = { row: rows[top], score: scores[top] };
    else step /= 2;
  }
  return best;
}

function neighbours(task: CompiledTask, row: readonly number[], step: number): number[][] {
  const active = task.config['active_actions'] as readonly string[];
  const [kv, batch, ...slow] = row;
  const near: number[][] = [];
  if (active.includes('kv_budget')) {
    near.push([Math.max(0.1, kv - step), batch, ...slow], [Math.min(1, kv + step), batch, ...slow]);
  }
  if (active.includes('batch_size')) {
    const less = Math.max(1, Math.floor(batch / (1 + 2 * step)));
    near.push([kv, less, ...slow], [kv, Math.min(512, Math.ceil(batch * (1 + 2 * step))), ...slow]);
  }
  return near.length > 0 ? near : [[...row]];
}

/** Marks that the tuning tries, in mean arrivals per step; null: not looked at. */
const QUEUE_MARKS = [0.3, 1, 4, null];
const RATE_MARKS = [0.8, 0.9, 1, 1.1, 1.2, 1.35, null];
/** Low marks, as shares of the high ones. */
const QUEUE_LOW = 0.2;
const RATE_LOWS = [0.9, 0.75];

/**
 * Tunes a hysteresis rule: every ordered pair of a few good constants (`pickPool`) under every
 * pair of marks above; the best mean score wins.
 */
export async function tuneHysteresis(
  task: CompiledTask,
  options: SearchOptions = {},
): Promise<{ rule: HysteresisRule; score: number }> {
  const pool = pickPool(await rankConstants(task, options));
  const meanRate = await meanArrivals(task, options);
  const rules = pool.flatMap((calm) =>
    pool.filter((busy) => busy !== calm).flatMap((busy) => rulesOf(calm, busy, meanRate)),
  );
  const scores = await scoreRules(task, rules, options);
  const best = scores.indexOf(Math.max(...scores));
  return { rule: rules[best], score: scores[best] };
}

/**
 * The best constant of each kind of server (one or two GPUs, quantisation tier), at most four
 * that are not far from the best; filled up with the best of other batch sizes.
 */
function pickPool(ranked: readonly ScoredRow[]): (readonly number[])[] {
  const near = ranked.filter(({ score }) => score > ranked[0].score - 0.35);
  const byKind = firstOfEach(near, ({ row }) => row.slice(3).join());
  const byBatch = firstOfEach(near, ({ row }) => String(row[1]));
  return [...new Set([...byKind, ...byBatch].map(({ row }) => row))].slice(0, 4);
}

function firstOfEach<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const first = new Map<string, T>();
  for (const item of items) if (!first.has(keyOf(item))) first.set(keyOf(item), item);
  return [...first.values()];
}

function rulesOf(calm: readonly number[], busy: readonly number[], meanRate: number) {
  const scaled = (mark: number | null, share = 1) =>
    mark === null ? null : Number((mark * share * meanRate).toPrecision(4));
  return QUEUE_MARKS.flatMap((queue) =>
    RATE_MARKS.flatMap((rate) =>
      (rate === null ? [1] : RATE_LOWS).map(
        (low): HysteresisRule => ({
          calm,
          busy,
          queueHigh: scaled(queue),
          queueLow: scaled(queue, QUEUE_LOW),
          rateHighRps: scaled(rate),
          rateLowRps: scaled(rate, low),
        }),
      ),
    ),
  ).filter((rule) => rule.queueHigh !== null || rule.rateHighRps !== null);
}

/** Mean arrivals per step, under the baseline: they do not depend on what is done. */
async function meanArrivals(task: CompiledTask, options: SearchOptions): Promise<number> {
  const { firstSeed = 1000, numSeeds = 8, backend = 'auto' } = options;
  const implementation = await loadBackend(backend);
  const env = new TaskVectorEnv(task, implementation, { numEnvs: numSeeds, autoreset: 'disabled' });
  env.reset({ seed: firstSeed });
  fillRows(env, 0, numSeeds, task.baselineAction);
  env.rollout('constant', task.horizonSteps);
  const sums = env.episodeStatistics().map((statistics) => statistics?.['arrivals_sum'] ?? 0);
  env.close();
  return sums.reduce((sum, arrivals) => sum + arrivals, 0) / (numSeeds * task.horizonSteps);
}

/** Mean scores of hysteresis rules. */
async function scoreRules(
  task: CompiledTask,
  rules: readonly HysteresisRule[],
  options: SearchOptions = {},
): Promise<number[]> {
  return scoreCandidates(task, rules, options, (env, group, numSeeds) => {
    const states = group.map((rule) => new HysteresisState(task, rule, numSeeds));
    const width = task.observationDim;
    for (let step = 0; step < task.horizonSteps; step++) {
      states.forEach((state, g) => {
        const from = g * numSeeds;
        const observations = env.observations.subarray(from * width, (from + numSeeds) * width);
        const numbers = numSeeds * task.actionDim;
        state.act(observations, env.actions.subarray(g * numbers, (g + 1) * numbers));
      });
      env.step();
    }
  });
}
