/** Keeps the address so that it leads back here, and replays what an address holds. */
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { hashOf, isSameProgram, readHash, type SharedMoves } from './address.js';
import type { Game } from './game.js';
import { useVersion } from './use-game.js';

/** The outcome of replaying an address. */
export type Replay =
  | { readonly kind: 'none' }
  | { readonly kind: 'running'; readonly done: number; readonly total: number }
  | { readonly kind: 'equal'; readonly steps: number; readonly digest: string }
  | { readonly kind: 'plain'; readonly steps: number }
  | {
      readonly kind: 'different';
      readonly expected: string;
      readonly got: string;
      readonly isSameProgram: boolean;
    }
  | { readonly kind: 'unreadable'; readonly message: string };

/** Steps that are replayed in one request, so that the page can show how far it is. */
const STEPS_AT_ONCE = 5000;
/** Browsers refuse many changes of the address in a short time. */
const WRITE_MS = 500;

/** @param hash the address's part behind `#` when the game was opened */
export function useAddress(game: Game, hash: string): Replay {
  const [replay, setReplay] = useState<Replay>({ kind: 'none' });
  useEffect(() => {
    let isCurrent = true;
    const tell = (next: Replay) => isCurrent && setReplay(next);
    readHash(hash)
      .then((shared) => (shared === null ? undefined : play(game, shared, tell)))
      .catch((error: Error) => tell({ kind: 'unreadable', message: error.message }));
    return () => {
      isCurrent = false;
    };
  }, [game, hash]);
  useWriting(game, replay.kind === 'running');
  return replay;
}

async function play(
  game: Game,
  shared: SharedMoves,
  tell: (replay: Replay) => void,
): Promise<void> {
  const total = shared.segments.reduce((sum, { steps }) => sum + steps, 0);
  for (const { mover, steps } of shared.segments) {
    for (let left = steps; left > 0 && !game.hasEnded; ) {
      tell({ kind: 'running', done: game.steps, total });
      const taken = await game.step(mover, Math.min(left, STEPS_AT_ONCE));
      if (taken === 0) throw new Error(game.problem ?? 'a move was not taken');
      left -= taken;
    }
  }
  const got = await game.digest();
  if (shared.digest === null) return tell({ kind: 'plain', steps: game.steps });
  if (got === shared.digest) return tell({ kind: 'equal', steps: game.steps, digest: got });
  const isSame = isSameProgram(game, shared);
  tell({ kind: 'different', expected: shared.digest, got, isSameProgram: isSame });
}

function useWriting(game: Game, isReplaying: boolean): void {
  const version = useVersion(game);
  const navigate = useNavigate();
  useEffect(() => {
    if (isReplaying || version === 0) return;
    const timer = setTimeout(async () => {
      const hash = await hashOf(game);
      await navigate({
        to: '.',
        search: true,
        params: true,
        hash,
        replace: true,
        resetScroll: false,
      });
    }, WRITE_MS);
    return () => clearTimeout(timer);
  }, [game, version, isReplaying, navigate]);
}
