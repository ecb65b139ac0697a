/** Where numbers come from, and what became of them on the way. Kept with them to the end. */

/** A file that was read. */
export interface SourceFile {
  /** As it was given, without its folder. */
  readonly name: string;
  /** The format that its content was recognised as. */
  readonly format: string;
  /** Size as stored. */
  readonly bytes: number;
  /** Digest of the bytes as stored, in hexadecimal. */
  readonly sha256: string;
}

/** One kind of change, and how many values, rows or samples it touched. */
export interface Change {
  readonly what: string;
  readonly count: number;
}

export interface Provenance {
  readonly sources: readonly SourceFile[];
  /** Values made or mended because it was asked for: filled gaps, sorted rows. */
  readonly repaired: readonly Change[];
  /** The rows that were left out, and why. */
  readonly dropped: readonly Change[];
  /** Units, zones and counters put into canonical form; nothing is lost by it. */
  readonly converted: readonly Change[];
}

/** The provenance of what was not read from a file. */
export const NO_PROVENANCE: Provenance = Object.freeze({
  sources: Object.freeze([]),
  repaired: Object.freeze([]),
  dropped: Object.freeze([]),
  converted: Object.freeze([]),
});

/** A provenance with one more change on one of its lists; none where nothing was touched. */
export function withChange(
  provenance: Provenance,
  kind: 'repaired' | 'dropped' | 'converted',
  what: string,
  count: number,
): Provenance {
  if (count === 0) return provenance;
  return { ...provenance, [kind]: [...provenance[kind], { what, count }] };
}
