/** Autoscaling by hand: decrease, maintain, increase, once or over and over. */
import { useId, useState } from 'react';
import { Button } from '../../../ui/button.js';
import classes from '../../controls.module.css';
import type { ControlProps } from '../../family.js';
import { StepCount } from '../../step-count.js';
import { configOf } from './config.js';

const MOVES = [
  { name: 'Decrease', sign: '⬇', key: '1', change: -1, title: 'Removes one instance; 1 stays' },
  { name: 'Maintain', sign: '➡', key: '2', change: 0, title: 'Changes nothing for a step' },
  { name: 'Increase', sign: '⬆', key: '3', change: 1, title: 'Adds one instance' },
] as const;

export function Controls({ game, isDisabled, onMove }: ControlProps) {
  const { max_delta: maxDelta, instance_types: types } = configOf(game);
  const [type, setType] = useState(0);
  const [steps, setSteps] = useState(5);
  const [repeated, setRepeated] = useState<number>(0);
  const select = useId();
  const isFleet = types.length > 1;
  const rowOf = (change: number) => [...(isFleet ? [type] : []), change + maxDelta];
  return (
    <div className={classes['controls']}>
      {isFleet && (
        <label className={classes['field']}>
          Instance type
          <select value={type} onChange={(event) => setType(Number(event.target.value))}>
            {types.map(({ name, price }, i) => (
              <option key={name} value={i}>
                {name}, price {price}
              </option>
            ))}
          </select>
        </label>
      )}
      <div className={classes['moves']}>
        {MOVES.map(({ name, sign, key, change, title }) => (
          <Button
            key={name}
            shortcut={key}
            title={title}
            isDisabled={isDisabled}
            onPress={() => onMove(rowOf(change), 1)}
          >
            <span aria-hidden="true">{sign}</span> {name}
          </Button>
        ))}
      </div>
      <fieldset className={classes['repeat']} disabled={isDisabled}>
        <legend>Several steps at once</legend>
        <StepCount value={steps} onChange={setSteps} />
        <label className={classes['field']} htmlFor={select}>
          Action to repeat
        </label>
        <select
          id={select}
          value={repeated}
          onChange={(event) => setRepeated(Number(event.target.value))}
        >
          {MOVES.map(({ name, change }) => (
            <option key={name} value={change}>
              {name}
            </option>
          ))}
        </select>
        <Button isDisabled={isDisabled} onPress={() => onMove(rowOf(repeated), steps)} shortcut="r">
          <span aria-hidden="true">▶</span> Run {steps} {steps === 1 ? 'step' : 'steps'}
        </Button>
      </fieldset>
    </div>
  );
}
