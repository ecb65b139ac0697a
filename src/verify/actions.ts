/** The actions that `verify` takes: pseudo-random ones and, every fourth, an edge case. */

import type { CompiledTask } from '../envs/family.js';
import { actionKind } from '../generated/common.js';
import { type ActionTables, actionTables } from '../program/actions.js';

const CHOICES_MAX = 8; // entries of `actionChoices` for each field
const EDGE_SHARE = 4; // one action number in so many is an edge case

/** f32 bit patterns that have tripped somebody: quiet, signalling and negative NaN, and so on. */
const EDGE_BITS = [
  ...[0x7fc00000, 0x7f800001, 0xffc12345], // NaN
  ...[0x7f800000, 0xff800000], // infinities
  ...[0x00000000, 0x80000000], // zeros
  ...[0x00000001, 0x007fffff, 0x80000001], // subnormals
  ...[0x7f7fffff, 0xff7fffff, 0x4f000000, 0xcf000001, 0x4f800000], // largest, ±2^31, 2^32
  ...[0x3f000000, 0x3effffff, 0xbf000000, 0x3f800000, 0xbf800000], // ±1/2 and just below, ±1
];

/**
 * Writes the actions of a batch, a function of step, environment and field alone: a column of a
 * batch gets what the single environment gets.
 */
export class ActionSource {
  private readonly tables: ActionTables;
  private readonly edges: readonly Uint32Array[];

  constructor(task: Pick<CompiledTask, 'layout' | 'program'>) {
    this.tables = actionTables(task.layout, task.program);
    this.edges = Array.from(this.tables.actionKind, (_, field) => this.edgesOf(field));
  }

  /** Fills `actions` [numEnvs, actionDim] for a step; `firstEnv` is the first row's number. */
  write(actions: Uint32Array, step: number, firstEnv = 0): void {
    const width = this.edges.length;
    const real = new Float32Array(actions.buffer, actions.byteOffset, actions.length);
    for (let k = 0; k < actions.length; k++) {
      const field = k % width;
      const env = firstEnv + Math.floor(k / width);
      const word = mix(mix(mix(step) + env) + field);
      const pick = mix(word);
      const edges = this.edges[field];
      if (pick % EDGE_SHARE === 0) actions[k] = edges[Math.floor(pick / EDGE_SHARE) % edges.length];
      else this.writeInRange(actions, real, k, word);
    }
  }

  private writeInRange(actions: Uint32Array, real: Float32Array, k: number, word: number): void {
    const field = k % this.edges.length;
    const kind = this.tables.actionKind[field];
    const [low, high] = this.rangeOf(field);
    if (kind === actionKind.choice) {
      const choice = word % this.tables.actionNumChoices[field];
      real[k] = this.tables.actionChoices[CHOICES_MAX * field + choice];
    } else if (kind === actionKind.real) {
      real[k] = low + (high - low) * (word / 2 ** 32);
    } else {
      const value = low + (word % (high - low + 1));
      if (kind === actionKind.index) actions[k] = value;
      else real[k] = value;
    }
  }

  private rangeOf(field: number): readonly [low: number, high: number] {
    const { actionRanges } = this.tables;
    return [actionRanges[2 * field], actionRanges[2 * field + 1]];
  }

  /** The edge cases of a field: the general ones, its bounds and their neighbours, midpoints. */
  private edgesOf(field: number): Uint32Array {
    const [low, high] = this.rangeOf(field);
    if (this.tables.actionKind[field] === actionKind.index) {
      return Uint32Array.from([low, high, low - 1, high + 1, 2 ** 31 - 1, -(2 ** 31)]);
    }
    const choices = this.tables.actionChoices.subarray(
      CHOICES_MAX * field,
      CHOICES_MAX * field + this.tables.actionNumChoices[field],
    );
    const midpoints = Array.from(choices.subarray(1), (choice, i) => (choice + choices[i]) / 2);
    const values = Float32Array.from([low, high, (low + high) / 2, high + 0.5, ...midpoints]);
    const bits = Array.from(new Uint32Array(values.buffer));
    return Uint32Array.from([...EDGE_BITS, ...bits, ...bits.flatMap((b) => [b - 1, b + 1])]);
  }
}

/** A bijection of 32-bit words without visible structure (the constants are C. Wellons's). */
function mix(input: number): number {
  let x = (input + 0x9e3779b9) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}
