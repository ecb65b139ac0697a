/** Options and results of vector environments, and the checks of the options. */
import {
  AUTORESETS,
  type Autoreset,
  type Backend,
  type BackendName,
  type BatchOptions,
  type Kernel,
} from '../backend.js';
import type { JsonObject } from '../base/json.js';
import { nearest } from '../base/nearest.js';
import { noticeOnce } from '../base/notice.js';
import { corePolicy, FIRST_HEURISTIC } from '../generated/common.js';
import type { Layout } from '../program/layout.js';
import type { BatchSeed } from './seeds.js';

/** Changes of a task; shared by `make` and `makeVec`. */
export interface TaskOptions {
  /** Entries of the task's configuration to replace, by their wire names. */
  readonly config?: JsonObject;
  /** Shorthand for `config.action_space`, e.g. `structured`, `normalised` or `discrete`. */
  readonly actionSpace?: string;
  /** Shorthand for `config.normalize_observation`: fixed scalings to about [0, 1]. */
  readonly normalizeObservation?: boolean;
}

/** How a batch is made of a task. */
export interface VectorOptions {
  /** Environments in the batch, 1 .. 2^24. Default 1. */
  readonly numEnvs?: number;
  /**
   * Seed of the first `reset()`: environment i takes seed + i, or entry i of a list. Default: one
   * that is drawn afresh, which `env.seed` tells.
   */
  readonly seed?: BatchSeed | null;
  /**
   * Threads that step the batch, no more than there are cores; the results do not depend on it.
   * Default 1.
   */
  readonly threads?: number;
  /** The behaviour after an episode's last step. Default `next-step`. */
  readonly autoreset?: Autoreset;
  /** Whether `metrics`, and with it `info(i)`, is kept. Default false: it costs some speed. */
  readonly infos?: boolean;
  /** `scalar` takes the oracle instead of the machine's fastest kernel; the bits are the same. */
  readonly kernel?: Kernel;
}

export interface MakeVecOptions extends TaskOptions, VectorOptions {
  /** Default `auto`: the first that works of native, wasm, assemblyscript and reference. */
  readonly backend?: BackendName | 'auto';
}

export const MAKE_VEC_OPTIONS = [
  'numEnvs',
  'seed',
  'threads',
  'autoreset',
  'infos',
  'kernel',
  'backend',
  'config',
  'actionSpace',
  'normalizeObservation',
] as const satisfies readonly (keyof MakeVecOptions)[];

/** A policy that the core itself plays by name: one every family has, or one of its own. */
export type CorePolicy = 'constant' | 'random' | (string & {});

/**
 * The number by which a backend knows a policy of the core: `constant`, `random` or one of the
 * family's heuristics, whose names may be written with hyphens.
 *
 * @throws RangeError for another name.
 */
export function corePolicyNumber(layout: Layout, policy: CorePolicy): number {
  const name = String(policy);
  if (name === 'linear' || name === 'tabular') {
    throw new RangeError(`policy is "${name}": an object with its parameters is needed`);
  }
  if (Object.hasOwn(corePolicy, name)) return corePolicy[name as keyof typeof corePolicy];
  const heuristic = layout.heuristics.indexOf(name.replaceAll('-', '_'));
  if (heuristic >= 0) return FIRST_HEURISTIC + heuristic;
  const known = ['constant', 'random', ...layout.heuristics].join(' or ');
  throw new RangeError(`policy is "${name}": ${known} is needed`);
}

const NUM_ENVS_MAX = 2 ** 24;
const THREADS_MAX = 2 ** 16;

/** The configuration entries that the options replace. */
export function taskOverrides(options: TaskOptions): JsonObject {
  const { config, actionSpace, normalizeObservation } = options;
  return {
    ...config,
    ...(actionSpace === undefined ? {} : { action_space: actionSpace }),
    ...(normalizeObservation === undefined ? {} : { normalize_observation: normalizeObservation }),
  };
}

/** Throws `RangeError` for an option of another name: without types a slip would pass unseen. */
export function checkOptionNames(options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const [meant] = nearest(unknown, known, 1);
  throw new RangeError(
    `option ${unknown} is unknown: is ${meant} meant? ${known.join(', ')} exist`,
  );
}

/** The backend's options, defaults in; throws `RangeError` naming the one that is wrong. */
export function checkOptions(backend: Backend, options: VectorOptions): BatchOptions {
  const { numEnvs = 1, threads = 1, autoreset = 'next-step', kernel = 'auto' } = options;
  checkInteger('numEnvs', numEnvs, 1, NUM_ENVS_MAX);
  checkInteger('threads', threads, 1, THREADS_MAX);
  if (!AUTORESETS.includes(autoreset)) {
    const needed = `one of ${AUTORESETS.join(', ')} is needed`;
    throw new RangeError(`autoreset is "${String(autoreset)}": ${needed}`);
  }
  if (kernel !== 'auto' && !backend.kernels.includes(kernel)) {
    const known = ['auto', ...backend.kernels].join(', ');
    throw new RangeError(`kernel is "${String(kernel)}": ${backend.name} has ${known} here`);
  }
  const available = clampThreads(backend, threads);
  return { numEnvs, threads: available, autoreset, kernel, metrics: options.infos ?? false };
}

/** More threads than there are would only wait for each other; the bits are the same. */
function clampThreads({ name, maxThreads }: Backend, threads: number): number {
  if (threads <= maxThreads) return threads;
  const limit = `backend ${name} steps with at most ${maxThreads} here, which are used`;
  noticeOnce(`threads is ${threads}: ${limit}`);
  return maxThreads;
}

/** Throws `RangeError` unless `value` is an integer from `min` to `max`. */
export function checkInteger(name: string, value: unknown, min: number, max: number): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return;
  // Options often come from text; a number in quotes looks right in a plain message.
  const shown = typeof value === 'string' ? `${JSON.stringify(value)}, a string` : String(value);
  throw new RangeError(`${name} is ${shown}: an integer from ${min} to ${max} is needed`);
}
