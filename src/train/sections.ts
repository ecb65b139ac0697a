/** A file of named parts with a sum over them: what policies and checkpoints are kept in. */
import type { JsonObject } from '../library.js';
import { checkSeal, readLine, seal } from './learner/sealed.js';

/** Parts by name. */
export type Sections = Readonly<Record<string, Uint8Array>>;

const MAGIC = 'infragym-sections-1';

/** The bytes of a header and parts: a line of JSON, the parts, a digest of all before it. */
export function encodeSections(kind: string, header: JsonObject, sections: Sections): Uint8Array {
  const parts = Object.entries(sections);
  const sizes = parts.map(([name, bytes]) => ({ name, bytes: bytes.length }));
  const line = { magic: MAGIC, kind, header, parts: sizes };
  return seal(
    line,
    parts.map(([, bytes]) => bytes),
  );
}

/**
 * Reads what `encodeSections` wrote.
 *
 * @throws RangeError where the bytes are no such file, of another kind, cut off or changed
 */
export function decodeSections(
  kind: string,
  bytes: Uint8Array,
): { readonly header: JsonObject; readonly sections: Sections } {
  const head = readLine(bytes);
  const written = head?.line as Line | null | undefined;
  if (head === null || written?.magic !== MAGIC) throw new RangeError(`the file is no ${kind}`);
  if (written.kind !== kind) {
    throw new RangeError(`the file is a ${written.kind}: a ${kind} is needed`);
  }
  const sections: Record<string, Uint8Array> = {};
  let at = head.from;
  for (const { name, bytes: length } of written.parts) {
    sections[name] = bytes.slice(at, at + length);
    at += length;
  }
  checkSeal(kind, bytes, at);
  return { header: written.header, sections };
}

interface Line {
  readonly magic: string;
  readonly kind: string;
  readonly header: JsonObject;
  readonly parts: readonly { readonly name: string; readonly bytes: number }[];
}

/** The bytes of a typed array, a copy. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice();
}

/** Fills a typed array with bytes that `bytesOf` made of one of the same length. */
export function fillFrom(array: ArrayBufferView, bytes: Uint8Array, name: string): void {
  if (bytes.length !== array.byteLength) {
    throw new RangeError(`${name} has ${bytes.length} bytes: ${array.byteLength} are needed`);
  }
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(bytes);
}
