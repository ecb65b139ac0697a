/** Bytes in parts behind a line of JSON, with a digest over all: how models and runs are kept. */
import { Digest } from '../../base/digest.js';

/** A line of JSON, the parts one after another, and the digest's 16 letters. */
export function seal(line: unknown, parts: readonly Uint8Array[]): Uint8Array {
  const encoder = new TextEncoder();
  const chunks = [encoder.encode(`${JSON.stringify(line)}\n`), ...parts];
  const digest = new Digest();
  for (const chunk of chunks) digest.update(chunk);
  chunks.push(encoder.encode(digest.hex()));
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** The line's JSON and where the parts begin; null where the bytes begin with no line of JSON. */
export function readLine(
  bytes: Uint8Array,
): { readonly line: unknown; readonly from: number } | null {
  const end = bytes.indexOf(10);
  try {
    const text = new TextDecoder().decode(bytes.subarray(0, end < 0 ? 0 : end));
    return { line: JSON.parse(text), from: end + 1 };
  } catch {
    return null;
  }
}

/** @throws RangeError where the digest behind `end` is not that of the bytes before it. */
export function checkSeal(what: string, bytes: Uint8Array, end: number): void {
  const digest = new Digest().update(bytes.subarray(0, end)).hex();
  const found = new TextDecoder().decode(bytes.subarray(end));
  if (digest === found) return;
  throw new RangeError(`the ${what} is damaged: its digest is ${digest}, not "${found}"`);
}
