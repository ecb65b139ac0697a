/** A game in React: opened for a setup, closed with the page, drawn at most once a frame. */
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { EpisodeSetup } from '../worker/messages.js';
import { Game } from './game.js';

export type GameState =
  | { readonly kind: 'opening' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'open'; readonly game: Game };

/** @param round begins the same episode again where it changes */
export function useGame(setup: EpisodeSetup, round: number): GameState {
  const [state, setState] = useState<GameState>({ kind: 'opening' });
  const key = JSON.stringify(setup);
  useEffect(() => {
    let isCurrent = true;
    let opened: Game | null = null;
    Game.open(setup).then(
      (game) => {
        opened = game;
        if (isCurrent) setState({ kind: 'open', game });
        else game.close();
      },
      (error: unknown) => {
        if (isCurrent) setState({ kind: 'failed', message: (error as Error).message });
      },
    );
    return () => {
      isCurrent = false;
      opened?.close();
    };
  }, [key, round]);
  return state;
}

/** Draws again whenever the game changes. */
export function useVersion(game: Game): number {
  return useSyncExternalStore(game.subscribe, () => game.version);
}
