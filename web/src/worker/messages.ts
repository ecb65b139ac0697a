/** The messages between page and worker: plain data. */
import type { Json, JsonObject, TaskDescription } from '../../../src/index.browser.js';

/** A task as lists show it. */
export interface TaskEntry {
  readonly id: string;
  readonly family: string;
  readonly name: string;
  readonly difficulty: string;
  readonly description: string;
}

/** Which episode is played. */
export interface EpisodeSetup {
  readonly task: string;
  /** Entries of the task's configuration that are replaced. */
  readonly config: JsonObject;
  readonly seed: string;
}

/** Whoever steps: a hand's action row, over and over, or a policy by its name. */
export type Mover = { readonly row: readonly number[] } | { readonly policy: string };

/** How an episode ended; null while it goes on. */
export type Ending = 'terminated' | 'truncated' | null;

/** Steps that have been taken, row-major. Row 0 of an episode is its reset. */
export interface Chunk {
  /** Number of the first row in the episode. */
  readonly from: number;
  readonly rows: number;
  /** f32 [rows, number of metrics] */
  readonly metrics: Float32Array<ArrayBuffer>;
  /** f32 [rows, observationDim] */
  readonly observations: Float32Array<ArrayBuffer>;
  /** f32 [rows, actionDim]; NaN in a reset's row */
  readonly actions: Float32Array<ArrayBuffer>;
  /** f32 [rows]; NaN in a reset's row */
  readonly rewards: Float32Array<ArrayBuffer>;
  /** f32 [rows] */
  readonly costs: Float32Array<ArrayBuffer>;
  /** u8 [maskDim], after the last row */
  readonly mask: Uint8Array<ArrayBuffer>;
  readonly ending: Ending;
}

/** An episode that has been begun. */
export interface Opened {
  readonly task: TaskDescription;
  readonly policies: readonly string[];
  /** Which backend steps it here. */
  readonly backend: string;
  readonly kernel: string;
  readonly reset: Chunk;
}

/** A grade, and whether it is that of a whole episode. */
export interface GradeReport {
  readonly score: number;
  readonly breakdown: Readonly<Record<string, number>>;
  readonly feedback: string;
  readonly isFinished: boolean;
  /** Names the state after the last step exactly, on every backend. */
  readonly digest: string;
}

/** A task on every backend of this browser, against the committed digests. */
export interface TaskVerdict {
  readonly task: string;
  /** Of the smallest batch. */
  readonly digest: string;
  readonly backends: readonly string[];
  readonly isEqual: boolean;
  /** Where it differs first; null where it does not. */
  readonly difference: string | null;
}

export type { Json, JsonObject, TaskDescription };
