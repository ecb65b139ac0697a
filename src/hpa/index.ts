/** Kubernetes' horizontal autoscaling without a cluster. */
export type { Limit } from './behavior.js';
export { type CaseResult, runHpaCases } from './cases.js';
export {
  CONTROLLER_DEFAULTS,
  type ControllerFlags,
  type Decision,
  HorizontalPodAutoscaler,
  type MetricProposal,
  type SyncInput,
} from './controller.js';
export { type DryRun, type DryRunSync, playDryRun, readDryRun } from './dry-run.js';
export type { HpaSpec, MetricSpec, ScalingPolicy, ScalingRules } from './object.js';
export { groupPods, type PodGroups, type PodSample, type PodTotals } from './pods.js';
export { milliOf } from './quantity.js';
