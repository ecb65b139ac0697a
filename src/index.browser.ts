/** InfraGym in a page: the library and the policies; WebAssembly and AssemblyScript step. */
import { tellEveryPassedOver } from './backends/select.js';

tellEveryPassedOver();

export * from './library.js';
export * from './policies/index.js';
