/** The types of parquet columns that are read, and how their times are written. */
import type { SchemaElement } from 'hyparquet';

const INTEGER = /^(U?INT_\d+|INTEGER|DECIMAL|)$/;
const TIME = /^(DATE|TIMESTAMP|TIMESTAMP_MILLIS|TIMESTAMP_MICROS)$/;
/** A longer fixed array is no number. */
const FIXED_BYTES_MAX = 32;

/** The meaning of a column's values; null for types that are passed over, such as nested ones. */
export function meaningOf(element: SchemaElement): 'number' | 'text' | null {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (element.repetition_type === 'REPEATED' || element.num_children) return null;
  const meaning = logical?.type ?? converted ?? '';
  if (type === 'FLOAT' || type === 'DOUBLE') return meaning === '' ? 'number' : null;
  if (type === 'INT32' || type === 'INT64') {
    if (TIME.test(meaning)) return 'text';
    return INTEGER.test(meaning) ? 'number' : null;
  }
  if (type === 'INT96') return 'text';
  if (type === 'BYTE_ARRAY') return /^(UTF8|STRING|ENUM|)$/.test(meaning) ? 'text' : null;
  if (type !== 'FIXED_LEN_BYTE_ARRAY') return null;
  if (meaning === 'FLOAT16') return element.type_length === 2 ? 'number' : null;
  const length = element.type_length ?? 0;
  return meaning === 'DECIMAL' && length > 0 && length <= FIXED_BYTES_MAX ? 'number' : null;
}

/** A count of 10^-digits seconds since 1970 as `2026-03-01T00:02:00.123456789`, without a zone. */
export function isoSeconds(count: bigint, digits: 0 | 3 | 6 | 9): string {
  const per = 10n ** BigInt(digits);
  const rest = ((BigInt(count) % per) + per) % per;
  const seconds = Number((BigInt(count) - rest) / per);
  // Years of more than four digits are no times of a recording.
  if (Math.abs(seconds) > 2.5e11) return `${seconds} s`;
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  return rest === 0n ? text : `${text}.${rest.toString().padStart(digits, '0')}`;
}
