/** A learned policy as the library plays it. */
import type { Policy } from '../library.js';
import type { ActionAdapter } from './actions.js';
import type { Model, Normalizer } from './learner/index.js';

/** The greedy policy of a model's head. */
export function learnedPolicy(
  name: string,
  model: Model,
  normalizer: Normalizer,
  actions: ActionAdapter,
): Policy {
  const { head, width } = actions;
  const isIndex = head.kind === 'categorical';
  const isMasked = isIndex && head.masked;
  let observations = new Float32Array(0);
  let chosen: Int32Array | Float32Array = new Float32Array(0);
  return {
    name,
    act(view) {
      if (observations.length !== view.observations.length) {
        observations = new Float32Array(view.observations.length);
        const numbers = view.numEnvs * width;
        chosen = isIndex ? new Int32Array(numbers) : new Float32Array(numbers);
      }
      normalizer.apply(view.observations, observations);
      model.act(observations, isMasked ? view.masks : null, 'greedy', { actions: chosen });
      actions.write(chosen, view.actions);
    },
  };
}
