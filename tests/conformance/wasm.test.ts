import { loadWasm } from '../../src/backends/wasm.js';
import { whenAvailable } from '../support/backends.js';
import { describeConformance } from './common.case.js';
import { describeWasmBackend } from './wasm.case.js';

await whenAvailable('wasm', loadWasm, () => {
  describeConformance('wasm', loadWasm);
  describeWasmBackend('wasm', loadWasm);
});
