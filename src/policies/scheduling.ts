/** Policies for scheduling: the heuristics that the core plays, and a random feasible action. */
import { heuristicPolicy, type Policy, type PolicyView } from '../library.js';

/** The heuristics of `docs/environments/scheduling.md`, by the names of the command line. */
const SCHEDULING_HEURISTICS = ['rr', 'sjf', 'ffd', 'best-fit', 'tetris', 'power-aware'] as const;

/** Uniform over the actions that the mask allows; waiting is always one of them. */
export function randomFeasiblePolicy(seed: number | bigint | string = 0): Policy {
  return {
    name: 'random-feasible',
    seed,
    act(view) {
      for (let env = 0; env < view.numEnvs; env++) view.actions[env] = drawFeasible(view, env);
    },
  };
}

function drawFeasible({ task, masks, rng }: PolicyView, env: number): number {
  const mask = masks.subarray(env * task.maskDim, (env + 1) * task.maskDim);
  const numFeasible = mask.reduce((sum, flag) => sum + flag, 0);
  let left = Math.floor(rng(env).nextFloat() * numFeasible);
  return mask.findIndex((flag) => flag === 1 && left-- === 0);
}

/** The family's policies by name. */
export const schedulingPolicies: Readonly<Record<string, () => Policy>> = {
  ...Object.fromEntries(
    SCHEDULING_HEURISTICS.map((name) => [name, () => heuristicPolicy(name)] as const),
  ),
  'random-feasible': () => randomFeasiblePolicy(),
};
