/** Many environments as an interface: batches of tasks, their wrappers and one's own keep it. */

import type { Autoreset } from '../backend.js';
import type { JsonObject } from '../base/json.js';
import type { Space } from '../spaces/index.js';
import type { BatchActions } from './actions.js';
import type { Info } from './env.js';
import type { BatchSeed } from './seeds.js';

export interface VectorResetOptions {
  /**
   * Environment i takes seed + i, or entry i of a list, and its episode 0. Without one, or with
   * null: its next episode.
   */
  readonly seed?: BatchSeed | null;
  /** [numEnvs]: which environments are reset (1 or true). Default: all. */
  readonly mask?: ArrayLike<number | boolean>;
  readonly options?: {
    /**
     * Entries of the task's configuration to replace from this episode on, beside those it was made
     * with, in the whole batch; an empty object takes them back. Without a seed, the current ones
     * begin anew. The batch then has new arrays: read its fields again.
     */
    readonly config?: JsonObject;
  };
}

/** The result of a reset: the batch's own memory, which the next call overwrites. */
export interface VectorReset {
  /** f32 [numEnvs, observationDim], row-major. */
  readonly observations: Float32Array;
}

/** The result of a step: the batch's own memory, which the next call overwrites. */
export interface VectorStep extends VectorReset {
  /** f32 [numEnvs]. */
  readonly rewards: Float32Array;
  /** f32 [numEnvs], constraint costs, apart from the rewards. */
  readonly costs: Float32Array;
  /** u8 [numEnvs], 1 where the episode ended by its own rules. */
  readonly terminated: Uint8Array;
  /** u8 [numEnvs], 1 where the episode ended by its horizon. */
  readonly truncated: Uint8Array;
}

/**
 * A batch of environments, Gymnasium's vector environment: infos I, actions A. Its arrays are
 * row-major and the same until the batch is closed or gets another configuration: write into
 * `actions`, call `step()`, read the others.
 */
export interface VectorEnv<A = unknown, I = Info> extends VectorStep {
  readonly numEnvs: number;
  /** The behaviour after an episode's last step; docs/adr/0003-autoreset-modes.md. */
  readonly autoreset: Autoreset;
  readonly singleObservationSpace: Space<unknown>;
  readonly singleActionSpace: Space<unknown>;
  /** The space of all environments' observations. */
  readonly observationSpace: Space<unknown>;
  /** The space of all environments' actions. */
  readonly actionSpace: Space<unknown>;
  /** [numEnvs, numbers of an action], f32, or i32 where they are indices; read by `step()`. */
  readonly actions: Float32Array | Int32Array;
  /** f32 [numEnvs, observationDim]: the last observation of the last finished episode. */
  readonly finalObservations: Float32Array;
  /** u8 [numEnvs, maskDim], 1 where a discrete action is feasible now; empty without masks. */
  readonly masks: Uint8Array;
  /** Begins an episode in every environment, or where the mask is set. */
  reset(options?: VectorResetOptions): VectorReset;
  /** Steps every environment, with what `actions` holds or with the actions given. */
  step(actions?: BatchActions<A>): VectorStep;
  /** `step` without waiting for it, where there is another thread. */
  stepAsync(actions?: BatchActions<A>): Promise<VectorStep>;
  /** The report of environment i's last step. */
  info(i: number): I;
  /** Frees the batch; a second call does nothing. */
  close(): void;
  /** The batch below all wrappers; absent where there are none. */
  readonly unwrapped?: VectorEnv<never, unknown>;
}
