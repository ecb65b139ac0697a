/** Plays episodes and keeps every transition: what an offline learner reads. */

import type { TaskVectorEnv } from '../api/task-vector-env.js';
import type { CompiledTask } from '../envs/family.js';
import { playBatch } from './evaluate.js';
import type { Policy } from './policy.js';

/**
 * Transitions in columns, a row for each: episode after episode, step after step. The names follow
 * Minari's `EpisodeData`; what it keeps as one observation more than actions is here
 * `next_observations`, so that every row is whole.
 */
export interface Transitions {
  /** Number of the episode in the data set, from 0. */
  readonly episode_id: number[];
  /** Steps taken before this one. */
  readonly step: number[];
  /** f32 [observationDim]: what the policy saw. */
  readonly observations: number[][];
  /** The action row: one i32, or f32 [actionDim]. */
  readonly actions: (number | number[])[];
  readonly rewards: number[];
  /** Constraint costs, apart from the rewards. */
  readonly costs: number[];
  /** True where the episode ended by its own rules in this step. */
  readonly terminations: boolean[];
  /** True where it ended by its horizon. */
  readonly truncations: boolean[];
  /** f32 [observationDim]: what the step led to, the last observation of an episode included. */
  readonly next_observations: number[][];
  /** [maskDim]: the actions that were feasible; empty rows for families without masks. */
  readonly masks: boolean[][];
}

const emptyTransitions = (): Transitions => ({
  episode_id: [],
  step: [],
  observations: [],
  actions: [],
  rewards: [],
  costs: [],
  terminations: [],
  truncations: [],
  next_observations: [],
  masks: [],
});

/** True where an action is one integer, and its column has numbers rather than lists. */
export const hasSingleIndex = ({ actionDtype, actionDim }: CompiledTask): boolean =>
  actionDtype === 'index' && actionDim === 1;

/**
 * Plays episode 0 of every seed and returns the transitions, in the order of the seeds.
 *
 * @param env a batch with as many environments as seeds
 * @param firstEpisode the number of the first of them
 */
export function recordTransitions(
  env: TaskVectorEnv,
  policy: Policy,
  seeds: readonly bigint[],
  firstEpisode: number,
): Transitions {
  const episodes = seeds.map(emptyTransitions);
  const isSingle = hasSingleIndex(env.task);
  let seen = new Float32Array(0);
  let masks = new Uint8Array(0);
  playBatch(env, policy, seeds, {
    before() {
      seen = env.observations.slice();
      masks = env.masks.slice();
    },
    after(isPlaying, step) {
      episodes.forEach((rows, i) => {
        if (isPlaying[i] === 0) return;
        const action = rowOf(env.actions, i, seeds.length);
        rows.episode_id.push(firstEpisode + i);
        rows.step.push(step);
        rows.observations.push(rowOf(seen, i, seeds.length));
        rows.actions.push(isSingle ? action[0] : action);
        rows.rewards.push(env.rewards[i]);
        rows.costs.push(env.costs[i]);
        rows.terminations.push(env.terminated[i] === 1);
        rows.truncations.push(env.truncated[i] === 1);
        rows.next_observations.push(rowOf(env.observations, i, seeds.length));
        rows.masks.push(rowOf(masks, i, seeds.length).map((flag) => flag === 1));
      });
    },
  });
  const names = Object.keys(emptyTransitions()) as (keyof Transitions)[];
  const joined = names.map((name) => [name, episodes.flatMap((rows) => rows[name] as unknown[])]);
  return Object.fromEntries(joined) as Transitions;
}

/** Row i of an array of `count` rows. */
function rowOf(rows: Float32Array | Int32Array | Uint8Array, i: number, count: number): number[] {
  const width = rows.length / count;
  return Array.from(rows.subarray(i * width, (i + 1) * width));
}
