/** Provisioning by hand: rent, release, or leave it. */
import { useId, useState } from 'react';
import { Button } from '../../../ui/button.js';
import classes from '../../controls.module.css';
import type { ControlProps } from '../../family.js';
import { Repeat } from '../../repeat.js';
import { configOf } from './config.js';

const nameOf = (change: number): string => {
  if (change === 0) return 'keep';
  const gpus = Math.abs(change) === 1 ? 'GPU' : 'GPUs';
  return `${change > 0 ? 'rent' : 'release'} ${Math.abs(change)} ${gpus}`;
};

export function Controls({ game, isDisabled, onMove }: ControlProps) {
  const { max_change: max } = configOf(game);
  const [change, setChange] = useState(2);
  const id = useId();
  const press = (wanted: number) => onMove([wanted], 1);
  return (
    <div className={classes['controls']}>
      <div className={classes['moves']}>
        <Button shortcut="1" isDisabled={isDisabled} onPress={() => press(-1)}>
          Release 1
        </Button>
        <Button shortcut="2" isDisabled={isDisabled} onPress={() => press(0)}>
          Keep
        </Button>
        <Button shortcut="3" isDisabled={isDisabled} onPress={() => press(1)}>
          Rent 1
        </Button>
      </div>
      <div className={classes['count']}>
        <label htmlFor={id}>Change of a step</label>
        <output htmlFor={id}>{nameOf(change)}</output>
        <input
          id={id}
          type="range"
          min={-max}
          max={max}
          value={change}
          onChange={(event) => setChange(Number(event.target.value))}
        />
      </div>
      <div className={classes['row']}>
        <Button shortcut="a" isDisabled={isDisabled} onPress={() => press(change)}>
          {nameOf(change)}
        </Button>
      </div>
      <Repeat isDisabled={isDisabled} note="keeps the GPUs" onRun={(steps) => onMove([0], steps)} />
    </div>
  );
}
