/** The options of an import, and the log of what became of the files' rows. */
import { DataError } from '../errors.js';
import { NO_PROVENANCE, type Provenance } from '../provenance.js';
import { DEFAULT_READ_LIMITS, type ReadLimits } from '../read/source.js';
import type { Encoding } from '../read/text.js';

export const IMPORT_KINDS = ['trace', 'series', 'bench'] as const;
export type ImportKind = (typeof IMPORT_KINDS)[number];

export const FILLS = ['none', 'previous', 'week', 'zero'] as const;
export const DEDUPES = ['identical', 'first', 'last', 'sum', 'mean'] as const;
export const AGGREGATES = ['none', 'sum', 'mean', 'max'] as const;

/** Facts that a file lacks, and repairs that are asked for. Nothing is repaired by default. */
export interface ImportFilesOptions {
  /** The kind that the files are taken for; by default, as their content says. */
  readonly as?: ImportKind;
  /** Column of the file by its role, e.g. `{arrival: 'ts', prompt: 'in', output: 'out'}`. */
  readonly columns?: Readonly<Record<string, string>>;
  readonly encoding?: Encoding;
  /** IANA zone of times that name none; UTC by default. */
  readonly tz?: string;
  /** Samples that are missing: `none` keeps gaps, `week` takes the value a week before. */
  readonly fill?: (typeof FILLS)[number];
  /** Rows of one time: `identical` drops repeats, the others say what becomes of different ones. */
  readonly dedupe?: (typeof DEDUPES)[number];
  /** Sorts rows by time. */
  readonly sort?: boolean;
  /** Rows that cannot be read and are left out, at most; 0 by default. */
  readonly skipBad?: number;
  /** True: the values are counters. False: they are not, however they rise. */
  readonly counter?: boolean;
  /** Unit of the values where the column's name does not say it. */
  readonly unit?: string;
  /** Spacing in seconds to which samples are brought, or lines of a log are counted. */
  readonly step_s?: number;
  /** Whether several signals become one. */
  readonly aggregate?: (typeof AGGREGATES)[number];
  /** Only the time from here, in seconds or ISO 8601. */
  readonly from?: string;
  /** Only the time until before here. */
  readonly to?: string;
  /** Requests a second where a file has no arrival times. */
  readonly rate?: number;
  readonly limits?: ReadLimits;
  readonly onProgress?: (share: number) => void;
}

export interface ImportProblem {
  /** Data row from 1; null where it is not about one. */
  readonly row: number | null;
  readonly column: string | null;
  readonly problem: string;
  /** The option that would help, or null. */
  readonly option: string | null;
}

const LISTED_MAX = 100;

/** Collects what happens to a file's rows while it is read. */
export class ImportLog {
  readonly problems: ImportProblem[] = [];
  problemCount = 0;
  private readonly counts = {
    repaired: new Map<string, number>(),
    dropped: new Map<string, number>(),
    converted: new Map<string, number>(),
  };
  private bad = 0;
  /** Of canonical files that were read: what they are made of. */
  before: Provenance = NO_PROVENANCE;

  constructor(readonly options: ImportFilesOptions) {}

  get limits(): ReadLimits {
    return this.options.limits ?? DEFAULT_READ_LIMITS;
  }

  /** A remark with a place: the rows are used, but someone should know. */
  remark(problem: string, place: { row?: number; column?: string; option?: string } = {}): void {
    this.problemCount++;
    if (this.problems.length >= LISTED_MAX) return;
    const { row = null, column = null, option = null } = place;
    this.problems.push({ row, column, problem, option });
  }

  /** A row that cannot be used: left out where that was asked for, else an error. */
  readonly badRow = (error: DataError): void => {
    const most = this.options.skipBad ?? 0;
    this.bad++;
    if (this.bad > most) {
      if (most > 0)
        throw new DataError(`more than ${most} rows are bad; the next: ${error.message}`);
      throw error.option === null && error.row !== null
        ? new DataError(error.problem, {
            row: error.row,
            ...(error.column === null ? {} : { column: error.column }),
            option: '--skip-bad N leaves out up to N such rows',
          })
        : error;
    }
    this.count('dropped', 'rows that could not be read (--skip-bad)');
    const { row, column, problem } = error;
    this.remark(`${problem}; left out`, {
      ...(row === null ? {} : { row }),
      ...(column === null ? {} : { column }),
    });
  };

  count(kind: 'repaired' | 'dropped' | 'converted', what: string, count = 1): void {
    if (count > 0) this.counts[kind].set(what, (this.counts[kind].get(what) ?? 0) + count);
  }

  changes(kind: 'repaired' | 'dropped' | 'converted'): { what: string; count: number }[] {
    return [...this.counts[kind]].map(([what, count]) => ({ what, count }));
  }
}
