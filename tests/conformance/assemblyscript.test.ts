import { loadAssemblyScript } from '../../src/backends/assemblyscript.js';
import { describeConformance } from './common.case.js';
import { describeWasmBackend } from './wasm.case.js';

describeConformance('assemblyscript', loadAssemblyScript);
describeWasmBackend('assemblyscript', loadAssemblyScript);
