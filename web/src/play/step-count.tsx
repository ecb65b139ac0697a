/** How many steps at once: 1 to 20. */
import { useId } from 'react';
import classes from './controls.module.css';

export const STEPS_MAX = 20;

export interface StepCountProps {
  readonly value: number;
  readonly onChange: (steps: number) => void;
}

export function StepCount({ value, onChange }: StepCountProps) {
  const id = useId();
  return (
    <div className={classes['count']}>
      <label htmlFor={id}>Number of steps</label>
      <output htmlFor={id}>{value}</output>
      <input
        id={id}
        type="range"
        min={1}
        max={STEPS_MAX}
        step={1}
        value={value}
        onChange={(event) => onChange(Number(event.target.value))}
      />
    </div>
  );
}
