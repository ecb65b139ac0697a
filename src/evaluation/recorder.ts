/** Records episodes of an environment: states, actions, rewards, and how each one ended. */
import type { Env, Info, ResetOptions, ResetResult, StepResult } from '../api/env.js';

/** One episode, as far as it has been played. `states[k]` is what `actions[k]` led to. */
export interface EpisodeRecord {
  /** The observation of the reset. */
  readonly initialState: Float32Array;
  /** Observations, f32 [observationDim] each: ready to be a tensor, `Array.from` a plain array. */
  readonly states: readonly Float32Array[];
  /** As they were given to `step`. */
  readonly actions: readonly unknown[];
  readonly rewards: readonly number[];
  readonly infos: readonly Info[];
  readonly terminated: boolean;
  readonly truncated: boolean;
}

type Growing = { -readonly [K in keyof EpisodeRecord]: EpisodeRecord[K] } & {
  states: Float32Array[];
  actions: unknown[];
  rewards: number[];
  infos: Info[];
};

/**
 * Plays an environment and keeps what happened since the last reset.
 *
 * @example
 * const recorder = new EpisodeRecorder(await make('autoscaling/medium-v1'));
 * recorder.reset({ seed: 0 });
 * while (!recorder.hasEnded) recorder.step(1);
 * const { states, actions, rewards } = recorder.episode;
 */
export class EpisodeRecorder<E extends Env = Env> {
  private record: Growing | null = null;

  constructor(readonly env: E) {}

  /** The episode that was begun last. @throws Error before the first reset. */
  get episode(): EpisodeRecord {
    if (this.record === null) throw new Error('no episode has begun: call reset() first');
    return this.record;
  }

  /** True where the episode has ended; before the first reset there is none to go on with. */
  get hasEnded(): boolean {
    return this.record === null || this.record.terminated || this.record.truncated;
  }

  /** Begins an episode and forgets the former one. */
  reset(options?: ResetOptions): ResetResult {
    const result = this.env.reset(options);
    this.record = {
      initialState: result.observation,
      states: [],
      actions: [],
      rewards: [],
      infos: [],
      terminated: false,
      truncated: false,
    };
    return result;
  }

  /** Takes an action and records what came of it; a refused action leaves no trace. */
  step(action: unknown): StepResult {
    const result = this.env.step(action);
    const record = this.episode as Growing;
    record.states.push(result.observation);
    record.actions.push(action);
    record.rewards.push(result.reward);
    record.infos.push(result.info);
    record.terminated = result.terminated;
    record.truncated = result.truncated;
    return result;
  }

  /** All states in one array, row-major f32 [steps, observationDim]. */
  stateTensor(): Float32Array {
    const { states } = this.episode;
    const width = this.env.observationSpace.flatDim;
    const tensor = new Float32Array(states.length * width);
    states.forEach((state, i) => {
      tensor.set(state, i * width);
    });
    return tensor;
  }
}
