/**
 * InfraGym in Node: the library, the native backend and the reading of files.
 *
 * @example
 * import { make } from 'infragym';
 *
 * const env = await make('serving/static-uniform-v1');
 * const { observation } = env.reset({ seed: 0 });
 */
import { loadNative } from './backends/native.js';
import { provideBackend } from './backends/select.js';

provideBackend('native', loadNative);

export * from './browser.js';
export { loadShippedTable, readTableFile, SHIPPED_TABLES } from './data/node.js';
