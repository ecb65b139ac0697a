/**
 * A build of the library, this checkout's or another's. Its types are read from the sources, its
 * code from `dist`: what is measured is what is shipped.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Backend, BackendName } from '../../src/backend.js';

export type Library = typeof import('../../src/index.js');

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** @throws Error where the checkout has not been built. */
export function loadLibrary(checkout: string = ROOT): Promise<Library> {
  const entry = resolve(checkout, 'dist/index.js');
  if (!existsSync(entry)) {
    throw new Error(`${entry} is missing: run "npm run build" in that checkout first`);
  }
  return import(pathToFileURL(entry).href) as Promise<Library>;
}

/** The backends that this machine has, by name, and why it lacks the others. */
export interface Backends {
  readonly available: ReadonlyMap<BackendName, Backend>;
  readonly missing: ReadonlyMap<BackendName, string>;
}

export async function loadBackends(library: Library): Promise<Backends> {
  const available = new Map<BackendName, Backend>();
  const missing = new Map<BackendName, string>();
  for (const status of await library.backendReport()) {
    if (status.available) available.set(status.name, await library.loadBackend(status.name));
    else missing.set(status.name, status.reason ?? 'no reason given');
  }
  return { available, missing };
}
