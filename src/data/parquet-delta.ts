/** Checks of parquet's delta encodings before they are decoded: what they declare must fit. */
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { readVarInt } from 'hyparquet/src/thrift.js';
import { DataError } from './errors.js';

const BLOCK_MAX = 2 ** 20;
const MINIBLOCKS_MAX = 1024;

/**
 * Checks a page of `count` values in one of the delta encodings, and returns the bytes of text that
 * it decodes to beyond its own size.
 *
 * @throws DataError where block sizes are absurd, or lengths do not fit the page or the limit
 */
export function checkDelta(
  data: Uint8Array,
  encoding: string,
  count: number,
  bytesMax: number,
  column: string,
): number {
  if (count === 0) return 0;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const reader = { view, offset: 0 };
  if (encoding === 'DELTA_BINARY_PACKED') {
    checkHeader(reader, column);
    return 0;
  }
  const prefixes = encoding === 'DELTA_BYTE_ARRAY' ? lengths(reader, count, column) : null;
  const suffixes = lengths(reader, count, column);
  let [before, total] = [0, 0];
  for (let i = 0; i < count; i++) {
    const prefix = prefixes?.[i] ?? 0;
    if (suffixes[i] < 0 || prefix < 0 || prefix > before) {
      throw new DataError('a page declares lengths that do not fit it', { column });
    }
    before = prefix + suffixes[i];
    total += prefix;
    reader.offset += suffixes[i];
    if (reader.offset > data.length || total > bytesMax) {
      throw new DataError('a page declares more text than it holds or may hold', { column });
    }
  }
  return total;
}

interface Reader {
  view: DataView;
  offset: number;
}

/** Checks a header of blocks, and leaves the reader where it was. */
function checkHeader(reader: Reader, column: string): void {
  const { offset } = reader;
  const [block, miniblocks] = [readVarInt(reader), readVarInt(reader)];
  reader.offset = offset;
  const each = block / miniblocks;
  const isSane = block > 0 && block <= BLOCK_MAX && miniblocks > 0 && miniblocks <= MINIBLOCKS_MAX;
  if (isSane && Number.isInteger(each) && each % 32 === 0) return;
  const found = `${block} values in ${miniblocks} miniblocks`;
  throw new DataError(`a page declares blocks of ${found}`, { column });
}

function lengths(reader: Reader, count: number, column: string): Int32Array {
  checkHeader(reader, column);
  const found = new Int32Array(count);
  deltaBinaryUnpack(reader, count, found);
  return found;
}
