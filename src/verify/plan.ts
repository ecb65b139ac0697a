/** The runs of `verify`: for each batch size, runs that reach every autoreset mode and action. */

import { corePolicyNumber } from '../api/options.js';
import { compileTask } from '../api/registry.js';
import { AUTORESETS, type Autoreset, type Backend, type Batch, type Kernel } from '../backend.js';
import { addSeed, parseSeed } from '../base/seeding.js';
import type { CompiledTask } from '../envs/family.js';
import { corePolicy } from '../generated/common.js';
import { ActionSource } from './actions.js';

/** One history of a batch. */
export interface Run {
  /** The task, or one that differs from it in its spaces only. */
  readonly task: CompiledTask;
  readonly autoreset: Autoreset;
  readonly steps: number;
  /** Steps of the core's random policy afterwards; its other policies play a share of that. */
  readonly rolloutSteps: number;
}

/** One batch size with its runs; their outputs make one digest. */
export interface Row {
  readonly numEnvs: number;
  readonly runs: readonly Run[];
}

/** An implementation with the kernel and the threads it is asked to use. */
export interface Variant {
  readonly backend: Backend;
  readonly kernel: Kernel;
  readonly threads: number;
}

// Close below 2^32, so that the seeds of most batches carry into the high word.
const SEED = parseSeed(2 ** 32 - 3);
const MASKED_RESET_STEPS = 8;
/** Large batches cross the end of the shorter episodes only: the reference has its pace. */
const ROLLOUT_STEPS_MAX = 210;
const HEURISTIC_STEPS_MAX = 24;

/** The task with every other way of acting and observing that its family offers. */
function otherSpaces({ spec, config }: CompiledTask): CompiledTask[] {
  if (!('action_space' in config)) return [];
  return ['structured', 'normalised', 'discrete']
    .filter((space) => space !== config['action_space'])
    .map((space) => {
      const normalize = space === 'normalised';
      return compileTask(spec.id, { action_space: space, normalize_observation: normalize });
    });
}

/** The rows of a task. `quick` is the subset that takes seconds. */
export function planRows(task: CompiledTask, quick: boolean): Row[] {
  const horizon = task.horizonSteps;
  const spaces = otherSpaces(task);
  const inModes = (steps: number, rolloutSteps: number): Run[] =>
    AUTORESETS.map((autoreset) => ({ task, autoreset, steps, rolloutSteps }));
  const inSpaces = (steps: number): Run[] =>
    spaces.map((other) => ({ task: other, autoreset: 'next-step', steps, rolloutSteps: 16 }));
  const [nextStep] = inModes(horizon + 20, Math.min(horizon, ROLLOUT_STEPS_MAX));
  if (quick) {
    return [
      { numEnvs: 1, runs: [...inModes(horizon + 10, 8), ...inSpaces(40)] },
      { numEnvs: 7, runs: [...inModes(24, horizon), ...inSpaces(24)] },
      { numEnvs: 64, runs: [{ ...nextStep, steps: 12 }] },
      { numEnvs: 1000, runs: [{ ...nextStep, steps: 2, rolloutSteps: 4 }] },
    ];
  }
  return [
    { numEnvs: 1, runs: [...inModes(2 * horizon + 20, 32), ...inSpaces(horizon + 20)] },
    { numEnvs: 7, runs: [...inModes(2 * horizon + 20, 32), ...inSpaces(horizon + 20)] },
    { numEnvs: 64, runs: [nextStep, ...inModes(80, 80), ...inSpaces(48)] },
    { numEnvs: 1000, runs: [...inModes(16, 16), { ...nextStep, steps: 24 }] },
  ];
}

/** The variants of a backend: its own kernel with 1 and 2 threads, and every other one it has. */
export function variantsOf(backend: Backend): Variant[] {
  const [own, ...others] = backend.kernels.toReversed();
  const variants: Variant[] = [{ backend, kernel: own, threads: 1 }];
  if (backend.maxThreads > 1) variants.push({ backend, kernel: own, threads: 2 });
  for (const kernel of others.reverse()) variants.push({ backend, kernel, threads: 1 });
  return variants;
}

/** A batch of a run's task, with every output there is. */
export function createBatch(
  { backend, kernel, threads }: Variant,
  { task, autoreset }: Run,
  numEnvs: number,
): Batch {
  return backend.create(task.program, { numEnvs, autoreset, threads, metrics: true, kernel });
}

/**
 * Plays a run; stops after everything that changes the batch and yields the step number. With
 * `fine` also inside the rollouts, which otherwise are one call each.
 */
export function* play(batch: Batch, run: Run, fine = false): Generator<number, void> {
  const { actions } = batch.channels;
  const source = new ActionSource(run.task);
  batch.reset(SEED, false);
  yield 0;
  for (let step = 1; step <= run.steps; step++) {
    source.write(actions, step);
    batch.step();
    yield step;
    if (run.autoreset === 'disabled' && step % MASKED_RESET_STEPS === 0) {
      resetMasked(batch, step);
      yield step;
    }
  }
  let done = run.steps;
  for (const { policy, steps } of rolloutsOf(run)) {
    source.write(actions, done + 1); // what `constant` holds; the others overwrite it
    for (const end of rollout(batch, policy, steps, fine)) yield done + end;
    done += steps;
  }
}

/** The core's random policy, then shorter every heuristic of the family and the constant one. */
function rolloutsOf({ task, rolloutSteps }: Run): { policy: number; steps: number }[] {
  const steps = Math.min(Math.ceil(rolloutSteps / 4), HEURISTIC_STEPS_MAX);
  return [
    { policy: corePolicy.random, steps: rolloutSteps },
    ...task.layout.heuristics.map((name) => {
      return { policy: corePolicyNumber(task.layout, name), steps };
    }),
    { policy: corePolicy.constant, steps },
  ];
}

function* rollout(batch: Batch, policy: number, steps: number, fine: boolean) {
  const chunk = fine ? 1 : steps;
  for (let done = chunk; done <= steps; done += chunk) {
    batch.rollout(policy, chunk);
    yield done;
  }
}

/** Resets what has finished and every ninth environment; every second time with a new seed. */
function resetMasked(batch: Batch, step: number): void {
  const { resetMask, terminated, truncated } = batch.channels;
  for (let i = 0; i < resetMask.length; i++) {
    const isChosen = (i + step / MASKED_RESET_STEPS) % 9 === 0;
    resetMask[i] = terminated[i] === 1 || truncated[i] === 1 || isChosen ? 1 : 0;
  }
  const isSeeded = (step / MASKED_RESET_STEPS) % 2 === 0;
  batch.reset(isSeeded ? addSeed(SEED, step) : null, true);
}
