/** Files of one's own in, canonical data and an account of it out. */
import { DataError, quote } from '../errors.js';
import { JSON_FORMATS, ROW_FORMATS, TEXT_FORMATS } from '../formats/index.js';
import type { Measurements } from '../measurement.js';
import { readParquetFile } from '../parquet.js';
import type { Provenance, SourceFile } from '../provenance.js';
import { containerOf, refuseContainer } from '../read/container.js';
import { describeJson, isObject } from '../read/json.js';
import { joinedProvenance, parquetMeta, provenanceIn } from '../read/meta.js';
import { columnRows, csvRows, jsonlRows, objectRows, type Rows } from '../read/rows.js';
import { type ByteSource, FileReading, type ReadLimits } from '../read/source.js';
import { type Encoding, encodingOf, headText, textOf } from '../read/text.js';
import type { RequestTrace } from '../request-trace.js';
import type { Series } from '../series.js';
import type { Part } from './format.js';
import { joinParts } from './join.js';
import { type ImportFilesOptions, type ImportKind, ImportLog } from './options.js';
import { seriesWindow, traceWindow } from './window.js';

/** The content of files in canonical form. */
export type ImportedData =
  | { readonly as: 'series'; readonly series: readonly Series[] }
  | { readonly as: 'trace'; readonly trace: RequestTrace }
  | { readonly as: 'bench'; readonly measurements: Measurements };

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
  const part = joinParts(files.map(({ part, source }) => ({ part, name: source.name })));
  const data = finished(part, log);
  const provenance = joinedProvenance(log.before, {
    sources: files.map(({ source }) => source),
    repaired: log.changes('repaired'),
    dropped: log.changes('dropped'),
    converted: log.changes('converted'),
  });
  return { data: withProvenance(data, provenance), log, provenance };
}

/** The part of the time that was asked for. */
function finished(part: Part, log: ImportLog): Part {
  if (part.as === 'series') {
    return { as: 'series', series: part.series.map((series) => seriesWindow(series, log)) };
  }
  if (part.as === 'trace') return { as: 'trace', trace: traceWindow(part.trace, log) };
  return part;
}

function withProvenance(part: Part, provenance: Provenance): ImportedData {
  if (part.as === 'series') {
    return { as: 'series', series: part.series.map((series) => ({ ...series, provenance })) };
  }
  if (part.as === 'trace') return { as: 'trace', trace: { ...part.trace, provenance } };
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
  if (container === 'parquet') return readRows(await parquetRows(file, log.limits), file.name, log);
  if (container === 'json') return readJson(file, encoding, log);
  if (container === 'jsonl') return readRows(jsonlRows(file, encoding, log.limits), file.name, log);
  if (container !== 'text') throw refuseContainer(container);
  const lines = head.split(/\r\n?|\n/);
  const format = TEXT_FORMATS.find((f) => f.recognise(lines));
  if (format === undefined) {
    const rows = csvRows(file, encoding, log.limits);
    if (rows.sample.length === 0 && lines.length > 2) throw unknownText();
    return readRows(rows, file.name, log);
  }
  const as = kindOf(format, log);
  const part = await format.read(file, encoding, as, log);
  return { part, format: format.id, rows: 0 };
}

async function parquetRows(file: FileReading, limits: ReadLimits): Promise<Rows> {
  const { documentBytes, rows, columns } = limits;
  const dataLimits = {
    ...{ fileBytes: documentBytes, rows, columns },
    ...{ cells: 4 * rows, decodedBytes: 4 * documentBytes },
  };
  const bytes = await file.bytes();
  const { columns: read, metadata } = await readParquetFile(bytes, { limits: dataLimits });
  return columnRows(read, parquetMeta(metadata));
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
  const records = format === undefined ? recordsIn(value) : null;
  if (records !== null) return readRows(objectRows(records, log.limits), file.name, log);
  if (format === undefined) {
    const known = JSON_FORMATS.map(({ label }) => label).join('; ');
    throw new DataError(`this is JSON of ${describeJson(value)}; known are ${known}`);
  }
  const part = await format.read(value, kindOf(format, log), file.name, log);
  return { part, format: format.id, rows: 0 };
}

/** An array of objects, alone or as the only one in an object; null where there is none. */
function recordsIn(value: unknown): readonly unknown[] | null {
  const arrays = isObject(value) ? Object.values(value).filter(Array.isArray) : [value];
  const [found] = arrays;
  const isFound = arrays.length === 1 && Array.isArray(found) && found.length > 0;
  return isFound && found.every(isObject) ? found : null;
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
  const wanted = log.options.as ?? kindOfRoles(log.options.columns);
  log.before = joinedProvenance(log.before, provenanceIn(rows.meta));
  if (rows.sample.length === 0) throw new DataError('the file has no rows');
  const fitting = ROW_FORMATS.filter((f) => wanted === undefined || f.kinds.includes(wanted));
  const recognised = fitting.find((f) => f.recognise(rows));
  // The last one of a kind takes any columns that it is told the roles of, and says what it lacks.
  const format = recognised ?? (wanted === undefined ? undefined : fitting.at(-1));
  if (format === undefined) throw unknownRows(rows);
  const part = await format.read(rows, wanted ?? format.kinds[0], name, log);
  return { part, format: format.nameOf?.(rows) ?? format.id, rows: 0 };
}

function unknownText(): DataError {
  const known = [...TEXT_FORMATS, ...ROW_FORMATS].map(({ label }) => label).join('; ');
  return new DataError(`this is text of no form that is known; known are ${known}`);
}

function unknownRows(rows: Rows): DataError {
  const found = rows.columns.slice(0, 12).map(quote).join(', ');
  const option = '--as trace|series|bench --columns ROLE=NAME,…';
  return new DataError(`this is ${rows.label} with the columns ${found}, nothing that is known`, {
    option,
  });
}

/** The kind that has the roles which columns were told. */
function kindOfRoles(told: ImportFilesOptions['columns']): ImportKind | undefined {
  const roles = Object.keys(told ?? {});
  if (roles.some((role) => /^(arrival|prompt|output)$/.test(role))) return 'trace';
  return roles.some((role) => /^(time|value|group)$/.test(role)) ? 'series' : undefined;
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
