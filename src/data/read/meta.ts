/** The description that canonical files carry of themselves, read back. */
import type { Change, Provenance, SourceFile } from '../provenance.js';
import { NO_PROVENANCE } from '../provenance.js';
import { at, isObject, type Json, list, number, text } from './json.js';

/** The key of the metadata in a parquet file; a CSV file has it in its first line, after `# `. */
export const META_KEY = 'infragym';

/** The description in the first line of a CSV file's head, or null. */
export function csvMeta(head: string): Json | null {
  const start = `# ${META_KEY} `;
  if (!head.startsWith(start)) return null;
  return parsed(head.slice(start.length, head.indexOf('\n')));
}

/** The description in a parquet file's metadata, or null. */
export function parquetMeta(pairs: readonly { key: string; value?: string }[] | undefined) {
  return parsed(pairs?.find(({ key }) => key === META_KEY)?.value ?? '');
}

function parsed(json: string): Json | null {
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) && typeof value['format'] === 'string' ? value : null;
  } catch {
    return null;
  }
}

const LISTED_MAX = 1000;

/** The provenance that a canonical file carries; none where it says nothing usable. */
export function provenanceIn(meta: Json | null): Provenance {
  const found = at(meta, 'provenance');
  if (!isObject(found)) return NO_PROVENANCE;
  const changes = (kind: string) => list(found[kind]).slice(0, LISTED_MAX).flatMap(changeOf);
  return {
    sources: list(found['sources']).slice(0, LISTED_MAX).flatMap(sourceOf),
    repaired: changes('repaired'),
    dropped: changes('dropped'),
    converted: changes('converted'),
  };
}

function changeOf(value: unknown): Change[] {
  const [what, count] = [text(at(value, 'what')), number(at(value, 'count'))];
  return what === undefined || count === undefined ? [] : [{ what, count }];
}

function sourceOf(value: unknown): SourceFile[] {
  const [name, format] = [text(at(value, 'name')), text(at(value, 'format'))];
  const [bytes, sha256] = [number(at(value, 'bytes')), text(at(value, 'sha256'))];
  if (name === undefined || format === undefined || bytes === undefined) return [];
  return sha256 === undefined ? [] : [{ name, format, bytes, sha256 }];
}

/** The provenance of what was made of something else by more changes. */
export function joinedProvenance(before: Provenance, after: Provenance): Provenance {
  return {
    sources: [...before.sources, ...after.sources],
    repaired: [...before.repaired, ...after.repaired],
    dropped: [...before.dropped, ...after.dropped],
    converted: [...before.converted, ...after.converted],
  };
}
