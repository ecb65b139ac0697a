/** Text of files: encodings and lines, as streams. */
import { checkLimit } from '../columns.js';
import { DataError } from '../errors.js';
import type { FileReading, ReadLimits } from './source.js';

/** Labels of TextDecoder. */
export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

/** The encoding by byte-order mark, else by where NUL bytes are, else UTF-8. */
export function encodingOf(head: Uint8Array): Encoding {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  // ASCII in UTF-16 has a NUL in every other byte.
  const pairs = Math.min(head.length, 512) >> 1;
  let [even, odd] = [0, 0];
  for (let i = 0; i < pairs; i++) {
    if (head[2 * i] === 0) even++;
    if (head[2 * i + 1] === 0) odd++;
  }
  if (pairs > 1 && odd > pairs * 0.8 && even === 0) return 'utf-16le';
  if (pairs > 1 && even > pairs * 0.8 && odd === 0) return 'utf-16be';
  return 'utf-8';
}

/** The head as text, without a byte-order mark; a character cut at its end is left out. */
export function headText(head: Uint8Array, encoding: Encoding): string {
  return new TextDecoder(encoding).decode(head, { stream: true });
}

/**
 * The text of a file in pieces of any length, without a byte-order mark, lines ended by `\n`.
 *
 * @throws DataError where the bytes are not of the encoding.
 */
export async function* textOf(
  chunks: AsyncIterable<Uint8Array>,
  encoding: Encoding,
): AsyncIterable<string> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  let held = '';
  for await (const chunk of chunks) {
    const text = held + decode(decoder, encoding, chunk);
    // A carriage return waits for what follows it.
    held = text.endsWith('\r') ? '\r' : '';
    yield unixLines(held === '' ? text : text.slice(0, -1));
  }
  yield unixLines(held + decode(decoder, encoding));
}

function unixLines(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

function decode(decoder: TextDecoder, encoding: Encoding, chunk?: Uint8Array): string {
  try {
    return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
  } catch {
    const other = encoding === 'utf-8' ? '; --encoding windows-1252 reads western text' : '';
    throw new DataError(`the file is not ${encoding.toUpperCase()} text${other}`);
  }
}

/** The lines of a file, in batches, without their ends; the last need not have one. */
export async function* linesOf(
  file: FileReading,
  encoding: Encoding,
  limits: ReadLimits,
): AsyncIterable<string[]> {
  let rest = '';
  for await (const text of textOf(file.chunks(), encoding)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    checkLimit('characters of a line', rest.length, limits.recordChars);
    if (lines.length > 0) yield lines;
  }
  if (rest !== '') yield [rest];
}
