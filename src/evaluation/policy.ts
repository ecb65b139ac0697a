/** Policies: something that writes actions for a whole batch from what the batch shows. */

import type { ParametricPolicy } from '../api/policy-parameters.js';
import type { Rng, Seed } from '../base/seeding.js';
import type { CompiledTask } from '../envs/family.js';

/** A policy's view of a batch, and where it writes. The arrays are the batch's own memory. */
export interface PolicyView {
  readonly task: CompiledTask;
  readonly numEnvs: number;
  /** Steps taken in this episode; all environments of the batch begin together. */
  readonly step: number;
  /** f32 [numEnvs, observationDim]. */
  readonly observations: Float32Array;
  /** f32 [numEnvs, number of metrics], in the order of `task.layout.metrics`. */
  readonly metrics: Float32Array;
  /** u8 [numEnvs, maskDim], 1 where a discrete action is feasible; empty without masks. */
  readonly masks: Uint8Array;
  /** [numEnvs, actionDim], to be written: `task.encodeAction` does it for one row. */
  readonly actions: Float32Array | Int32Array;
  /**
   * The generator of environment `env`, fixed by the policy's seed and the environment's: what a
   * policy draws for an episode does not depend on which other episodes run beside it.
   */
  rng(env: number): Rng;
  /** The seed whose episode 0 environment `env` plays: what a clairvoyant policy looks into. */
  seed(env: number): Seed;
}

/** A policy. It plays a batch from the first step of an episode on. */
export interface Policy {
  readonly name: string;
  /** Of the policy's own randomness. Default 0. */
  readonly seed?: number | bigint | string;
  /**
   * The policy of the core that this one is, by name or by parameters. It is then played by
   * `rollout`, which steps as well, and `act` is never called.
   */
  readonly core?: string | ParametricPolicy;
  /** Forgets what it remembers: a batch of `numEnvs` episodes begins. */
  reset?(numEnvs: number): void;
  /** Writes `view.actions` for every environment. */
  act(view: PolicyView): void;
}

/**
 * A policy that the core plays: one of the family's heuristics, `task.layout.heuristics`.
 *
 * @example
 * const results = await evaluateEpisodes(task, heuristicPolicy('best-fit'), [0, 1, 2]);
 */
export function heuristicPolicy(name: string): Policy {
  return playedByCore(name, name);
}

/**
 * A linear or tabular policy, which the core plays.
 *
 * @example
 * const policy = parametricPolicy({ kind: 'linear', weights, bias });
 * const results = await evaluateEpisodes(task, policy, [0, 1, 2]);
 */
export function parametricPolicy(parameters: ParametricPolicy, name?: string): Policy {
  return playedByCore(name ?? parameters.kind, parameters);
}

function playedByCore(name: string, core: string | ParametricPolicy): Policy {
  return {
    name,
    core,
    act() {
      throw new Error(`policy ${name} is played by the core: step with rollout(policy.core, 1)`);
    },
  };
}

/** The policy that scores are normalised by: a heuristic of the core, or one constant action. */
export function baselinePolicy(task: CompiledTask): Policy {
  if (task.baselineHeuristic === undefined) return constantPolicy(task.baselineAction, 'baseline');
  return { ...heuristicPolicy(task.baselineHeuristic), name: 'baseline' };
}

/**
 * Always the same action of the task's action space.
 *
 * @example
 * const baseline = constantPolicy(task.baselineAction, 'baseline');
 */
export function constantPolicy(action: unknown, name = 'constant'): Policy {
  return {
    name,
    act({ task, actions }) {
      const { actionDim } = task;
      task.encodeAction(action, actions.subarray(0, actionDim));
      for (let at = actionDim; at < actions.length; at += actionDim) {
        actions.copyWithin(at, 0, actionDim);
      }
    },
  };
}

/**
 * Samples of the action space. (`rollout('random')` is the core's own random policy: faster, and
 * with other draws.)
 */
export function randomPolicy(seed: number | bigint | string = 0): Policy {
  return {
    name: 'random',
    seed,
    act(view) {
      const { task, actions, numEnvs } = view;
      for (let i = 0; i < numEnvs; i++) {
        const row = actions.subarray(i * task.actionDim, (i + 1) * task.actionDim);
        task.encodeAction(task.actionSpace.sample(view.rng(i)), row);
      }
    },
  };
}
