/** The playground: any task, by hand or by a policy. */
import { useEffect, useState } from 'react';
import { Problem } from '../ui/problem.js';
import type { EpisodeSetup } from '../worker/messages.js';
import { Board } from './board.js';
import { loadFamilyView } from './families.js';
import type { FamilyView } from './family.js';
import classes from './page.module.css';
import { TaskBar } from './task-bar.js';
import { useGame } from './use-game.js';

export interface PlaygroundProps {
  readonly setup: EpisodeSetup;
  readonly onSetup: (setup: EpisodeSetup) => void;
}

export function Playground({ setup, onSetup }: PlaygroundProps) {
  const { round, hash, restart } = useOpening(setup);
  const state = useGame(setup, round);
  const family = setup.task.split('/')[0];
  const view = useFamilyView(family);
  const isShown = state.kind === 'open' && state.game.setup.task === setup.task;
  return (
    <div className={classes['page']}>
      <TaskBar setup={setup} onSetup={onSetup} onReset={restart} />
      {view.kind === 'ready' && <p className={classes['sentence']}>{view.view.sentence}</p>}
      {state.kind === 'failed' && (
        <Problem title="This episode cannot begin" message={state.message} />
      )}
      {view.kind === 'failed' && <Problem title="Not available" message={view.message} />}
      {isShown && view.kind === 'ready' ? (
        <Board key={state.game.opened.id} game={state.game} hash={hash} view={view.view} />
      ) : (
        <div className={classes['placeholder']} aria-busy={state.kind === 'opening'} />
      )}
    </div>
  );
}

interface Opening {
  readonly key: string;
  readonly round: number;
  /** The address's part behind `#`, which is replayed; none where an episode is begun again. */
  readonly hash: string;
}

/** Which episode is open: another setup or another address is another one, and so is a reset. */
function useOpening(setup: EpisodeSetup): Opening & { readonly restart: () => void } {
  const key = JSON.stringify(setup);
  const [opening, setOpening] = useState<Opening>({ key, round: 0, hash: location.hash });
  if (opening.key !== key) {
    setOpening({ key, round: opening.round + 1, hash: location.hash });
  }
  useEffect(() => {
    // Not told of what this page itself writes there.
    const changed = () => {
      setOpening(({ round }) => ({ key, round: round + 1, hash: location.hash }));
    };
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, [key]);
  const restart = () => setOpening({ key, round: opening.round + 1, hash: '' });
  return { ...opening, restart };
}

type ViewState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'ready'; readonly family: string; readonly view: FamilyView };

function useFamilyView(family: string): ViewState {
  const [state, setState] = useState<ViewState>({ kind: 'loading' });
  useEffect(() => {
    let isCurrent = true;
    loadFamilyView(family).then(
      (view) => isCurrent && setState({ kind: 'ready', family, view }),
      (error: Error) => isCurrent && setState({ kind: 'failed', message: error.message }),
    );
    return () => {
      isCurrent = false;
    };
  }, [family]);
  return state.kind === 'ready' && state.family !== family ? { kind: 'loading' } : state;
}
