/** Which learner computes: the one that was named, or the first that works. */
import type { Learner } from './engine.js';
import { loadReference } from './reference/index.js';
import type { LearnerName, LearnerOptions } from './types.js';

export const LEARNER_NAMES = ['native', 'wasm', 'reference'] as const satisfies LearnerName[];

type Loader = (options: LearnerOptions) => Promise<Learner>;
const loaders = new Map<LearnerName, Loader>([['reference', loadReference]]);

/** Tells how a learner is loaded; the Node entry adds `native`. */
export function provideLearner(name: LearnerName, loader: Loader): void {
  loaders.set(name, loader);
}

/**
 * Loads a learner. `auto` takes the first of native, wasm and reference that works here; they all
 * give the same bits.
 *
 * @throws RangeError for an unknown name; Error saying why the learner is not available
 */
export async function loadLearner(
  name: LearnerName | 'auto' = 'auto',
  options: LearnerOptions = {},
): Promise<Learner> {
  if (name !== 'auto') {
    if (!LEARNER_NAMES.includes(name)) {
      const known = ['auto', ...LEARNER_NAMES].join(', ');
      throw new RangeError(`learner is "${String(name)}": one of ${known} is needed`);
    }
    return load(name, options);
  }
  const reasons: string[] = [];
  for (const next of LEARNER_NAMES) {
    try {
      return await load(next, options);
    } catch (error) {
      reasons.push(`${next}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`no learner is available; ${reasons.join('; ')}`);
}

async function load(name: LearnerName, options: LearnerOptions): Promise<Learner> {
  const loader = loaders.get(name);
  if (loader === undefined) throw new Error(`learner ${name} is not part of this build`);
  return loader(options);
}
