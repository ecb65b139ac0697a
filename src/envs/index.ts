/** The environment families that the library has. */
import type { EnvFamily } from './family.js';
import { provisioningFamily } from './provisioning.js';
import { servingFamily } from './serving.js';

export const families: readonly EnvFamily[] = [servingFamily, provisioningFamily];
