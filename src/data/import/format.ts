/** The contract of a format's reader. */
import type { Measurement } from '../measurement.js';
import type { Rows } from '../read/rows.js';
import type { FileReading } from '../read/source.js';
import type { Encoding } from '../read/text.js';
import type { RequestTrace } from '../request-trace.js';
import type { Series } from '../series.js';
import type { EventCounts } from './counts.js';
import type { ImportKind, ImportLog } from './options.js';

/** The content of one file. */
export type Part =
  | {
      readonly as: 'series';
      readonly series: readonly Series[];
      /** Events that are counted over all files before they are a series. */
      readonly counts?: EventCounts;
    }
  | { readonly as: 'trace'; readonly trace: RequestTrace }
  | { readonly as: 'bench'; readonly runs: readonly Measurement[] };

interface Format {
  readonly id: string;
  /** For people, as in "this is …". */
  readonly label: string;
  /** The kinds that it can be taken for, the likeliest first. */
  readonly kinds: readonly ImportKind[];
}

/** A JSON document, held whole. */
export interface JsonFormat extends Format {
  recognise(value: unknown): boolean;
  read(value: unknown, as: ImportKind, source: string, log: ImportLog): Part | Promise<Part>;
}

/** Rows with named columns. */
export interface RowFormat extends Format {
  /** A narrower name than the id, where the columns tell one. */
  nameOf?(rows: Rows): string;
  recognise(rows: Rows): boolean;
  read(rows: Rows, as: ImportKind, source: string, log: ImportLog): Part | Promise<Part>;
}

/** Lines of text. */
export interface TextFormat extends Format {
  recognise(lines: readonly string[]): boolean;
  read(file: FileReading, encoding: Encoding, as: ImportKind, log: ImportLog): Part | Promise<Part>;
}
