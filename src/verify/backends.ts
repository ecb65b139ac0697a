/** Which backends `verify` compares: all that are there, those that `auto` refuses included. */

import type { Backend, BackendName } from '../backend.js';
import { type BackendStatus, backendReport, loadUnchecked } from '../backends/select.js';
import type { UnloadedBackend } from './report.js';

export interface BackendsToVerify {
  readonly backends: readonly Backend[];
  /** Those that are there and cannot be loaded. */
  readonly unloaded: readonly UnloadedBackend[];
  /** Of every backend, those that were never built too. */
  readonly statuses: readonly BackendStatus[];
}

/**
 * Loads what `verify` compares. A backend that fails its self-check is among them: it is there, and
 * so has to give the same bytes.
 *
 * @param names - Default: every backend that is there.
 * @throws BackendUnavailableError where one that is named is not there at all.
 * @example
 * const { backends, unloaded } = await backendsToVerify();
 * const { ok } = await verify(backends, { unloaded });
 */
export async function backendsToVerify(names?: readonly BackendName[]): Promise<BackendsToVerify> {
  const statuses = await backendReport();
  const backends: Backend[] = [];
  const unloaded: UnloadedBackend[] = [];
  for (const { name, available, refused } of statuses) {
    const isWanted = names === undefined ? available || refused : names.includes(name);
    if (!isWanted) continue;
    try {
      backends.push(await loadUnchecked(name));
    } catch (error) {
      if (!refused) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      unloaded.push({ name, reason });
    }
  }
  return { backends, unloaded, statuses };
}
