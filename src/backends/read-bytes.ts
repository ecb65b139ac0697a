import { BackendUnavailableError } from '../backend.js';

/**
 * The bytes of a file of this package: by fetch where the package lies on a web server, else by
 * Node's file system, which is imported only there.
 *
 * @param url where the file is, e.g. from `new URL(path, import.meta.url)`
 * @param remedy the command that makes the file, for the error
 * @throws BackendUnavailableError where there is no such file
 */
export async function readBytes(url: URL, remedy: string): Promise<BufferSource> {
  if (url.protocol === 'file:') return readFromDisk(url, remedy);
  const response = await fetch(url);
  if (response.ok) return response.arrayBuffer();
  throw missing(url, `HTTP ${response.status}`, remedy);
}

/** The functions used of `node:fs/promises`, which browsers do not have. */
interface FileSystem {
  readFile(url: URL): Promise<Uint8Array<ArrayBuffer>>;
}

async function readFromDisk(url: URL, remedy: string): Promise<BufferSource> {
  // Not a literal, so that no bundler for browsers tries to resolve it.
  const name: string = 'node:fs/promises';
  const fileSystem = (await import(name)) as FileSystem;
  try {
    return await fileSystem.readFile(url);
  } catch (error) {
    throw missing(url, (error as Error).message, remedy);
  }
}

function missing(url: URL, reason: string, remedy: string): BackendUnavailableError {
  return new BackendUnavailableError(`${url.href} cannot be read (${reason}); ${remedy}`);
}
