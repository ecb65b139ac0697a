/** A task's actions as a model gives them: which head, and how its choices become rows. */
import { type CompiledTask, describeActions } from '../library.js';
import { categorical, type Head, squashedGaussian } from './learner/index.js';

/** The actions of a model for a task. */
export interface ActionAdapter {
  readonly head: Head;
  /** Numbers of an action as the model gives it. */
  readonly width: number;
  /** Writes the model's actions [n, width] into a batch's rows [n, actionDim]. */
  write(from: Int32Array | Float32Array, to: Int32Array | Float32Array): void;
}

/**
 * The head of a task: a choice for each index of its action row, squashed normal numbers where the
 * row is real. A discrete action that is a number of several fields (`task.actionFields`) gets a
 * choice for each field.
 */
export function adaptActions(task: CompiledTask): ActionAdapter {
  const numbers = describeActions(task);
  if (task.actionDtype === 'real') {
    const low = numbers.map((number) => number.low);
    const high = numbers.map((number) => number.high);
    const head = squashedGaussian(numbers.length, { low, high });
    return { head, width: numbers.length, write: (from, to) => to.set(from) };
  }
  const masked = task.maskDim > 0;
  if (task.actionFields !== undefined && task.actionFields.length > 1 && !masked) {
    return factoredActions(task.actionFields, numbers[0].low);
  }
  const fields = numbers.map(({ low, high }) => high - low + 1);
  const lowest = numbers.map(({ low }) => low);
  const head = categorical(fields, { masked, lowest });
  return { head, width: fields.length, write: (from, to) => to.set(from) };
}

/** A number in a mixed radix, the last field its lowest digit, from a choice for each field. */
function factoredActions(fields: readonly number[], lowest: number): ActionAdapter {
  const width = fields.length;
  return {
    head: categorical(fields),
    width,
    write(from, to) {
      for (let i = 0; i < to.length; i++) {
        let number = 0;
        for (let k = 0; k < width; k++) number = number * fields[k] + from[i * width + k];
        to[i] = lowest + number;
      }
    },
  };
}

/** The choices of each field that make a discrete action; the inverse of what an adapter writes. */
export function choicesOf(fields: readonly number[], index: number): number[] {
  const choices: number[] = [];
  let rest = index;
  for (let k = fields.length - 1; k >= 0; k--) {
    choices.unshift(rest % fields[k]);
    rest = Math.floor(rest / fields[k]);
  }
  return choices;
}
