/**
 * The policies of autoscaling that run in the core; src/reference/autoscaling/policies.ts is their
 * specification.
 */
import {
  HEURISTIC_BEST_CONSTANT,
  HEURISTIC_HPA,
  HEURISTIC_THRESHOLD,
  s_best_constant,
  s_hpa_max_replicas,
  s_hpa_min_replicas,
  s_hpa_target,
  s_hpa_tolerance,
  s_hpa_window_steps,
  s_threshold_down,
  s_threshold_up,
  WORD_RECOMMENDED_HI,
  WORD_RECOMMENDED_LO,
} from '../../generated/autoscaling';
import { setWord, word } from '../../state';

/** A policy's knowledge of the service. */
export class Service {
  /** Percent, rounded to f32. */
  static cpu: f64 = 0;
  /** Instances of all types. */
  static instances: f64 = 0;
  /** Capacity units: those of all instances, and of those that serve. */
  static replicas: f64 = 0;
  static servingReplicas: f64 = 0;
}

/** The change of instances that policy number `kind` asks for, before the action's bounds. */
export function chooseChange(kind: u32, w: usize): f64 {
  if (kind == HEURISTIC_THRESHOLD) {
    return f64(Service.cpu > s_threshold_up) - f64(Service.cpu < s_threshold_down);
  }
  if (kind == HEURISTIC_HPA) return stabilize(w, recommend()) - Service.replicas;
  return kind == HEURISTIC_BEST_CONSTANT ? s_best_constant - Service.instances : 0;
}

/** Kubernetes' rule; replicas that do not serve yet count as idle where it would scale up. */
function recommend(): f64 {
  const replicas = Service.replicas;
  const serving = Service.servingReplicas;
  const usage = Service.cpu / s_hpa_target;
  const countsIdle = usage > 1 && serving < replicas;
  const counted = countsIdle ? replicas : serving;
  const ratio = countsIdle ? (usage * serving) / replicas : usage;
  const distance = ratio > 1 ? ratio - 1 : 1 - ratio;
  const keeps = distance <= s_hpa_tolerance || (countsIdle && ratio < 1);
  const desired = keeps ? replicas : Math.ceil(ratio * counted);
  return clipReal(desired, s_hpa_min_replicas, s_hpa_max_replicas);
}

/** Up at once; down only to the highest recommendation of the stabilisation window. */
function stabilize(w: usize, desired: f64): f64 {
  const before = word(w, WORD_RECOMMENDED_LO);
  const lo = (before << 8) | <u32>desired;
  const hi = (word(w, WORD_RECOMMENDED_HI) << 8) | (before >> 24);
  setWord(w, WORD_RECOMMENDED_LO, lo);
  setWord(w, WORD_RECOMMENDED_HI, hi);
  const window = <u32>s_hpa_window_steps;
  let highest = <u32>desired;
  for (let i: u32 = 1; i < window; i++) {
    const past = ((i < 4 ? lo : hi) >> (8 * (i & 3))) & 255;
    highest = past > highest ? past : highest;
  }
  if (Service.replicas < desired) return desired;
  return Service.replicas > <f64>highest ? <f64>highest : Service.replicas;
}

/** x clipped to [low, high]; what is not above low reads low. */
export function clipReal(x: f64, low: f64, high: f64): f64 {
  const above = x > low ? x : low;
  return above < high ? above : high;
}
