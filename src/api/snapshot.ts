/**
 * Snapshots: a batch's state and last outputs as bytes, which any backend takes up again.
 *
 * | bytes    | content                                                                      |
 * |----------|------------------------------------------------------------------------------|
 * | 0 .. 4   | the bytes IGSN                                                               |
 * | 4 .. 8   | version, 1                                                                   |
 * | 8 .. 12  | layout hash                                                                  |
 * | 12 .. 16 | environments                                                                 |
 * | 16 .. 24 | digest of the program, 8 bytes                                               |
 * | 24 .. 28 | autoreset mode, its index in `AUTORESETS`                                    |
 * | 28 .. 32 | 1 where the metrics channel is kept                                          |
 * | 32 .. 40 | digest of everything from byte 40 on, 8 bytes                                |
 * | 40 ..    | state: slots in their order, [slot][env] (`stateFields`)                      |
 * | then     | the output channels in the order of `channels`, but not those the caller writes |
 */
import { AUTORESETS, type Autoreset, autoresetIndex, type Channels } from '../backend.js';
import { bytesOfHex, digestOf, hexOf } from '../base/digest.js';
import type { CompiledTask } from '../envs/family.js';
import { channels as channelList } from '../generated/common.js';
import { ELEMENT_BYTES, type StateField, slotName, stateFields } from '../program/layout.js';
import { programScalars } from '../program/program.js';

const MAGIC = 0x4e534749; // IGSN, little-endian
const VERSION = 1;
const HEADER_BYTES = 40;

/** The batch that a snapshot must agree with. */
export interface SnapshotContext {
  readonly task: CompiledTask;
  readonly numEnvs: number;
  readonly autoreset: Autoreset;
  readonly infos: boolean;
  readonly channels: Channels;
}

/** Thrown by `restore` for bytes that are no snapshot of such an environment. */
export class SnapshotError extends Error {
  override name = 'SnapshotError';
}

/** The channels that a reader may want: all but those that the caller writes. */
export const outputChannels = channelList
  .map(({ name }) => name)
  .filter((name) => name !== 'actions' && name !== 'resetMask');

/** A batch's state and outputs as one snapshot. */
export function encodeSnapshot(context: SnapshotContext, state: Uint8Array): Uint8Array {
  const outputs = outputChannels.map((name) => bytesOf(context.channels[name]));
  const outputBytes = outputs.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(HEADER_BYTES + state.length + outputBytes);
  let end = HEADER_BYTES;
  for (const part of [state, ...outputs]) {
    bytes.set(part, end);
    end += part.length;
  }
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setUint32(8, context.task.layout.hash, true);
  view.setUint32(12, context.numEnvs, true);
  bytes.set(bytesOfHex(context.task.programDigest), 16);
  view.setUint32(24, autoresetIndex(context.autoreset), true);
  view.setUint32(28, context.infos ? 1 : 0, true);
  bytes.set(bytesOfHex(digestOf(bytes.subarray(HEADER_BYTES))), 32);
  return bytes;
}

/**
 * Checks a snapshot against an environment and returns its parts, without changing anything.
 *
 * @throws SnapshotError naming the field, what it is and what would be right.
 */
export function decodeSnapshot(context: SnapshotContext, snapshot: Uint8Array) {
  if (!(snapshot instanceof Uint8Array)) {
    throw new SnapshotError('snapshot is not a Uint8Array: the bytes snapshot() gave are needed');
  }
  // A copy: aligned, and the caller's to change meanwhile. A Buffer's slice would share memory.
  const bytes = new Uint8Array(snapshot);
  checkHeader(context, bytes);
  const { task, numEnvs } = context;
  const fields = stateFields(task.layout, programScalars(task.layout, task.program));
  const stateEnd = HEADER_BYTES + stateBytes(fields, numEnvs);
  const sizes = outputChannels.map((name) => context.channels[name].byteLength);
  const total = sizes.reduce((sum, size) => sum + size, stateEnd);
  if (bytes.length !== total) {
    throw new SnapshotError(`snapshot has ${bytes.length} bytes: ${total} are needed`);
  }
  if (digestOf(bytes.subarray(HEADER_BYTES)) !== hexOf(bytes.subarray(32, 40))) {
    throw new SnapshotError('snapshot is damaged: its content has another digest than its header');
  }
  const state = bytes.slice(HEADER_BYTES, stateEnd);
  checkState(task, fields, numEnvs, state);
  const outputs = sliceOutputs(bytes, stateEnd, sizes);
  checkOutputs(context.channels, outputs);
  return { state, outputs };
}

/** Writes the outputs of a snapshot that was checked into the channels. */
export function restoreOutputs(channels: Channels, outputs: readonly Uint8Array[]): void {
  outputChannels.forEach((name, k) => {
    bytesOf(channels[name]).set(outputs[k]);
  });
}

