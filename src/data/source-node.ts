/** Files of a disk as sources. Node only. */
import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { DataError } from './errors.js';
import type { ByteSource } from './read/source.js';

const CHUNK = 2 ** 20;

/**
 * A file of a disk.
 *
 * @throws DataError where it is absent or no regular file
 */
export function fileSource(path: string): ByteSource {
  const size = sizeOf(path);
  const chunks = () =>
    createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Uint8Array>;
  return { name: basename(path), path, size, chunks };
}

function sizeOf(path: string): number {
  try {
    const found = statSync(path);
    if (!found.isFile()) throw new DataError('is not a regular file');
    return found.size;
  } catch (error) {
    if (error instanceof DataError) throw error.inFile(path);
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DataError(`cannot be read (${code ?? message})`).inFile(path);
  }
}
