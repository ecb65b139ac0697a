/**
 * Policies that come with parameters, linear and tabular, as the reference plays them. The words
 * are the policy's number, then
 *
 * - linear: the number of rows R; a bias for each row; the weights, eight rows at a time,
 *   [R / 8][observation][8], all f32. R is padded with zeros to a multiple of eight.
 * - tabular: the number of features F; F pairs (observation, number of edges); the edges of all
 *   features, f32, rising within each; the table, an action row for each cell.
 */
import { actionKind, corePolicy } from '../../generated/common.js';
import type { ActionRow } from '../environment.js';

/** The parts of a program that the policies read. */
interface ActionProgram {
  readonly scalars: { readonly actionDim: number; readonly observationDim: number };
  readonly tables: { readonly actionKind: Uint32Array; readonly actionRanges: Float32Array };
}

/** A policy's view of an environment. */
export interface Seen {
  readonly observation: Float32Array;
  readonly mask: Uint8Array;
}

/** The values of an action number that is an index: `count` integers from `lowest` on. */
interface Choices {
  readonly lowest: number;
  readonly count: number;
}

const ROWS = 8;

export const isParametric = (policy: number): boolean =>
  policy === corePolicy.linear || policy === corePolicy.tabular;

/** A policy whose words were taken. */
export class Parameters {
  private readonly numbers: Float32Array;
  /** Of every action number; empty where they are real. */
  private readonly choices: readonly Choices[];
  /** Rows of a linear policy, without their padding. */
  private readonly numRows: number;

  /** @throws RangeError for the words of another task's policy. */
  constructor(
    private readonly program: ActionProgram,
    private readonly words: Uint32Array,
  ) {
    this.numbers = new Float32Array(words.buffer, words.byteOffset, words.length);
    this.choices = choicesOf(program);
    const logits = this.choices.reduce((sum, { count }) => sum + count, 0);
    this.numRows = logits === 0 ? program.scalars.actionDim : logits;
    const wanted = words[0] === corePolicy.linear ? this.linearWords() : this.tabularWords();
    if (words.length !== wanted) throw new RangeError('a policy of another task');
  }

  /** Writes the action; nothing where the words are another policy's. */
  act(policy: number, seen: Seen, { real, index }: ActionRow): void {
    if (policy !== this.words[0]) return;
    if (policy === corePolicy.tabular) index.set(this.cellRow(seen.observation));
    else if (this.choices.length > 0) this.actByLogits(seen, index);
    else for (let j = 0; j < real.length; j++) real[j] = this.row(j, seen.observation);
  }

  /** The bias and then the products, in the order of the observations; rounded once. */
  private row(row: number, observation: Float32Array): number {
    const { numbers } = this;
    const group = Math.floor(row / ROWS);
    const weights = 2 + this.paddedRows() + group * observation.length * ROWS + (row % ROWS);
    let sum = numbers[2 + row];
    for (let k = 0; k < observation.length; k++) {
      sum = sum + numbers[weights + ROWS * k] * observation[k];
    }
    return Math.fround(sum);
  }

  /** The highest logit of each field that the mask allows, the first of equals. */
  private actByLogits({ observation, mask }: Seen, index: Int32Array): void {
    const isMasked = mask.length === this.numRows;
    let row = 0;
    this.choices.forEach(({ lowest, count }, field) => {
      let best: number | null = null;
      index[field] = lowest;
      for (let choice = 0; choice < count; choice++, row++) {
        if (isMasked && mask[row] === 0) continue;
        const value = this.row(row, observation);
        if (best !== null && value <= best) continue;
        best = value;
        index[field] = lowest + choice;
      }
    });
  }

  /** The table's row for a cell, whose number has a digit for each feature: edges reached. */
  private cellRow(observation: Float32Array): Uint32Array {
    const { words, numbers } = this;
    const { actionDim } = this.program.scalars;
    const numFeatures = words[1];
    let edge = 2 + 2 * numFeatures;
    let cell = 0;
    for (let f = 0; f < numFeatures; f++) {
      const value = observation[words[2 + 2 * f]];
      const count = words[3 + 2 * f];
      const edges = numbers.subarray(edge, edge + count);
      cell = cell * (count + 1) + edges.filter((least) => value >= least).length;
      edge += count;
    }
    return words.subarray(edge + cell * actionDim, edge + (cell + 1) * actionDim);
  }

  private paddedRows(): number {
    return ROWS * Math.ceil(this.numRows / ROWS);
  }

  /** The length that the words must have, -1 where none would do. */
  private linearWords(): number {
    if (this.words[1] !== this.numRows) return -1;
    return 2 + this.paddedRows() * (1 + this.program.scalars.observationDim);
  }

  private tabularWords(): number {
    const { words } = this;
    const { actionDim, observationDim } = this.program.scalars;
    if (words[0] !== corePolicy.tabular) return -1;
    let length = 2 + 2 * words[1];
    let cells = 1;
    for (let f = 0; f < words[1]; f++) {
      // Also where the words end before the pairs do: `undefined` is not below anything.
      if (!(words[2 + 2 * f] < observationDim)) return -1;
      length += words[3 + 2 * f];
      cells *= words[3 + 2 * f] + 1;
    }
    return length + cells * actionDim;
  }
}

function choicesOf({ tables }: ActionProgram): Choices[] {
  const { actionKind: kinds, actionRanges: ranges } = tables;
  if (kinds[0] !== actionKind.index) return [];
  return Array.from(kinds, (_, j) => ({
    lowest: Math.trunc(ranges[2 * j]),
    count: Math.trunc(Math.fround(ranges[2 * j + 1] - ranges[2 * j])) + 1,
  }));
}
