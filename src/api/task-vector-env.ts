/** Many environments of one task, stepped together by a backend. */

import type { Autoreset, Backend, BackendName, BatchOptions } from '../backend.js';
import { chooseBackend, type PassedOver } from '../backends/select.js';
import { digestOf } from '../base/digest.js';
import type { JsonObject } from '../base/json.js';
import type { CompiledTask, EpisodeStatistics } from '../envs/family.js';
import { describeStep } from '../envs/report.js';
import { corePolicy } from '../generated/common.js';
import { batchSpace, type Space } from '../spaces/index.js';
import type { BatchActions } from './actions.js';
import { BatchFields } from './batch-fields.js';
import type { Info } from './env.js';
import { Lifecycle } from './lifecycle.js';
import {
  type CorePolicy,
  checkInteger,
  checkOptionNames,
  checkOptions,
  corePolicyNumber,
  MAKE_VEC_OPTIONS,
  type MakeVecOptions,
  taskOverrides,
  type VectorOptions,
} from './options.js';
import { encodePolicy, type ParametricPolicy } from './policy-parameters.js';
import { checkRecording, type RecordArrays, recordBySteps } from './record.js';
import { compileTask } from './registry.js';
import {
  checkMask,
  clearRows,
  rowOf,
  statisticsOfRow,
  statisticsOfState,
  writeMask,
} from './rows.js';
import { type BatchSeed, freshSeed, type NextSeeds, SeedBook } from './seeds.js';
import {
  decodeSnapshot,
  encodeSnapshot,
  outputChannels,
  restoreOutputs,
  type SnapshotContext,
} from './snapshot.js';
import type { VectorEnv, VectorReset, VectorResetOptions, VectorStep } from './vector-env.js';

/** How an environment came to be: what it needs beside a task and a backend. */
export interface Making {
  /** The task with other entries of its configuration, for `reset({ options })`. */
  readonly recompile?: (config: JsonObject) => CompiledTask;
  /** Faster backends that `auto` did not take. */
  readonly passedOver?: readonly PassedOver[];
}

/**
 * A batch of environments of one task. Environment i of a batch reset with seed s is, bit for bit,
 * the single environment reset with seed s + i, on every backend and with any number of threads.
 *
 * All arrays are the backend's own memory, row-major, and the same for the life of the batch:
 * write into `actions`, call `step()`, read the others; nothing is copied.
 *
 * @example
 * const options = { numEnvs: 64, seed: 0, actionSpace: 'normalised' };
 * const env = await makeVec('serving/static-uniform-v1', options);
 * env.reset();
 * env.actions.fill(0.5);
 * for (let t = 0; t < 200; t++) env.step();
 * console.log(env.backend, env.episodeStatistics()[0]);
 * env.close();
 */
export class TaskVectorEnv extends BatchFields implements VectorEnv {
  readonly numEnvs: number;
  readonly autoreset: Autoreset;
  readonly threads: number;
  /** Whether `metrics` and `info(i)` are there. */
  readonly infos: boolean;
  /** Which backend steps the batch. */
  readonly backend: BackendName;
  /** Faster backends that `auto` did not take, and why; empty where a backend was named. */
  readonly passedOver: readonly PassedOver[];

  private readonly batchOptions: BatchOptions;
  private readonly seeds: SeedBook;
  private readonly life = new Lifecycle();

  /** Use `makeVec`; this is for a task and a backend that are at hand. */
  constructor(
    task: CompiledTask,
    private readonly implementation: Backend,
    private readonly options: VectorOptions = {},
    private readonly making: Making = {},
  ) {
    super();
    this.batchOptions = checkOptions(implementation, options);
    const { numEnvs, autoreset, threads, metrics } = this.batchOptions;
    this.numEnvs = numEnvs;
    this.autoreset = autoreset;
    this.threads = threads;
    this.infos = metrics;
    this.backend = implementation.name;
    this.passedOver = making.passedOver ?? [];
    this.seeds = new SeedBook(options.seed ?? freshSeed(), numEnvs);
    this.attach(task, implementation.create(task.program, this.batchOptions));
  }

