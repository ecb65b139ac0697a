import type { Backend } from '../backend.js';
import { readBytes } from './read-bytes.js';
import { WasmBackend } from './wasm-module.js';

/**
 * The Rust core as WebAssembly.
 *
 * @param source the module or its bytes; by default `dist/wasm/web/infragym_bg.wasm` of this
 * package, read from disk or fetched
 * @throws BackendUnavailableError where the file is absent or the engine cannot compile it
 */
export async function loadWasm(source?: BufferSource | WebAssembly.Module): Promise<Backend> {
  const url = new URL('../../dist/wasm/web/infragym_bg.wasm', import.meta.url);
  const remedy = '`npm run build:wasm` builds it, which needs cargo and wasm-pack';
  const module = source ?? (await readBytes(url, remedy));
  return WasmBackend.load('wasm', module);
}
