/** `HorizontalPodAutoscaler`: the decisions of Kubernetes' controller, without a cluster. */
import { DataError } from '../data/errors.js';
import {
  type Limit,
  limitRate,
  type Normalized,
  normalizePlain,
  ScalingMemory,
  stabilize,
} from './behavior.js';
import {
  noProposal,
  type Proposal,
  proposeFromPods,
  proposeFromValue,
  type Tolerances,
} from './calculator.js';
import { type HpaSpec, type MetricSpec, readHpaObject } from './object.js';
import { groupPods, type PodGroups, type PodSample, type ReadinessRule } from './pods.js';

/** Flags of kube-controller-manager that decide sizes; the defaults are Kubernetes' own. */
export interface ControllerFlags extends ReadinessRule {
  /** `--horizontal-pod-autoscaler-tolerance`, default 0.1. */
  readonly tolerance: number;
  /** `--horizontal-pod-autoscaler-downscale-stabilization`, default 300. */
  readonly downscaleStabilization_s: number;
  /** `--horizontal-pod-autoscaler-cpu-initialization-period`, default 300. */
  readonly cpuInitializationPeriod_s: number;
  /** `--horizontal-pod-autoscaler-initial-readiness-delay`, default 30. */
  readonly initialReadinessDelay_s: number;
}

export const CONTROLLER_DEFAULTS: ControllerFlags = Object.freeze({
  tolerance: 0.1,
  downscaleStabilization_s: 300,
  cpuInitializationPeriod_s: 300,
  initialReadinessDelay_s: 30,
});

/** All that a sync looks at. */
export interface SyncInput {
  /** Time of the sync on any clock that does not run backwards. */
  readonly now_s: number;
  /** Replicas that the scale asks for. */
  readonly replicas: number;
  /** Pods that the scale reports. Default: `replicas`. */
  readonly status_replicas?: number;
  /** The pods that the selector returns. */
  readonly pods?: readonly PodSample[];
  /** Or the same, grouped already, in the order of the metrics. */
  readonly groups?: readonly PodGroups[];
  /** Values of Object and External metrics by name, thousandths; absent or null: no sample. */
  readonly values?: Readonly<Record<string, number | null>>;
}

/** The proposal of one metric. */
export type MetricProposal = Proposal & {
  readonly type: MetricSpec['type'];
  readonly name: string;
  /** Unit of `current`: per cent of the request, or thousandths of the metric's unit. */
  readonly unit: 'percent' | 'milli';
};

/** Why a size was chosen. */
export type DecisionReason =
  | 'metrics'
  | 'no usable metric'
  | 'a metric is missing and the rest ask for less'
  | 'above the maximum'
  | 'below the minimum'
  | 'replicas is 0: autoscaling is off';

/** The outcome of a sync. */
export interface Decision {
  readonly time_s: number;
  /** Replicas before. */
  readonly replicas: number;
  /** Replicas that the controller sets; the same where it keeps the size. */
  readonly desired: number;
  /** Highest proposal, before windows and limits; null where no metric decided. */
  readonly recommendation: number | null;
  readonly reason: DecisionReason;
  readonly limit: Limit;
  readonly metrics: readonly MetricProposal[];
}

const NO_PODS: PodGroups = groupPods([], {} as MetricSpec, 0, CONTROLLER_DEFAULTS);

/**
 * One autoscaler, sync by sync. It keeps its recommendations and scale events, nothing else.
 *
 * @example
 * const hpa = new HorizontalPodAutoscaler(parse(yaml));
 * const { desired } = hpa.sync({ now_s: 0, replicas: 3, pods });
 */
export class HorizontalPodAutoscaler {
  readonly spec: HpaSpec;
  readonly flags: ControllerFlags;
  private readonly tolerances: Tolerances;
  private readonly window_s: number;
  private readonly period_s: number;
  private memory = new ScalingMemory();
  private last_s = -Infinity;

  /**
   * @param object an `autoscaling/v2` object as parsed from YAML or JSON.
   * @throws DataError with the field's path, its value and what is needed.
   */
  constructor(object: unknown, flags: Partial<ControllerFlags> = {}) {
    this.flags = checkedFlags(flags);
    this.spec = readHpaObject(object, this.flags.downscaleStabilization_s);
    const { behavior } = this.spec;
    const { tolerance } = this.flags;
    this.tolerances = {
      up: behavior?.up.tolerance ?? tolerance,
      down: behavior?.down.tolerance ?? tolerance,
    };
    const rules = behavior === null ? [] : [behavior.up, behavior.down];
    this.window_s = Math.max(
      this.flags.downscaleStabilization_s,
      ...rules.map(({ window_s }) => window_s),
    );
    const periods = rules.flatMap(({ policies }) => policies.map(({ period_s }) => period_s));
    this.period_s = Math.max(0, ...periods);
  }

  /** Forgets recommendations and events, as a restart of the controller does. */
  reset(): void {
    this.memory = new ScalingMemory();
    this.last_s = -Infinity;
  }

  /** Records an earlier recommendation. */
  recordRecommendation(time_s: number, replicas: number): void {
    this.memory.recommend(time_s, replicas);
  }

