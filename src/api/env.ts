/** One environment with Gymnasium's meanings: a batch of one whose results are fresh objects. */
import type { Backend, BackendName, Kernel } from '../backend.js';
import { loadBackend } from '../backends/select.js';
import type { JsonObject } from '../base/json.js';
import type { CompiledTask, EpisodeStatistics } from '../envs/family.js';
import type { Space } from '../spaces/index.js';
import { checkOptionNames, type SeedLike, type TaskOptions, taskOverrides } from './options.js';
import { compileTask } from './registry.js';
import { VectorEnv } from './vector-env.js';

export interface MakeOptions extends TaskOptions {
  /** Seed of the first `reset()`. Default 0. */
  readonly seed?: SeedLike;
  /** Default `auto`: the first that works of native, wasm, assemblyscript and reference. */
  readonly backend?: BackendName | 'auto';
  /** `scalar` takes the oracle instead of the machine's fastest kernel; the bits are the same. */
  readonly kernel?: Kernel;
}

export interface ResetOptions {
  /** Begins episode 0 of this seed. Without one: the next episode. */
  readonly seed?: SeedLike;
  readonly options?: {
    /**
     * Entries of the task's configuration to replace from this episode on, beside those `make` was
     * given; an empty object takes them back. Without a seed, it begins with the one `make` has.
     */
    readonly config?: JsonObject;
  };
}

/** A step's report beside its numbers: the family's fields and, at the end, the episode's. */
export type Info = JsonObject;

export interface ResetResult {
  /** f32 [observationDim], the caller's own. */
  readonly observation: Float32Array;
  readonly info: Info;
}

export interface StepResult extends ResetResult {
  readonly reward: number;
  /** The episode ended by its own rules. */
  readonly terminated: boolean;
  /** The episode ended by its horizon; a value function is bootstrapped from here. */
  readonly truncated: boolean;
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
 * A single environment. Everything but its making is synchronous.
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
export class Env {
  private batch: VectorEnv;
  private isClosed = false;

  /** Use `make`; this is for a task and a backend that are at hand. */
  constructor(
    task: CompiledTask,
    private readonly implementation: Backend,
    private readonly options: Pick<MakeOptions, 'seed' | 'kernel'> = {},
    private readonly recompile?: (config: JsonObject) => CompiledTask,
  ) {
    this.batch = this.createBatch(task);
  }

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

  get actionSpace(): Space<unknown> {
    return this.batch.singleActionSpace;
  }

  get observationSpace(): Space<unknown> {
    return this.batch.singleObservationSpace;
  }

  /**
   * Begins an episode: the one of the seed `make` was given, of the seed given here, or the next.
   *
   * @throws RangeError for an invalid seed and for what the family refuses in the
   * configuration; the environment then is as it was.
   */
  reset({ seed, options }: ResetOptions = {}): ResetResult {
    const config = options?.config;
    // A closed environment must not come back with another configuration: the batch refuses it.
    if (config !== undefined && !this.isClosed) this.reconfigure(config, seed);
    else this.batch.reset(seed === undefined ? {} : { seed });
    return { observation: this.batch.observations.slice(), info: this.batch.info(0) };
  }

  /**
   * Takes an action of the action space.
   *
   * @throws RangeError naming the field of an action that is refused; Error before the first reset
   * and after an episode's end.
   */
  step(action: unknown): StepResult {
    const { batch } = this;
    if (this.hasFinished()) {
      throw new Error('the episode has ended: call reset() to begin the next one');
    }
    const { rewards, terminated, truncated } = batch.step([action]);
    const hasEnded = terminated[0] === 1 || truncated[0] === 1;
    const info = batch.info(0);
    return {
      observation: batch.observations.slice(),
      reward: rewards[0],
      terminated: terminated[0] === 1,
      truncated: truncated[0] === 1,
      info: hasEnded ? { ...info, episode: { ...batch.statisticsOf(0) } } : info,
    };
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
    this.isClosed = true;
  }

  private hasFinished(): boolean {
    return this.batch.terminated[0] === 1 || this.batch.truncated[0] === 1;
  }

  /** A changed task is another program, and so another batch; the old one goes when it is ready. */
  private reconfigure(config: JsonObject, seed: SeedLike | undefined): void {
    if (this.recompile === undefined) {
      throw new Error('options.config needs an environment that make() made');
    }
    const batch = this.createBatch(this.recompile(config));
    try {
      batch.reset(seed === undefined ? {} : { seed });
    } catch (error) {
      batch.close();
      throw error;
    }
    this.batch.close();
    this.batch = batch;
  }

  private createBatch(task: CompiledTask): VectorEnv {
    return new VectorEnv(task, this.implementation, {
      ...this.options,
      numEnvs: 1,
      autoreset: 'disabled',
      infos: true,
    });
  }
}

/**
 * Makes a single environment of a task.
 *
 * @param id - an id (`serving/static-uniform-v1`), one without its version for the newest, or an
 * alias (`static-uniform`, `1`).
 * @throws RangeError for an unknown task, naming the nearest, and for a configuration the family
 * refuses; Error where the backend that was named cannot be had.
 * @example
 * const env = await make('static-uniform', { backend: 'native', config: { alpha: 0.5 } });
 */
export async function make(id: string, options: MakeOptions = {}): Promise<Env> {
  checkOptionNames(options, MAKE_OPTIONS);
  const overrides = taskOverrides(options);
  const task = compileTask(id, overrides);
  const backend = await loadBackend(options.backend ?? 'auto', task.program);
  return new Env(task, backend, options, (config) => compileTask(id, { ...overrides, ...config }));
}
