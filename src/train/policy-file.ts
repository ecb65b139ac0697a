/** Learned policies as files: what `infragym train` writes and every `--policy` takes. */
import {
  type CompiledTask,
  type JsonObject,
  type ParametricPolicy,
  type Policy,
  parametricPolicy,
} from '../library.js';
import { adaptActions } from './actions.js';
import { createModel, type Learner, Normalizer, specOf } from './learner/index.js';
import { learnedPolicy } from './policy.js';
import { tabularFrom } from './qlearning.js';
import { decodeSections, encodeSections, type Sections } from './sections.js';
import { normalizerState } from './trainer.js';

/** The name of the file in a policy's directory. */
export const POLICY_FILE = 'policy.bin';

/** The facts of a learned policy that its file carries. */
export interface PolicyHeader {
  readonly algorithm: string;
  /** Id of the task that it was trained on, and the digest of its program. */
  readonly task: string;
  readonly program_digest: string;
  readonly config: JsonObject;
  readonly settings: JsonObject;
  readonly seed: number;
  readonly steps: number;
  readonly weights_digest: string;
}

export function encodePolicyFile(header: PolicyHeader, sections: Sections): Uint8Array {
  return encodeSections('learned policy', { ...header }, sections);
}

/** @throws RangeError for bytes that are no policy, or damaged ones. */
export function readPolicyHeader(bytes: Uint8Array): PolicyHeader {
  return decodeSections('learned policy', bytes).header as unknown as PolicyHeader;
}

/**
 * The policy of a file, to be played on a task: the one that it was trained on, or another with
 * the same observations and actions.
 *
 * @throws RangeError for bytes that are no policy, damaged ones, and a task of another shape.
 */
export function decodePolicyFile(bytes: Uint8Array, task: CompiledTask, learner: Learner): Policy {
  const { header, sections } = decodeSections('learned policy', bytes);
  const { algorithm, task: trainedOn } = header as unknown as PolicyHeader;
  const refuse = (what: string, found: number, needed: number) => {
    return new RangeError(
      `the policy was trained on ${trainedOn}: it has ${found} ${what}, ` +
        `${task.spec.id} has ${needed}`,
    );
  };
  if (sections['table'] !== undefined) {
    const parameters: ParametricPolicy = tabularFrom(sections, task);
    return { ...parametricPolicy(parameters), name: algorithm };
  }
  const spec = specOf(sections['model']);
  if (spec.observationDim !== task.observationDim) {
    throw refuse('observations', spec.observationDim, task.observationDim);
  }
  const actions = adaptActions(task);
  const [own, needed] = [JSON.stringify(spec.head), JSON.stringify(actions.head)];
  if (own !== needed) {
    throw new RangeError(
      `the policy was trained on ${trainedOn}: its head is ${own}, not ${needed}`,
    );
  }
  const model = createModel(learner, spec);
  model.load(sections['model']);
  const state = normalizerState(sections['normalizer']);
  const normalizer = new Normalizer(task.observationDim, state.kind);
  normalizer.load(state);
  return learnedPolicy(algorithm, model, normalizer, actions);
}
