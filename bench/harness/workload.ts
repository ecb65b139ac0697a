/** A definition made ready to be timed: its batch, checked, and the call that the clock sees. */
import type { TaskEnv, TaskVectorEnv } from '../../src/index.js';
import { type Definition, idOf } from '../definitions.js';
import { checkDigest, type Digests, playCheck } from './digests.js';
import type { Backends, Library } from './library.js';

/** The timed work, and how much of it one call does. */
export interface Workload {
  readonly id: string;
  readonly run: () => void;
  /** Environment steps, environments or calls in one `run`: what the nanoseconds are divided by. */
  readonly units: number;
  readonly close: () => void;
}

/** A workload of the library. */
export interface Prepared extends Workload {
  readonly definition: Definition;
  /** Of the build it belongs to. */
  readonly prefix: string;
  /** The kernel that was taken, e.g. `avx2`. */
  readonly kernel: string;
  /** The digest that its check gave. */
  readonly digest: string;
}

/** Why a definition cannot be measured on this machine. */
export interface Skipped {
  readonly id: string;
  readonly reason: string;
}

/** A build of the library with what it has here and what is expected of it. */
export interface Build {
  readonly library: Library;
  readonly backends: Backends;
  readonly digests: Digests;
  /** Goes before the names of its measurements; empty for this checkout. */
  readonly prefix: string;
}

/** Why this machine cannot measure a definition; null where it can. */
export function reasonToSkip(definition: Definition, { backends }: Build): string | null {
  const { backend: name, kernel, threads } = definition;
  const backend = backends.available.get(name);
  if (backend === undefined) return backends.missing.get(name) ?? 'unknown to this build';
  if (threads > backend.maxThreads) return `this machine has ${backend.maxThreads} threads`;
  const isThere = kernel === 'auto' || backend.kernels.includes(kernel);
  return isThere ? null : `this processor has no ${kernel}`;
}

/**
 * Makes the batch, checks its digest and returns what is to be timed.
 *
 * @throws DigestMismatchError where the batch does not give the expected bytes.
 */
export async function prepare(definition: Definition, build: Build): Promise<Prepared> {
  const { library, digests, prefix } = build;
  const { task, envs: numEnvs, threads, backend, kernel } = definition;
  const id = prefix + idOf(definition);
  const env = await library.makeVec(task, { numEnvs, threads, backend, kernel });
  const digest = playCheck(env, definition.check);
  checkDigest(id, definition.check, digests, digest);
  const single = definition.timed === 'env-step' ? await makeSingle(definition, library) : null;
  return {
    id,
    definition,
    prefix,
    kernel: env.kernel,
    digest,
    units: unitsOf(definition),
    run:
      single === null
        ? batchCall(definition, env, library)
        : singleCall(definition, single, library),
    close: () => {
      env.close();
      single?.close();
    },
  };
}

/** Environment steps for what steps, environments for what begins them, calls for the rest. */
function unitsOf({ timed, envs, steps }: Definition): number {
  if (timed === 'compile' || timed === 'empty') return steps;
  return envs * steps;
}

function batchCall(definition: Definition, env: TaskVectorEnv, library: Library): () => void {
  const { timed, steps, task } = definition;
  const repeat = (call: () => void) => () => {
    for (let i = 0; i < steps; i++) call();
  };
  switch (timed) {
    case 'rollout':
      return () => {
        env.rollout('random', steps);
      };
    case 'hold':
      return () => {
        env.rollout('constant', steps);
      };
    case 'reset':
      return repeat(() => env.reset({ seed: definition.check.seed }));
    case 'create':
      return repeat(() => env.sibling().close());
    case 'compile':
      return repeat(() => library.compileTask(task));
    case 'empty':
      return repeat(() => env.rollout('constant', 0));
    default:
      // Not `repeat`: a single environment's step is short enough to feel the closure's call.
      return () => {
        for (let i = 0; i < steps; i++) env.step();
      };
  }
}

async function makeSingle(
  { task, backend, kernel }: Definition,
  library: Library,
): Promise<TaskEnv> {
  const env = await library.make(task, { backend, kernel });
  env.reset({ seed: 0 });
  return env;
}

function singleCall({ steps, check }: Definition, env: TaskEnv, library: Library): () => void {
  const action = env.actionSpace.sample(library.makeRng(check.seed));
  return () => {
    for (let i = 0; i < steps; i++) {
      const { terminated, truncated } = env.step(action);
      if (terminated || truncated) env.reset();
    }
  };
}
