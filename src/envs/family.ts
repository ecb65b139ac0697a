/**
 * An environment family as the library knows it: its tasks, spaces, names and grader. One file per
 * family implements it, `src/envs/<stem>.ts`; everything else treats the families alike.
 */

import type { JsonObject } from '../base/json.js';
import type { Seed } from '../base/seeding.js';
import type { Layout } from '../program/layout.js';
import type { Space } from '../spaces/index.js';
import type { Report } from './report.js';

/** A named configuration of a family. */
export interface TaskSpec {
  /** `<family>/<name>-v<version>`. */
  readonly id: string;
  /** Other names it answers to, e.g. the origin's `1` or `static-uniform`. */
  readonly aliases: readonly string[];
  readonly name: string;
  readonly difficulty: 'easy' | 'medium' | 'hard';
  readonly description: string;
  /** By wire names; `make(id, { config })` overrides single entries. */
  readonly config: JsonObject;
}

/** Statistics of one finished episode, by their names in the layout. */
export type EpisodeStatistics = Readonly<Record<string, number>>;

/** The grade of an episode. */
export interface Grade {
  /** 0 .. 1. */
  readonly score: number;
  /** One number per component of the score. */
  readonly breakdown: Readonly<Record<string, number>>;
  /** A sentence or two for a person. */
  readonly feedback: string;
}

/** Which grader grades a task, and the numbers of its rules: what a grade depends on, as data. */
export type GraderRules = JsonObject & {
  /** `<family>`, or `<family>/<name>` where a family has several. */
  readonly kind: string;
};

/** The inputs that a grader may need beside the episode's own statistics. */
export interface GradeContext {
  /** Return of the family's fixed baseline on the same seed, where scores are normalised by it. */
  readonly baselineReturn?: number;
  /** Upper bound of the return on the same episode, where the task has `bound`. */
  readonly bound?: number;
}

/** A task compiled and ready to step. */
export interface CompiledTask {
  readonly spec: TaskSpec;
  /** The configuration with the overrides in. */
  readonly config: JsonObject;
  readonly layout: Layout;
  readonly program: Uint8Array;
  /** First 16 hex digits of the program's SHA-256: names the task exactly. */
  readonly programDigest: string;
  readonly horizonSteps: number;
  readonly actionSpace: Space<unknown>;
  readonly observationSpace: Space<unknown>;
  /** `index`: the action row is one i32; `real`: f32 numbers. */
  readonly actionDtype: 'real' | 'index';
  readonly actionDim: number;
  /**
   * Sizes of the fields that a discrete action is a number of, the last field its lowest digit.
   * Absent: it is of one field.
   */
  readonly actionFields?: readonly number[];
  readonly observationDim: number;
  readonly maskDim: number;
  /** Of the numbers in an action row. */
  readonly actionNames: readonly string[];
  readonly observationNames: readonly string[];
  /**
   * Writes an action of the space into a row. Throws `RangeError` naming the field, the value and
   * what would be right.
   */
  encodeAction(action: unknown, row: Float32Array | Int32Array): void;
  /** The fixed baseline's action, of the action space. */
  readonly baselineAction: unknown;
  /** The heuristic of the core that is the fixed baseline instead, where one is. */
  readonly baselineHeuristic?: string;
  /** The `info` of a step. */
  readonly report: Report;
  readonly grader: GraderRules;
  /** Grades an episode by its statistics. */
  grade(statistics: EpisodeStatistics, context?: GradeContext): Grade;
  /**
   * Grades an episode by the log of its steps, statelessly. Throws `RangeError` naming the row and
   * the field that is missing or wrong. Absent where a family's logs cannot be graded.
   */
  gradeLog?(log: unknown, context?: GradeContext): Grade;
  /**
   * The metrics of an episode beside score and return. Absent: means of what the statistics
   * say.
   */
  episodeMetrics?(statistics: EpisodeStatistics): Readonly<Record<string, number>>;
  /** True where `grade` needs `context.baselineReturn`. */
  readonly needsBaseline: boolean;
  /**
   * Upper bound of the return of the episode that a seed and an episode number name, whatever is
   * done in it. Where a task has it, `grade` needs it as `context.bound`.
   */
  bound?(seed: Seed, episode: number): number;
}

/** An environment family. */
export interface EnvFamily {
  readonly name: string;
  readonly layout: Layout;
  readonly tasks: readonly TaskSpec[];
  /** Policy names that make sense here, the common ones (`baseline`, `random`, …) included. */
  readonly policies: readonly string[];
  /**
   * Compiles a task with some entries of its configuration replaced. Throws `RangeError` naming an
   * entry that is unknown or out of range.
   */
  compile(spec: TaskSpec, overrides?: JsonObject): CompiledTask;
}
