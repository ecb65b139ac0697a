/** Environments: making, stepping, recording and storing them, alone and in batches. */
export type { BatchActions } from './actions.js';
export { type Bundle, BundleError, decodeBundle, encodeBundle } from './bundle.js';
export {
  type ActionDescription,
  describeActions,
  describeTask,
  type ObservationDescription,
  type TaskDescription,
} from './description.js';
export type { Env, Info, ResetOptions, ResetResult, StepResult } from './env.js';
export type {
  MakeVecOptions,
  TaskOptions,
  VectorOptions,
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
export type { BatchSeed, SeedLike } from './seeds.js';
export { SnapshotError } from './snapshot.js';
export { type MakeOptions, make, TaskEnv } from './task-env.js';
export { makeVec, TaskVectorEnv } from './task-vector-env.js';
export type { VectorEnv, VectorReset, VectorResetOptions, VectorStep } from './vector-env.js';
