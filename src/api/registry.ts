/** Which tasks there are, and under which names they answer. */

import type { JsonObject } from '../base/json.js';
import { nearest } from '../base/nearest.js';
import { families as shippedFamilies } from '../envs/families.js';
import type { CompiledTask, EnvFamily, TaskSpec } from '../envs/family.js';
import { cachedTask } from './compile-cache.js';

const ID_PATTERN = /^([a-z][a-z0-9_]*)\/([a-z0-9][a-z0-9.-]*)-v([1-9][0-9]*)$/;
const ID_FORM = '<family>/<name>-v<version>, in lower case, e.g. "serving/my-service-v1"';

interface Entry {
  readonly spec: TaskSpec;
  readonly family: EnvFamily;
  /** The id without its version. */
  readonly stem: string;
  readonly version: number;
}

const families = new Map<string, EnvFamily>();
const entries = new Map<string, Entry>();
const aliases = new Map<string, string>();

for (const family of shippedFamilies) addFamily(family);

/** Makes a family and its tasks known. Backends step only the families they were built with. */
export function addFamily(family: EnvFamily): void {
  if (families.has(family.name)) throw new RangeError(`family "${family.name}" is known already`);
  families.set(family.name, family);
  for (const task of family.tasks) addEntry(task);
}

/** The environment families, by name. */
export function listFamilies(): readonly EnvFamily[] {
  return [...families.values()];
}

/** Every task that is known, family by family in the order of registration. */
export function listTasks(): readonly TaskSpec[] {
  return [...entries.values()].map((entry) => entry.spec);
}

/**
 * Adds a task of a known family; it is compiled once, so that a wrong configuration is refused
 * here.
 *
 * @throws RangeError for an id of another form, an unknown family, an id or alias that is taken,
 * and whatever the family refuses in `spec.config`.
 * @example
 * register({
 *   ...spec('serving/static-uniform-v1'),
 *   id: 'serving/my-service-v1',
 *   aliases: ['my-service'],
 *   name: 'my-service',
 *   config: { ...spec('serving/static-uniform-v1').config, slo_target_ms: 800 },
 * });
 */
export function register(task: TaskSpec): void {
  const { family } = entryOf(task);
  for (const alias of task.aliases) checkFree('alias', alias, task);
  family.compile(task);
  addEntry(task);
}

/**
 * The task an id or alias names. An id without its version (`serving/static-uniform`) means the
 * newest.
 *
 * @throws RangeError naming the nearest known ids and aliases.
 */
export function spec(idOrAlias: string): TaskSpec {
  return find(idOrAlias).spec;
}

/** The family of a task, by the task's id or alias. */
export function familyOf(idOrAlias: string): EnvFamily {
  return find(idOrAlias).family;
}

/**
 * Compiles a task, some entries of its configuration replaced. The result is shared by all who ask
 * for the same one, and frozen.
 *
 * @throws RangeError for an unknown task and for an override the family refuses.
 */
export function compileTask(idOrAlias: string, overrides?: JsonObject): CompiledTask {
  const entry = find(idOrAlias);
  return cachedTask(entry.spec.id, overrides, () => entry.family.compile(entry.spec, overrides));
}

function find(name: string): Entry {
  if (typeof name !== 'string') {
    throw new TypeError(`task is of type ${typeof name}: an id or alias is needed`);
  }
  const id = entries.has(name) ? name : (aliases.get(name) ?? newestOf(name));
  const entry = id === undefined ? undefined : entries.get(id);
  if (entry !== undefined) return entry;
  const known = nearest(name, [...entries.keys(), ...aliases.keys()]);
  throw new RangeError(`no task is called "${name}"; the nearest are ${known.join(', ')}`);
}

function newestOf(stem: string): string | undefined {
  let newest: Entry | undefined;
  for (const entry of entries.values()) {
    if (entry.stem !== stem) continue;
    if (newest === undefined || entry.version > newest.version) newest = entry;
  }
  return newest?.spec.id;
}

function addEntry(task: TaskSpec): void {
  const entry = entryOf(task);
  for (const alias of task.aliases) checkFree('alias', alias, task);
  entries.set(task.id, entry);
  for (const alias of task.aliases) aliases.set(alias, task.id);
}

function entryOf(task: TaskSpec): Entry {
  const match = ID_PATTERN.exec(task.id);
  if (match === null) throw new RangeError(`id is "${task.id}": ${ID_FORM}, is needed`);
  const family = families.get(match[1]);
  if (family === undefined) {
    const known = [...families.keys()].join(', ');
    throw new RangeError(`id is "${task.id}": the family must be one of ${known}`);
  }
  checkFree('id', task.id, task);
  return { spec: task, family, stem: `${match[1]}/${match[2]}`, version: Number(match[3]) };
}

function checkFree(kind: 'id' | 'alias', name: string, task: TaskSpec): void {
  const owner = entries.get(name)?.spec.id ?? aliases.get(name);
  if (owner === undefined) return;
  // A newer version may take over an alias of an older one.
  const older = entries.get(owner);
  const isOwnStem = older !== undefined && task.id.startsWith(`${older.stem}-v`);
  if (kind === 'alias' && owner !== name && isOwnStem) return;
  throw new RangeError(`${kind} "${name}" of task ${task.id} is taken by ${owner}`);
}
