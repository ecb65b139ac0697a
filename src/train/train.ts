/** Training from first step to file: one driver for every algorithm, in Node and in a page. */
import {
  type BackendName,
  type CompiledTask,
  evaluateEpisodes,
  type JsonObject,
  mean,
} from '../library.js';
import { DQN_DEFAULTS, dqn } from './dqn.js';
import { type Learner, type LearnerName, loadLearner } from './learner/index.js';
import { encodePolicyFile, type PolicyHeader } from './policy-file.js';
import { PPO_DEFAULTS, ppo } from './ppo.js';
import { QLEARNING_DEFAULTS, qlearning } from './qlearning.js';
import { decodeSections, encodeSections, type Sections } from './sections.js';
import type { Trainer, TrainRow, TrainTask } from './trainer.js';

/** Every algorithm with the defaults of its settings. */
export const ALGORITHMS = {
  ppo: PPO_DEFAULTS,
  dqn: DQN_DEFAULTS,
  qlearning: QLEARNING_DEFAULTS,
} as const;
export type Algorithm = keyof typeof ALGORITHMS;

/** Validation seeds begin here: neither trained on nor held out (`testSeeds`). */
export const VALIDATION_SEED_OFFSET = 2_000_000;

export interface TrainOptions extends TrainTask {
  readonly algorithm: Algorithm;
  /** Settings that differ from `ALGORITHMS[algorithm]`. */
  readonly settings?: JsonObject;
  readonly learner?: LearnerName | 'auto' | Learner;
  /** Default `auto`; steps the validation episodes. */
  readonly backend?: BackendName | 'auto';
  /** Episodes of each validation; 0: none. Default 30. */
  readonly validationEpisodes?: number;
  /** Environment steps between two validations. Default: a twentieth of all. */
  readonly validateEvery?: number;
  /** Whether the policy of the best validation is kept in place of the last. Default false. */
  readonly keepBest?: boolean;
  /** The checkpoint of an interrupted run of the same options. */
  readonly checkpoint?: Uint8Array;
  /** Told of every line of the curve. */
  readonly onRow?: (row: TrainRow) => void;
  /** Given a checkpoint after every validation, and at the end. */
  readonly onCheckpoint?: (bytes: Uint8Array) => void | Promise<void>;
  /** Ends the run after the present iteration. */
  readonly signal?: AbortSignal;
}

export interface TrainResult {
  readonly task: CompiledTask;
  readonly header: PolicyHeader;
  /** The policy's file. */
  readonly policy: Uint8Array;
  readonly rows: readonly TrainRow[];
  readonly steps: number;
  /** Seconds of collecting and learning, without validation. */
  readonly seconds: number;
  /** Whether `signal` ended it early; the last checkpoint goes on from there. */
  readonly isInterrupted: boolean;
}

/**
 * Trains a policy.
 *
 * @throws RangeError for an unknown algorithm or setting, a task whose actions it cannot take, and
 *   a checkpoint of other options; NonFiniteGradientError where learning diverged: the last
 *   checkpoint is as it was.
 * @example
 * const { policy } = await train({
 *   algorithm: 'ppo', task: 'autoscaling/easy-v1', totalSteps: 200_000, seed: 1,
 * });
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const run = await Run.begin(options);
  try {
    return await run.toEnd();
  } finally {
    run.close();
  }
}

/** A trainer made for its options. */
export async function createTrainer(options: TrainOptions): Promise<Trainer> {
  const { algorithm, settings = {}, learner = 'auto', task, totalSteps, seed } = options;
  if (!Object.hasOwn(ALGORITHMS, algorithm)) {
    const known = Object.keys(ALGORITHMS).join(', ');
    throw new RangeError(`algorithm is ${JSON.stringify(algorithm)}: one of ${known} is needed`);
  }
  checkCount('totalSteps', totalSteps, Number.MAX_SAFE_INTEGER);
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31)) {
    throw new RangeError(`seed is ${seed}: an integer from 0 to 2147483647 is needed`);
  }
  const chosen = checkSettings(algorithm, settings);
  const { config, threads } = options;
  const what = { task, totalSteps, seed, ...(config && { config }), ...(threads && { threads }) };
  if (algorithm === 'qlearning') return qlearning(what, chosen);
  const loaded = typeof learner === 'string' ? await loadLearner(learner) : learner;
  return algorithm === 'ppo' ? ppo(loaded, what, chosen) : dqn(loaded, what, chosen);
}

/** Settings by name, each of its default's type. @throws RangeError naming the one that is not. */
function checkSettings(algorithm: Algorithm, settings: JsonObject): Record<string, never> {
  const defaults = ALGORITHMS[algorithm] as unknown as JsonObject;
  for (const [name, value] of Object.entries(settings)) {
    if (!Object.hasOwn(defaults, name)) {
      const known = Object.keys(defaults).join(', ');
      throw new RangeError(`setting ${name} is unknown to ${algorithm}: ${known} are known`);
    }
    const wanted = kindOf(defaults[name]);
    if (kindOf(value) === wanted && !(wanted === 'number' && !Number.isFinite(value))) continue;
    throw new RangeError(`setting ${name} is ${JSON.stringify(value)}: a ${wanted} is needed`);
  }
  return settings as Record<string, never>;
}

const kindOf = (value: unknown): string => (Array.isArray(value) ? 'list' : typeof value);

