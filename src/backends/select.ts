/** Which backend steps: the one that was named, or the first that works. */
import {
  BACKEND_NAMES,
  type Backend,
  type BackendName,
  BackendRefusedError,
  BackendUnavailableError,
} from '../backend.js';
import { noticeOnce } from '../base/notice.js';
import { ProgramError, programFamily } from '../program/program.js';
import { loadAssemblyScript } from './assemblyscript.js';
import { loadReference } from './reference.js';
import { selfCheck } from './self-check.js';
import { loadWasm } from './wasm.js';

/** A backend's state on this machine. */
export interface BackendStatus {
  readonly name: BackendName;
  readonly available: boolean;
  /**
   * It is there, but fails its self-check or cannot be loaded, and is passed over for that;
   * `verify` compares it all the same. False where it is available or was never built.
   */
  readonly refused: boolean;
  /** The kernel `auto` takes, e.g. `avx2`; null where the backend is not available. */
  readonly kernel: string | null;
  /** Most threads a batch can use; 0 where the backend is not available. */
  readonly maxThreads: number;
  /** Why it is not available; null where it is. */
  readonly reason: string | null;
}

/** A backend that `auto` passed over, and why. */
export interface PassedOver {
  readonly name: BackendName;
  readonly reason: string;
}

/** The backend to use, and the faster ones that are not used instead. */
export interface BackendChoice {
  readonly backend: Backend;
  /** Empty where a backend was named. */
  readonly passedOver: readonly PassedOver[];
}

type Loader = () => Promise<Backend>;

interface Candidate {
  readonly backend: Backend;
  readonly kernel: string;
}

const loaders = new Map<BackendName, Loader>([
  ['wasm', () => loadWasm()],
  ['assemblyscript', () => loadAssemblyScript()],
  ['reference', loadReference],
]);
const loaded = new Map<BackendName, Promise<Backend>>();
const candidates = new Map<BackendName, Promise<Candidate>>();
/** Where a faster backend's absence is told, not only its failure. */
let expectsFastest = false;

/**
 * Has every backend that `auto` passes over told, also one that was never built: in a page, where
 * a bundler that lost a file would otherwise show in speed alone.
 */
export function tellEveryPassedOver(): void {
  expectsFastest = true;
}

/**
 * Tells how a backend is loaded, in place of how it was. The Node entry adds the native one here,
 * so that a browser's bundle never sees it; a page whose files lie elsewhere does likewise.
 *
 * @example
 * provideBackend('wasm', async () => loadWasm(await (await fetch(url)).arrayBuffer()));
 */
export function provideBackend(name: BackendName, loader: Loader): void {
  loaders.set(name, loader);
  loaded.delete(name);
  candidates.delete(name);
}

/**
 * Loads a backend and checks it against the golden digest. `auto` takes the first that works of
 * native, wasm, assemblyscript and reference, and that was built with the family of `program`
 * where one is given; one that is named is loaded or an error is thrown.
 *
 * @throws RangeError for an unknown name; BackendUnavailableError saying why it is not available.
 */
export async function loadBackend(
  name: BackendName | 'auto' = 'auto',
  program?: Uint8Array,
): Promise<Backend> {
  return (await chooseBackend(name, program)).backend;
}

/** `loadBackend`, which also tells what `auto` passed over. */
export async function chooseBackend(
  name: BackendName | 'auto' = 'auto',
  program?: Uint8Array,
): Promise<BackendChoice> {
  if (name !== 'auto') {
    checkName(name);
    return { backend: (await candidate(name)).backend, passedOver: [] };
  }
  const passedOver: PassedOver[] = [];
  for (const next of BACKEND_NAMES) {
    try {
      const { backend } = await candidate(next);
      if (program === undefined || hasFamily(backend, program)) return { backend, passedOver };
      passedOver.push({ name: next, reason: 'it was built without this family' });
    } catch (error) {
      const reason = messageOf(error);
      passedOver.push({ name: next, reason });
      if (isTold(next, error)) noticeOnce(`backend ${next} is passed over: ${reason}`);
    }
  }
  const reasons = passedOver.map((entry) => `${entry.name}: ${entry.reason}`).join('; ');
  throw new BackendUnavailableError(`no backend is available; ${reasons}`);
}

/**
 * Loads a backend without its self-check: to compare it with the others, not to trust it.
 *
 * @throws RangeError for an unknown name; BackendUnavailableError where it cannot be loaded.
 */
export async function loadUnchecked(name: BackendName): Promise<Backend> {
  checkName(name);
  const known = loaded.get(name) ?? load(name);
  loaded.set(name, known);
  return known;
}

function checkName(name: BackendName): void {
  if (BACKEND_NAMES.includes(name)) return;
  const known = ['auto', ...BACKEND_NAMES].join(', ');
  throw new RangeError(`backend is "${String(name)}": one of ${known} is needed`);
}

/** A backend that a host cannot have is no news; one that is there and fails always is. */
function isTold(name: BackendName, error: unknown): boolean {
  return isRefusal(error) || (expectsFastest && loaders.has(name));
}

const families = new WeakMap<Backend, Map<number, boolean>>();

/** Whether a backend was built with a program's family; found out by trying, once. */
export function hasFamily(backend: Backend, program: Uint8Array): boolean {
  const known = families.get(backend) ?? new Map<number, boolean>();
  families.set(backend, known);
  const family = programFamily(program);
  const has = known.get(family) ?? tryFamily(backend, program);
  known.set(family, has);
  return has;
}

function tryFamily(backend: Backend, program: Uint8Array): boolean {
  const kernel = 'scalar';
  const options = {
    numEnvs: 1,
    autoreset: 'next-step',
    threads: 1,
    metrics: false,
    kernel,
  } as const;
  try {
    backend.create(program, options).close();
    return true;
  } catch (error) {
    // Any other fault is the program's own, which the real attempt will report.
    return !(error instanceof ProgramError && error.field === 'family');
  }
}

/** Tries every backend and tells what became of it, fastest first; what `doctor` prints. */
export async function backendReport(): Promise<readonly BackendStatus[]> {
  return Promise.all(BACKEND_NAMES.map(statusOf));
}

async function statusOf(name: BackendName): Promise<BackendStatus> {
  try {
    const { backend, kernel } = await candidate(name);
    const { maxThreads } = backend;
    return { name, available: true, refused: false, kernel, maxThreads, reason: null };
  } catch (error) {
    const refused = isRefusal(error);
    const reason = messageOf(error);
    return { name, available: false, refused, kernel: null, maxThreads: 0, reason };
  }
}

/** Loads and checks once; what came of it, failures included, is kept. */
function candidate(name: BackendName): Promise<Candidate> {
  const known = candidates.get(name) ?? checkCandidate(name);
  candidates.set(name, known);
  return known;
}

async function checkCandidate(name: BackendName): Promise<Candidate> {
  const backend = await loadUnchecked(name);
  return { backend, kernel: selfCheck(backend) };
}

async function load(name: BackendName): Promise<Backend> {
  const loader = loaders.get(name);
  if (loader !== undefined) return loader();
  throw new BackendUnavailableError(
    `backend ${name} is not part of this build (native needs Node)`,
  );
}

/** Anything but an absent file: an addon of another version throws what it likes. */
function isRefusal(error: unknown): boolean {
  return !(error instanceof BackendUnavailableError) || error instanceof BackendRefusedError;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
