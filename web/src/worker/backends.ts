/** Where this page's WebAssembly modules lie. */
import {
  BackendUnavailableError,
  loadAssemblyScript,
  loadWasm,
  provideBackend,
} from '../../../src/index.browser.js';

/** By path; a module that was not built is not there. */
const modules = import.meta.glob<string>(
  ['../../../dist/wasm/web/infragym_bg.wasm', '../../../dist/assemblyscript/infragym.wasm'],
  { query: '?url', import: 'default', eager: true },
);

async function fetchModule(path: string): Promise<ArrayBuffer> {
  const address = modules[`../../../dist/${path}`];
  if (address === undefined) throw new BackendUnavailableError(`${path} was not built`);
  const response = await fetch(new URL(address, import.meta.url));
  if (response.ok) return response.arrayBuffer();
  throw new BackendUnavailableError(`${path} cannot be fetched (HTTP ${response.status})`);
}

/** Tells the library where its modules are. */
export function provideModules(): void {
  provideBackend('wasm', async () => loadWasm(await fetchModule('wasm/web/infragym_bg.wasm')));
  provideBackend('assemblyscript', async () =>
    loadAssemblyScript(await fetchModule('assemblyscript/infragym.wasm')),
  );
}
