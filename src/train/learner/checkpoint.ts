/** A model's bytes: a line of JSON, its arrays, and a digest over both. */
import { checkSeal, readLine, seal } from './sealed.js';
import type { ModelSpec } from './types.js';

/**
 * Version of the learner's arithmetic: the order of its sums, its functions, its draws. What was
 * learnt under another one is refused, since learning on would give other weights.
 */
export const LEARNER_VERSION = 1;
const MAGIC = 'infragym-model';

export interface ModelHeader {
  readonly spec: ModelSpec;
  readonly updates: number;
  readonly powers: readonly [number, number];
}

interface Written extends Omit<ModelHeader, 'spec'> {
  readonly magic: string;
  readonly version: number;
  readonly spec: unknown;
  readonly length: number;
}

/** A specification as JSON: equal texts are equal models. */
export function specText(spec: ModelSpec): string {
  return JSON.stringify({ ...spec, seed: String(spec.seed) });
}

/** The header's line, the arrays one after another, and the digest's 16 letters. */
export function encodeModel(header: ModelHeader, arrays: readonly Float32Array[]): Uint8Array {
  const written: Written = {
    magic: MAGIC,
    version: LEARNER_VERSION,
    spec: JSON.parse(specText(header.spec)),
    updates: header.updates,
    powers: header.powers,
    length: arrays[0].length,
  };
  return seal(written, arrays.map(bytesOf));
}

/**
 * Reads what `encodeModel` wrote into the arrays, all or nothing.
 *
 * @throws RangeError saying how it is damaged or what it belongs to
 */
export function decodeModel(
  bytes: Uint8Array,
  spec: ModelSpec,
  arrays: readonly Float32Array[],
): ModelHeader {
  const { written, from } = headerOf(bytes);
  if (written.version !== LEARNER_VERSION) {
    const needed = `this learner is version ${LEARNER_VERSION}`;
    throw new RangeError(`the model was saved by learner version ${written.version}: ${needed}`);
  }
  const size = 4 * written.length * arrays.length;
  checkSeal('saved model', bytes, from + size);
  const text = JSON.stringify(written.spec);
  if (text !== specText(spec)) {
    throw new RangeError(`the saved model is another one: ${text} instead of ${specText(spec)}`);
  }
  const aligned = new Float32Array(bytes.slice(from, from + size).buffer);
  arrays.forEach((array, i) => {
    array.set(aligned.subarray(i * written.length, (i + 1) * written.length));
  });
  return { spec, updates: written.updates, powers: written.powers };
}

/** The specification of a saved model, to make it by. */
export function specOf(bytes: Uint8Array): ModelSpec {
  return headerOf(bytes).written.spec as ModelSpec;
}

function headerOf(bytes: Uint8Array): { readonly written: Written; readonly from: number } {
  const head = readLine(bytes);
  const written = head?.line as Written | null | undefined;
  if (head === null || written?.magic !== MAGIC) {
    throw new RangeError('these bytes are no saved model');
  }
  return { written, from: head.from };
}

function bytesOf(array: Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
