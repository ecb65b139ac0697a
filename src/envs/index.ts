/** The environment families that the library has. */
import type { EnvFamily } from './family.js';
import { servingFamily } from './serving.js';

export const families: readonly EnvFamily[] = [servingFamily];
