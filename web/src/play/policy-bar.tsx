/** A policy plays: at a chosen pace, step by step, or to the end. */
import { useEffect, useState } from 'react';
import { Button } from '../ui/button.js';
import type { Game } from './game.js';
import classes from './page.module.css';

/** Steps a second by the names of the paces; the last has no pause. */
const PACES: Readonly<Record<string, number>> = {
  '1×': 2,
  '5×': 10,
  '20×': 40,
  '100×': 200,
  max: Number.POSITIVE_INFINITY,
};

/** The policy that is chosen first, where a family has it. */
const PREFERRED = ['hpa', 'moving-average', 'power-aware', 'hysteresis'];

/** Steps asked for at once at full speed: a few milliseconds of the worker. */
const STEPS_AT_ONCE = 500;

export interface PolicyBarProps {
  readonly game: Game;
  readonly isDisabled: boolean;
}

export function PolicyBar({ game, isDisabled }: PolicyBarProps) {
  const { policies } = game.opened;
  const [policy, setPolicy] = useState(
    PREFERRED.find((name) => policies.includes(name)) ?? policies[0],
  );
  const [pace, setPace] = useState('20×');
  const [isPlaying, setPlaying] = useState(false);
  usePlaying(game, policy, PACES[pace], isPlaying && !game.hasEnded);
  const isRunning = isPlaying && !game.hasEnded;
  return (
    <fieldset className={classes['policy']}>
      <legend>Let a policy act</legend>
      <label>
        Policy
        <select value={policy} onChange={(event) => setPolicy(event.target.value)}>
          {policies.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Pace
        <select value={pace} onChange={(event) => setPace(event.target.value)}>
          {Object.keys(PACES).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <div className={classes['row']}>
        <Button
          kind="main"
          shortcut="p"
          isDisabled={isDisabled || game.hasEnded}
          onPress={() => setPlaying(!isRunning)}
        >
          {isRunning ? 'Pause' : 'Play'}
        </Button>
        <Button
          shortcut="s"
          isDisabled={isDisabled || game.hasEnded || isRunning}
          onPress={() => void game.step({ policy }, 1)}
        >
          One step
        </Button>
      </div>
    </fieldset>
  );
}

/** Asks for the steps that are due at every frame. */
function usePlaying(game: Game, policy: string, stepsPerS: number, isOn: boolean): void {
  useEffect(() => {
    if (!isOn) return;
    let frame = 0;
    let due = 0;
    let before: number | null = null;
    const tick = async (now: number) => {
      const elapsedS = (now - (before ?? now)) / 1000;
      const isPaced = Number.isFinite(stepsPerS);
      due = isPaced ? Math.min(due + elapsedS * stepsPerS, STEPS_AT_ONCE) : STEPS_AT_ONCE;
      before = now;
      const steps = Math.floor(due);
      if (steps > 0) {
        due -= steps;
        await game.step({ policy }, steps);
      }
      if (frame >= 0) frame = requestAnimationFrame(tick);
    };
    frame = requestAnimationFrame(tick);
    return () => {
      cancelAnimationFrame(frame);
      frame = -1;
    };
  }, [game, policy, stepsPerS, isOn]);
}
