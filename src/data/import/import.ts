/** Files of one's own in, canonical data and an account of it out. */
import type { Columns } from '../columns.js';
import { DataError, quote } from '../errors.js';
import { JSON_FORMATS, ROW_FORMATS, TEXT_FORMATS } from '../formats/index.js';
import type { Measurements } from '../measurement.js';
import { readParquet } from '../parquet.js';
import type { Provenance, SourceFile } from '../provenance.js';
import { containerOf, refuseContainer } from '../read/container.js';
import { describeJson } from '../read/json.js';
import { columnRows, csvRows, jsonlRows, type Rows } from '../read/rows.js';
import { type ByteSource, FileReading } from '../read/source.js';
import { type Encoding, encodingOf, headText, textOf } from '../read/text.js';
import type { RequestTrace } from '../request-trace.js';
import type { Series } from '../series.js';
import type { Part } from './format.js';
import { joinParts } from './join.js';
import { type ImportFilesOptions, type ImportKind, ImportLog } from './options.js';
import type { RecordedJobs } from './recorded-jobs.js';

/** The content of files in canonical form. */
export type ImportedData =
  | { readonly as: 'series'; readonly series: readonly Series[] }
  | { readonly as: 'trace'; readonly trace: RequestTrace }
  | { readonly as: 'bench'; readonly measurements: Measurements }
  | { readonly as: 'jobs'; readonly jobs: RecordedJobs; readonly provenance: Provenance };

export interface ImportResult {
  readonly data: ImportedData;
  readonly log: ImportLog;
  readonly provenance: Provenance;
}

/** A file's part, and what it was taken for. */
interface ReadFile {
  readonly part: Part;
  readonly source: SourceFile;
  readonly rows: number;
}

/**
 * Reads files of one kind: their content says what they are, unless `as` does.
 *
 * @throws DataError naming the file, row, column and value of what cannot be used, and the option
 * that would help; and for a file that is nothing known, what is known.
 * @example
 * const { data } = await importFiles([bytesSource('load.csv', bytes)], { as: 'series' });
 */
export async function importFiles(
  sources: readonly ByteSource[],
  options: ImportFilesOptions = {},
): Promise<ImportResult> {
  if (sources.length === 0) throw new DataError('no file is given');
  const log = new ImportLog(options);
  const files: ReadFile[] = [];
  for (const [i, source] of sources.entries()) {
    const share = (part: number) => options.onProgress?.((i + part) / sources.length);
    files.push(await inFile(source.path ?? source.name, () => readFile(source, log, share)));
  }
  const part = joinParts(
    files.map(({ part, source }) => ({ part, name: source.name })),
    log,
  );
  const provenance: Provenance = {
    sources: files.map(({ source }) => source),
    repaired: log.changes('repaired'),
    dropped: log.changes('dropped'),
    converted: log.changes('converted'),
  };
  return { data: withProvenance(part, provenance), log, provenance };
}

function withProvenance(part: Part, provenance: Provenance): ImportedData {
  if (part.as === 'series') {
    return { as: 'series', series: part.series.map((series) => ({ ...series, provenance })) };
  }
  if (part.as === 'trace') return { as: 'trace', trace: { ...part.trace, provenance } };
  if (part.as === 'jobs') return { as: 'jobs', jobs: part.jobs, provenance };
  return { as: 'bench', measurements: { runs: part.runs, provenance } };
}

async function inFile<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof DataError ? error.inFile(name) : error;
  }
}

async function readFile(
  source: ByteSource,
  log: ImportLog,
  onProgress: (share: number) => void,
): Promise<ReadFile> {
  const file = await FileReading.open(source, log.limits, onProgress);
  const { part, format, rows } = await readContent(file, log);
  const { bytes, sha256 } = file.finish();
  return { part, rows, source: { name: source.name, format, bytes, sha256 } };
}

interface Content {
  readonly part: Part;
  readonly format: string;
  readonly rows: number;
}

async function readContent(file: FileReading, log: ImportLog): Promise<Content> {
  const encoding = log.options.encoding ?? encodingOf(file.head);
  const head = headText(file.head, encoding);
  const container = containerOf(file.head, head);
  if (container === 'parquet') return readRows(await parquetRows(file), file.name, log);
  if (container === 'json') return readJson(file, encoding, log);
  if (container === 'jsonl') return readRows(jsonlRows(file, encoding, log.limits), file.name, log);
  if (container !== 'text') throw refuseContainer(container);
  const lines = head.split(/\r\n?|\n/);
  const format = TEXT_FORMATS.find((f) => f.recognise(lines));
  if (format === undefined) {
    return readRows(csvRows(file, encoding, log.limits), file.name, log);
  }
  const as = kindOf(format, log);
  const part = await format.read(file, encoding, as, log);
  return { part, format: format.id, rows: 0 };
}

async function parquetRows(file: FileReading): Promise<Rows> {
  const columns: Columns = await readParquet(await file.bytes(), {});
  return columnRows(columns, 'parquet', 'parquet');
}

async function readJson(file: FileReading, encoding: Encoding, log: ImportLog): Promise<Content> {
  const parts: string[] = [];
  for await (const text of textOf(bounded(file, log), encoding)) parts.push(text);
  let value: unknown;
  try {
    value = JSON.parse(parts.join(''));
  } catch (error) {
    throw new DataError(`is not JSON: ${(error as Error).message}`);
  }
  const format = JSON_FORMATS.find((f) => f.recognise(value));
  if (format === undefined) {
    const known = JSON_FORMATS.map(({ label }) => label).join('; ');
    throw new DataError(`this is JSON of ${describeJson(value)}; known are ${known}`);
  }
  const part = await format.read(value, kindOf(format, log), file.name, log);
  return { part, format: format.id, rows: 0 };
}

async function* bounded(file: FileReading, log: ImportLog): AsyncIterable<Uint8Array> {
  let length = 0;
  for await (const chunk of file.chunks()) {
    length += chunk.length;
    if (length > log.limits.documentBytes) {
      throw new DataError(`a JSON document of more than ${log.limits.documentBytes} bytes`);
    }
    yield chunk;
  }
}

async function readRows(rows: Rows, name: string, log: ImportLog): Promise<Content> {
  const wanted = log.options.as;
  if (rows.sample.length === 0) throw new DataError('the file has no rows');
  const format = ROW_FORMATS.find(
    (f) => (wanted === undefined || f.kinds.includes(wanted)) && f.recognise(rows),
  );
  if (format === undefined) throw unknownRows(rows, wanted);
  const part = await format.read(rows, kindOf(format, log), name, log);
  return { part, format: format.id, rows: 0 };
}

function unknownRows(rows: Rows, wanted: ImportKind | undefined): DataError {
  const found = rows.columns.slice(0, 12).map(quote).join(', ');
  const as = wanted === undefined ? 'nothing that is known' : `no ${wanted} that is known`;
  const option = '--as trace|series|bench|jobs --columns ROLE=NAME,…';
  return new DataError(`this is ${rows.label} with the columns ${found}, ${as}`, { option });
}

/** The kind that is asked for, where the format can be that; else its likeliest. */
function kindOf(
  format: { readonly label: string; readonly kinds: readonly ImportKind[] },
  log: ImportLog,
): ImportKind {
  const wanted = log.options.as;
  if (wanted === undefined) return format.kinds[0];
  if (format.kinds.includes(wanted)) return wanted;
  const kinds = format.kinds.join(' or ');
  throw new DataError(`this is ${format.label}: ${kinds}, not ${wanted}`, {
    option: `--as ${format.kinds[0]}`,
  });
}
