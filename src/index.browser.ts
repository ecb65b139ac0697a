/** InfraGym in a page: the library, the policies and the trainers. */
import { tellEveryPassedOver } from './backends/select.js';

tellEveryPassedOver();

export * from './library.js';
export * from './policies/index.js';
export * from './train/index.js';
