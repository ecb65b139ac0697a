import type { ColumnMetaData, Compressors, PageHeader, SchemaElement } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import type { DataLimits } from './columns.js';
import { checkLimit } from './columns.js';
import { DataError } from './errors.js';
import { checkDelta } from './parquet-delta.js';

/*
 * hyparquet trusts the sizes a file declares: a list length in a header, a run length in a page.
 * A few hostile bytes can make it allocate gigabytes or loop for ever. These checks walk the same
 * bytes first, allocate nothing, and refuse whatever could not fit the file that declares it.
 */

const THRIFT_DEPTH_MAX = 32;
const STRUCT = 12;
const LIST = 9;

/** Walks a run of bytes; reading past the end is an error, never undefined. */
class Cursor {
  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
    private readonly end: number,
  ) {}

  get remaining(): number {
    return this.end - this.at;
  }

  byte(): number {
    if (this.at >= this.end) throw new DataError('the parquet file is cut short or damaged');
    return this.bytes[this.at++];
  }

  skip(count: number): void {
    if (count > this.remaining) throw new DataError('the parquet file is cut short or damaged');
    this.at += count;
  }

  /** An unsigned LEB128 number below 2^53; longer ones are refused. */
  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 53; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new DataError('the parquet file has a number that is too long');
  }

  /** A 64-bit varint whose value is not needed. */
  skipVarint(): void {
    for (let i = 0; i < 10; i++) if (this.byte() < 0x80) return;
    throw new DataError('the parquet file has a number that is too long');
  }
}

/** Checks one thrift compact struct in bytes[start, end) and returns the offset after it. */
export function checkThrift(bytes: Uint8Array, start: number, end: number): number {
  const cursor = new Cursor(bytes, start, end);
  skipStruct(cursor, 0);
  return cursor.at;
}

function skipStruct(cursor: Cursor, depth: number): void {
  if (depth > THRIFT_DEPTH_MAX) throw new DataError('the parquet file nests its headers too deep');
  for (;;) {
    const byte = cursor.byte();
    if ((byte & 15) === 0) return;
    if (byte >> 4 === 0) cursor.skipVarint();
    skipElement(cursor, byte & 15, depth);
  }
}

function skipElement(cursor: Cursor, type: number, depth: number): void {
  if (type <= 2) return;
  if (type === 3) cursor.skip(1);
  else if (type <= 6) cursor.skipVarint();
  else if (type === 7) cursor.skip(8);
  else if (type === 8) cursor.skip(cursor.varint());
  else if (type === LIST) skipList(cursor, depth + 1);
  else if (type === STRUCT) skipStruct(cursor, depth + 1);
  else throw new DataError(`the parquet file has a header field of unknown type ${type}`);
}

function skipList(cursor: Cursor, depth: number): void {
  const byte = cursor.byte();
  const count = byte >> 4 === 15 ? cursor.varint() : byte >> 4;
  // An element takes a byte at least, so a longer list cannot be in this file.
  if (count > cursor.remaining) throw new DataError('the parquet file declares an absurd list');
  const type = byte & 15;
  for (let i = 0; i < count; i++) skipElement(cursor, type <= 2 ? 3 : type, depth);
}

/** The facts of a column chunk that are known before its pages are looked at. */
export interface Chunk {
  name: string;
  element: SchemaElement;
  meta: ColumnMetaData;
  /** Rows of its row group. */
  rows: number;
}

/** Bytes that the pages seen so far decode to. */
interface Budget {
  decodedBytes: number;
}

/**
 * Walks the pages of a column chunk: every size must fit the chunk, every count the row group,
 * every run its page, and the decoded bytes the limit.
 */
export function checkChunk(
  file: Uint8Array,
  chunk: Chunk,
  compressors: Compressors,
  limits: DataLimits,
  budget: Budget,
): void {
  const { meta, name } = chunk;
  const fail = (problem: string) => new DataError(problem, { column: name });
  const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
  const end = start + Number(meta.total_compressed_size);
  if (!(start >= 4 && end > start && end <= file.length)) {
    throw fail('its data lies outside the parquet file');
  }
  const declared = budget.decodedBytes + Number(meta.total_uncompressed_size);
  checkLimit('declared decoded bytes', declared, limits.decodedBytes);
  let rows = 0;
  for (let at = start; rows < chunk.rows; ) {
    const body = checkThrift(file, at, end);
    const header = parquetHeader({ view: viewOf(file.subarray(0, body)), offset: at });
    at = body + header.compressed_page_size;
    if (!(header.compressed_page_size >= 0 && at <= end && header.uncompressed_page_size >= 0)) {
      throw fail('a page is larger than its column');
    }
    budget.decodedBytes += header.uncompressed_page_size;
    checkLimit('decoded bytes', budget.decodedBytes, limits.decodedBytes);
    const page = { bytes: file.subarray(body, at), header, compressors };
    rows += checkPage(page, chunk, limits, budget);
    if (rows > chunk.rows) {
      throw fail(`its pages hold more values than the ${chunk.rows} rows declared`);
    }
  }
}

interface Page {
  readonly bytes: Uint8Array;
  readonly header: PageHeader;
  readonly compressors: Compressors;
}

