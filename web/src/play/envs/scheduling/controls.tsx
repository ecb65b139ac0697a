/** Scheduling by hand, as far as it is not done in the picture: waiting. */
import { Button } from '../../../ui/button.js';
import classes from '../../controls.module.css';
import type { ControlProps } from '../../family.js';
import { Repeat } from '../../repeat.js';
import { configOf, decisions } from './config.js';

export function Controls({ game, isDisabled, onMove }: ControlProps) {
  const config = configOf(game);
  const wait = [decisions.wait(config)];
  return (
    <div className={classes['controls']}>
      <p className={classes['help']}>
        Choose a waiting job, then the server that takes it.
        {config.sleep_aware && ' Idle servers have a button for sleep, sleeping ones to wake.'}
      </p>
      <div className={classes['row']}>
        <Button shortcut="w" isDisabled={isDisabled} onPress={() => onMove(wait, 1)}>
          Wait a step
        </Button>
      </div>
      <Repeat isDisabled={isDisabled} note="waits" onRun={(steps) => onMove(wait, steps)} />
    </div>
  );
}
