/** Serving by hand: five knobs, those that the task locks shown locked. */
import { useState } from 'react';
import { Button } from '../../../ui/button.js';
import type { ActionField } from '../../action-field.js';
import classes from '../../controls.module.css';
import type { ControlProps } from '../../family.js';
import { Knob } from '../../knob.js';
import { Repeat } from '../../repeat.js';
import { configOf, TIERS } from './config.js';

/** How the knobs are named and shown. */
const LOOKS: Readonly<Record<string, Partial<ActionField>>> = {
  kv_budget: { label: 'KV cache', step: 0.05, format: (value) => `${(100 * value).toFixed(0)} %` },
  batch_size: { label: 'Batch', scale: 'log2', format: (value) => `${value} requests` },
  spec_length: { label: 'Speculation', format: (value) => `${value}` },
  prefill_disagg: { label: 'Prefill apart', format: (value) => (value === 1 ? 'yes' : 'no') },
  quant_tier: { label: 'Precision', format: (value) => TIERS[value] },
};

export function Controls({ game, isDisabled, onMove }: ControlProps) {
  const { actions, baseline } = game.opened.task;
  const { active_actions: active } = configOf(game);
  const [row, setRow] = useState<readonly number[]>(baseline.row);
  const isStructured = actions.every(({ name }) => name in LOOKS);
  const last = game.steps;
  return (
    <div className={classes['controls']}>
      {actions.map((action, i) => {
        const isLocked = isStructured && !active.includes(action.name);
        return (
          <Knob
            key={action.name}
            field={{ ...action, label: action.name, ...LOOKS[action.name] }}
            value={row[i]}
            lockedBy={isLocked ? 'locked by this task' : null}
            note={noteOf(game, last, action.name, row[i])}
            isDisabled={isDisabled}
            onChange={(value) => setRow(row.with(i, value))}
          />
        );
      })}
      <div className={classes['row']}>
        <Button shortcut="a" isDisabled={isDisabled} onPress={() => onMove(row, 1)}>
          Apply for one step
        </Button>
      </div>
      <Repeat
        isDisabled={isDisabled}
        note="holds these knobs"
        onRun={(steps) => onMove(row, steps)}
      />
    </div>
  );
}

/** Says where the knob in force is another than the one that is wanted, and why. */
function noteOf(game: Parameters<typeof configOf>[0], row: number, name: string, wanted: number) {
  const { metrics, observations, steps } = game;
  if (steps === 0 || !metrics.has(`applied_${name}`)) return null;
  const applied = metrics.at(row, `applied_${name}`);
  const asked = game.actions.has(name) ? game.actions.at(row, name) : wanted;
  if (Math.abs(applied - asked) < 1e-6) return null;
  const left = observations.has('rollout_steps_left')
    ? observations.at(row, 'rollout_steps_left')
    : 0;
  const why = left > 0 ? `rolling out, ${left} steps left` : 'the change was not applied';
  return `in force: ${LOOKS[name]?.format?.(applied) ?? applied} (${why})`;
}
