/** A file of named parts with a sum over them: what policies and checkpoints are kept in. */
import { Digest, type JsonObject } from '../library.js';

/** Parts by name. */
export type Sections = Readonly<Record<string, Uint8Array>>;

const MAGIC = 'infragym-sections-1';

/** The bytes of a header and parts: a line of JSON, the parts, a digest of all before it. */
export function encodeSections(kind: string, header: JsonObject, sections: Sections): Uint8Array {
  const parts = Object.entries(sections);
  const sizes = parts.map(([name, bytes]) => ({ name, bytes: bytes.length }));
  const line = JSON.stringify({ magic: MAGIC, kind, header, parts: sizes });
  const chunks = [new TextEncoder().encode(`${line}\n`), ...parts.map(([, bytes]) => bytes)];
  const digest = new Digest();
  for (const chunk of chunks) digest.update(chunk);
  chunks.push(new TextEncoder().encode(digest.hex()));
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
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
  const end = bytes.indexOf(10);
  const written = readLine(bytes.subarray(0, end < 0 ? 0 : end));
  if (written === null) throw new RangeError(`the file is no ${kind}`);
  if (written.kind !== kind) {
    throw new RangeError(`the file is a ${written.kind}: a ${kind} is needed`);
  }
  const sections: Record<string, Uint8Array> = {};
  let at = end + 1;
  for (const { name, bytes: length } of written.parts) {
    sections[name] = bytes.slice(at, at + length);
    at += length;
  }
  const digest = new Digest().update(bytes.subarray(0, at)).hex();
  const found = new TextDecoder().decode(bytes.subarray(at));
  if (digest !== found) {
    throw new RangeError(`the ${kind} is damaged: its digest is ${digest}, not "${found}"`);
  }
  return { header: written.header, sections };
}

interface Line {
  readonly kind: string;
  readonly header: JsonObject;
  readonly parts: readonly { readonly name: string; readonly bytes: number }[];
}

function readLine(bytes: Uint8Array): Line | null {
  try {
    const line = JSON.parse(new TextDecoder().decode(bytes)) as (Line & { magic?: string }) | null;
    return line?.magic === MAGIC ? line : null;
  } catch {
    return null;
  }
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
