/** The server's settings, from options, INFRAGYM_… environment variables and a `.env` file. */
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { BACKEND_NAMES, type BackendName } from '../../index.js';

/** Everything `serve` can be told. Sizes in bytes, times in milliseconds. */
export interface ServerConfig {
  /** Default 127.0.0.1: nothing from outside this machine. */
  readonly host: string;
  /** Default 7860; 0 takes a free one. */
  readonly port: number;
  /** The task OpenEnv's clients find at the root. Default serving/static-uniform-v1. */
  readonly openenv: string;
  readonly backend: BackendName | 'auto';
  /** Bearer token every request must carry, or null. Default null. */
  readonly token: string | null;
  /** Requests a minute from one address, 0 for no limit. Default 100. */
  readonly rateLimit: number;
  /** HTTP sessions that are kept. Default 50. */
  readonly sessions: number;
  /** WebSocket connections at a time. Default 256. */
  readonly sockets: number;
  /** TCP connections at a time. Default 1024. */
  readonly connections: number;
  /** Largest body and largest text frame. Default 1 MiB. */
  readonly bodyLimit: number;
  /** Environments of one batch at most. Default 16384. */
  readonly vecEnvs: number;
  /** Batches at a time. Default 32. */
  readonly vecs: number;
  /** Time a client has for a whole request. Default 30 s. */
  readonly requestTimeout: number;
  /** Runs that execute at a time; others wait. Default 1. */
  readonly maxRuns: number;
  /** Runs that are kept waiting; more are refused. Default 100. */
  readonly maxQueue: number;
  /** Folder of the database of runs. Default ./infragym-data. */
  readonly dataDir: string;
  /** Access-Control-Allow-Origin. Default *. */
  readonly corsOrigin: string;
  /** Whether X-Forwarded-For names the client (behind a proxy that sets it). Default false. */
  readonly trustProxy: boolean;
  /** Level of the JSON log on stderr; requests are at info. Default warn. */
  readonly logLevel: string;
}

export const DEFAULT_CONFIG: ServerConfig = {
  host: '127.0.0.1',
  port: 7860,
  openenv: 'serving/static-uniform-v1',
  backend: 'auto',
  token: null,
  rateLimit: 100,
  sessions: 50,
  sockets: 256,
  connections: 1024,
  bodyLimit: 2 ** 20,
  vecEnvs: 16_384,
  vecs: 32,
  requestTimeout: 30_000,
  maxRuns: 1,
  maxQueue: 100,
  dataDir: 'infragym-data',
  corsOrigin: '*',
  trustProxy: false,
  logLevel: 'warn',
};

/** Bounds of the numeric settings. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  port: [0, 65_535],
  rateLimit: [0, 1e9],
  sessions: [1, 100_000],
  sockets: [1, 100_000],
  connections: [1, 100_000],
  bodyLimit: [1024, 2 ** 28],
  vecEnvs: [1, 2 ** 20],
  vecs: [1, 1024],
  requestTimeout: [100, 3_600_000],
  maxRuns: [1, 64],
  maxQueue: [0, 100_000],
};

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

export type Environment = Readonly<Record<string, string | undefined>>;

/** INFRAGYM_RATE_LIMIT for `rateLimit`. */
export function variableName(setting: string): string {
  return `INFRAGYM_${setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/**
 * The environment with what a `.env` file adds; the environment's own variables win.
 *
 * @throws Error where the file is there and cannot be read.
 */
export function readEnvironment(file = '.env', environment: Environment = process.env) {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return { ...parseEnv(text), ...environment } as Environment;
}

/**
 * Settings from the given ones, then the environment, then the defaults.
 *
 * @throws RangeError naming a setting, or the variable it came from, that is wrong.
 */
export function resolveConfig(
  given: Partial<ServerConfig> = {},
  environment: Environment = {},
): ServerConfig {
  const entries = Object.entries(DEFAULT_CONFIG).map(([name, fallback]) => {
    const option = given[name as keyof ServerConfig];
    const variable = variableName(name);
    const text = environment[variable];
    if (option !== undefined) return [name, checked(name, option, name)];
    if (text === undefined || text === '') return [name, fallback];
    return [name, checked(name, parseLike(name, fallback, text), variable)];
  });
  return Object.fromEntries(entries) as unknown as ServerConfig;
}

function parseLike(name: string, fallback: unknown, text: string): unknown {
  if (typeof fallback === 'number') return Number(text);
  if (typeof fallback !== 'boolean') return text;
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw new RangeError(`${variableName(name)} is "${text}": true or false is needed`);
}

function checked(name: string, value: unknown, source: string): unknown {
  const range = RANGES[name];
  if (range !== undefined) {
    const [min, max] = range;
    const isGood = Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
    if (isGood) return value;
    const needed = `an integer from ${min} to ${max}`;
    throw new RangeError(`${source} is ${String(value)}: ${needed} is needed`);
  }
  const choices = name === 'backend' ? ['auto', ...BACKEND_NAMES] : LOG_LEVELS;
  const isChoice = name === 'backend' || name === 'logLevel';
  if (isChoice && !choices.includes(String(value))) {
    throw new RangeError(`${source} is "${String(value)}": one of ${choices.join(', ')} is needed`);
  }
  if (name === 'token' && value === '')
    throw new RangeError(`${source} is empty: a text is needed`);
  return value;
}
