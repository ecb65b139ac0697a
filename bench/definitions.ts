/**
 * The benchmark's measurements: data only. `measure.ts` times it, `workload.ts` says what each kind
 * of timing calls, `goals.ts` what is expected of it.
 */
import { BACKEND_NAMES, type BackendName, type Kernel } from '../src/backend.js';

/** Measurements that are compared with each other; they are timed in turns. */
export const GROUPS = ['kernels', 'environments', 'threads', 'calls', 'single', 'peers'] as const;
type Group = (typeof GROUPS)[number];

/** The work of one call that is timed. */
type Timed =
  | 'step' // VectorEnv.step
  | 'rollout' // VectorEnv.rollout with the core's random policy
  | 'hold' // VectorEnv.rollout that holds the last actions
  | 'reset' // VectorEnv.reset with a seed
  | 'create' // VectorEnv.sibling and close: a batch of a compiled task
  | 'compile' // compileTask: a task's configuration to its program
  | 'empty' // VectorEnv.rollout of no steps: a call into the backend that does nothing
  | 'env-step'; // Env.step, which makes fresh objects and an info

/** The run that is played, and hashed, before anything is timed; one digest on every backend. */
export interface Check {
  readonly task: string;
  readonly envs: number;
  readonly seed: number;
  /** Steps of the core's random policy in one call. */
  readonly rolloutSteps: number;
  /** Single steps afterwards, which hold the policy's last actions. */
  readonly steps: number;
}

export interface Definition {
  readonly group: Group;
  readonly environment: string;
  readonly task: string;
  readonly envs: number;
  readonly threads: number;
  readonly backend: BackendName;
  readonly kernel: Kernel;
  readonly timed: Timed;
  /** Calls that are timed together, so that a clock can tell; for a rollout the steps of a call. */
  readonly steps: number;
  readonly check: Check;
  /** Whether `--quick` measures it too. */
  readonly isQuick: boolean;
}

/** An environment, the task that stands for it, and the largest batches that are measured. */
interface Subject {
  readonly environment: string;
  readonly task: string;
  /** Scheduling keeps 14 kB of state an environment: a million would need 16 GB. */
  readonly envsMax: number;
  readonly threadsEnvs: number;
}

const MILLION = 2 ** 20;

export const SUBJECTS: readonly Subject[] = [
  {
    environment: 'serving',
    task: 'serving/static-uniform-v1',
    envsMax: MILLION,
    threadsEnvs: 65536,
  },
  {
    environment: 'autoscaling',
    task: 'autoscaling/medium-v1',
    envsMax: MILLION,
    threadsEnvs: 65536,
  },
  {
    environment: 'provisioning',
    task: 'provisioning/medium-v1',
    envsMax: MILLION,
    threadsEnvs: 65536,
  },
  {
    environment: 'scheduling',
    task: 'scheduling/base-v2',
    envsMax: 16384,
    threadsEnvs: 16384,
  },
];

/** The batch that peers and goals are stated for. */
export const BATCH_ENVS = 4096;
export const ENVS = [1, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, MILLION];
/** From here on a batch costs the same per environment, or should. */
export const LARGE_ENVS = 1024;
const QUICK_ENVS = [1, 64, 1024, 16384, 65536];
/** How far each backend is scaled; a step of a million takes the reference seconds. */
const ENVS_MAX: Readonly<Record<BackendName, number>> = {
  native: MILLION,
  wasm: 65536,
  assemblyscript: 65536,
  reference: 4096,
};
/** `auto` first: a kernel that `auto` takes on this machine is not measured a second time. */
const KERNELS: Readonly<Record<BackendName, readonly Kernel[]>> = {
  native: ['auto', 'avx512', 'avx2', 'portable', 'scalar'],
  wasm: ['auto', 'scalar'],
  assemblyscript: ['auto', 'scalar'],
  reference: ['auto'],
};
const CALLS: readonly Timed[] = ['create', 'reset', 'step', 'rollout'];
const SEED = 7;
/** Environment steps of a check; enough to cross episodes in small batches. */
const CHECK_STEPS = 16384;
const ROLLOUT_STEPS = 16;
const HOLD = { timed: 'hold', steps: ROLLOUT_STEPS } as const;
/** Calls of a small batch that are timed together. */
const SMALL_CALLS = 256;