/** Checks one page and returns how many rows it holds. */
function checkPage(
  { bytes: page, header, compressors }: Page,
  chunk: Chunk,
  limits: DataLimits,
  budget: Budget,
): number {
  const { name, meta, element } = chunk;
  const fail = (problem: string) => new DataError(problem, { column: name });
  const nullable = element.repetition_type === 'OPTIONAL';
  const size = header.uncompressed_page_size;
  if (header.dictionary_page_header) {
    const values = header.dictionary_page_header.num_values;
    if (!(values >= 0 && values <= size)) throw fail('a dictionary declares more than it holds');
    return 0;
  }
  const v1 = header.data_page_header;
  const v2 = header.data_page_header_v2;
  const values = v1?.num_values ?? v2?.num_values ?? -1;
  if (!(values > 0 && values <= chunk.rows)) throw fail(`a page declares ${values} values`);
  const encoding = v1?.encoding ?? v2?.encoding ?? 'PLAIN';
  checkEncoding(encoding, name);
  let data: Uint8Array;
  let present = values;
  if (v1) {
    data = decompress(page, size, meta.codec, compressors, name);
    if (nullable) {
      const { end, ones } = checkLevels(data, values, name);
      data = data.subarray(end);
      present = ones;
    }
  } else {
    const levels = v2!.definition_levels_byte_length;
    const nulls = v2!.num_nulls;
    if (v2!.repetition_levels_byte_length !== 0 || !(levels >= 0 && levels <= page.length)) {
      throw fail('a page declares levels that do not fit it');
    }
    if (!(nulls >= 0 && nulls <= values)) throw fail(`a page declares ${nulls} nulls`);
    if (nullable) checkRuns(page, 0, 1, values, name);
    present = values - nulls;
    data = page.subarray(levels);
    if (v2!.is_compressed) {
      data = decompress(data, size - levels, meta.codec, compressors, name);
    }
  }
  const isIndexed = encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY';
  if (isIndexed && data.length > 0) checkRuns(data, 1, data[0], values, name);
  if (encoding.startsWith('DELTA')) {
    budget.decodedBytes += checkDelta(data, encoding, present, limits.decodedBytes, name);
    checkLimit('decoded bytes', budget.decodedBytes, limits.decodedBytes);
  }
  return values;
}

const ENCODINGS = [
  ...['PLAIN', 'PLAIN_DICTIONARY', 'RLE_DICTIONARY', 'BYTE_STREAM_SPLIT'],
  ...['DELTA_BINARY_PACKED', 'DELTA_LENGTH_BYTE_ARRAY', 'DELTA_BYTE_ARRAY'],
];

function checkEncoding(encoding: string, column: string): void {
  if (ENCODINGS.includes(encoding)) return;
  throw new DataError(`the encoding ${encoding} is not read; use one of ${ENCODINGS.join(', ')}`, {
    column,
  });
}

/** Definition levels of a version-1 page: where its values begin, and how many there are. */
function checkLevels(
  data: Uint8Array,
  values: number,
  column: string,
): { end: number; ones: number } {
  if (data.length < 4) throw new DataError('a page is too short for its levels', { column });
  const length = viewOf(data).getUint32(0, true);
  if (length > data.length - 4)
    throw new DataError('levels are longer than their page', { column });
  return { end: 4 + length, ones: checkRuns(data, 4, 1, values, column) };
}

/**
 * Checks runs of the RLE / bit-packing hybrid: none may produce more than the page has left.
 * Returns how many values are 1, for a width of 1.
 */
function checkRuns(
  data: Uint8Array,
  start: number,
  width: number,
  values: number,
  column: string,
): number {
  let ones = 0;
  if (width > 32) throw new DataError(`a page declares indices of ${width} bits`, { column });
  const cursor = new Cursor(data, start, data.length);
  for (let left = values; left > 0 && cursor.remaining > 0; ) {
    const header = cursor.varint();
    const count = header % 2 === 1 ? (header - 1) * 4 : header / 2;
    // Bit-packed runs come in groups of eight; some writers pad the last one further.
    const slack = header % 2 === 1 ? 512 : 0;
    if (count > left + slack) {
      throw new DataError(`a page declares a run of ${count} values with ${left} left`, { column });
    }
    const bytes = header % 2 === 1 ? (count / 8) * width : Math.ceil(width / 8);
    if (width === 1) ones += onesIn(data, cursor.at, header, Math.min(count, left));
    cursor.at += bytes;
    left -= count;
  }
  return ones;
}

/** Ones in a run of single bits, of which `count` are values. */
function onesIn(data: Uint8Array, at: number, header: number, count: number): number {
  if (header % 2 === 0) return (data[at] & 1) * count;
  let ones = 0;
  for (let i = 0; i < count; i++) ones += (data[at + (i >> 3)] >> (i & 7)) & 1;
  return ones;
}

function decompress(
  page: Uint8Array,
  size: number,
  codec: ColumnMetaData['codec'],
  compressors: Compressors,
  column: string,
): Uint8Array {
  if (codec === 'UNCOMPRESSED') return page;
  const decompressor = compressors[codec];
  if (!decompressor) throw new DataError(`the compression ${codec} is not read`, { column });
  const data = decompressor(page, size);
  if (data.length === size) return data;
  throw new DataError(`a page decompresses to ${data.length} bytes, not ${size}`, { column });
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
