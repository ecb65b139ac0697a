/** The first place where two implementations part, by playing both in lockstep. */

import { outputChannels } from '../api/snapshot.js';
import type { Batch } from '../backend.js';
import type { CompiledTask } from '../envs/family.js';
import { ELEMENT_BYTES, slotName, stateFields } from '../program/layout.js';
import { programScalars } from '../program/program.js';
import { createBatch, play, type Run, type Variant } from './plan.js';

/** A number with its bits, which tell −0 from 0 and one NaN from another. */
export type NumberAndBits = string;

/** Where two sets of arrays first differ. */
export interface Place {
  readonly env: number;
  /** Channel and field, e.g. `observations.queue_depth` or `state.credit`. */
  readonly field: string;
  readonly expected: NumberAndBits;
  readonly got: NumberAndBits;
}

/** A place and the steps before it; no environment where the backend threw. */
export type PlaceInTime = Omit<Place, 'env'> & {
  readonly env: number | null;
  readonly step: number;
};

/** The parts of a task that name the fields of its outputs and its state. */
export type NamedProgram = Pick<
  CompiledTask,
  'layout' | 'program' | 'observationNames' | 'maskDim'
>;

/** An array of a batch: [numEnvs, width], or [width, numEnvs] where `slotMajor`. */
interface Rows {
  readonly name: string;
  readonly fields: readonly string[];
  readonly values: Numbers;
  readonly slotMajor: boolean;
}

type Numbers = Float32Array | Float64Array | Uint32Array | Uint8Array;

/** The first step and place where `got` leaves `expected` in a run, or null. */
export function differenceInRun(
  run: Run,
  numEnvs: number,
  expected: Variant,
  got: Variant,
): PlaceInTime | null {
  const makers = [expected, got].map((variant) => () => createBatch(variant, run, numEnvs));
  return differenceInLockstep(run.task, makers, (batch) => play(batch, run, true));
}

/**
 * Plays the batches of two makers side by side and compares them wherever `history` stops: the
 * first step and place where the second leaves the first, or null. What the second throws counts
 * as a difference.
 */
export function differenceInLockstep(
  task: NamedProgram,
  [makeExpected, makeGot]: readonly (() => Batch)[],
  history: (batch: Batch) => Generator<number, void>,
): PlaceInTime | null {
  const open: Batch[] = [];
  let step = 0;
  const opened = (make: () => Batch) => {
    const batch = make();
    open.push(batch);
    return batch;
  };
  try {
    const expected = opened(makeExpected);
    const a = history(expected);
    const attempt = attempted(() => opened(makeGot));
    if ('threw' in attempt) return failure(step, attempt.threw);
    const b = history(attempt.value);
    for (;;) {
      const next = a.next();
      const other = attempted(() => b.next());
      if (next.done) return null;
      step = next.value;
      if ('threw' in other) return failure(step, other.threw);
      const place = differenceOf(task, expected, attempt.value);
      if (place !== null) return { step, ...place };
    }
  } finally {
    for (const batch of open) batch.close();
  }
}

function attempted<T>(work: () => T): { value: T } | { threw: string } {
  try {
    return { value: work() };
  } catch (error) {
    return { threw: error instanceof Error ? error.message : String(error) };
  }
}

/** A step that threw; which environment did it nobody can say. */
function failure(step: number, message: string): PlaceInTime {
  return { step, env: null, field: 'error', expected: 'no error', got: message };
}

/** The first differing output, else the first differing slot of the state, or null. */
export function differenceOf(task: NamedProgram, expected: Batch, got: Batch): Place | null {
  return (
    firstDifference(outputRows(task, expected), outputRows(task, got)) ??
    firstDifference(stateRows(task, expected), stateRows(task, got))
  );
}

/**
 * The first output in which row `at` of one batch differs from row `gotAt` of another, or null.
 * `expected` may have been made for another number of environments.
 */
export function differenceInRow(
  task: NamedProgram,
  expected: Batch,
  got: Batch,
  gotAt: number,
): Place | null {
  const columns = outputRows(task, got).map((rows) => {
    const width = rows.fields.length;
    return { ...rows, values: rows.values.subarray(gotAt * width, (gotAt + 1) * width) };
  });
  const place = firstDifference(outputRows(task, expected), columns);
  return place === null ? null : { ...place, env: gotAt };
}

function firstDifference(expected: readonly Rows[], got: readonly Rows[]): Place | null {
  for (let k = 0; k < expected.length; k++) {
    const { name, fields, values, slotMajor } = expected[k];
    const at = firstByte(bytesOf(values), bytesOf(got[k].values));
    if (at < 0) continue;
    const i = Math.floor(at / values.BYTES_PER_ELEMENT);
    const numEnvs = values.length / fields.length;
    const env = slotMajor ? i % numEnvs : Math.floor(i / fields.length);
    const slot = slotMajor ? Math.floor(i / numEnvs) : i % fields.length;
    const field = fields[slot] === '' ? name : `${name}.${fields[slot]}`;
    return { env, field, expected: describe(values, i), got: describe(got[k].values, i) };
  }
  return null;
}

function outputRows(task: NamedProgram, { channels }: Batch): Rows[] {
  const names: Partial<Record<(typeof outputChannels)[number], readonly string[]>> = {
    observations: task.observationNames,
    finalObservations: task.observationNames,
    metrics: task.layout.metrics.map((field) => field.name),
    finalStatistics: task.layout.statistics.map((field) => field.name),
    masks: Array.from({ length: task.maskDim }, (_, i) => String(i)),
  };
  return outputChannels.map((name) => {
    return { name, fields: names[name] ?? [''], values: channels[name], slotMajor: false };
  });
}

const STATE_ARRAYS = { u32: Uint32Array, f32: Float32Array, f64: Float64Array } as const;

function stateRows({ layout, program }: NamedProgram, batch: Batch): Rows[] {
  const state = batch.exportState();
  const numEnvs = batch.channels.rewards.length;
  let at = 0;
  return stateFields(layout, programScalars(layout, program)).map((field) => {
    const { dtype, length } = field;
    const end = at + length * numEnvs * ELEMENT_BYTES[dtype];
    const values = new STATE_ARRAYS[dtype](state.slice(at, end).buffer);
    at = end;
    const fields = Array.from({ length }, (_, i) => slotName(field, i));
    return { name: 'state', fields, values, slotMajor: true };
  });
}

/** The first index at which two byte arrays of one length differ, or -1. */
function firstByte(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return i;
  return -1;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function describe(values: Numbers, i: number): NumberAndBits {
  const bytes = bytesOf(values).slice(
    i * values.BYTES_PER_ELEMENT,
    (i + 1) * values.BYTES_PER_ELEMENT,
  );
  const hex = Array.from(bytes.reverse(), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const value = Object.is(values[i], -0) ? '-0' : String(values[i]);
  return `${value} (0x${hex})`;
}