function checkHeader({ task, numEnvs, autoreset, infos }: SnapshotContext, bytes: Uint8Array) {
  if (bytes.length < HEADER_BYTES) {
    const needed = `a header of ${HEADER_BYTES} bytes is needed`;
    throw new SnapshotError(`snapshot has ${bytes.length} bytes: ${needed}`);
  }
  const view = new DataView(bytes.buffer);
  const word = (at: number) => view.getUint32(at, true);
  const expect = (field: string, got: number | string, needed: number | string) => {
    if (got === needed) return;
    throw new SnapshotError(`snapshot field ${field} is ${got}: ${needed} is needed`);
  };
  if (word(0) !== MAGIC) {
    throw new SnapshotError('snapshot field magic is wrong: the bytes do not begin with IGSN');
  }
  expect('version', word(4), VERSION);
  expect('layout_hash', word(8), task.layout.hash);
  expect('num_envs', word(12), numEnvs);
  expect('program_digest', hexOf(bytes.subarray(16, 24)), task.programDigest);
  expect('autoreset', AUTORESETS[word(24)] ?? word(24), autoreset);
  expect('infos', word(28), infos ? 1 : 0);
}

function stateBytes(fields: readonly StateField[], numEnvs: number): number {
  const perEnv = fields.reduce((sum, { dtype, length }) => sum + length * ELEMENT_BYTES[dtype], 0);
  return perEnv * numEnvs;
}

function checkState(
  task: CompiledTask,
  fields: readonly StateField[],
  numEnvs: number,
  state: Uint8Array,
): void {
  const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
  const read = {
    u32: (at: number) => view.getUint32(at, true),
    f32: (at: number) => view.getFloat32(at, true),
    f64: (at: number) => view.getFloat64(at, true),
  };
  let at = 0;
  for (const field of fields) {
    const { dtype } = field;
    const max = dtype === 'u32' ? maxOf(task, field) : 0;
    const bytes = ELEMENT_BYTES[dtype];
    for (let k = 0; k < field.length * numEnvs; k++, at += bytes) {
      const value = read[dtype](at);
      if (dtype === 'u32' ? value <= max : Number.isFinite(value)) continue;
      const slot = slotName(field, Math.floor(k / numEnvs));
      const needed = dtype === 'u32' ? `at most ${max}` : 'a finite number';
      const place = `environment ${k % numEnvs}: state ${slot}`;
      throw new SnapshotError(`${place} is ${value}: ${needed} is needed`);
    }
  }
  checkSteps(task, numEnvs, view);
}

/** The words come first, one slot each. */
function checkSteps(task: CompiledTask, numEnvs: number, view: DataView): void {
  const { words } = task.layout;
  const word = (slot: number, i: number) => view.getUint32(4 * (slot * numEnvs + i), true);
  const step = words.findIndex(({ name }) => name === 'step');
  const finished = words.findIndex(({ name }) => name === 'finished');
  for (let i = 0; i < numEnvs; i++) {
    if (word(finished, i) === 1 || word(step, i) < task.horizonSteps) continue;
    const needed = `in an unfinished episode less than ${task.horizonSteps} is needed`;
    throw new SnapshotError(`environment ${i}: state step is ${word(step, i)}: ${needed}`);
  }
}

/** The bound of a u32 slot: a number, or the scalar of the program that it names. */
function maxOf({ layout, program }: CompiledTask, { max }: StateField): number {
  if (typeof max === 'number') return max;
  const index = layout.scalars.findIndex((scalar) => scalar.name === max);
  return programScalars(layout, program)[index];
}

function sliceOutputs(bytes: Uint8Array, from: number, sizes: readonly number[]): Uint8Array[] {
  let end = from;
  return sizes.map((size) => {
    end += size;
    return bytes.slice(end - size, end);
  });
}

function checkOutputs(channels: Channels, outputs: readonly Uint8Array[]): void {
  outputChannels.forEach((name, k) => {
    const values = viewAs(channels[name], outputs[k]);
    const isFlag = channels[name] instanceof Uint8Array;
    for (let at = 0; at < values.length; at++) {
      if (isFlag ? values[at] <= 1 : Number.isFinite(values[at])) continue;
      const needed = isFlag ? '0 or 1' : 'a finite number';
      throw new SnapshotError(`snapshot ${name}[${at}] is ${values[at]}: ${needed} is needed`);
    }
  });
}

/** Bytes as an array of the same type as `like`. */
function viewAs(like: Channels[keyof Channels], bytes: Uint8Array): ArrayLike<number> {
  if (like instanceof Float32Array) return new Float32Array(bytes.buffer);
  if (like instanceof Float64Array) return new Float64Array(bytes.buffer);
  return like instanceof Uint32Array ? new Uint32Array(bytes.buffer) : bytes;
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
