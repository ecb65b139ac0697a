/** Gymnasium's spaces: what an observation or an action may be. One file per kind in `spaces/`. */
export { batchSpace } from './spaces/batch.js';
export { type Bound, Box, type BoxOptions } from './spaces/box.js';
export { Choice } from './spaces/choice.js';
export { Dict, type Fields } from './spaces/dict.js';
export { Discrete, type Mask } from './spaces/discrete.js';
export { MultiDiscrete, type MultiDiscreteOptions } from './spaces/multi-discrete.js';
export type { Rng, SampleOf, Space, SpaceJson } from './spaces/space.js';
