/** The exports of each environment family beside its tasks. */

export type { Json, JsonObject } from '../base/json.js';
export type { ProvisioningConfig } from '../compile/provisioning/provisioning.js';
export { gradeAutoscalingEpisode, gradeAutoscalingLog } from './autoscaling/grader.js';
export { registerRateTrace } from './autoscaling/registered.js';
export type {
  EngineEvent,
  EngineSample,
  RequestResult,
  SimulateEngineOptions,
  SimulationCounts,
  SimulationResult,
  TraceRequest,
} from './engine/requests.js';
export { type EngineConfig, ROUTERS as ENGINE_ROUTERS } from './engine/setup.js';
export { EngineSimulation, simulateEngine, simulateEngineStream } from './engine/simulate.js';
export type {
  CompiledTask,
  EnvFamily,
  EpisodeStatistics,
  Grade,
  GradeContext,
  TaskSpec,
} from './family.js';
export {
  provisioningArrivals,
  provisioningConfig,
  provisioningState,
} from './provisioning/family.js';
export {
  type BoundPrices,
  clairvoyantBound,
  gradeProvisioningLog,
} from './provisioning/grader.js';
export { overwrittenNames, type Report, type ReportedValue, type StepRows } from './report.js';
export { schedulingJobs } from './scheduling/family.js';
export {
  binStart,
  type SchedulingMetrics,
  schedulingMetrics,
  waitQuantile,
} from './scheduling/grader.js';
export { registerDemandSamples, registerJobTrace } from './scheduling/registered.js';
export { observationScales, servingAction, servingGrid } from './serving/family.js';
export { gradeLog } from './serving/grader.js';
export { type HysteresisRule, hysteresisJson, readHysteresis } from './serving/hysteresis.js';
export { ServingModel, type ServingSituation } from './serving/model.js';
export { registerTable, registerTraffic } from './serving/registered.js';
export {
  type MetricsSnapshot,
  type SimulateOptions,
  simulate,
  type WorkloadState,
} from './serving/simulate.js';
