/** The instrument itself: readings and controls on the left, picture and curves on the right. */
import { useState } from 'react';
import { TimeChart } from '../charts/time-chart.js';
import { Button } from '../ui/button.js';
import { Problem } from '../ui/problem.js';
import type { ControlProps, FamilyView, Reading } from './family.js';
import type { Game } from './game.js';
import classes from './page.module.css';
import { PolicyBar } from './policy-bar.js';
import { Report } from './report.js';
import { ReplayNote, ShareButton } from './share.js';
import { useAddress } from './use-address.js';
import { useVersion } from './use-game.js';

export interface BoardProps {
  readonly game: Game;
  /** The address's part behind `#` when the game was opened. */
  readonly hash: string;
  readonly view: FamilyView;
}

export function Board({ game, hash, view }: BoardProps) {
  const version = useVersion(game);
  const replay = useAddress(game, hash);
  const [cursor, setCursor] = useState<number | null>(null);
  const last = game.steps;
  const row = cursor === null ? last : Math.min(cursor, last);
  const horizon = game.opened.task.episode_length;
  const isReplaying = replay.kind === 'running';
  const { Picture, Controls } = view;
  const moves: ControlProps = {
    game,
    isDisabled: game.hasEnded || isReplaying,
    onMove: (move, steps) => void game.step({ row: move }, steps),
  };
  return (
    <div className={classes['board']}>
      <div className={classes['side']}>
        <Status game={game} row={row} horizon={horizon} />
        <Readings readings={view.readings(game, row)} />
        <Controls {...moves} />
        <div className={classes['row']}>
          <Button
            isDisabled={game.steps === 0}
            onPress={() => void game.undo(1)}
            shortcut="u"
            title="Takes the last step back"
          >
            Undo
          </Button>
          <Button
            isDisabled={game.steps === 0 || game.grade !== null}
            onPress={() => void game.gradeNow()}
            shortcut="g"
            title="Grades what has been played so far"
          >
            Grade
          </Button>
          <ShareButton game={game} />
        </div>
        <PolicyBar game={game} isDisabled={isReplaying} />
        {game.problem !== null && <Problem title="Not taken" message={game.problem} />}
      </div>
      <div className={classes['main']}>
        <ReplayNote replay={replay} />
        <Picture game={game} row={row} moves={moves} />
        <div className={classes['charts']}>
          {view.charts(game).map(({ title, unit, curves, zones, range }) => (
            <TimeChart
              key={title}
              title={title}
              unit={unit}
              curves={curves(game)}
              {...(zones && { zones: zones(game) })}
              {...(range && { range })}
              horizon={horizon}
              version={version}
              onCursor={setCursor}
            />
          ))}
        </div>
        {game.grade !== null && <Report grade={game.grade} lines={view.gradeLines} />}
      </div>
    </div>
  );
}

interface StatusProps {
  readonly game: Game;
  readonly row: number;
  readonly horizon: number;
}

const ENDINGS = {
  terminated: 'ended by an overload',
  truncated: 'complete',
} as const;

function Status({ game, row, horizon }: StatusProps) {
  const total = game.rewards.at(row, 'return').toFixed(2);
  const ending = game.ending === null ? '' : ` · ${ENDINGS[game.ending]}`;
  const isPast = row < game.steps;
  return (
    <p className={classes['status']} role="status">
      <strong>
        Step {row} of {horizon}
      </strong>
      {isPast ? ' · pointed at' : ending}
      <span className={classes['return']}>reward so far {total}</span>
    </p>
  );
}

function Readings({ readings }: { readonly readings: readonly Reading[] }) {
  return (
    <dl className={classes['readings']}>
      {readings.map(({ name, value, unit, hint, state }) => (
        <div key={name} className={classes['reading']}>
          <dt>{name}</dt>
          <dd className={classes[state]}>
            {value} <span className={classes['unit']}>{unit}</span>
          </dd>
          <dd className={classes['hint']}>{hint}</dd>
        </div>
      ))}
    </dl>
  );
}
