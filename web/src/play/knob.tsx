/** A knob: a slider for numbers, buttons for choices. */
import { useId } from 'react';
import type { ActionField } from './action-field.js';
import classes from './knob.module.css';

export interface KnobProps {
  readonly field: ActionField;
  readonly value: number;
  /** Why it cannot be turned; null where it can. */
  readonly lockedBy: string | null;
  readonly note: string | null;
  readonly isDisabled: boolean;
  readonly onChange: (value: number) => void;
}

export function Knob(props: KnobProps) {
  const { field, lockedBy, note } = props;
  const isLocked = lockedBy !== null;
  return (
    <div className={isLocked ? classes['locked'] : classes['knob']} title={field.doc}>
      {field.kind === 'choice' ? <Choices {...props} /> : <Slider {...props} />}
      {isLocked && <span className={classes['note']}>{lockedBy}</span>}
      {note !== null && !isLocked && <span className={classes['note']}>{note}</span>}
    </div>
  );
}

const textOf = ({ format, unit }: ActionField, value: number): string => {
  return format?.(value) ?? `${Number(value.toPrecision(4))} ${unit}`;
};

function Choices({ field, value, lockedBy, isDisabled, onChange }: KnobProps) {
  const name = useId();
  return (
    <fieldset className={classes['choices']} disabled={isDisabled || lockedBy !== null}>
      <legend>{field.label}</legend>
      {field.choices.map((choice) => (
        <label key={choice} className={classes['choice']}>
          <input
            type="radio"
            name={name}
            checked={choice === value}
            onChange={() => onChange(choice)}
          />
          <span>{textOf(field, choice)}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Slider({ field, value, lockedBy, isDisabled, onChange }: KnobProps) {
  const id = useId();
  const { kind, low, high, scale, label } = field;
  const isLog = scale === 'log2';
  const step = field.step ?? (kind === 'integer' ? 1 : (high - low) / 100);
  const toSlider = (x: number) => (isLog ? Math.log2(x) : x);
  const fromSlider = (x: number) => {
    const real = isLog ? 2 ** x : x;
    const rounded = kind === 'integer' ? Math.round(real) : Number(real.toFixed(6));
    return Math.min(Math.max(rounded, low), high);
  };
  return (
    <div className={classes['slider']}>
      <label htmlFor={id}>{label}</label>
      <output htmlFor={id}>{textOf(field, value)}</output>
      <input
        id={id}
        type="range"
        min={toSlider(low)}
        max={toSlider(high)}
        step={isLog ? 0.25 : step}
        value={toSlider(value)}
        aria-valuetext={textOf(field, value)}
        disabled={isDisabled || lockedBy !== null}
        onChange={(event) => onChange(fromSlider(Number(event.target.value)))}
      />
    </div>
  );
}
