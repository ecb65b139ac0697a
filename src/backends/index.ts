/** The backends and the choice among them. */
export { loadAssemblyScript } from './assemblyscript.js';
export {
  type BackendChoice,
  type BackendStatus,
  backendReport,
  chooseBackend,
  loadBackend,
  loadUnchecked,
  type PassedOver,
  provideBackend,
} from './select.js';
export { loadWasm } from './wasm.js';
