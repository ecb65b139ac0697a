/** The backends and the choice among them. */
export { loadAssemblyScript } from './assemblyscript.js';
export {
  type BackendStatus,
  backendReport,
  loadBackend,
  provideBackend,
} from './select.js';
export { loadWasm } from './wasm.js';
