import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

const DIGEST_LENGTH = 16; // hex digits kept: 64 bits tell any two runs apart

/** An incremental SHA-256. */
interface Sha256 {
  update(bytes: Uint8Array): unknown;
  /** Of what was added so far, 64 hex digits; more may be added afterwards. */
  hex(): string;
}

let createSha256 = (): Sha256 => {
  const hash = sha256.create();
  return {
    update: (bytes) => hash.update(bytes),
    hex: () => bytesToHex(hash.clone().digest()),
  };
};

/** Takes another SHA-256, which is the same function: Node's own is several times as fast. */
export function provideSha256(create: () => Sha256): void {
  createSha256 = create;
}

/** A new SHA-256, the host's own where it has one. */
export function newSha256(): Sha256 {
  return createSha256();
}

export interface DigestOptions {
  /** Refuse floats that are NaN or infinite; a NaN's bits are not the same everywhere. */
  assertFinite?: boolean;
}

/**
 * An incremental SHA-256 over the bytes of typed arrays, in Node and in browsers. Only bytes
 * count, so one update with two arrays' bytes equals two updates.
 */
export class Digest {
  private readonly hash = createSha256();
  private readonly assertFinite: boolean;

  constructor(options: DigestOptions = {}) {
    this.assertFinite = options.assertFinite ?? false;
  }

  update(view: ArrayBufferView): this {
    if (this.assertFinite) checkFinite(view);
    this.hash.update(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    return this;
  }

  /** The first 16 hex digits of the hash so far; more may be added afterwards. */
  hex(): string {
    return this.hash.hex().slice(0, DIGEST_LENGTH);
  }
}

/** The digest of some typed arrays' bytes, one after another. */
export function digestOf(...views: ArrayBufferView[]): string {
  const digest = new Digest();
  for (const view of views) digest.update(view);
  return digest.hex();
}

/** The bytes that an even number of hex digits writes. */
export function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
}

/** Bytes in hex digits, two each. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function checkFinite(view: ArrayBufferView): void {
  if (!(view instanceof Float32Array || view instanceof Float64Array)) return;
  const i = view.findIndex((value: number) => !Number.isFinite(value));
  if (i >= 0) throw new RangeError(`element ${i} of the digested array is ${view[i]}: not finite`);
}