  /**
   * The seed of the present history: environment i has seed + i, or entry i where it is a list. One
   * that nobody gave was drawn when the batch was made.
   */
  get seed(): BatchSeed {
    return this.seeds.seed;
  }

  /**
   * Begins an episode in every environment, or where `mask` is set. The first reset takes the seed
   * the batch was made with, unless it is given one; later ones without a seed go on to each
   * environment's next episode.
   *
   * @throws RangeError for an invalid seed or mask, and for what the family refuses in the
   * configuration; Error where the first reset is masked. The batch then is as it was.
   */
  reset({ seed, mask, options }: VectorResetOptions = {}): VectorReset {
    this.life.requireOpen();
    const config = options?.config;
    const isFirst = !this.life.hasBegun;
    if (mask !== undefined) {
      if (config !== undefined) throw new Error('options.config is for the whole batch: no mask');
      if (isFirst) throw new Error('the first reset has a mask: reset the whole batch first');
    }
    const isNew = isFirst || config !== undefined;
    const chosen = seed ?? (isNew ? this.seeds.seed : null);
    const next = chosen === null ? null : this.seeds.with(chosen, mask);
    if (mask !== undefined) checkMask(mask, this.numEnvs);
    if (config !== undefined) this.reconfigure(config);
    this.begin(next, mask);
    this.life.hasBegun = true;
    return this.stepResult;
  }

  /**
   * Steps every environment: with what `actions` holds, or with the batch of actions given, which
   * is checked and copied there. Real numbers beyond the action space are clipped by the kernel;
   * in `actions` itself NaN counts as the lowest value.
   *
   * @throws RangeError naming the environment and the field of an action that is refused; Error
   * before the first reset, and where autoreset is `disabled` and an environment has finished.
   */
  step(actions?: BatchActions): VectorStep {
    this.prepareStep(actions);
    this.batch.step();
    return this.stepResult;
  }

  /**
   * `step` without waiting for it: on the native backend another thread steps while this one goes
   * on; the other backends have no other thread, step at once, and resolve. Until it resolves, the
   * arrays must be left alone and every other call is refused. The bits are those of `step`.
   *
   * Two batches keep both threads busy, one stepping while the policy reads the other:
   *
   * @example
   * const [a, b] = [env, env.sibling({ seed: 1000 })];
   * for (const batch of [a, b]) batch.reset();
   * let stepping = a.stepAsync();
   * for (let t = 0; t < 1000; t++) {
   *   const idle = t % 2 === 0 ? b : a;
   *   act(idle.observations, idle.actions); // your policy, while the other batch steps
   *   await stepping;
   *   stepping = idle.stepAsync();
   * }
   * await stepping;
   *
   * @throws As `step`, by rejecting; nothing has been stepped then.
   */
  async stepAsync(actions?: BatchActions): Promise<VectorStep> {
    this.prepareStep(actions);
    const { batch } = this;
    await this.life.whileStepping(() => (batch.stepAsync ? batch.stepAsync() : batch.step()));
    return this.stepResult;
  }

  /**
   * Many steps in one call under a policy of the core: `constant` holds what is in `actions`,
   * `random` draws uniformly from the action space, by each environment's own seed, a family may
   * have heuristics of its own (`task.layout.heuristics`), and linear and tabular policies are
   * played by their parameters. The last step's actions are in `actions`. Where autoreset is
   * `disabled`, an environment that finishes stands still for the rest.
   *
   * @throws RangeError for an invalid policy, naming the field, its value and what is needed.
   * @example
   * const rows = policyRows(env.task); // the action's numbers, or logits where it is an index
   * const weights = new Float32Array(rows * env.task.observationDim);
   * env.rollout({ kind: 'linear', weights }, 1000);
   */
  rollout(policy: CorePolicy | ParametricPolicy, steps: number): VectorStep {
    this.batch.rollout(this.prepareRollout(policy, steps), steps);
    return this.stepResult;
  }

