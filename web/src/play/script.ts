/**
 * The moves of an episode as a short text for an address: who moved, and how often alike.
 *
 * `2*3~@hpa*40~0` is the row [2] three times, 40 steps by the policy hpa, and the row [0] once.
 * Numbers of a row are parted by commas. A text that would be long is deflated: `!` and base64url.
 */
import type { Mover } from '../worker/messages.js';
import { HAND } from './game.js';

/** A mover for some steps. */
export interface Segment {
  readonly mover: Mover;
  readonly steps: number;
}

/** The rows and who took them; row 0 is the reset and left out. */
export interface Moves {
  readonly by: readonly string[];
  row(index: number): ArrayLike<number>;
}

/** Texts up to this length stay readable. */
const PLAIN_MAX = 600;
/** Of a text that is read; a million rows fit. */
const TEXT_MAX = 2 ** 24;
const SEGMENT = /^(?:@([a-z0-9-]+)|(-?[\d.e+-]+(?:,-?[\d.e+-]+)*))(?:\*(\d{1,9}))?$/;

export function segmentsOf({ by, row }: Moves): Segment[] {
  const segments: { mover: Mover; steps: number; key: string }[] = [];
  for (let i = 1; i < by.length; i++) {
    const isHand = by[i] === HAND;
    const mover = isHand ? { row: Array.from(row(i)) } : { policy: by[i] };
    const key = isHand ? textOfRow(row(i)) : `@${by[i]}`;
    const last = segments.at(-1);
    if (last?.key === key) last.steps++;
    else segments.push({ mover, steps: 1, key });
  }
  return segments.map(({ mover, steps }) => ({ mover, steps }));
}

export function textOfSegments(segments: readonly Segment[]): string {
  const parts = segments.map(({ mover, steps }) => {
    const who = 'policy' in mover ? `@${mover.policy}` : textOfRow(mover.row);
    return steps === 1 ? who : `${who}*${steps}`;
  });
  return parts.join('~');
}

/** @throws RangeError naming the part that cannot be read */
export function readSegments(text: string): Segment[] {
  if (text === '') return [];
  return text.split('~').map((part) => {
    const match = SEGMENT.exec(part);
    if (match === null) {
      throw new RangeError(`moves: "${part.slice(0, 40)}" is no row and no policy`);
    }
    const [, policy, row = '', steps = '1'] = match;
    const mover = policy === undefined ? { row: row.split(',').map(Number) } : { policy };
    return { mover, steps: Number(steps) };
  });
}

/** A text for an address, deflated where it is long. */
export async function packText(text: string): Promise<string> {
  if (text.length <= PLAIN_MAX) return text;
  const bytes = await through(new TextEncoder().encode(text), new CompressionStream('deflate-raw'));
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  return `!${base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`;
}

/** @throws Error where it is damaged or unreasonably long */
export async function unpackText(packed: string): Promise<string> {
  if (!packed.startsWith('!')) return packed;
  const binary = atob(packed.slice(1).replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  const text = await through(bytes, new DecompressionStream('deflate-raw'));
  return new TextDecoder().decode(text);
}

/** The fewest digits that are the same number of single precision. */
function textOfRow(row: ArrayLike<number>): string {
  return Array.from(row, (value) => {
    if (Number.isInteger(value)) return String(value);
    for (let digits = 1; digits < 9; digits++) {
      const text = String(Number(value.toPrecision(digits)));
      if (Math.fround(Number(text)) === Math.fround(value)) return text;
    }
    return String(value);
  }).join(',');
}

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  transform: CompressionStream | DecompressionStream,
): Promise<Uint8Array> {
  const reader = new Blob([bytes]).stream().pipeThrough(transform).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length;
    if (size > TEXT_MAX) throw new RangeError('moves: more than this page reads from an address');
    parts.push(next.value);
  }
  const whole = new Uint8Array(size);
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}
