/**
 * The policies of autoscaling that run in the core: the origin's threshold rule, a horizontal pod
 * autoscaler, keep, and a constant number of instances. They see what an agent sees.
 */
import { type AutoscalingScalars, heuristic } from '../../generated/autoscaling.js';

/** A policy's knowledge of the service. */
export interface Service {
  /** Percent, f32. */
  readonly cpu: number;
  /** Instances of all types. */
  readonly instances: number;
  /** Capacity units: those of all instances, and of those that serve. */
  readonly replicas: number;
  readonly servingReplicas: number;
}

/** The HPA's memory: eight recommendations, a byte each, the newest lowest. */
interface Recommendations {
  recommendedLo: number;
  recommendedHi: number;
}

/** The change of instances a policy asks for, before the action's bounds. */
export function chooseChange(
  kind: number,
  s: AutoscalingScalars,
  service: Service,
  memory: Recommendations,
): number {
  switch (kind) {
    case heuristic.threshold:
      return (service.cpu > s.thresholdUp ? 1 : 0) - (service.cpu < s.thresholdDown ? 1 : 0);
    case heuristic.hpa:
      return stabilize(s, service, recommend(s, service), memory) - service.replicas;
    case heuristic.bestConstant:
      return s.bestConstant - service.instances;
    default:
      return 0;
  }
}

/**
 * Kubernetes' rule: ceil(replicas × usage / target), unless the ratio is within the tolerance of
 * 1. Where it would scale up, replicas that do not serve yet count as idle; if that turns the
 * ratio below 1, nothing changes.
 */
function recommend(s: AutoscalingScalars, service: Service): number {
  const { replicas, servingReplicas } = service;
  const usage = service.cpu / s.hpaTarget;
  const countsIdle = usage > 1 && servingReplicas < replicas;
  const counted = countsIdle ? replicas : servingReplicas;
  const ratio = countsIdle ? (usage * servingReplicas) / replicas : usage;
  const distance = ratio > 1 ? ratio - 1 : 1 - ratio;
  const keeps = distance <= s.hpaTolerance || (countsIdle && ratio < 1);
  const desired = keeps ? replicas : Math.ceil(ratio * counted);
  return clip(desired, s.hpaMinReplicas, s.hpaMaxReplicas);
}

/** Up at once; down only to the highest recommendation of the stabilisation window. */
function stabilize(
  s: AutoscalingScalars,
  { replicas }: Service,
  desired: number,
  memory: Recommendations,
): number {
  memory.recommendedHi = ((memory.recommendedHi << 8) | (memory.recommendedLo >>> 24)) >>> 0;
  memory.recommendedLo = ((memory.recommendedLo << 8) | desired) >>> 0;
  let highest = desired;
  for (let i = 1; i < s.hpaWindowSteps; i++) {
    const word = i < 4 ? memory.recommendedLo : memory.recommendedHi;
    const past = (word >>> (8 * (i & 3))) & 255;
    highest = past > highest ? past : highest;
  }
  if (replicas < desired) return desired;
  return replicas > highest ? highest : replicas;
}

/** x clipped to [low, high]; what is not above low reads low. */
export function clip(x: number, low: number, high: number): number {
  const above = x > low ? x : low;
  return above < high ? above : high;
}