  /**
   * `rollout` that keeps what a learner wants of every step, in the caller's arrays: on the native
   * backend the core writes them itself, block by block, on all threads.
   *
   * @throws RangeError or TypeError naming an array of another name, type or length, or one that
   * shares memory with another; nothing has been stepped then.
   * @example
   * const arrays = createRecordArrays(env, 128);
   * const { observations } = env.record('random', 128, arrays); // those after the last step
   */
  record(policy: CorePolicy | ParametricPolicy, steps: number, arrays: RecordArrays): VectorStep {
    const number = this.prepareRollout(policy, steps);
    const { task, numEnvs, batch } = this;
    const recording = checkRecording({ task, numEnvs, channels: batch.channels }, steps, arrays);
    if (batch.record === undefined) recordBySteps(batch, number, steps, recording);
    else batch.record(number, steps, recording);
    return this.stepResult;
  }

  /** The space of the batch's observations; built on each call, for it may be large. */
  get observationSpace(): Space<unknown> {
    return batchSpace(this.singleObservationSpace, this.numEnvs);
  }

  /** The space of the batch's actions; built on each call, for it may be large. */
  get actionSpace(): Space<unknown> {
    return batchSpace(this.singleActionSpace, this.numEnvs);
  }

  /** Episodes that ended since the batch was made. */
  get episodes(): number {
    this.life.requireOpen();
    return this.batch.episodes();
  }

  /**
   * The `info` of environment i's last step, with `action_mask` (1 where a discrete action
   * is feasible now) where the task has masks. Needs `infos: true`.
   */
  info(i: number): Info {
    this.life.requireBegun();
    if (!this.infos) throw new Error('infos is false: make the batch with { infos: true }');
    checkInteger('environment', i, 0, this.numEnvs - 1);
    const { numEnvs, observations, metrics, actions, masks } = this;
    const info = describeStep(this.task.report, {
      metrics: rowOf(metrics, i, numEnvs),
      observation: rowOf(observations, i, numEnvs),
      action: rowOf(actions, i, numEnvs),
    });
    if (this.task.maskDim === 0) return info;
    return { ...info, action_mask: Array.from(rowOf(masks, i, numEnvs)) };
  }

  /** Statistics of the last finished episode of each environment, null where there is none. */
  episodeStatistics(): (EpisodeStatistics | null)[] {
    this.life.requireOpen();
    return Array.from({ length: this.numEnvs }, (_, i) => this.statisticsOf(i));
  }

  /** Statistics of environment i's last finished episode, or null. */
  statisticsOf(i: number): EpisodeStatistics | null {
    this.life.requireOpen();
    checkInteger('environment', i, 0, this.numEnvs - 1);
    const { task, finalStatistics, numEnvs } = this;
    return statisticsOfRow(task.layout, rowOf(finalStatistics, i, numEnvs));
  }

  /**
   * Statistics of the episode environment i is in, so far: what a grader reads of an episode that
   * has not ended. Exports the whole batch's state, so it is no call for every step.
   */
  runningStatistics(i: number): EpisodeStatistics {
    this.life.requireBegun();
    checkInteger('environment', i, 0, this.numEnvs - 1);
    return statisticsOfState(this.task.layout, this.batch.exportState(), i, this.numEnvs);
  }

  /** State and last outputs as bytes; `restore` of any backend takes them. */
  snapshot(): Uint8Array {
    this.life.requireBegun();
    return encodeSnapshot(this.snapshotContext(), this.batch.exportState());
  }

  /**
   * Goes on from a snapshot of the same task, number of environments, autoreset and `infos`. What
   * is in `actions` stays.
   *
   * @throws SnapshotError naming what is wrong with it; the batch then goes on as it was.
   */
  restore(snapshot: Uint8Array): void {
    this.life.requireOpen();
    const { state, outputs } = decodeSnapshot(this.snapshotContext(), snapshot);
    this.batch.importState(state);
    this.seeds.read(this.task.layout, state);
    restoreOutputs(this.batch.channels, outputs);
    this.life.hasBegun = true;
  }