  /** Records an earlier change of size. */
  recordScaleEvent(time_s: number, change: number): void {
    this.memory.scaled(time_s, change);
  }

  /**
   * Decides one sync, remembering what it recommended and changed.
   *
   * @throws RangeError where time runs backwards or a size is no whole number from 0.
   */
  sync(input: SyncInput): Decision {
    const { now_s, replicas } = input;
    this.checkInput(now_s, replicas);
    // The first size counts as a recommendation, so that a restart does not scale down at once.
    if (this.memory.isEmpty) this.memory.recommend(now_s, replicas);
    const decision = this.decide(input);
    // Without a behavior there are no periods that would ask for events.
    if (decision.desired !== replicas && this.spec.behavior !== null) {
      this.memory.scaled(now_s, decision.desired - replicas);
    }
    this.memory.forget(now_s - this.window_s, now_s - this.period_s);
    return decision;
  }

  /** Size after windows, policies and bounds, for a recommendation that came from elsewhere. */
  normalize(now_s: number, replicas: number, recommendation: number): Normalized {
    const { spec, memory } = this;
    if (spec.behavior === null) {
      const window_s = this.flags.downscaleStabilization_s;
      return normalizePlain(memory, spec, replicas, recommendation, now_s, window_s);
    }
    const held = stabilize(memory, spec.behavior, replicas, recommendation, now_s);
    const limited = limitRate(memory, spec, replicas, held.replicas, now_s);
    return limited.limit === 'none' ? held : limited;
  }

  private checkInput(now_s: number, replicas: number): void {
    if (!(now_s >= this.last_s && now_s < Infinity)) {
      throw new RangeError(`now_s is ${now_s}: a finite time from ${this.last_s} on is needed`);
    }
    if (!(Number.isInteger(replicas) && replicas >= 0)) {
      throw new RangeError(`replicas is ${replicas}: a whole number from 0 is needed`);
    }
    this.last_s = now_s;
  }

  private decide(input: SyncInput): Decision {
    const { now_s, replicas } = input;
    const { min_replicas: min, max_replicas: max } = this.spec;
    const without = (desired: number, reason: DecisionReason): Decision => ({
      time_s: now_s,
      replicas,
      desired,
      recommendation: null,
      reason,
      limit: 'none',
      metrics: [],
    });
    if (replicas === 0 && min !== 0) return without(0, 'replicas is 0: autoscaling is off');
    if (replicas > max) return without(max, 'above the maximum');
    if (replicas < min) return without(min, 'below the minimum');
    const metrics = this.spec.metrics.map((metric, i) => this.propose(input, metric, i));
    let recommendation = 0;
    let numValid = 0;
    for (const proposal of metrics) {
      if (proposal.replicas === null) continue;
      numValid++;
      if (proposal.replicas > recommendation) recommendation = proposal.replicas;
    }
    if (numValid === 0) return { ...without(replicas, 'no usable metric'), metrics };
    if (numValid < metrics.length && recommendation < replicas) {
      const reason = 'a metric is missing and the rest ask for less';
      return { ...without(replicas, reason), metrics };
    }
    const { replicas: desired, limit } = this.normalize(now_s, replicas, recommendation);
    return { time_s: now_s, replicas, desired, recommendation, reason: 'metrics', limit, metrics };
  }

  private propose(input: SyncInput, metric: MetricSpec, index: number): MetricProposal {
    const { type, name } = metric;
    const groups = input.groups?.[index] ?? this.group(input, metric);
    const { replicas } = input;
    if (type !== 'Object' && type !== 'External') {
      return named(metric, proposeFromPods(groups, metric, replicas, this.tolerances));
    }
    const value = input.values?.[name] ?? null;
    if (value === null || !Number.isFinite(value)) {
      return named(metric, noProposal(`no sample of ${name}`));
    }
    const status = input.status_replicas ?? replicas;
    return named(
      metric,
      proposeFromValue(value, metric, replicas, status, groups, this.tolerances),
    );
  }

  private group({ pods, now_s }: SyncInput, metric: MetricSpec): PodGroups {
    return pods === undefined ? NO_PODS : groupPods(pods, metric, now_s, this.flags);
  }
}

function named({ type, name, target }: MetricSpec, proposal: Proposal): MetricProposal {
  const { replicas, current, error } = proposal;
  // Field by field, because a spread would cost a tenth of a sync.
  const unit = target === 'Utilization' ? 'percent' : 'milli';
  return { type, name, unit, replicas, current, error } as MetricProposal;
}

function checkedFlags(flags: Partial<ControllerFlags>): ControllerFlags {
  for (const [name, value] of Object.entries(flags)) {
    if (!(name in CONTROLLER_DEFAULTS)) {
      const names = Object.keys(CONTROLLER_DEFAULTS).join(', ');
      throw new DataError(`${name} is no flag of the controller; there are ${names}`);
    }
    if (!(typeof value === 'number' && value >= 0 && value < Infinity)) {
      throw new DataError(`${name} is ${String(value)}: a number of at least 0 is needed`);
    }
  }
  return { ...CONTROLLER_DEFAULTS, ...flags };
}
