/** The tables by which every kernel reads an action row; every family's program has them. */
import type { Layout } from './layout.js';
import { decodeProgram } from './program.js';

/** One entry for each number of the row, but for choices, of which each has the same room. */
export interface ActionTables {
  readonly actionKind: Uint32Array;
  readonly actionNumChoices: Uint32Array;
  readonly actionRanges: Float32Array;
  readonly actionChoices: Float32Array;
}

/** @throws ProgramError for a program that is refused. */
export function actionTables(layout: Layout, program: Uint8Array): ActionTables {
  return decodeProgram<unknown, ActionTables>(layout, program).tables;
}
