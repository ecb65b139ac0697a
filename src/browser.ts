/**
 * InfraGym where there is no file system: everything of the library but the native backend and
 * the reading of files.
 */
export type { BatchActions } from './actions.js';
export { type Bundle, BundleError, decodeBundle, encodeBundle } from './api/bundle.js';
export {
  type ActionDescription,
  describeTask,
  type ObservationDescription,
  type TaskDescription,
} from './api/description.js';
export {
  type Autoreset,
  BACKEND_NAMES,
  type Backend,
  type BackendName,
  BackendUnavailableError,
  type Kernel,
} from './backend.js';
export { loadAssemblyScript } from './backends/assemblyscript.js';
export {
  type BackendStatus,
  backendReport,
  loadBackend,
  provideBackend,
} from './backends/select.js';
export { loadWasm } from './backends/wasm.js';
export { checkEnv } from './check-env.js';
export type { Finding } from './check-findings.js';
export { checkVectorEnv } from './check-vector-env.js';
export type { RateTrace } from './compile/autoscaling-load.js';
export { ProgramError } from './compile/program.js';
export type { ProvisioningConfig } from './compile/provisioning.js';
export type { JobTrace } from './compile/scheduling-workload.js';
export { type DemandSamples, decodeDemand } from './data/demand-samples.js';
export {
  importOpenbPods,
  importSwf,
  importTaskEvents,
  type JobImport,
  type JobImportOptions,
} from './data/job-importers.js';
export { readJobTrace } from './data/job-trace.js';
export { type RateTraceOptions, readRateTrace } from './data/rate-trace.js';
export * from './data.js';
export { Digest, type DigestOptions, digestOf } from './digest.js';
export type { ResetOptions } from './env.js';
export {
  Env,
  type Info,
  type MakeOptions,
  make,
  type ResetResult,
  type StepResult,
} from './env.js';
export { gradeAutoscalingEpisode, gradeAutoscalingLog } from './envs/autoscaling-grader.js';
export { registerRateTrace } from './envs/autoscaling-traces.js';
export type {
  CompiledTask,
  EnvFamily,
  EpisodeStatistics,
  Grade,
  GradeContext,
  Json,
  JsonObject,
  TaskSpec,
} from './envs/family.js';
export {
  provisioningArrivals,
  provisioningConfig,
  provisioningState,
} from './envs/provisioning.js';
export {
  type BoundPrices,
  clairvoyantBound,
  gradeProvisioningLog,
} from './envs/provisioning-grader.js';
export { overwrittenNames, type Report, type ReportedValue, type StepRows } from './envs/report.js';
export { schedulingJobs } from './envs/scheduling.js';
export {
  binStart,
  type SchedulingMetrics,
  schedulingMetrics,
  waitQuantile,
} from './envs/scheduling-grader.js';
export { registerDemandSamples, registerJobTrace } from './envs/scheduling-traces.js';
export { type HysteresisRule, hysteresisJson, readHysteresis } from './envs/serving/hysteresis.js';
export { observationScales, servingAction, servingGrid } from './envs/serving.js';
export { gradeLog } from './envs/serving-grader.js';
export { registerTable, registerTraffic } from './envs/serving-tables.js';
export {
  baselineReturns,
  type EpisodeResult,
  type EvaluateOptions,
  evaluateEpisodes,
} from './evaluate.js';
export { nearest } from './nearest.js';
export {
  baselinePolicy,
  constantPolicy,
  heuristicPolicy,
  type Policy,
  type PolicyView,
  parametricPolicy,
  randomPolicy,
} from './policy.js';
export {
  type BinnedFeature,
  type LinearPolicy,
  type ParametricPolicy,
  policyRows,
  type TabularPolicy,
} from './policy-parameters.js';
export {
  evaluateProtocol,
  type ProtocolOptions,
  type ProtocolResult,
  TEST_SEED_OFFSET,
  testSeeds,
  trainSeeds,
} from './protocol.js';
export { createRecordArrays, type RecordArrays } from './record.js';
export { type EpisodeRecord, EpisodeRecorder } from './recorder.js';
export { compileTask, familyOf, listFamilies, listTasks, register, spec } from './registry.js';
export { addSeed, formatSeed, makeRng, parseSeed, parseSeedRange, type Seed } from './seeding.js';
export { ServingModel, type ServingSituation } from './serving-model.js';
export {
  type MetricsSnapshot,
  type SimulateOptions,
  simulate,
  type WorkloadState,
} from './simulate.js';
export { SnapshotError } from './snapshot.js';
export * from './spaces.js';
export * from './statistics.js';
export { makeVec, VectorEnv } from './vector-env.js';
export type {
  MakeVecOptions,
  SeedLike,
  TaskOptions,
  VectorOptions,
  VectorReset,
  VectorResetOptions,
  VectorStep,
} from './vector-options.js';
export { type CorePolicy, corePolicyNumber } from './vector-options.js';
export * from './verify.js';
