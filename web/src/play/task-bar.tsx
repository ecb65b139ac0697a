/** Which episode: task and seed, and the way to begin it again. */
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { Button } from '../ui/button.js';
import { library } from '../worker/client.js';
import type { EpisodeSetup, TaskEntry } from '../worker/messages.js';
import { playableFamilies } from './families.js';
import classes from './page.module.css';

export interface TaskBarProps {
  readonly setup: EpisodeSetup;
  readonly onSetup: (setup: EpisodeSetup) => void;
  readonly onReset: () => void;
}

export function TaskBar({ setup, onSetup, onReset }: TaskBarProps) {
  const { data: tasks = [] } = useQuery({ queryKey: ['tasks'], queryFn: () => library().tasks() });
  const known = tasks.find(({ id }) => id === setup.task);
  const id = useId();
  return (
    <div className={classes['bar']}>
      <h1 className={classes['title']}>
        <label htmlFor={id} className={classes['label']}>
          Task
        </label>
        <select
          id={id}
          className={classes['task']}
          value={setup.task}
          onChange={(event) => onSetup({ ...setup, task: event.target.value, config: {} })}
        >
          {known === undefined && <option value={setup.task}>{setup.task}</option>}
          {playableFamilies.map((family) => (
            <optgroup key={family} label={family}>
              {tasks.filter((task) => task.family === family).map(optionOf)}
            </optgroup>
          ))}
        </select>
      </h1>
      <SeedField
        key={setup.seed}
        seed={setup.seed}
        onSeed={(seed) => onSetup({ ...setup, seed })}
      />
      <Button onPress={onReset} shortcut="0" title="Begins this episode again">
        Reset environment
      </Button>
      <p className={classes['description']}>{known?.description ?? ' '}</p>
    </div>
  );
}

function optionOf({ id, difficulty }: TaskEntry) {
  return (
    <option key={id} value={id}>
      {id} · {difficulty}
    </option>
  );
}

interface SeedFieldProps {
  readonly seed: string;
  readonly onSeed: (seed: string) => void;
}

function SeedField({ seed, onSeed }: SeedFieldProps) {
  const [text, setText] = useState(seed);
  const isGood = /^\d{1,20}$/.test(text) && BigInt(text) < 2n ** 64n;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isGood) onSeed(text);
  };
  return (
    <form className={classes['seed']} onSubmit={submit}>
      <label>
        Seed
        <input
          value={text}
          inputMode="numeric"
          size={8}
          aria-invalid={!isGood}
          onChange={(event) => setText(event.target.value.trim())}
          onBlur={() => isGood && text !== seed && onSeed(text)}
        />
      </label>
      {!isGood && <span role="alert">0 to 2⁶⁴ − 1 is needed</span>}
      <Button
        title="Another random episode"
        onPress={() => onSeed(String(Math.floor(Math.random() * 1e6)))}
      >
        New seed
      </Button>
    </form>
  );
}