  /** 16 hex digits that name state and last outputs exactly; equal on every backend. */
  digest(): string {
    this.life.requireBegun();
    const outputs = outputChannels.map((name) => this.batch.channels[name]);
    return digestOf(this.batch.exportState(), ...outputs);
  }

  /** Another batch of the same task on the same backend, with some options changed. */
  sibling(options: Partial<VectorOptions> = {}): TaskVectorEnv {
    const { task, implementation, making } = this;
    return new TaskVectorEnv(task, implementation, { ...this.options, ...options }, making);
  }

  /** Frees the batch; a second call does nothing, any other use afterwards is refused. */
  close(): void {
    if (this.life.close()) this.batch.close();
  }

  private begin(next: NextSeeds | null, mask: VectorResetOptions['mask']): void {
    const { batch, numEnvs } = this;
    if (next === null) {
      if (mask !== undefined) writeMask(batch.channels.resetMask, mask);
      batch.reset(null, mask !== undefined);
      return;
    }
    this.seeds.begin(batch, next, mask);
    // A seed begins a new history: nothing of the former one may show in digests.
    clearRows(this.finalObservations, numEnvs, mask);
    clearRows(this.finalStatistics, numEnvs, mask);
  }

  /** A changed task is another program, and so another batch; the old one goes when it is there. */
  private reconfigure(config: JsonObject): void {
    const { recompile } = this.making;
    if (recompile === undefined) {
      throw new Error('options.config needs an environment that make() or makeVec() made');
    }
    const task = recompile(config);
    const batch = this.implementation.create(task.program, this.batchOptions);
    this.batch.close();
    this.attach(task, batch);
  }

  private snapshotContext(): SnapshotContext {
    const { task, numEnvs, autoreset, infos } = this;
    return { task, numEnvs, autoreset, infos, channels: this.batch.channels };
  }

  /** Everything of a step but the step. */
  private prepareStep(actions: BatchActions | undefined): void {
    this.life.requireBegun();
    if (this.autoreset === 'disabled') this.requireUnfinished();
    if (actions !== undefined) this.writer.write(actions);
  }

  /** The number of a policy, its parameters taken. */
  private prepareRollout(policy: CorePolicy | ParametricPolicy, steps: number): number {
    this.life.requireBegun();
    const isNamed = typeof policy !== 'object';
    const { layout } = this.task;
    const number = isNamed ? corePolicyNumber(layout, policy) : corePolicy[policy.kind];
    const words = isNamed ? null : encodePolicy(this.task, policy);
    checkInteger('steps', steps, 0, 2 ** 32 - 1);
    if (this.autoreset === 'disabled') this.requireUnfinished();
    if (words !== null) this.batch.setParameters(words);
    return number;
  }

  private requireUnfinished(): void {
    for (let i = 0; i < this.numEnvs; i++) {
      if (this.terminated[i] === 0 && this.truncated[i] === 0) continue;
      throw new Error(
        `environment ${i} has finished its episode and autoreset is disabled: reset it first, ` +
          'alone with reset({ mask })',
      );
    }
  }
}

/**
 * Makes a batch of environments of a task.
 *
 * @param id - an id (`serving/static-uniform-v1`), one without its version for the newest, or an
 * alias (`static-uniform`, `1`).
 * @throws RangeError for an unknown task, naming the nearest, and for options out of range; Error
 * where the backend that was named is not available.
 * @example
 * const env = await makeVec('bursty-sharegpt', { numEnvs: 4096, seed: 7, threads: 2 });
 */
export async function makeVec(id: string, options: MakeVecOptions = {}): Promise<TaskVectorEnv> {
  checkOptionNames(options, MAKE_VEC_OPTIONS);
  const overrides = taskOverrides(options);
  const task = compileTask(id, overrides);
  const { backend, passedOver } = await chooseBackend(options.backend ?? 'auto', task.program);
  await backend.settle?.();
  const recompile = (config: JsonObject) => compileTask(id, { ...overrides, ...config });
  return new TaskVectorEnv(task, backend, options, { recompile, passedOver });
}
