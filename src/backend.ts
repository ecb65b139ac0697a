/**
 * The contract between the library and whatever steps a program. Four implementations keep it:
 * native, Rust WASM, AssemblyScript and the TypeScript reference; `tests/conformance` holds them
 * to it, bit for bit.
 */

import type { Seed } from './base/seeding.js';
import { autoresetModeNames, type channels, kernelNames } from './generated/common.js';

export const BACKEND_NAMES = ['native', 'wasm', 'assemblyscript', 'reference'] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

/** The behaviour after an episode's last step; `docs/adr/0003-autoreset-modes.md`. */
export type Autoreset = 'next-step' | 'same-step' | 'disabled';

/** The autoreset modes in the order of their numbers in the core. */
export const AUTORESETS = autoresetModeNames.map((name) => name.replace('_', '-') as Autoreset);

/** The number by which the core knows an autoreset mode. */
export function autoresetIndex(mode: Autoreset): number {
  return AUTORESETS.indexOf(mode);
}

/**
 * Which kernel steps a batch; all give the same bits. `auto` is the fastest for the machine and
 * the size of the batch, `scalar` the oracle, which also is the fastest for a few environments;
 * `simd128` is WebAssembly's, the others are the native backend's, where the processor has them.
 */
export const KERNELS = kernelNames;
export type Kernel = (typeof KERNELS)[number];

export interface BatchOptions {
  /** Environments in the batch, 1 .. 2^24. */
  readonly numEnvs: number;
  readonly autoreset: Autoreset;
  /** Threads that step the batch; backends without threads take 1 only. */
  readonly threads: number;
  /** Whether the metrics channel is kept (what `info` reports). */
  readonly metrics: boolean;
  readonly kernel: Kernel;
}

type ChannelDef = (typeof channels)[number];
type ArrayOf<D> = D extends 'f32'
  ? Float32Array
  : D extends 'f64'
    ? Float64Array
    : D extends 'u8'
      ? Uint8Array
      : Uint32Array;

/**
 * The arrays a batch shares with its caller, row-major [numEnvs, ...]; the same memory for the
 * life of the batch. `actions` and `resetMask` are written by the caller, the others are read.
 */
export type Channels = {
  readonly [C in ChannelDef as C['name']]: ArrayOf<C['dtype']>;
};

/** The channels of a recorded rollout: first what the policy saw, then what came of it. */
export const RECORDED = [
  'observations',
  'masks',
  'actions',
  'rewards',
  'costs',
  'terminated',
  'truncated',
] as const satisfies readonly (keyof Channels)[];

/** The caller's arrays for a recorded rollout. */
export type Recording = Partial<Pick<Channels, (typeof RECORDED)[number]>>;

/** A batch of environments of one program. */
export interface Batch {
  /** The kernel that steps it, e.g. `avx2`, `simd128`, `scalar`. */
  readonly kernel: string;
  readonly channels: Channels;
  /**
   * Begins an episode in every environment, or where `channels.resetMask` is 1. With a seed,
   * environment i takes seed + i and episode 0; without one, its next episode.
   */
  reset(seed: Seed | null, masked: boolean): void;
  /** One step of every environment with the actions in `channels.actions`. */
  step(): void;
  /**
   * `step` on another thread; until it resolves, no other call is allowed. Absent where a backend
   * has no other thread.
   */
  stepAsync?(): Promise<void>;
  /** `steps` steps under a policy of the core, see `corePolicy` in `generated/common.ts`. */
  rollout(policy: number, steps: number): void;
  /**
   * `rollout`, written step by step into the arrays that are given, [steps, numEnvs, ...]; the
   * caller has checked them. Absent where it is done in single steps as well.
   */
  record?(policy: number, steps: number, arrays: Recording): void;
  /**
   * Takes the words of a linear or tabular policy, `POLICY_WORDS_MAX` at most, by which `rollout`
   * then plays; `src/api/policy-parameters.ts` writes them. Throws for those of another task.
   */
  setParameters(words: Uint32Array): void;
  /** Episodes that ended since the batch was made. */
  episodes(): number;
  /** The state: u32 slots [slot][env], then f64 slots [slot][env], statistics included. */
  exportState(): Uint8Array;
  /** Takes what `exportState` gave; the caller has checked length and values. */
  importState(state: Uint8Array): void;
  /** Frees the batch; it must not be used afterwards. */
  close(): void;
}

/** A loaded implementation. */
export interface Backend {
  readonly name: BackendName;
  /** Most threads a batch can use. */
  readonly maxThreads: number;
  /** Its kernels, the oracle first and the one that `auto` takes for large batches last. */
  readonly kernels: readonly Kernel[];
  /** Validates the program and makes a batch; throws `ProgramError` naming the field. */
  create(program: Uint8Array, options: BatchOptions): Batch;
  /** Waits until what many closed batches left behind is gone; absent where they leave nothing. */
  settle?(): Promise<void>;
}

/** Thrown where a backend cannot be had on this machine; says what would add it. */
export class BackendUnavailableError extends Error {
  override name = 'BackendUnavailableError';
}

/**
 * Thrown where a backend is there but must not be used: it cannot be loaded, was built from other
 * sources, or fails its self-check.
 */
export class BackendRefusedError extends BackendUnavailableError {
  override name = 'BackendRefusedError';
}
