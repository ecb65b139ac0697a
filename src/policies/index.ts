/** The built-in policies by the names that the command line and the server take. */
import {
  baselinePolicy,
  type CompiledTask,
  constantPolicy,
  familyOf,
  nearest,
  type Policy,
  randomPolicy,
} from '../library.js';
import { bestConstantPolicy, hpaPolicy, keepPolicy, thresholdPolicy } from './autoscaling.js';
import {
  clairvoyantPolicy,
  holdPolicy,
  matchQueuePolicy,
  movingAveragePolicy,
} from './provisioning.js';
import { schedulingPolicies } from './scheduling.js';
import { servingPolicies } from './serving/index.js';

/** Makes a policy for a task; what has to be searched for it is searched then. */
export type PolicyFactory = (task: CompiledTask) => Policy | Promise<Policy>;

type PoliciesByName = Readonly<Record<string, PolicyFactory>>;

/** The policies that every family has. */
const COMMON: PoliciesByName = {
  baseline: baselinePolicy,
  constant: (task) => constantPolicy(task.baselineAction, 'constant'),
  random: () => randomPolicy(),
};

const BY_FAMILY: Readonly<Record<string, PoliciesByName>> = {
  serving: servingPolicies,
  autoscaling: {
    keep: keepPolicy,
    threshold: () => thresholdPolicy(),
    hpa: () => hpaPolicy(),
    'best-constant': () => bestConstantPolicy(),
  },
  provisioning: {
    hold: holdPolicy,
    'match-queue': matchQueuePolicy,
    'moving-average': () => movingAveragePolicy(),
    bound: clairvoyantPolicy,
  },
  scheduling: schedulingPolicies,
};

/** Finds a policy that is not built in: a trained one, by the name of its directory say. */
export type PolicySource = (name: string, task: CompiledTask) => Promise<Policy | undefined>;

const sources: PolicySource[] = [];

/** Adds a source that `createPolicy` asks for names that no family has. */
export function providePolicies(source: PolicySource): void {
  sources.push(source);
}

/**
 * Makes a policy for a task: one of the built-in ones, `baseline`, `random` and whatever else its
 * family names in `policies`; or a trained one, in Node by the name of its directory.
 *
 * @throws RangeError for a name that nothing is found by, naming the nearest; and for a trained
 *   policy of another task.
 * @example
 * const task = compileTask('serving/static-uniform-v1');
 * const results = await evaluateEpisodes(task, await createPolicy('greedy', task), [0, 1, 2]);
 */
export async function createPolicy(name: string, task: CompiledTask): Promise<Policy> {
  const family = familyOf(task.spec.id);
  const factories = { ...COMMON, ...BY_FAMILY[family.name] };
  if (family.policies.includes(name) && Object.hasOwn(factories, name)) {
    return factories[name](task);
  }
  for (const source of sources) {
    const found = await source(name, task);
    if (found !== undefined) return found;
  }
  const known = nearest(name, family.policies);
  const all = family.policies.join(', ');
  throw new RangeError(`policy is "${name}", nearest ${known[0]}: ${family.name} has ${all}`);
}
