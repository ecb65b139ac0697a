/** Which tasks the server offers, under which ids, and their compiled programs. */
import {
  type CompiledTask,
  compileTask,
  familyOf,
  type JsonObject,
  listTasks,
  SHIPPED_TABLES,
  spec,
  type TaskSpec,
} from '../../index.js';
import { ApiError, refusing, unprocessable } from '../http/errors.js';

/** The origin's tasks by their numeric ids, with the names it gave them. */
const ORIGIN_NAMES: Readonly<Record<string, string>> = {
  1: 'Static Uniform',
  2: 'Bursty ShareGPT',
  3: 'Adversarial Multi-Tenant',
};

const COMPILED_MAX = 64;

/** A task as `GET /tasks` lists it. */
interface TaskEntry {
  readonly id: number | string;
  readonly name: string;
  readonly difficulty: string;
  readonly description: string;
  readonly active_actions: string[];
  readonly env_id: string;
  readonly aliases: string[];
}

/** The origin's number of a task, or undefined for every other. */
export function originNumber(task: TaskSpec): number | undefined {
  const alias = task.aliases.find((name) => Object.hasOwn(ORIGIN_NAMES, name));
  return alias === undefined ? undefined : Number(alias);
}

/** Every task: the origin's three by their numbers, then the others by their ids. */
export function taskSpecs(): readonly TaskSpec[] {
  const rank = (task: TaskSpec) => originNumber(task) ?? Infinity;
  return [...listTasks()].sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
}

/** A task by its spec alone: one that cannot be compiled must not take the others off the list. */
export function describeTask(task: TaskSpec): TaskEntry {
  const { id, name, difficulty, description, aliases } = task;
  const number = originNumber(task);
  const active = task.config['active_actions'];
  const layoutNames = familyOf(id).layout.actions.map((action) => action.name);
  return {
    id: number ?? id,
    name: number === undefined ? name : ORIGIN_NAMES[number],
    difficulty,
    description,
    active_actions: Array.isArray(active) ? active.map(String) : layoutNames,
    env_id: id,
    aliases: [...aliases],
  };
}

/** The task a request names; 422 for one that is unknown. */
export function findTask(idOrAlias: number | string): TaskSpec {
  return refusing('task_id', () => spec(String(idOrAlias)));
}

const cache = new Map<string, CompiledTask>();

/**
 * A task compiled, with entries of its configuration replaced; the last 64 are kept. Configurations
 * come from clients, so what they name must not be a file.
 */
export function compiled(id: string, config: JsonObject = {}): CompiledTask {
  const key = `${id} ${JSON.stringify(config)}`;
  const known = cache.get(key);
  if (known !== undefined) {
    cache.delete(key);
    cache.set(key, known);
    return known;
  }
  refuseFiles(config, ['config']);
  const isPlain = Object.keys(config).length === 0;
  const task = isPlain ? available(id) : refusing('config', () => compileTask(id, config));
  cache.set(key, task);
  if (cache.size > COMPILED_MAX) cache.delete(cache.keys().next().value!);
  return task;
}

/** A task as it was registered; what is wrong with that is no fault of the request: 503. */
function available(id: string): CompiledTask {
  try {
    return compileTask(id);
  } catch (error) {
    throw new ApiError(503, `task ${id} cannot be compiled here: ${(error as Error).message}`);
  }
}

/** Entries by which the library may be told a file; a client may name only what is shipped. */
const FILE_ENTRIES = ['table', 'traffic', 'trace', 'profile', 'file', 'path'];
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

function refuseFiles(value: unknown, path: readonly string[]): void {
  const entry = path[path.length - 1];
  if (typeof value === 'string') {
    const isKnown = FILE_ENTRIES.includes(entry) ? knownNames().has(value) : NAME.test(value);
    if (isKnown) return;
    const needed = FILE_ENTRIES.includes(entry) ? [...knownNames()].join(', ') : 'a plain name';
    const shown = JSON.stringify(value.slice(0, 40));
    throw unprocessable(`${path.join('.')} is ${shown}: ${needed} is needed`, ...path);
  }
  if (typeof value !== 'object' || value === null) return;
  if (path.length > 8) throw unprocessable(`${path[0]} is nested too deeply`, path[0]);
  const isList = Array.isArray(value);
  for (const [key, item] of Object.entries(value)) {
    refuseFiles(item, isList ? [...path, entry] : [...path, key]);
  }
}

/** The tables, traffic and traces that the shipped tasks name. */
function knownNames(): Set<string> {
  const names = new Set<string>(['synthetic-a', ...SHIPPED_TABLES]);
  for (const { config } of listTasks()) {
    for (const entry of FILE_ENTRIES) {
      const value = config[entry];
      if (typeof value === 'string') names.add(value);
    }
  }
  return names;
}