function checkCount(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new RangeError(`${name} is ${value}: an integer from 1 to ${most} is needed`);
}

class Run {
  private readonly rows: TrainRow[] = [];
  private best: { score: number; sections: Sections } | null = null;
  private seconds = 0;
  private nextValidation: number;
  private readonly every: number;

  private constructor(
    private readonly options: TrainOptions,
    private readonly trainer: Trainer,
  ) {
    this.every = options.validateEvery ?? Math.ceil(options.totalSteps / 20);
    this.nextValidation = this.every;
  }

  static async begin(options: TrainOptions): Promise<Run> {
    const run = new Run(options, await createTrainer(options));
    if (options.checkpoint !== undefined) run.resume(options.checkpoint);
    return run;
  }

  async toEnd(): Promise<TrainResult> {
    const { trainer, options } = this;
    const { totalSteps, signal } = options;
    while (trainer.steps < totalSteps && !signal?.aborted) {
      const began = performance.now();
      const before = trainer.steps;
      const row = trainer.iterate();
      const seconds = (performance.now() - began) / 1000;
      this.seconds += seconds;
      const isDue = trainer.steps >= this.nextValidation || trainer.steps >= totalSteps;
      const speed = (trainer.steps - before) / seconds;
      const validation = isDue ? await this.validate() : {};
      this.add({ steps: trainer.steps, ...row, ...validation, steps_per_s: speed });
      if (isDue) await this.checkpoint();
      // A page must be able to draw, and a process to be interrupted.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    if (signal?.aborted) await this.checkpoint();
    return this.result();
  }

  private add(row: TrainRow): void {
    this.rows.push(row);
    this.options.onRow?.(row);
  }

  private async validate(): Promise<TrainRow> {
    const { trainer, options } = this;
    while (this.nextValidation <= trainer.steps) this.nextValidation += this.every;
    const { validationEpisodes = 30, backend = 'auto' } = options;
    if (validationEpisodes === 0) return {};
    const seeds = Array.from({ length: validationEpisodes }, (_, i) => VALIDATION_SEED_OFFSET + i);
    const episodes = await evaluateEpisodes(trainer.task, trainer.policy(), seeds, { backend });
    const score = mean(episodes.map((episode) => episode.score));
    const isBest = this.best === null || score > this.best.score;
    if (options.keepBest && isBest) this.best = { score, sections: trainer.savePolicy() };
    const total = mean(episodes.map((episode) => episode.return));
    return { validation_score_mean: score, validation_return_mean: total };
  }

  private async checkpoint(): Promise<void> {
    const { onCheckpoint } = this.options;
    if (onCheckpoint === undefined) return;
    const curve = new TextEncoder().encode(JSON.stringify(this.rows));
    const kept = this.best === null ? {} : prefixed('best.', this.best.sections);
    const header = { ...this.identity(), seconds: this.seconds, best: this.best?.score ?? null };
    const sections = { ...this.trainer.save(), curve, ...kept };
    await onCheckpoint(encodeSections('training checkpoint', header, sections));
  }

  /** The facts that a checkpoint must agree with. */
  private identity() {
    const { algorithm, task, config = {}, settings = {}, seed, totalSteps } = this.options;
    const digest = this.trainer.task.programDigest;
    return { algorithm, task, config, settings, seed, total_steps: totalSteps, digest };
  }

  private resume(bytes: Uint8Array): void {
    const { header, sections } = decodeSections('training checkpoint', bytes);
    for (const [name, own] of Object.entries(this.identity())) {
      const [found, needed] = [JSON.stringify(header[name]), JSON.stringify(own)];
      if (found === needed) continue;
      throw new RangeError(`the checkpoint is of another run: ${name} is ${found}, not ${needed}`);
    }
    this.trainer.load(sections);
    const curve = JSON.parse(new TextDecoder().decode(sections['curve'])) as TrainRow[];
    this.rows.push(...curve);
    this.seconds = Number(header['seconds']);
    while (this.nextValidation <= this.trainer.steps) this.nextValidation += this.every;
    if (typeof header['best'] === 'number') {
      this.best = { score: header['best'], sections: unprefixed('best.', sections) };
    }
  }

  private result(): TrainResult {
    const { trainer, options, rows, seconds } = this;
    const { algorithm, settings = {}, config = {}, seed } = options;
    const header: PolicyHeader = {
      algorithm,
      task: trainer.task.spec.id,
      program_digest: trainer.task.programDigest,
      config,
      settings,
      seed,
      steps: trainer.steps,
      weights_digest: trainer.digest(),
    };
    const sections = options.keepBest && this.best ? this.best.sections : trainer.savePolicy();
    return {
      task: trainer.task,
      header,
      policy: encodePolicyFile(header, sections),
      rows,
      steps: trainer.steps,
      seconds,
      isInterrupted: trainer.steps < options.totalSteps,
    };
  }

  close(): void {
    this.trainer.close();
  }
}

function prefixed(prefix: string, sections: Sections): Sections {
  const parts = Object.entries(sections);
  return Object.fromEntries(parts.map(([name, bytes]) => [prefix + name, bytes]));
}

function unprefixed(prefix: string, sections: Sections): Sections {
  const parts = Object.entries(sections).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(parts.map(([name, bytes]) => [name.slice(prefix.length), bytes]));
}
