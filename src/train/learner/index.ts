/**
 * The learner: models whose weights are the same bits on every machine. docs/LEARNING.md.
 *
 * @example
 * const learner = await loadLearner();
 * const model = createModel(learner, {
 *   seed: 1,
 *   observationDim: 14,
 *   nets: {
 *     actor: { hidden: [64, 64], outputs: 'head', lastGain: 0.01 },
 *     critic: { hidden: [64, 64] },
 *   },
 *   head: categorical([30]),
 * });
 */
export { LEARNER_NAMES, loadLearner, provideLearner } from './auto.js';
export { LEARNER_VERSION, specOf } from './checkpoint.js';
export { Draws } from './draws.js';
export type { Learner } from './engine.js';
export {
  actionDimOf,
  type CategoricalOptions,
  categorical,
  entitiesDim,
  type GaussianOptions,
  gaussian,
  headOutputs,
  pairs,
  type SquashedOptions,
  squashedGaussian,
} from './heads.js';
export { createModel, Model, NonFiniteGradientError, type RowOptions } from './model.js';
export { Normalizer, type NormalizerKind, type NormalizerState, signedLog } from './normalizer.js';
export { loadReference } from './reference/index.js';
export type * from './types.js';
