/** One environment of a task: a batch of one whose results are fresh objects. */
import type { Backend, BackendName, Kernel } from '../backend.js';
import { chooseBackend, type PassedOver } from '../backends/select.js';
import type { JsonObject } from '../base/json.js';
import type { CompiledTask, EpisodeStatistics } from '../envs/family.js';
import type { Space } from '../spaces/index.js';
import type { Env, ResetOptions, ResetResult, StepResult } from './env.js';
import { InfoSource, TaskStep } from './lazy-info.js';
import { checkOptionNames, type TaskOptions, taskOverrides } from './options.js';
import { compileTask } from './registry.js';
import type { SeedLike } from './seeds.js';
import { type Making, TaskVectorEnv } from './task-vector-env.js';

export interface MakeOptions extends TaskOptions {
  /** Seed of the first `reset()`. Default: one that is drawn afresh, which `env.seed` tells. */
  readonly seed?: SeedLike | null;
  /** Default `auto`: the first that works of native, wasm, assemblyscript and reference. */
  readonly backend?: BackendName | 'auto';
  /** `scalar` takes the oracle instead of the machine's fastest kernel; the bits are the same. */
  readonly kernel?: Kernel;
}

const MAKE_OPTIONS = [
  'seed',
  'backend',
  'kernel',
  'config',
  'actionSpace',
  'normalizeObservation',
] as const satisfies readonly (keyof MakeOptions)[];

/**
 * A single environment of a task. Everything but its making is synchronous.
 *
 * @example
 * const env = await make('serving/static-uniform-v1');
 * const rng = makeRng('actions');
 * let { observation } = env.reset({ seed: 3 });
 * for (let hasEnded = false; !hasEnded; ) {
 *   const step = env.step(env.actionSpace.sample(rng));
 *   observation = step.observation;
 *   hasEnded = step.terminated || step.truncated;
 * }
 * console.log(env.task.grade(env.episodeStatistics()!));
 * env.close();
 */
export class TaskEnv implements Env {
  private readonly batch: TaskVectorEnv;
  private infos: InfoSource;

  /** Use `make`; this is for a task and a backend that are at hand. */
  constructor(
    task: CompiledTask,
    backend: Backend,
    options: Pick<MakeOptions, 'seed' | 'kernel'> = {},
    making: Making = {},
  ) {
    const batch = { ...options, numEnvs: 1, autoreset: 'disabled', infos: true } as const;
    this.batch = new TaskVectorEnv(task, backend, batch, making);
    this.infos = new InfoSource(task);
  }

  /** The task as compiled; another one after `reset({ options: { config } })`. */
  get task(): CompiledTask {
    return this.batch.task;
  }

  /** Which backend steps it. */
  get backend(): BackendName {
    return this.batch.backend;
  }

  /** Which of the backend's kernels. */
  get kernel(): string {
    return this.batch.kernel;
  }

  /** Faster backends that `auto` did not take, and why; empty where a backend was named. */
  get passedOver(): readonly PassedOver[] {
    return this.batch.passedOver;
  }

  /** The seed of the present history; one that nobody gave was drawn when it was made. */
  get seed(): SeedLike {
    return this.batch.seed as SeedLike;
  }

  get actionSpace(): Space<unknown> {
    return this.batch.singleActionSpace;
  }

  get observationSpace(): Space<Float32Array> {
    return this.batch.singleObservationSpace as Space<Float32Array>;
  }

  /**
   * Begins an episode: the one of the seed `make` was given, of the seed given here, or the next.
   *
   * @throws RangeError for an invalid seed and for what the family refuses in the configuration;
   * the environment then is as it was.
   */
  reset(options: ResetOptions = {}): ResetResult {
    const { batch } = this;
    batch.reset(options);
    return { observation: new Float32Array(batch.observations), info: batch.info(0) };
  }

  /**
   * Takes an action of the action space. `info` is made when it is read.
   *
   * @throws RangeError naming the field of an action that is refused; Error before the first reset
   * and after an episode's end.
   */
  step(action: unknown): StepResult {
    const { batch } = this;
    if (batch.terminated[0] === 1 || batch.truncated[0] === 1) {
      throw new Error('the episode has ended: call reset() to begin the next one');
    }
    batch.step([action]);
    if (this.infos.task !== batch.task) this.infos = new InfoSource(batch.task);
    return new TaskStep(this.infos, batch);
  }

  /** Statistics of the last finished episode, or null. */
  episodeStatistics(): EpisodeStatistics | null {
    return this.batch.statisticsOf(0);
  }

  /** State and last outputs as bytes; `restore` of any backend takes them. */
  snapshot(): Uint8Array {
    return this.batch.snapshot();
  }

  /**
   * Goes on from a snapshot of the same task and configuration.
   *
   * @throws SnapshotError naming what is wrong with it; the environment then goes on as it was.
   */
  restore(snapshot: Uint8Array): void {
    this.batch.restore(snapshot);
  }

  /** 16 hex digits that name state and last outputs exactly; equal on every backend. */
  digest(): string {
    return this.batch.digest();
  }

  /** Frees it; a second call does nothing, any other use afterwards is refused. */
  close(): void {
    this.batch.close();
  }
}

/**
 * Makes a single environment of a task.
 *
 * @param id - an id (`serving/static-uniform-v1`), one without its version for the newest, or an
 * alias (`static-uniform`, `1`).
 * @throws RangeError for an unknown task, naming the nearest, and for a configuration the family
 * refuses; Error where the backend that was named is not available.
 * @example
 * const env = await make('static-uniform', { backend: 'native', config: { alpha: 0.5 } });
 */
export async function make(id: string, options: MakeOptions = {}): Promise<TaskEnv> {
  checkOptionNames(options, MAKE_OPTIONS);
  const overrides = taskOverrides(options);
  const task = compileTask(id, overrides);
  const { backend, passedOver } = await chooseBackend(options.backend ?? 'auto', task.program);
  await backend.settle?.();
  const recompile = (config: JsonObject) => compileTask(id, { ...overrides, ...config });
  return new TaskEnv(task, backend, options, { recompile, passedOver });
}
