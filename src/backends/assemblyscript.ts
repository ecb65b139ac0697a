import type { Backend } from '../backend.js';
import { readBytes } from './read-bytes.js';
import { WasmBackend } from './wasm-module.js';

/**
 * The AssemblyScript backend, which npm alone can build.
 *
 * @param source the module or its bytes; by default `dist/assemblyscript/infragym.wasm` of this
 * package, read from disk or fetched
 * @throws BackendUnavailableError where the file is absent or the engine cannot compile it
 */
export async function loadAssemblyScript(
  source?: BufferSource | WebAssembly.Module,
): Promise<Backend> {
  const url = new URL('../../dist/assemblyscript/infragym.wasm', import.meta.url);
  const module = source ?? (await readBytes(url, '`npm run build:as` builds it'));
  return WasmBackend.load('assemblyscript', module);
}
