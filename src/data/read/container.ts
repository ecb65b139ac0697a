/** The container of a file's content, by its first bytes. */
import { DataError } from '../errors.js';

/** Text that is neither JSON nor JSON lines is `text`: CSV, logs and others. */
export type Container = 'parquet' | 'json' | 'jsonl' | 'text' | keyof typeof UNREADABLE;

const UNREADABLE = {
  zip: 'this is a ZIP archive; unpack it',
  xlsx: 'this is an Excel file; export CSV',
  xls: 'this is an old Excel file; export CSV',
  arrow: 'this is Arrow IPC (feather); write parquet',
  avro: 'this is Avro; write parquet',
  orc: 'this is ORC; write parquet',
  sqlite: 'this is an SQLite database; export CSV',
  pdf: 'this is a PDF; export CSV',
  bzip2: 'this is bzip2; compress with gzip or zstd',
  xz: 'this is xz; compress with gzip or zstd',
  hdf5: 'this is HDF5; write parquet',
  binary: 'this is binary data of no form that is known; CSV, JSON, JSON lines and parquet are',
} as const;

const MAGICS: readonly [string, Container][] = [
  ['PAR1', 'parquet'],
  ['ARROW1', 'arrow'],
  ['Obj\x01', 'avro'],
  ['ORC', 'orc'],
  ['SQLite format 3', 'sqlite'],
  ['%PDF', 'pdf'],
  ['BZh', 'bzip2'],
  ['\xfd7zXZ', 'xz'],
  ['\x89HDF', 'hdf5'],
  ['\xd0\xcf\x11\xe0', 'xls'],
  ['FEA1', 'arrow'],
];

/** @param text the head, decoded */
export function containerOf(head: Uint8Array, text: string): Container {
  const bytes = String.fromCharCode(...head.subarray(0, 1024));
  const magic = MAGICS.find(([start]) => bytes.startsWith(start));
  if (magic !== undefined) return magic[1];
  if (bytes.startsWith('PK\x03\x04')) {
    return /xl\/|\[Content_Types\]/.test(String.fromCharCode(...head.subarray(0, 8192)))
      ? 'xlsx'
      : 'zip';
  }
  const controls = text.slice(0, 4096).match(CONTROLS)?.length ?? 0;
  if (controls > 8) return 'binary';
  const start = text.replace(/^\uFEFF/, '').trimStart();
  if (!/^[{[]/.test(start)) return 'text';
  return isJsonl(start) ? 'jsonl' : looksLikeJson(start) ? 'json' : 'text';
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what tells binary from text.
const CONTROLS = /[\x00-\x08\x0e-\x1a\ufffd]/g;

/** One whole object in the first line, and another line that begins as one. */
function isJsonl(start: string): boolean {
  const end = start.indexOf('\n');
  if (!start.startsWith('{') || end < 0) return false;
  const rest = start.slice(end + 1).trimStart();
  if (!rest.startsWith('{')) return false;
  try {
    JSON.parse(start.slice(0, end));
    return true;
  } catch {
    return false;
  }
}

/** A log line may begin with a bracket, too. */
function looksLikeJson(start: string): boolean {
  if (start.startsWith('{')) return /^\{\s*["}]/.test(start);
  return /^\[\s*([[{"\]]|-?\d+(\.\d+)?\s*[,\]])/.test(start);
}

export function refuseContainer(container: Container): DataError {
  return new DataError(UNREADABLE[container as keyof typeof UNREADABLE]);
}
