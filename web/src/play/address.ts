/** The part of the address behind `#`: moves, and the digest that they must lead to. */
import type { Game } from './game.js';
import {
  packText,
  readSegments,
  type Segment,
  segmentsOf,
  textOfSegments,
  unpackText,
} from './script.js';

export interface SharedMoves {
  readonly segments: readonly Segment[];
  /** Null where the address names none. */
  readonly digest: string | null;
  /** First digits of the program's digest: another program is another task. */
  readonly program: string | null;
}

const PROGRAM_DIGITS = 8;

/** @throws Error naming what cannot be read */
export async function readHash(hash: string): Promise<SharedMoves | null> {
  const entries = new URLSearchParams(hash.replace(/^#/, ''));
  const moves = entries.get('moves');
  if (moves === null) return null;
  const segments = readSegments(await unpackText(moves));
  return { segments, digest: entries.get('digest'), program: entries.get('program') };
}

/** The hash of what a game has come to; empty where nothing has been done. */
export async function hashOf(game: Game): Promise<string> {
  if (game.steps === 0) return '';
  const row = (index: number) => game.actions.row(index);
  const moves = await packText(textOfSegments(segmentsOf({ by: game.by, row })));
  const program = game.opened.task.program_digest.slice(0, PROGRAM_DIGITS);
  return `moves=${moves}&program=${program}&digest=${await game.digest()}`;
}

/** Whether a game is of the program that an address was made with. */
export function isSameProgram(game: Game, { program }: SharedMoves): boolean {
  return program === null || game.opened.task.program_digest.startsWith(program);
}
