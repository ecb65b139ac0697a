/** The same move for several steps. */
import { useState } from 'react';
import { Button } from '../ui/button.js';
import classes from './controls.module.css';
import { StepCount } from './step-count.js';

export interface RepeatProps {
  readonly isDisabled: boolean;
  /** The move that is repeated, e.g. "keeps the GPUs". */
  readonly note: string;
  readonly onRun: (steps: number) => void;
}

export function Repeat({ isDisabled, note, onRun }: RepeatProps) {
  const [steps, setSteps] = useState(5);
  return (
    <fieldset className={classes['repeat']} disabled={isDisabled}>
      <legend>Several steps at once: {note}</legend>
      <StepCount value={steps} onChange={setSteps} />
      <Button shortcut="r" isDisabled={isDisabled} onPress={() => onRun(steps)}>
        <span aria-hidden="true">▶</span> Run {steps} {steps === 1 ? 'step' : 'steps'}
      </Button>
    </fieldset>
  );
}
