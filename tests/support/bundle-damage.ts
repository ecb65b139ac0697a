/** Bundles damaged at random: raw, and with a digest made good so that what lies deeper is read. */
import { bytesOfHex, digestOf } from '../../src/base/digest.js';
import type { Rng } from '../../src/base/seeding.js';

const HEADER_BYTES = 24;
const DIGEST_FROM = 16;

/** A copy with its digest made good. */
export function resealed(bundle: Uint8Array): Uint8Array {
  const bytes = bundle.slice();
  const digest = digestOf(bytes.subarray(0, DIGEST_FROM), bytes.subarray(HEADER_BYTES));
  if (bytes.length >= HEADER_BYTES) bytes.set(bytesOfHex(digest), DIGEST_FROM);
  return bytes;
}

/** A copy with its description replaced, digest and lengths made good. */
export function redescribed(bundle: Uint8Array, change: (text: string) => string): Uint8Array {
  const view = new DataView(bundle.buffer, bundle.byteOffset);
  const [textBytes, programBytes] = [view.getUint32(8, true), view.getUint32(12, true)];
  const program = bundle.subarray(bundle.length - programBytes);
  const old = new TextDecoder().decode(bundle.subarray(HEADER_BYTES, HEADER_BYTES + textBytes));
  const text = new TextEncoder().encode(change(old));
  const programFrom = 8 * Math.ceil((HEADER_BYTES + text.length) / 8);
  const bytes = new Uint8Array(programFrom + programBytes);
  bytes.set(bundle.subarray(0, HEADER_BYTES));
  new DataView(bytes.buffer).setUint32(8, text.length, true);
  bytes.set(text, HEADER_BYTES);
  bytes.set(program, programFrom);
  return resealed(bytes);
}

/** A bundle changed somewhere: bits, bytes, words, or its length. */
export function mutated(bundle: Uint8Array, rng: Rng): Uint8Array {
  const below = (n: number) => Math.floor(rng.nextFloat() * n);
  const kind = below(6);
  if (kind === 0) return bundle.slice(0, below(bundle.length));
  if (kind === 1) return Uint8Array.of(...bundle.slice(0, 64), ...bundle.slice(below(64)));
  const bytes = bundle.slice();
  // Half of the changes fall into the header and the beginning of the description.
  const at = below(rng.nextFloat() < 0.5 ? 512 : bytes.length);
  if (kind === 2) bytes[at] ^= 1 << below(8);
  else if (kind === 3) bytes[at] = below(256);
  else if (kind === 4) bytes.fill(below(256), at, at + 1 + below(64));
  else new DataView(bytes.buffer).setUint32(Math.min(at & ~3, bytes.length - 4), rng.nextUint32());
  return bytes;
}

/** One JSON value of a description replaced by another. */
export function mutatedJson(text: string, rng: Rng): string {
  const values = ['null', 'true', '-1', '1e999', '0.5', '4294967296', '""', '[]', '{}', '"x"'];
  const places = [...text.matchAll(/(?<=[:,[])(-?\d[\d.e+-]*|"[^"]*"|null|true|false|\[\]|\{\})/g)];
  const place = places[Math.floor(rng.nextFloat() * places.length)];
  const value = values[Math.floor(rng.nextFloat() * values.length)];
  return text.slice(0, place.index) + value + text.slice(place.index + place[0].length);
}
