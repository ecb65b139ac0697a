/** Files as streams of bytes, whatever holds them: a disk, a dropped file, an upload, a buffer. */
import { newSha256 } from '../../base/digest.js';
import { checkLimit } from '../columns.js';
import { DataError } from '../errors.js';
import { compressionOf, decompressed } from './decompress.js';

/** Bytes that can be read from the beginning, more than once. */
export interface ByteSource {
  /** A file's name without its folder. */
  readonly name: string;
  /** As it was given, for errors; the name by default. */
  readonly path?: string;
  /** Stored size in bytes; null where only the end of the stream will tell. */
  readonly size: number | null;
  chunks(): AsyncIterable<Uint8Array>;
}

/** The most that reading a file may cost before it is refused. */
export interface ReadLimits {
  /** Size as stored. */
  readonly storedBytes: number;
  /** Size after decompression. */
  readonly decodedBytes: number;
  /** Size of what must be held whole: a JSON document, a parquet file. */
  readonly documentBytes: number;
  /** Characters of one line or one record. */
  readonly recordChars: number;
  /** Rows, records or samples that are kept. */
  readonly rows: number;
  readonly columns: number;
}

export const DEFAULT_READ_LIMITS: ReadLimits = Object.freeze({
  storedBytes: 16 * 2 ** 30,
  decodedBytes: 64 * 2 ** 30,
  documentBytes: 256 * 2 ** 20,
  recordChars: 2 ** 22,
  rows: 20_000_000,
  columns: 1024,
});

/** A source of bytes that are there. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
  };
  return { name, size: bytes.length, chunks };
}

/** A file that was dropped on a page. */
export function blobSource(name: string, blob: Blob): ByteSource {
  const chunks = async function* () {
    for (let at = 0; at < blob.size; at += CHUNK) {
      yield new Uint8Array(await blob.slice(at, at + CHUNK).arrayBuffer());
    }
  };
  return { name, size: blob.size, chunks };
}

const CHUNK = 2 ** 20;
/** Bytes that are looked at to tell what a file is. */
const HEAD_BYTES = 2 ** 16;

/** One reading of a file: its head, then everything decompressed, counted and digested. */
export class FileReading {
  readonly name: string;
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** The first bytes after decompression, at most 64 KiB. */
  readonly head: Uint8Array;
  private storedBytes = 0;
  private readonly hash = newSha256();

  private constructor(
    private readonly source: ByteSource,
    private readonly limits: ReadLimits,
    private readonly onProgress: (share: number) => void,
    found: { head: Uint8Array; compression: 'none' | 'gzip' | 'zstd' },
  ) {
    this.name = source.name;
    this.head = found.head;
    this.compression = found.compression;
  }

  /**
   * Opens a file and reads its head.
   *
   * @throws DataError for an empty file, or one that says before it is read that it is too large.
   */
  static async open(
    source: ByteSource,
    limits: ReadLimits = DEFAULT_READ_LIMITS,
    onProgress: (share: number) => void = () => {},
  ): Promise<FileReading> {
    checkLimit('file size in bytes', source.size ?? 0, limits.storedBytes);
    const stored = await firstBytes(source.chunks(), HEAD_BYTES);
    if (stored.length === 0) throw new DataError('the file is empty');
    const compression = compressionOf(stored);
    const plain = decompressed(source.chunks(), compression, limits.decodedBytes);
    const head = compression === 'none' ? stored : await firstBytes(plain, HEAD_BYTES);
    if (head.length === 0) throw new DataError('the file is empty once decompressed');
    return new FileReading(source, limits, onProgress, { head, compression });
  }

  /** The whole file, decompressed. To be read once. */
  chunks(): AsyncIterable<Uint8Array> {
    return decompressed(this.counted(), this.compression, this.limits.decodedBytes);
  }

  private async *counted(): AsyncIterable<Uint8Array> {
    for await (const chunk of this.source.chunks()) {
      this.storedBytes += chunk.length;
      checkLimit('file size in bytes', this.storedBytes, this.limits.storedBytes);
      this.hash.update(chunk);
      yield chunk;
      if (this.source.size) this.onProgress(this.storedBytes / this.source.size);
    }
  }

  /** The whole file, decompressed, in one piece. */
  async bytes(): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this.chunks()) {
      length += chunk.length;
      checkLimit('document size in bytes', length, this.limits.documentBytes);
      parts.push(chunk);
    }
    return joined(parts, length);
  }

  /** Size and digest as stored. To be asked for after the file was read. */
  finish(): { bytes: number; sha256: string } {
    return { bytes: this.storedBytes, sha256: this.hash.hex() };
  }
}

async function firstBytes(chunks: AsyncIterable<Uint8Array>, count: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
    if (length >= count) break;
  }
  return joined(parts, length).subarray(0, count);
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
