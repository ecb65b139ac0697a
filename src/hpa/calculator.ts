/** Replicas that one metric asks for: the replica calculator of Kubernetes' controller. */
import type { MetricSpec } from './object.js';
import type { PodGroups } from './pods.js';

/** Relative distance from the target within which nothing changes, by direction. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

/** An answer, or why there is none. */
export type Proposal =
  | { readonly replicas: number; readonly current: number; readonly error: null }
  | { readonly replicas: null; readonly current: null; readonly error: string };

const REPLICAS_MAX = 2 ** 31 - 1;

function propose(replicas: number, current: number): Proposal {
  return { replicas: Math.min(replicas, REPLICAS_MAX), current, error: null };
}

/** The proposal of a metric that has none. */
export function noProposal(error: string): Proposal {
  return { replicas: null, current: null, error };
}

/** Both ends count as within, to the last bit: 1 + 0.1 and 1 − 0.1 as doubles. */
function isWithin(ratio: number, { up, down }: Tolerances): boolean {
  return 1 - down <= ratio && ratio <= 1 + up;
}

/** Quotient of whole numbers, cut off; exact beyond 2^53 too. */
function quotient(a: number, factor: number, b: number): number {
  const product = a * factor;
  if (product <= Number.MAX_SAFE_INTEGER) return Math.trunc(product / b);
  return Number((BigInt(Math.round(a)) * BigInt(factor)) / BigInt(Math.round(b)));
}

/**
 * Proposal of a metric that each pod has (Resource, ContainerResource, Pods).
 *
 * @param replicas that the scale asks for now.
 */
export function proposeFromPods(
  groups: PodGroups,
  metric: MetricSpec,
  replicas: number,
  tolerances: Tolerances,
): Proposal {
  const { ready, unready, missing } = groups;
  const isUtilization = metric.target === 'Utilization';
  if (groups.num_pods === 0) return noProposal('no pods match');
  if (ready.count === 0) return noProposal('no pod that counts has a metric');
  if (isUtilization && groups.lacks_request) {
    return noProposal(`a pod has no request of ${metric.name}`);
  }
  // Whole per cent, whole thousandths: the controller divides integers.
  const levelOf = (usage: number, request: number, count: number): number =>
    isUtilization ? quotient(usage, 100, request) : quotient(usage, 1, count);
  if (isUtilization && ready.request === 0) return noProposal('the requests are 0');
  const current = levelOf(ready.usage, ready.request, ready.count);
  const ratio = current / metric.value;
  const fillsUnready = unready.count > 0 && ratio > 1;
  if (!fillsUnready && missing.count === 0) {
    if (isWithin(ratio, tolerances)) return propose(replicas, current);
    return propose(Math.ceil(ratio * ready.count), current);
  }
  let { usage, request, count } = ready;
  // At a ratio of exactly 1 missing pods stay out of a utilization, and count as 0 elsewhere.
  if (missing.count > 0 && (!isUtilization || ratio !== 1)) {
    if (ratio < 1) usage += missing.usage;
    request += missing.request;
    count += missing.count;
  }
  if (fillsUnready) {
    request += unready.request;
    count += unready.count;
  }
  const filled = levelOf(usage, request, count) / metric.value;
  const crosses = (ratio < 1 && filled > 1) || (ratio > 1 && filled < 1);
  if (crosses || isWithin(filled, tolerances)) return propose(replicas, current);
  const proposal = Math.ceil(filled * count);
  const turns = (filled < 1 && proposal > replicas) || (filled > 1 && proposal < replicas);
  return propose(turns ? replicas : proposal, current);
}

/**
 * Proposal of a metric that the deployment has as a whole (Object, External).
 *
 * @param value of the metric, thousandths.
 * @param replicas that the scale asks for now.
 * @param statusReplicas pods that the scale reports.
 */
export function proposeFromValue(
  value: number,
  metric: MetricSpec,
  replicas: number,
  statusReplicas: number,
  groups: PodGroups,
  tolerances: Tolerances,
): Proposal {
  if (metric.target === 'AverageValue') {
    const ratio = value / (metric.value * statusReplicas);
    const isKept = isWithin(ratio, tolerances);
    const proposal = isKept ? statusReplicas : Math.ceil(value / metric.value);
    return propose(proposal, statusReplicas > 0 ? Math.ceil(value / statusReplicas) : value);
  }
  const ratio = value / metric.value;
  // From zero there is no ready pod to multiply by, and no tolerance.
  if (replicas === 0) return propose(Math.ceil(ratio), value);
  if (isWithin(ratio, tolerances)) return propose(replicas, value);
  if (groups.num_pods === 0) return noProposal('no pods match');
  return propose(Math.ceil(ratio * groups.num_ready), value);
}
