/** The question and the answer of `verify`. */
import type { BackendName } from '../backend.js';

/** How much is played: `quick` takes seconds a backend, `full` minutes. */
export type VerifyLevel = 'quick' | 'full';

/** Committed digests of a task, by level and batch size. */
export interface TaskGoldens {
  /** The program they were made with. */
  readonly program: string;
  readonly quick: Readonly<Record<string, string>>;
  readonly full: Readonly<Record<string, string>>;
}

/** Committed digests by task id. */
export type Goldens = Readonly<Record<string, TaskGoldens>>;

/** A backend that is there and cannot even be loaded. */
export interface UnloadedBackend {
  readonly name: BackendName;
  readonly reason: string;
}

export interface VerifyOptions {
  /** Ids or aliases. Default: every known task. */
  readonly tasks?: readonly string[];
  /** Default `full`. */
  readonly level?: VerifyLevel;
  /** The expected digests; a task that has none here is compared between backends only. */
  readonly goldens?: Goldens;
  /** Backends that are there and cannot be loaded, which is a difference. Default: none. */
  readonly unloaded?: readonly UnloadedBackend[];
  /** Called before each part of the work. */
  readonly onProgress?: (progress: VerifyProgress) => void;
}

export interface VerifyProgress {
  /** Parts done and in all. */
  readonly done: number;
  readonly total: number;
  /** The next part, for a person. */
  readonly label: string;
}

/** The result of one implementation for one task and batch size. */
export interface VerifyResult {
  readonly task: string;
  readonly backend: BackendName;
  readonly kernel: string;
  readonly envs: number;
  readonly threads: number;
  /**
   * Of every output byte of every step of all runs with this batch size, and the last states;
   * `error` where the backend threw.
   */
  readonly digest: string;
  /** The committed digest; null where there is none. */
  readonly golden: string | null;
}

/**
 * A single environment against its column of a batch, a snapshot that changes backends, or the
 * check that a backend must pass before it is used.
 */
export interface CrossCheck {
  readonly check: 'singles' | 'snapshot' | 'self-check';
  readonly task: string;
  /** `native`, or `native -> wasm`. */
  readonly backend: string;
  readonly ok: boolean;
}

/** Where an implementation first left what was expected. */
export interface FirstDifference {
  readonly task: string;
  readonly backend: string;
  readonly kernel: string;
  readonly envs: number;
  readonly threads: number;
  readonly autoreset: string | null;
  /** Environment; null where a digest is all there is to compare with. */
  readonly env: number | null;
  /** Steps since the first reset. */
  readonly step: number | null;
  /** Channel and field, e.g. `observations.queue_depth`. */
  readonly field: string;
  /** Both as numbers with their bit patterns, or digests. */
  readonly expected: string;
  readonly got: string;
}

export interface VerifyReport {
  readonly ok: boolean;
  readonly results: readonly VerifyResult[];
  readonly checks: readonly CrossCheck[];
  readonly firstDifference: FirstDifference | null;
  /** The first of every implementation that differs, `firstDifference` before all others. */
  readonly differences: readonly FirstDifference[];
}
