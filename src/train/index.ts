/** Trainers and what they leave: policies that play anywhere. */
export { type ActionAdapter, adaptActions } from './actions.js';
export { DQN_DEFAULTS, type DqnConfig, dqn } from './dqn.js';
export * from './learner/index.js';
export {
  decodePolicyFile,
  encodePolicyFile,
  POLICY_FILE,
  type PolicyHeader,
  readPolicyHeader,
} from './policy-file.js';
export { PPO_DEFAULTS, type PpoConfig, ppo } from './ppo.js';
export { QLEARNING_DEFAULTS, type QlearningConfig, qlearning } from './qlearning.js';
export type { Sections } from './sections.js';
export {
  ALGORITHMS,
  type Algorithm,
  createTrainer,
  type TrainOptions,
  type TrainResult,
  train,
  VALIDATION_SEED_OFFSET,
} from './train.js';
export type { Trainer, TrainRow, TrainTask } from './trainer.js';
