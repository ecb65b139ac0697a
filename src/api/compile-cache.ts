/** Tasks that were compiled lately: making an environment again must not compile again. */

import type { JsonObject } from '../base/json.js';
import { namedChanges, namedLoads } from '../data/named.js';
import type { CompiledTask } from '../envs/family.js';

const BYTES_MAX = 64 * 2 ** 20;

/** The least recently used go first; the programs count. */
const known = new Map<string, CompiledTask>();
let bytes = 0;
let changes = namedChanges();

/**
 * The task under a key of its id and overrides, or what `compile` makes. Tasks that read a file, or
 * data that is registered anew, are compiled each time, for these may change.
 */
export function cachedTask(
  id: string,
  overrides: JsonObject | undefined,
  compile: () => CompiledTask,
): CompiledTask {
  if (changes !== namedChanges()) clear();
  const key = keyOf(id, overrides);
  const found = key === null ? undefined : known.get(key);
  if (key === null || found === undefined) return keep(key, compile);
  known.delete(key);
  known.set(key, found);
  return found;
}

function keep(key: string | null, compile: () => CompiledTask): CompiledTask {
  const loads = namedLoads();
  const task = freeze(compile());
  if (key === null || loads !== namedLoads()) return task;
  known.set(key, task);
  bytes += task.program.length;
  for (const [oldest, { program }] of known) {
    if (bytes <= BYTES_MAX || oldest === key) break;
    known.delete(oldest);
    bytes -= program.length;
  }
  return task;
}

function clear(): void {
  known.clear();
  bytes = 0;
  changes = namedChanges();
}

/** Null for overrides that JSON cannot tell apart, such as NaN from null. */
function keyOf(id: string, overrides: JsonObject = {}): string | null {
  let isExact = true;
  const text = JSON.stringify(overrides, (_, value: unknown) => {
    const isNumber = typeof value === 'number' && Number.isFinite(value);
    const isPlain = value === null || ['string', 'boolean', 'object'].includes(typeof value);
    const isView = ArrayBuffer.isView(value);
    if (!(isNumber || isPlain) || isView || Object.is(value, -0)) isExact = false;
    return isExact ? value : null;
  });
  return isExact ? `${id} ${text}` : null;
}

/** A task is shared by all who compile it, so none of them may change it. */
function freeze(task: CompiledTask): CompiledTask {
  const { config, baselineAction, grader, observationNames, actionNames } = task;
  for (const part of [config, baselineAction, grader, observationNames, actionNames]) {
    deepFreeze(part);
  }
  return Object.freeze(task);
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  if (Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
}
