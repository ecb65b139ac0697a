/** Which backend steps: the one that was named, or the first that works. */
import { BACKEND_NAMES, type Backend, type BackendName } from '../backend.js';
import { ProgramError, programFamily } from '../program/program.js';
import { loadAssemblyScript } from './assemblyscript.js';
import { loadReference } from './reference.js';
import { selfCheck } from './self-check.js';
import { loadWasm } from './wasm.js';

/** What is known of a backend on this machine. */
export interface BackendStatus {
  readonly name: BackendName;
  readonly available: boolean;
  /** The kernel `auto` takes, e.g. `avx2`; null where the backend is not available. */
  readonly kernel: string | null;
  /** Most threads a batch can use; 0 where the backend is not available. */
  readonly maxThreads: number;
  /** Why it is not available; null where it is. */
  readonly reason: string | null;
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
const candidates = new Map<BackendName, Promise<Candidate>>();

/**
 * Tells how a backend is loaded, in place of how it was. The Node entry adds the native one here,
 * so that a browser's bundle never sees it; a page whose files lie elsewhere does likewise.
 *
 * @example
 * provideBackend('wasm', async () => loadWasm(await (await fetch(url)).arrayBuffer()));
 */
export function provideBackend(name: BackendName, loader: Loader): void {
  loaders.set(name, loader);
  candidates.delete(name);
}

/**
 * Loads a backend and checks it against the golden digest. `auto` takes the first that can be had
 * of native, wasm, assemblyscript and reference, and that was built with the family of `program`
 * where one is given; one that is named is had or refused.
 *
 * @throws RangeError for an unknown name; Error saying why the backend cannot be had.
 */
export async function loadBackend(
  name: BackendName | 'auto' = 'auto',
  program?: Uint8Array,
): Promise<Backend> {
  if (name !== 'auto') {
    if (!BACKEND_NAMES.includes(name)) {
      const known = ['auto', ...BACKEND_NAMES].join(', ');
      throw new RangeError(`backend is "${String(name)}": one of ${known} is needed`);
    }
    return (await candidate(name)).backend;
  }
  const reasons: string[] = [];
  for (const next of BACKEND_NAMES) {
    try {
      const { backend } = await candidate(next);
      if (program === undefined || hasFamily(backend, program)) return backend;
      reasons.push(`${next}: it was built without this family`);
    } catch (error) {
      reasons.push(`${next}: ${messageOf(error)}`);
    }
  }
  throw new Error(`no backend can be had; ${reasons.join('; ')}`);
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
  const report: BackendStatus[] = [];
  for (const name of BACKEND_NAMES) {
    try {
      const { backend, kernel } = await candidate(name);
      const { maxThreads } = backend;
      report.push({ name, available: true, kernel, maxThreads, reason: null });
    } catch (error) {
      const reason = messageOf(error);
      report.push({ name, available: false, kernel: null, maxThreads: 0, reason });
    }
  }
  return report;
}

/** Loads and checks once; what came of it, failures included, is kept. */
function candidate(name: BackendName): Promise<Candidate> {
  const known = candidates.get(name);
  if (known !== undefined) return known;
  const loading = tryCandidate(name);
  candidates.set(name, loading);
  return loading;
}

async function tryCandidate(name: BackendName): Promise<Candidate> {
  const loader = loaders.get(name);
  if (loader === undefined) {
    throw new Error(`backend ${name} is not part of this build (native needs Node)`);
  }
  const backend = await loader();
  return { backend, kernel: selfCheck(backend) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
