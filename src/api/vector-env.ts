/** Many environments of one task, stepped together: Gymnasium's vector environment. */

import type { Autoreset, Backend, BackendName, Batch, Channels } from '../backend.js';
import { loadBackend } from '../backends/select.js';
import { digestOf } from '../base/digest.js';
import type { JsonObject } from '../base/json.js';
import { parseSeed } from '../base/seeding.js';
import type { CompiledTask, EpisodeStatistics } from '../envs/family.js';
import { describeStep } from '../envs/report.js';
import { corePolicy } from '../generated/common.js';
import { batchSpace, type Space } from '../spaces/index.js';
import { ActionWriter, type BatchActions } from './actions.js';
import { Lifecycle } from './lifecycle.js';
import {
  type CorePolicy,
  checkInteger,
  checkOptionNames,
  checkOptions,
  corePolicyNumber,
  MAKE_VEC_OPTIONS,
  type MakeVecOptions,
  type SeedLike,
  taskOverrides,
  type VectorOptions,
  type VectorReset,
  type VectorResetOptions,
  type VectorStep,
} from './options.js';
import { encodePolicy, type ParametricPolicy } from './policy-parameters.js';
import { checkRecording, type RecordArrays, recordBySteps } from './record.js';
import { compileTask } from './registry.js';
import { clearRows, rowOf, statisticsOfRow, statisticsOfState, writeMask } from './rows.js';
import {
  decodeSnapshot,
  encodeSnapshot,
  outputChannels,
  restoreOutputs,
  type SnapshotContext,
} from './snapshot.js';

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
export class VectorEnv {
  readonly numEnvs: number;
  readonly autoreset: Autoreset;
  readonly threads: number;
  /** Whether `metrics` and `info(i)` are there. */
  readonly infos: boolean;
  /** Which backend steps the batch. */
  readonly backend: BackendName;
  /** Which of its kernels, e.g. `avx2`. */
  readonly kernel: string;
  readonly singleObservationSpace: Space<unknown>;
  readonly singleActionSpace: Space<unknown>;
  /** [numEnvs, actionDim], f32 or, where `task.actionDtype` is `index`, i32; read by `step()`. */
  readonly actions: Float32Array | Int32Array;
  /** f32 [numEnvs, observationDim]. */
  readonly observations: Float32Array;
  /** f32 [numEnvs]. */
  readonly rewards: Float32Array;
  /** f32 [numEnvs], constraint costs. */
  readonly costs: Float32Array;
  /** u8 [numEnvs]. */
  readonly terminated: Uint8Array;
  /** u8 [numEnvs]. */
  readonly truncated: Uint8Array;
  /** f32 [numEnvs, number of metrics]; empty without `infos`. */
  readonly metrics: Float32Array;
  /** f32 [numEnvs, observationDim]: the last observation of the last finished episode. */
  readonly finalObservations: Float32Array;
  /** f64 [numEnvs, number of statistics]: the statistics of the last finished episode. */
  readonly finalStatistics: Float64Array;
  /** u8 [numEnvs, maskDim], 1 where a discrete action is feasible now; empty without masks. */
  readonly masks: Uint8Array;

  private readonly batch: Batch;
  private readonly writer: ActionWriter;
  private readonly seed: SeedLike;
  private readonly stepResult: VectorStep;
  private readonly life = new Lifecycle();

  /** Use `makeVec`; this is for a task and a backend that are at hand. */
  constructor(
    readonly task: CompiledTask,
    private readonly implementation: Backend,
    private readonly options: VectorOptions = {},
  ) {
    const batchOptions = checkOptions(implementation, options);
    this.seed = options.seed ?? 0;
    parseSeed(this.seed);
    this.batch = implementation.create(task.program, batchOptions);
    this.numEnvs = batchOptions.numEnvs;
    this.autoreset = batchOptions.autoreset;
    this.threads = batchOptions.threads;
    this.infos = batchOptions.metrics;
    this.backend = implementation.name;
    this.kernel = this.batch.kernel;
    this.singleObservationSpace = task.observationSpace;
    this.singleActionSpace = task.actionSpace;
    const { channels } = this.batch;
    this.actions = actionsOf(task, channels);
    this.observations = channels.observations;
    this.rewards = channels.rewards;
    this.costs = channels.costs;
    this.terminated = channels.terminated;
    this.truncated = channels.truncated;
    this.metrics = channels.metrics;
    this.finalObservations = channels.finalObservations;
    this.finalStatistics = channels.finalStatistics;
    this.masks = channels.masks;
    this.writer = new ActionWriter(task, this.actions, this.numEnvs);
    const { observations, rewards, costs, terminated, truncated } = this;
    this.stepResult = { observations, rewards, costs, terminated, truncated };
  }

  /**
   * Begins an episode in every environment, or where `mask` is set. The first reset takes the seed
   * the batch was made with, unless it is given one; later ones without a seed go on to each
   * environment's next episode.
   *
   * @throws RangeError for an invalid seed or mask; Error where the first reset is masked.
   */
  reset({ seed, mask }: VectorResetOptions = {}): VectorReset {
    this.life.requireOpen();
    const first = this.life.hasBegun ? undefined : this.seed;
    const chosen = seed ?? first;
    const parsed = chosen === undefined ? null : parseSeed(chosen);
    if (mask !== undefined) {
      if (!this.life.hasBegun)
        throw new Error('the first reset has a mask: reset the whole batch first');
      writeMask(this.batch.channels.resetMask, mask);
    }
    this.batch.reset(parsed, mask !== undefined);
    if (parsed !== null) {
      // A seed begins a new history: nothing of the former one may show in digests.
      clearRows(this.finalObservations, this.numEnvs, mask);
      clearRows(this.finalStatistics, this.numEnvs, mask);
    }
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
  info(i: number): JsonObject {
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
  sibling(options: Partial<VectorOptions> = {}): VectorEnv {
    return new VectorEnv(this.task, this.implementation, { ...this.options, ...options });
  }

  /** Frees the batch; a second call does nothing, any other use afterwards is refused. */
  close(): void {
    if (this.life.close()) this.batch.close();
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
 * where the backend that was named cannot be had.
 * @example
 * const env = await makeVec('bursty-sharegpt', { numEnvs: 4096, seed: 7, threads: 2 });
 */
export async function makeVec(id: string, options: MakeVecOptions = {}): Promise<VectorEnv> {
  checkOptionNames(options, MAKE_VEC_OPTIONS);
  const task = compileTask(id, taskOverrides(options));
  return new VectorEnv(task, await loadBackend(options.backend ?? 'auto', task.program), options);
}

function actionsOf(task: CompiledTask, { actions }: Channels): Float32Array | Int32Array {
  const { buffer, byteOffset, length } = actions;
  return task.actionDtype === 'index'
    ? new Int32Array(buffer, byteOffset, length)
    : new Float32Array(buffer, byteOffset, length);
}
