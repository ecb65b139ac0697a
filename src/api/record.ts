/** Recorded rollouts: the caller's arrays, their checks, and how single steps fill them. */
import { type Batch, type Channels, RECORDED, type Recording } from '../backend.js';
import type { CompiledTask } from '../envs/family.js';

/**
 * The arrays of a recorded rollout, each [steps, numEnvs, ...], row-major, where it is given.
 * Row t has what the policy acted on at step t, what it did, and what came of it; so what it would
 * act on next is in the batch's own `observations` and `masks`.
 */
export interface RecordArrays {
  /** [steps, numEnvs, observationDim]. */
  readonly observations?: Float32Array;
  /** u8 [steps, numEnvs, maskDim], where the task has masks. */
  readonly masks?: Uint8Array;
  /** [steps, numEnvs, actionDim], i32 where `task.actionDtype` is `index`. */
  readonly actions?: Float32Array | Int32Array;
  /** [steps, numEnvs]. */
  readonly rewards?: Float32Array;
  /** [steps, numEnvs], constraint costs. */
  readonly costs?: Float32Array;
  /** u8 [steps, numEnvs]. */
  readonly terminated?: Uint8Array;
  /** u8 [steps, numEnvs]. */
  readonly truncated?: Uint8Array;
}

/** The batch that is recorded. */
interface Recorded {
  readonly task: CompiledTask;
  readonly numEnvs: number;
  readonly channels: Channels;
}

/** New arrays for everything a batch can record in so many steps. */
export function createRecordArrays(
  { task, numEnvs }: { readonly task: CompiledTask; readonly numEnvs: number },
  steps: number,
): Required<RecordArrays> {
  const rows = steps * numEnvs;
  const numActions = rows * task.actionDim;
  return {
    observations: new Float32Array(rows * task.observationDim),
    masks: new Uint8Array(rows * task.maskDim),
    actions:
      task.actionDtype === 'index' ? new Int32Array(numActions) : new Float32Array(numActions),
    rewards: new Float32Array(rows),
    costs: new Float32Array(rows),
    terminated: new Uint8Array(rows),
    truncated: new Uint8Array(rows),
  };
}

/**
 * The caller's arrays as a backend takes them.
 *
 * @throws RangeError or TypeError for an array of another name, type or length, and for arrays
 * that share memory with each other or with the batch.
 */
export function checkRecording(batch: Recorded, steps: number, arrays: RecordArrays): Recording {
  const unknown = Object.keys(arrays).find((name) => !RECORDED.some((known) => known === name));
  if (unknown !== undefined) {
    throw new RangeError(`arrays.${unknown} is unknown: ${RECORDED.join(', ')} can be recorded`);
  }
  const recording: { -readonly [name in keyof Recording]: Recording[name] } = {};
  const taken: { name: string; of: string; array: ArrayBufferView }[] = [];
  for (const [name, array] of Object.entries(batch.channels)) {
    taken.push({ name, of: 'the batch', array });
  }
  for (const name of RECORDED) {
    const array = arrays[name];
    if (array === undefined) continue;
    checkArray(batch, steps, name, array);
    const other = taken.find((other) => overlap(array, other.array));
    if (other !== undefined) {
      throw new RangeError(`arrays.${name} shares memory with ${other.name} of ${other.of}`);
    }
    taken.push({ of: 'arrays', name, array });
    Object.assign(recording, { [name]: name === 'actions' ? bitsOf(array) : array });
  }
  return recording;
}

/** Records by single steps, for backends that cannot write to the caller's memory. */
export function recordBySteps(
  batch: Batch,
  policy: number,
  steps: number,
  arrays: Recording,
): void {
  const { channels } = batch;
  const copy = (names: readonly (typeof RECORDED)[number][], step: number) => {
    for (const name of names) arrays[name]?.set(channels[name], step * channels[name].length);
  };
  for (let step = 0; step < steps; step++) {
    copy(['observations', 'masks'], step);
    batch.rollout(policy, 1);
    copy(['actions', 'rewards', 'costs', 'terminated', 'truncated'], step);
  }
}

function checkArray(
  { task, numEnvs, channels }: Recorded,
  steps: number,
  name: (typeof RECORDED)[number],
  array: ArrayBufferView & ArrayLike<number>,
): void {
  const width = channels[name].length / numEnvs;
  const { constructor: type } = createRecordArrays({ task, numEnvs: 0 }, 0)[name];
  const shape = ['steps', 'numEnvs', ...(width === 1 ? [] : ['width'])].join(' × ');
  const lengths = [steps, numEnvs, ...(width === 1 ? [] : [width])].join(' × ');
  const needed = `a ${type.name} of ${shape} = ${lengths} is needed`;
  if (!(array instanceof type)) {
    const found = ArrayBuffer.isView(array) ? array.constructor.name : typeof array;
    throw new TypeError(`arrays.${name} is of type ${found}: ${needed}`);
  }
  if (array.length === steps * numEnvs * width) return;
  throw new RangeError(`arrays.${name} has ${array.length} numbers: ${needed}`);
}

/** Actions travel as the bits of their numbers. */
function bitsOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint32Array {
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}

function overlap(a: ArrayBufferView, b: ArrayBufferView): boolean {
  if (a.buffer !== b.buffer || a.byteLength === 0 || b.byteLength === 0) return false;
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
}
