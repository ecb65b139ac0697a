/** Canonical data as files: parquet or CSV, with what is known about it in the file. */
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { Provenance } from '../provenance.js';
import { META_KEY } from '../read/meta.js';

/** The description that a canonical file carries of itself. */
export interface FileMeta {
  readonly format: string;
  readonly provenance: Provenance;
  readonly [field: string]: unknown;
}

export interface OutColumn {
  readonly name: string;
  readonly type: 'DOUBLE' | 'INT64' | 'STRING';
  /** A missing number is NaN, a missing text ''. */
  readonly data: ArrayLike<number> | readonly string[];
}

/** A file's bytes. Its name decides the form: `.parquet`, else CSV. */
export function encodeFile(name: string, columns: readonly OutColumn[], meta: FileMeta) {
  const isParquet = name.toLowerCase().endsWith('.parquet');
  return isParquet ? encodeParquet(columns, meta) : new TextEncoder().encode(csvOf(columns, meta));
}

function encodeParquet(columns: readonly OutColumn[], meta: FileMeta): Uint8Array {
  const columnData = columns.map(({ name, type, data }) => ({
    name,
    type,
    data: Array.from(data as ArrayLike<number | string>, (value) => parquetValue(type, value)),
    nullable: true,
  }));
  const kvMetadata = [{ key: META_KEY, value: JSON.stringify(meta) }];
  return new Uint8Array(parquetWriteBuffer({ columnData, kvMetadata }));
}

function parquetValue(type: OutColumn['type'], value: number | string) {
  if (typeof value === 'string') return value === '' ? null : value;
  if (Number.isNaN(value)) return null;
  return type === 'INT64' ? BigInt(value) : value;
}

function csvOf(columns: readonly OutColumn[], meta: FileMeta): string {
  const lines = [
    `# ${META_KEY} ${JSON.stringify(meta)}`,
    columns.map(({ name }) => csvText(name)).join(','),
  ];
  const rows = columns[0]?.data.length ?? 0;
  for (let i = 0; i < rows; i++) lines.push(columns.map(({ data }) => csvCell(data[i])).join(','));
  return `${lines.join('\n')}\n`;
}

function csvCell(value: number | string): string {
  if (typeof value === 'string') return csvText(value);
  return Number.isNaN(value) ? '' : String(value);
}

function csvText(text: string): string {
  return /[",\n\r#;\t|]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
