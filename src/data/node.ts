import { existsSync, readFileSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Columns, DataLimits } from './columns.js';
import { checkLimit, DEFAULT_DATA_LIMITS } from './columns.js';
import { readCsv } from './csv.js';
import { DataError, quote } from './errors.js';
import { isParquet, readParquet } from './parquet.js';
import type { PerfTable } from './perf-table.js';
import { decodePerfTable } from './perf-table.js';

export interface ReadOptions {
  /** Columns to read from a parquet file where it has them; a CSV file is read whole. */
  columns?: readonly string[];
  limits?: DataLimits;
}

/**
 * Reads a parquet or CSV file from disk. A file that begins with parquet's magic is parquet
 * whatever its name; any other is CSV, unless its name ends in `.parquet`. Node only.
 *
 * @throws DataError naming the file and what is wrong with it; its size is checked before it is
 * read.
 */
export async function readTableFile(path: string, options: ReadOptions = {}): Promise<Columns> {
  const limits = options.limits ?? DEFAULT_DATA_LIMITS;
  const bytes = await readBounded(path, limits.fileBytes);
  try {
    const isParquetFile = isParquet(bytes) || path.toLowerCase().endsWith('.parquet');
    return await (isParquetFile
      ? readParquet(bytes, { ...options, limits })
      : readCsv(bytes, limits));
  } catch (error) {
    throw error instanceof DataError ? error.inFile(path) : error;
  }
}

/** Reads a whole regular file of at most `limit` bytes. */
export async function readBounded(path: string, limit: number): Promise<Uint8Array> {
  try {
    const { size, isFile } = await stat(path).then((s) => ({ size: s.size, isFile: s.isFile() }));
    if (!isFile) throw new DataError('is not a regular file');
    checkLimit('file size in bytes', size, limit);
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if (error instanceof DataError) throw error.inFile(path);
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DataError(`cannot be read (${code ?? message})`).inFile(path);
  }
}

/** The measured tables in `data/tables`, by name. */
export const SHIPPED_TABLES = [
  'llama3-8b-a100-40gb',
  'llama3-8b-a100-80gb',
  'llama3-8b-h100-80gb',
] as const;

/**
 * Loads a measured table that comes with the package. In a browser, fetch the file and give its
 * text to `decodePerfTable`. Node only.
 *
 * @throws DataError for a name that is not one of SHIPPED_TABLES.
 */
export function loadShippedTable(name: string): PerfTable {
  if (!(SHIPPED_TABLES as readonly string[]).includes(name)) {
    throw new DataError(`no table is called "${name}"; there are ${SHIPPED_TABLES.join(', ')}`);
  }
  return decodePerfTable(readFileSync(join(packageFolder('data/tables'), `${name}.json`), 'utf8'));
}

/** Things that a task's configuration names: shipped ones by name, a user's own by path. */
interface NamedFiles<T> {
  /** In errors, e.g. `rate trace`. */
  readonly kind: string;
  /** Names of what comes with the package, and whatever else an error should list. */
  readonly names: readonly string[];
  /** The shipped thing of a name; undefined where there is none. */
  shipped(name: string): T | undefined;
  /** Reads a file of the user's; absent where only shipped names are taken. */
  read?(bytes: Uint8Array, path: string): T;
}

/** The shipped thing of a name, else the file at that path. @throws DataError naming either. */
export function loadNamed<T>({ kind, names, shipped, read }: NamedFiles<T>, name: string): T {
  const known = shipped(name);
  if (known !== undefined) return known;
  const list = names.length > 0 ? `one of ${names.join(', ')}` : 'registered';
  if (read === undefined) throw new DataError(`${kind} ${quote(name)} is not ${list}`);
  if (!existsSync(name) || !statSync(name).isFile()) {
    throw new DataError(`${kind} ${quote(name)} is neither a file nor ${list}`);
  }
  try {
    checkLimit('file size in bytes', statSync(name).size, DEFAULT_DATA_LIMITS.fileBytes);
    return read(new Uint8Array(readFileSync(name)), name);
  } catch (error) {
    throw error instanceof DataError ? error.inFile(name) : error;
  }
}

/** A folder of the package that this file, compiled or not, lies in; it has a README.md. */
export function packageFolder(path: string): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, path, 'README.md'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new DataError(`the package has lost its folder ${path}`);
    folder = parent;
  }
  return join(folder, path);
}
