/** Environments: making, stepping, recording and storing them, alone and in batches. */
export type { BatchActions } from './actions.js';
export { type Bundle, BundleError, decodeBundle, encodeBundle } from './bundle.js';
export {
  type ActionDescription,
  describeTask,
  type ObservationDescription,
  type TaskDescription,
} from './description.js';
export type { ResetOptions } from './env.js';
export {
  Env,
  type Info,
  type MakeOptions,
  make,
  type ResetResult,
  type StepResult,
} from './env.js';
export type {
  MakeVecOptions,
  SeedLike,
  TaskOptions,
  VectorOptions,
  VectorReset,
  VectorResetOptions,
  VectorStep,
} from './options.js';
export { type CorePolicy, corePolicyNumber } from './options.js';
export {
  type BinnedFeature,
  type LinearPolicy,
  type ParametricPolicy,
  policyRows,
  type TabularPolicy,
} from './policy-parameters.js';
export { createRecordArrays, type RecordArrays } from './record.js';
export { compileTask, familyOf, listFamilies, listTasks, register, spec } from './registry.js';
export { SnapshotError } from './snapshot.js';
export { makeVec, VectorEnv } from './vector-env.js';