function checkOf(task: string, envs: number): Check {
  const rolloutSteps = Math.max(2, Math.min(250, Math.floor(CHECK_STEPS / envs)));
  return { task, envs, seed: SEED, rolloutSteps, steps: 2 };
}

/** All that is measured without peers, group by group. */
export function definitions(): Definition[] {
  return [
    ...SUBJECTS.flatMap(kernelDefinitions),
    ...SUBJECTS.flatMap(environmentDefinitions),
    ...SUBJECTS.flatMap(threadDefinitions),
    ...SUBJECTS.flatMap(callDefinitions),
    ...SUBJECTS.flatMap(singleDefinitions),
  ];
}

/** The measurements in turns with the environments of others, in the batch that they have. */
export function peerDefinitions(): Definition[] {
  return SUBJECTS.flatMap((subject) => [
    define(subject, { group: 'peers' }),
    define(subject, { group: 'peers', ...HOLD }),
  ]);
}

type Choice = Pick<Definition, 'group'> & Partial<Definition>;

function define({ environment, task }: Subject, choice: Choice): Definition {
  const envs = choice.envs ?? BATCH_ENVS;
  return {
    environment,
    task,
    envs,
    threads: 1,
    backend: 'native',
    kernel: 'auto',
    timed: 'step',
    steps: envs < SMALL_CALLS ? SMALL_CALLS : 1,
    check: checkOf(task, envs),
    isQuick: true,
    ...choice,
  };
}

/** Every backend and kernel on the usual batch. */
function kernelDefinitions(subject: Subject): Definition[] {
  return BACKEND_NAMES.flatMap((backend) =>
    KERNELS[backend].map((kernel) => define(subject, { group: 'kernels', backend, kernel })),
  );
}

/**
 * Batches from one environment to a million: serving everywhere, the others natively; natively also
 * the large ones without leaving the core.
 */
function environmentDefinitions(subject: Subject): Definition[] {
  const backends = subject.environment === 'serving' ? BACKEND_NAMES : BACKEND_NAMES.slice(0, 1);
  const large = ENVS.filter((envs) => envs >= LARGE_ENVS && envs <= subject.envsMax);
  const held = large.map((envs) => {
    return define(subject, { group: 'environments', ...HOLD, envs, isQuick: false });
  });
  const steps = backends.flatMap((backend) =>
    ENVS.filter((envs) => envs <= Math.min(subject.envsMax, ENVS_MAX[backend])).map((envs) => {
      const isQuick = subject.environment === 'serving' && QUICK_ENVS.includes(envs);
      return define(subject, { group: 'environments', backend, envs, isQuick });
    }),
  );
  return [...steps, ...held];
}

/** One thread and two, a call a step and in the core, where memory is no bound. */
function threadDefinitions(subject: Subject): Definition[] {
  const envs = subject.threadsEnvs;
  return [{}, HOLD].flatMap((way) =>
    [1, 2].map((threads) => define(subject, { group: 'threads', ...way, envs, threads })),
  );
}

/** The cost that is paid once, and that of each step. */
function callDefinitions(subject: Subject): Definition[] {
  const calls = BACKEND_NAMES.flatMap((backend) =>
    CALLS.map((timed) => {
      const steps = timed === 'rollout' ? ROLLOUT_STEPS : 1;
      return define(subject, { group: 'calls', backend, timed, steps, isQuick: false });
    }),
  );
  const once = { timed: 'compile', envs: 1, steps: 1, isQuick: false } as const;
  return [...calls, define(subject, { group: 'calls', ...once })];
}

/** One environment in a loop: what a call costs. */
function singleDefinitions(subject: Subject): Definition[] {
  const steps = 4 * SMALL_CALLS;
  return BACKEND_NAMES.flatMap((backend) =>
    (['empty', 'step', 'env-step'] as const).map((timed) => {
      const isQuick = backend === 'native';
      return define(subject, { group: 'single', backend, timed, steps, envs: 1, isQuick });
    }),
  );
}

/** A definition's name, the same on every machine: results of two runs meet by it. */
export function idOf(definition: Definition): string {
  const { group, environment, timed, envs, threads, backend, kernel } = definition;
  const place = threads === 1 ? backend : `${backend} × ${threads} threads`;
  const by = kernel === 'auto' ? place : `${place} ${kernel}`;
  return `${group}: ${environment} ${timed}, ${envs} envs, ${by}`;
}
