/** Policies for provisioning: rules of thumb, and a plan that knows the arrivals. */
import {
  constantPolicy,
  type Policy,
  type PolicyView,
  type ProvisioningConfig,
  provisioningArrivals,
  provisioningConfig,
  provisioningState,
} from '../library.js';

type State = ReturnType<typeof provisioningState>;

/** Keeps what is rented: the fixed baseline. */
export const holdPolicy = (): Policy => constantPolicy(0, 'hold');

/** Rents as many GPUs as jobs wait: min(64, queue). The core has the same policy. */
export function matchQueuePolicy(): Policy {
  return targetPolicy('match-queue', ({ queue }) => queue);
}

/** Rents ceil(gain × mean of the last `window` arrivals) + floor(queue / drain). */
export interface MovingAverageOptions {
  /** Default 1.2. */
  readonly gain?: number;
  /** Steps. Default 5. */
  readonly window?: number;
  /** Steps in which a queue is to be worked off. Default 4. */
  readonly drain?: number;
}

/** Follows the mean of the last arrivals, with a reserve and a share of the queue on top. */
export function movingAveragePolicy(options: MovingAverageOptions = {}): Policy {
  const { gain = 1.2, window = 5, drain = 4 } = options;
  let recent: number[][] = [];
  const policy = targetPolicy('moving-average', ({ queue, incoming, step }, env) => {
    recent[env] ??= [];
    if (step > 0) recent[env] = [...recent[env], incoming].slice(-window);
    const mean = recent[env].reduce((sum, jobs) => sum + jobs, 0) / (recent[env].length || 1);
    return Math.ceil(gain * mean) + Math.floor(queue / drain);
  });
  return {
    ...policy,
    reset: () => {
      recent = [];
    },
  };
}

/** A policy that names how many GPUs should be rented, running and booting together. */
function targetPolicy(name: string, target: (state: State, env: number) => number): Policy {
  return {
    name,
    act(view) {
      const config = configOf(view);
      for (let env = 0; env < view.numEnvs; env++) {
        const state = provisioningState(config, view.observations, env);
        const wanted = Math.min(target(state, env), config.gpusMax);
        view.actions[env] = clamp(wanted - state.running - state.booting, config.changeMax);
      }
    },
  };
}

const clamp = (change: number, most: number): number => Math.max(-most, Math.min(change, most));

const configs = new WeakMap<PolicyView['task'], ProvisioningConfig>();

/** A task's configuration, read once. */
function configOf({ task }: Pick<PolicyView, 'task'>): ProvisioningConfig {
  const config = configs.get(task) ?? provisioningConfig(task);
  configs.set(task, config);
  return config;
}

/**
 * The clairvoyant plan: knows the arrivals of the episode, makes a plan for every cap on the fleet,
 * plays each of them through and follows the best. A plan keeps as many GPUs as the cap's queue
 * will need at any time from now until a GPU rented now would run, so that GPUs are ready in time
 * and are not released for a gap shorter than booting takes; it grows early enough for the limit
 * on the change of a step. A lower cap wastes less rent on peaks, which a tight budget rewards.
 */
export function clairvoyantPolicy(): Policy {
  let plans: Int32Array[] = [];
  return {
    name: 'bound',
    reset: () => {
      plans = [];
    },
    act(view) {
      const config = configOf(view);
      for (let env = 0; env < view.numEnvs; env++) {
        plans[env] ??= bestPlan(config, provisioningArrivals(view.task, view.seed(env)));
        view.actions[env] = plans[env][view.step] ?? 0;
      }
    },
  };
}

/** A plan played through: its return, and its changes, one per step. */
interface Played {
  readonly total: number;
  readonly changes: Int32Array;
}

/** The changes of the best plan, one per step. */
export function bestPlan(config: ProvisioningConfig, arrivals: readonly number[]): Int32Array {
  let best: Played = { total: -Infinity, changes: new Int32Array(arrivals.length) };
  for (let cap = 1; cap <= config.gpusMax; cap++) {
    const played = playPlan(config, arrivals, fleetPlan(config, arrivals, cap));
    if (played.total > best.total) best = played;
  }
  return best.changes;
}

/** GPUs to have rented in each step, if at most `cap` of them ever serve. */
function fleetPlan(config: ProvisioningConfig, arrivals: readonly number[], cap: number): number[] {
  const { bootDelaySteps, changeMax } = config;
  let queue = 0;
  const needed = arrivals.map((arrived) => {
    const served = Math.min(queue, cap);
    queue += arrived - served;
    return served;
  });
  const fleet = needed.map((_, t) => Math.max(...needed.slice(t, t + bootDelaySteps + 1)));
  for (let t = fleet.length - 2; t >= 0; t--) {
    fleet[t] = Math.max(fleet[t], fleet[t + 1] - changeMax);
  }
  return fleet;
}

/** Plays a plan through: the environment's rules, in plain numbers. */
function playPlan(
  config: ProvisioningConfig,
  arrivals: readonly number[],
  fleet: readonly number[],
): Played {
  const { bootDelaySteps, changeMax, jobValueUsd, gpuCostUsd, waitCostUsd } = config;
  const changes = new Int32Array(arrivals.length);
  const booting = new Array<number>(bootDelaySteps).fill(0);
  let [running, queue, total, budget] = [config.gpusStart, 0, 0, config.budgetUsd];
  for (let t = 0; t < arrivals.length && budget > 0; t++) {
    if (bootDelaySteps > 0) {
      running += booting.shift()!;
      booting.push(0);
    }
    const rented = running + booting.reduce((sum, gpus) => sum + gpus, 0);
    const change = clamp(fleet[t] - rented, changeMax);
    changes[t] = change;
    if (change > 0 && bootDelaySteps > 0) booting[bootDelaySteps - 1] = change;
    else running += change > 0 ? change : -releaseFrom(booting, -change);
    const served = Math.min(queue, running);
    queue += arrivals[t] - served;
    const cost = gpuCostUsd * (rented + change);
    budget -= cost;
    total += jobValueUsd * served - cost - waitCostUsd * queue;
  }
  return { total, changes };
}

/** Releases booting GPUs, newest first; returns how many are left to release. */
function releaseFrom(booting: number[], release: number): number {
  let left = release;
  for (let k = booting.length - 1; k >= 0; k--) {
    const taken = Math.min(left, booting[k]);
    booting[k] -= taken;
    left -= taken;
  }
  return left;
}
