/** A model's bytes: a line of JSON, its arrays, and a digest over both. */
import { Digest } from '../../base/digest.js';
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

const encoder = new TextEncoder();

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
  const line = encoder.encode(`${JSON.stringify(written)}\n`);
  const parts = [line, ...arrays.map(bytesOf)];
  const digest = new Digest();
  for (const part of parts) digest.update(part);
  parts.push(encoder.encode(digest.hex()));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
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
  const end = bytes.indexOf(10);
  const written = parse(new TextDecoder().decode(bytes.subarray(0, end < 0 ? 0 : end)));
  if (written?.magic !== MAGIC) throw new RangeError('these bytes are no saved model');
  if (written.version !== LEARNER_VERSION) {
    const needed = `this learner is version ${LEARNER_VERSION}`;
    throw new RangeError(`the model was saved by learner version ${written.version}: ${needed}`);
  }
  const size = 4 * written.length * arrays.length;
  const body = bytes.subarray(end + 1, end + 1 + size);
  const digest = new Digest()
    .update(bytes.subarray(0, end + 1))
    .update(body)
    .hex();
  const found = new TextDecoder().decode(bytes.subarray(end + 1 + size));
  if (body.length !== size || digest !== found) {
    throw new RangeError(`the saved model is damaged: its digest is ${digest}, not "${found}"`);
  }
  const text = JSON.stringify(written.spec);
  if (text !== specText(spec)) {
    throw new RangeError(`the saved model is another one: ${text} instead of ${specText(spec)}`);
  }
  const aligned = new Float32Array(body.slice().buffer);
  arrays.forEach((array, i) => {
    array.set(aligned.subarray(i * written.length, (i + 1) * written.length));
  });
  return { spec, updates: written.updates, powers: written.powers };
}

/** The specification of a saved model, to make it by. */
export function specOf(bytes: Uint8Array): ModelSpec {
  const end = bytes.indexOf(10);
  const written = parse(new TextDecoder().decode(bytes.subarray(0, end < 0 ? 0 : end)));
  if (written?.magic !== MAGIC) throw new RangeError('these bytes are no saved model');
  return written.spec as ModelSpec;
}

function parse(text: string): Written | null {
  try {
    return JSON.parse(text) as Written;
  } catch {
    return null;
  }
}

function bytesOf(array: Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
