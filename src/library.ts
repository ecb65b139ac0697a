/**
 * The portable library: all that needs neither a file system nor a native backend. The faces
 * (`index.ts` for Node, `index.browser.ts` for pages) add what their host has; what is built on the
 * library imports it, never a face.
 */
export * from './api/index.js';
export {
  type Autoreset,
  BACKEND_NAMES,
  type Backend,
  type BackendName,
  BackendRefusedError,
  BackendUnavailableError,
  type Kernel,
} from './backend.js';
export * from './backends/index.js';
export * from './base/index.js';
export * from './check/index.js';
export * from './data/index.js';
export * from './envs/index.js';
export * from './evaluation/index.js';
export { VERSION } from './generated/version.js';
export * from './hpa/index.js';
export { ProgramError } from './program/program.js';
export * from './spaces/index.js';
export * from './verify/index.js';
