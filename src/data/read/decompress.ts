/** gzip and Zstandard as streams, bounded. Both libraries run in browsers. */
import { Gunzip } from 'fflate';
import { Decompress as Unzstd } from 'fzstd';
import { checkLimit } from '../columns.js';
import { DataError } from '../errors.js';

export type Compression = 'none' | 'gzip' | 'zstd';

/** The compression that a file's first bytes name. */
export function compressionOf(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  const isZstd = head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd;
  return isZstd ? 'zstd' : 'none';
}

/** A decompressor is pushed bytes and calls back, any number of times for each push. */
interface Decompressor {
  push(chunk: Uint8Array, isLast?: boolean): void;
}

/** Small enough that what one piece can grow to is bounded: deflate gives at most 1032 times. */
const PIECE = 2 ** 15;

/**
 * The bytes of a stream, decompressed.
 *
 * @throws DataError for damaged or truncated data, and once the output exceeds the limit.
 */
export async function* decompressed(
  chunks: AsyncIterable<Uint8Array>,
  compression: Compression,
  decodedBytesMax: number,
): AsyncIterable<Uint8Array> {
  const out: Uint8Array[] = [];
  const decoder = compression === 'none' ? null : decompressorOf(compression, out);
  let total = 0;
  const count = (chunk: Uint8Array) => {
    total += chunk.length;
    checkLimit('decompressed bytes', total, decodedBytesMax);
    return chunk;
  };
  for await (const chunk of chunks) {
    if (decoder === null) {
      yield count(chunk);
      continue;
    }
    for (let at = 0; at < chunk.length; at += PIECE) {
      push(decoder, chunk.subarray(at, at + PIECE), compression);
      for (const piece of out.splice(0)) yield count(piece);
    }
  }
  if (decoder === null) return;
  push(decoder, new Uint8Array(0), compression, true);
  for (const piece of out.splice(0)) yield count(piece);
}

function decompressorOf(compression: 'gzip' | 'zstd', out: Uint8Array[]): Decompressor {
  const collect = (piece: Uint8Array) => {
    if (piece.length > 0) out.push(piece);
  };
  return compression === 'gzip' ? new Gunzip(collect) : new Unzstd(collect);
}

function push(decoder: Decompressor, piece: Uint8Array, name: Compression, isLast = false): void {
  try {
    decoder.push(piece, isLast);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`the ${name} data is damaged or cut short: ${reason}`);
  }
}
