/** The promises that no digest of one backend can show: batches are singles, snapshots travel. */

import { TaskVectorEnv } from '../api/task-vector-env.js';
import type { Backend } from '../backend.js';
import { addSeed, formatSeed, parseSeed } from '../base/seeding.js';
import type { CompiledTask } from '../envs/family.js';
import { ActionSource } from './actions.js';
import { differenceInRow, type Place } from './difference.js';

const SEED = parseSeed(2 ** 32 - 3); // environment 3 on needs the carry
const NUM_ENVS = 7;
const BATCH = { numEnvs: NUM_ENVS, autoreset: 'next-step', threads: 1 } as const;

type StepPlace = Place & { readonly step: number };

/**
 * Compares environment i of a batch reset with seed s with the single environment reset with
 * seed s + i, over `steps` steps. Returns the first difference or null.
 */
export function differenceFromSingles(
  task: CompiledTask,
  backend: Backend,
  steps: number,
): StepPlace | null {
  const source = new ActionSource(task);
  const options = { ...BATCH, metrics: true, kernel: 'auto' } as const;
  const batch = backend.create(task.program, options);
  const singles = Array.from({ length: NUM_ENVS }, () =>
    backend.create(task.program, { ...options, numEnvs: 1 }),
  );
  try {
    batch.reset(SEED, false);
    singles.forEach((single, i) => {
      single.reset(addSeed(SEED, i), false);
    });
    for (let step = 0; step <= steps; step++) {
      if (step > 0) {
        source.write(batch.channels.actions, step);
        batch.step();
      }
      for (let i = 0; i < NUM_ENVS; i++) {
        if (step > 0) {
          source.write(singles[i].channels.actions, step, i);
          singles[i].step();
        }
        const place = differenceInRow(task, singles[i], batch, i);
        if (place !== null) return { step, ...place };
      }
    }
    return null;
  } finally {
    for (const open of [batch, ...singles]) open.close();
  }
}

/**
 * Plays `before` steps on one backend, hands its snapshot to another and goes on for `after` steps
 * on both. Returns the first step after which their snapshots differ, or null.
 */
export function differenceAfterSnapshot(
  task: CompiledTask,
  from: Backend,
  to: Backend,
  [before, after]: readonly [before: number, after: number],
): { step: number; expected: string; got: string } | null {
  const source = new ActionSource(task);
  const options = { ...BATCH, infos: true, seed: formatSeed(SEED) };
  const first = new TaskVectorEnv(task, from, options);
  const second = new TaskVectorEnv(task, to, options);
  const step = (env: TaskVectorEnv, t: number) => {
    const { buffer, byteOffset, length } = env.actions;
    source.write(new Uint32Array(buffer, byteOffset, length), t);
    env.step();
  };
  try {
    first.reset();
    for (let t = 1; t <= before; t++) step(first, t);
    second.restore(first.snapshot());
    for (let t = before; t <= before + after; t++) {
      if (t > before) for (const env of [first, second]) step(env, t);
      const [expected, got] = [first.digest(), second.digest()];
      if (expected !== got) return { step: t, expected, got };
    }
    return null;
  } finally {
    first.close();
    second.close();
  }
}
