/** The environment families that the library has. */
import { autoscalingFamily } from './autoscaling.js';
import type { EnvFamily } from './family.js';
import { provisioningFamily } from './provisioning.js';
import { schedulingFamily } from './scheduling.js';
import { servingFamily } from './serving.js';

export const families: readonly EnvFamily[] = [
  servingFamily,
  autoscalingFamily,
  provisioningFamily,
  schedulingFamily,
];
