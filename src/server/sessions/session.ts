/** One client's episode: an environment, what happened in it, and its grade. */
import { randomUUID } from 'node:crypto';
import {
  type Backend,
  type CompiledTask,
  type EpisodeStatistics,
  type Grade,
  gradeContext,
  type JsonObject,
  type StepRows,
  type TaskVectorEnv,
} from '../../index.js';
import { ApiError, refusing } from '../http/errors.js';
import { readAction } from './action.js';
import { EnvPool } from './env-pool.js';

/** Shared by all servers of the process. */
const pool = new EnvPool();

/** The answer to `GET /state`. */
interface SessionState {
  readonly episode_id: string;
  readonly step_count: number;
  readonly cumulative_reward: number;
  readonly done: boolean;
  readonly workload_phase: string | null;
  readonly task: string;
  readonly seed: number;
  readonly program_digest: string;
}

export interface SessionOptions {
  readonly seed: number;
  /** Default: a random UUID. */
  readonly id?: string;
  /** The episode's id in `state`; default the session's id. */
  readonly episodeId?: string;
}

/**
 * One environment and one episode of it. Everything here is synchronous, so that two calls can
 * never interleave and calls take effect in the order in which they arrive.
 */
export class Session {
  readonly id: string;
  readonly episodeId: string;
  readonly seed: number;
  /** Overwritten by the next step. */
  readonly rows: StepRows;
  private readonly env: TaskVectorEnv;
  private steps = 0;
  private cumulativeReward = 0;
  private lastReward: number | null = null;
  private isClosed = false;

  /** Makes the environment and begins the seed's first episode. */
  constructor(
    readonly task: CompiledTask,
    backend: Backend,
    { seed, id, episodeId }: SessionOptions,
  ) {
    this.id = id ?? randomUUID();
    this.episodeId = episodeId ?? this.id;
    this.seed = seed;
    this.env = pool.take(task, backend);
    this.env.reset({ seed });
    const { metrics, observations: observation, actions: action } = this.env;
    this.rows = { metrics, observation, action };
  }

  /** f32 [observationDim], overwritten by the next step. */
  get observation(): Float32Array {
    return this.env.observations;
  }

  get stepCount(): number {
    return this.steps;
  }

  /** The last step's reward, null after the reset. */
  get reward(): number | null {
    return this.lastReward;
  }

  get terminated(): boolean {
    return this.env.terminated[0] === 1;
  }

  get truncated(): boolean {
    return this.env.truncated[0] === 1;
  }

  get done(): boolean {
    return this.terminated || this.truncated;
  }

  /** u8 [maskDim], empty where the task has no masks. */
  get mask(): Uint8Array {
    return this.env.masks;
  }

  /** The environment's report of the last step, or of the reset: `info` but its `timestep`. */
  get report(): JsonObject {
    return this.env.info(0);
  }

  /**
   * Takes an action. One that is refused (422) and one after the end (409) change nothing.
   */
  step(action: unknown): void {
    if (this.done) {
      throw new ApiError(409, `session ${this.id} has finished its episode: POST /reset first`);
    }
    const { env } = this;
    refusing('action', () => readAction(this.task, action, env.actions));
    env.step();
    this.steps++;
    this.lastReward = env.rewards[0];
    this.cumulativeReward += this.lastReward;
  }

  state(): SessionState {
    const workload = this.env.info(0)['workload'] as JsonObject | undefined;
    const phase = workload?.['phase'];
    return {
      episode_id: this.episodeId,
      step_count: this.steps,
      cumulative_reward: this.cumulativeReward,
      done: this.done,
      workload_phase: typeof phase === 'string' ? phase : null,
      task: this.task.spec.id,
      seed: this.seed,
      program_digest: this.task.programDigest,
    };
  }

  /** Grades the episode, or what there is of it, by the core's own statistics. */
  async grade(): Promise<Grade> {
    // Read before anything is awaited: a step that comes meanwhile belongs to the next grade.
    const ended = this.env.statisticsOf(0);
    return gradeEpisode(this.task, this.seed, ended ?? this.env.runningStatistics(0));
  }

  /** Gives the environment back; the session must not be used afterwards. */
  close(): void {
    if (!this.isClosed) pool.give(this.env);
    this.isClosed = true;
  }
}

/** Grades statistics of a seed's first episode against that episode's own baseline and bound. */
async function gradeEpisode(
  task: CompiledTask,
  seed: number,
  statistics: EpisodeStatistics,
): Promise<Grade> {
  return task.grade(statistics, await gradeContext(task, seed));
}
