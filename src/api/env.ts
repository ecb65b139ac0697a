/** A single environment as an interface: tasks, wrappers and environments of one's own keep it. */

import type { JsonObject } from '../base/json.js';
import type { Space } from '../spaces/index.js';
import type { SeedLike } from './seeds.js';

/** A step's report beside its numbers: the family's fields and, at the end, the episode's. */
export type Info = JsonObject;

export interface ResetOptions {
  /** Begins episode 0 of this seed. Without one, or with null: the next episode. */
  readonly seed?: SeedLike | null;
  readonly options?: {
    /**
     * Entries of the task's configuration to replace from this episode on, beside those it was made
     * with; an empty object takes them back. Without a seed, the current one begins anew.
     */
    readonly config?: JsonObject;
  };
}

export interface ResetResult<O = Float32Array, I = Info> {
  /** Of the observation space, the caller's own; f32 [observationDim] for a task. */
  readonly observation: O;
  readonly info: I;
}

export interface StepResult<O = Float32Array, I = Info> extends ResetResult<O, I> {
  readonly reward: number;
  /** The episode ended by its own rules. */
  readonly terminated: boolean;
  /** The episode ended by its horizon; a value function is bootstrapped from here. */
  readonly truncated: boolean;
}

/**
 * A single environment with Gymnasium's meanings: observations O, actions A, infos I.
 *
 * @example
 * class Echo implements Env<number, number> {
 *   readonly observationSpace = new Discrete(2);
 *   readonly actionSpace = new Discrete(2);
 *   reset() {
 *     return { observation: 0, info: {} };
 *   }
 *   step(action: number) {
 *     return { observation: action, reward: action, terminated: false, truncated: true, info: {} };
 *   }
 *   close() {}
 * }
 */
export interface Env<O = Float32Array, A = unknown, I = Info> {
  readonly observationSpace: Space<O>;
  readonly actionSpace: Space<unknown>;
  /** Begins an episode: the one of the seed given here, or the next. */
  reset(options?: ResetOptions): ResetResult<O, I>;
  /** Takes an action of the action space. */
  step(action: A): StepResult<O, I>;
  /** Frees it; a second call does nothing. */
  close(): void;
  /** The environment below all wrappers; absent where there are none. */
  readonly unwrapped?: Env<unknown, never, unknown>;
}
