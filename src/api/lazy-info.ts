/** The result of a single environment's step, whose info is made when it is read. */

import type { CompiledTask, EpisodeStatistics } from '../envs/family.js';
import { describeStep, readsRow, type StepRows } from '../envs/report.js';
import type { Info, StepResult } from './env.js';

/** A batch of one after a step. */
interface Shown {
  readonly task: CompiledTask;
  readonly observations: Float32Array;
  readonly rewards: Float32Array;
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  readonly metrics: Float32Array;
  readonly actions: Float32Array | Int32Array;
  readonly masks: Uint8Array;
  statisticsOf(i: number): EpisodeStatistics | null;
}

/** Keeps of a step what its info needs: copying a few numbers costs less than naming them. */
export class InfoSource {
  private readonly readsObservation: boolean;
  private readonly readsAction: boolean;

  constructor(readonly task: CompiledTask) {
    this.readsObservation = readsRow(task.report, 'observation');
    this.readsAction = readsRow(task.report, 'action');
  }

  /** The rows that the report reads; those it does not are the batch's own, unread. */
  rowsOf({ metrics, observations, actions }: Shown): StepRows {
    return {
      metrics: new Float32Array(metrics),
      observation: this.readsObservation ? new Float32Array(observations) : observations,
      action: this.readsAction ? actions.slice() : actions,
    };
  }
}

/**
 * A step of a single environment. `info` is a getter of the class, made at the first reading: take
 * it by name (`step.info`, `const { info } = step`), for `{ ...step }` does not carry it.
 */
export class TaskStep implements StepResult {
  readonly observation: Float32Array;
  readonly reward: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
  readonly #task: CompiledTask;
  readonly #rows: StepRows;
  readonly #mask: Uint8Array | null;
  readonly #statistics: EpisodeStatistics | null;
  #info: Info | null = null;

  constructor(source: InfoSource, shown: Shown) {
    this.observation = new Float32Array(shown.observations);
    this.reward = shown.rewards[0]!;
    this.terminated = shown.terminated[0] === 1;
    this.truncated = shown.truncated[0] === 1;
    this.#task = source.task;
    this.#rows = source.rowsOf(shown);
    this.#mask = source.task.maskDim > 0 ? new Uint8Array(shown.masks) : null;
    this.#statistics = this.terminated || this.truncated ? shown.statisticsOf(0) : null;
  }

  get info(): Info {
    this.#info ??= {
      ...describeStep(this.#task.report, this.#rows),
      ...(this.#mask && { action_mask: Array.from(this.#mask) }),
      ...(this.#statistics && { episode: this.#statistics }),
    };
    return this.#info;
  }

  toJSON(): StepResult {
    const { observation, reward, terminated, truncated, info } = this;
    return { observation, reward, terminated, truncated, info };
  }

  [Symbol.for('nodejs.util.inspect.custom')](): StepResult {
    return this.toJSON();
  }
}
