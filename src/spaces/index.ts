/** Gymnasium's spaces: what an observation or an action may be. One file per kind in `spaces/`. */
export { batchSpace } from './batch.js';
export { type Bound, Box, type BoxOptions } from './box.js';
export { Choice } from './choice.js';
export { Dict, type Fields } from './dict.js';
export { Discrete, type Mask } from './discrete.js';
export { MultiDiscrete, type MultiDiscreteOptions } from './multi-discrete.js';
export type { SampleOf, Space, SpaceJson } from './space.js';
