/** Short ways to say what a chart shows of a game. */
import type { Curve } from '../../charts/curve.js';
import { type Game, metric, type Reader } from '../game.js';

type Looks = Partial<Pick<Curve, 'isStepped' | 'isDashed'>>;

/** A curve of one metric. */
export function metricCurve(
  game: Game,
  name: string,
  entry: string,
  color: string,
  looks: Looks = {},
): Curve {
  return { name, color, track: game.track(`metric ${entry}`, metric(entry)), ...looks };
}

/** A curve of a function of a row; `key` names it among the game's. */
export function curve(
  game: Game,
  name: string,
  { key, read }: { readonly key: string; readonly read: Reader },
  color: string,
): Curve {
  return { name, color, track: game.track(key, read) };
}

/** The reward of each step. */
export function rewardCurve(game: Game): Curve {
  const read: Reader = (played, row) => played.rewards.at(row, 'reward');
  return curve(game, 'reward', { key: 'reward', read }, 'vermilion');
}

/** A limit that is drawn as a line. */
export function limit(name: string, value: number) {
  return { name, low: value, high: value, kind: 'limit' } as const;
}
