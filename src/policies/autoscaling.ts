/**
 * Policies for autoscaling: the origin's threshold rule, a horizontal pod autoscaler, keep, and a
 * constant number of instances. The core plays the same ones, with the task's own parameters.
 */
import {
  type CompiledTask,
  constantPolicy,
  evaluateEpisodes,
  type JsonObject,
  mean,
  type Policy,
  type PolicyView,
} from '../library.js';

/** Keeps what runs: the fixed baseline. */
export function keepPolicy(): Policy {
  return {
    name: 'keep',
    act(view) {
      constantPolicy(view.task.baselineAction).act(view);
    },
  };
}

export interface ThresholdOptions {
  /** Percent of CPU above which an instance is added. Default: the task's, 70. */
  readonly scaleUpAbove?: number;
  /** Percent of CPU below which one is removed. Default: the task's, 40. */
  readonly scaleDownBelow?: number;
}

/** The origin's rule: above 70 % CPU add one, below 40 % remove one, else keep. */
export function thresholdPolicy(options: ThresholdOptions = {}): Policy {
  return changePolicy('threshold', ({ cpu }, _env, { task }) => {
    const rule = task.config['threshold'] as JsonObject;
    const up = options.scaleUpAbove ?? Number(rule['scale_up_above']);
    const down = options.scaleDownBelow ?? Number(rule['scale_down_below']);
    return (cpu > up ? 1 : 0) - (cpu < down ? 1 : 0);
  });
}

/** Moves to `instances` and stays; default: the task's `best_constant`. */
export function bestConstantPolicy(instances?: number): Policy {
  return changePolicy('best-constant', (service, _env, { task }) => {
    return (instances ?? Number(task.config['best_constant'])) - service.instances;
  });
}

/** Seeds of the search, apart from those that policies are compared on. */
const SEARCH_SEEDS = Array.from({ length: 16 }, (_, i) => 1000 + i);

/** The constant number of instances of the highest mean score on `seeds`, the least of equals. */
export async function searchBestConstant(
  task: CompiledTask,
  seeds: readonly number[] = SEARCH_SEEDS,
): Promise<number> {
  let best = { instances: 1, score: -Infinity };
  for (let instances = 1; instances <= Number(task.config['max_instances']); instances++) {
    const episodes = await evaluateEpisodes(task, bestConstantPolicy(instances), seeds);
    const score = mean(episodes.map((episode) => episode.score));
    if (score > best.score) best = { instances, score };
  }
  return best.instances;
}

/** The settings of the HPA, by Kubernetes' names. */
export interface HpaOptions {
  /** `averageUtilization` of CPU, percent. */
  readonly targetUtilization: number;
  /** `--horizontal-pod-autoscaler-tolerance`, as a share. */
  readonly tolerance: number;
  /** `behavior.scaleDown.stabilizationWindowSeconds`, in steps: at least 1, this one. */
  readonly stabilizationWindowSteps: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
}

/** The view of the HPA. */
export interface ReplicaStatus {
  readonly replicas: number;
  /** Those that serve; the others are starting. */
  readonly readyReplicas: number;
  /** CPU of the ready ones, percent. */
  readonly utilization: number;
}

/**
 * One horizontal pod autoscaler (Kubernetes, "Horizontal Pod Autoscaling: algorithm details"):
 * desired = ceil(replicas × utilisation / target), unless that ratio is within the tolerance of 1;
 * where it would scale up, replicas that are not ready count as idle, and if that turns the ratio
 * below 1 nothing changes; down only to the highest recommendation of the stabilisation window.
 */
export class HorizontalPodAutoscaler {
  private recommendations: number[] = [];

  constructor(private readonly options: HpaOptions) {}

  /** Forgets its recommendations. */
  reset(): void {
    this.recommendations = [];
  }

  /** How many replicas there should be now. Call it once a step. */
  scale(status: ReplicaStatus): number {
    const { stabilizationWindowSteps } = this.options;
    const desired = this.recommend(status);
    this.recommendations = [desired, ...this.recommendations].slice(0, stabilizationWindowSteps);
    const highest = Math.max(...this.recommendations);
    if (status.replicas < desired) return desired;
    return Math.min(status.replicas, highest);
  }

  private recommend({ replicas, readyReplicas, utilization }: ReplicaStatus): number {
    const { targetUtilization, tolerance, minReplicas, maxReplicas } = this.options;
    const usage = utilization / targetUtilization;
    const countsIdle = usage > 1 && readyReplicas < replicas;
    const ratio = countsIdle ? (usage * readyReplicas) / replicas : usage;
    const keeps = Math.abs(ratio - 1) <= tolerance || (countsIdle && ratio < 1);
    const desired = Math.ceil(ratio * (countsIdle ? replicas : readyReplicas));
    return Math.max(minReplicas, Math.min(keeps ? replicas : desired, maxReplicas));
  }
}

/** A horizontal pod autoscaler for each environment; what is not given is the task's. */
export function hpaPolicy(options: Partial<HpaOptions> = {}): Policy {
  let autoscalers: (HorizontalPodAutoscaler | undefined)[] = [];
  const policy = changePolicy('hpa', (service, env, { task }) => {
    autoscalers[env] ??= new HorizontalPodAutoscaler({ ...hpaOptionsOf(task.config), ...options });
    const { replicas, readyReplicas, cpu } = service;
    return autoscalers[env].scale({ replicas, readyReplicas, utilization: cpu }) - replicas;
  });
  return {
    ...policy,
    reset() {
      autoscalers = [];
    },
  };
}

function hpaOptionsOf(config: JsonObject): HpaOptions {
  const hpa = config['hpa'] as JsonObject;
  return {
    targetUtilization: Number(hpa['target_utilization']),
    tolerance: Number(hpa['tolerance']),
    stabilizationWindowSteps: Number(hpa['stabilization_window_steps']),
    minReplicas: Number(hpa['min_replicas']),
    maxReplicas: Number(hpa['max_replicas'] ?? config['max_instances']),
  };
}

/** The metrics that these policies read. */
interface Service {
  readonly cpu: number;
  readonly instances: number;
  readonly replicas: number;
  readonly readyReplicas: number;
}

/** A policy that names a change of the first type's instances, clipped to what the task allows. */
function changePolicy(
  name: string,
  change: (service: Service, env: number, view: PolicyView) => number,
): Policy {
  return {
    name,
    act(view) {
      const { task, actions, numEnvs } = view;
      const maxDelta = Number(task.config['max_delta']);
      for (let env = 0; env < numEnvs; env++) {
        const wanted = change(serviceOf(view, env), env, view);
        const clipped = Math.max(-maxDelta, Math.min(wanted, maxDelta));
        actions.fill(0, env * task.actionDim, (env + 1) * task.actionDim);
        actions[(env + 1) * task.actionDim - 1] = clipped + maxDelta;
      }
    },
  };
}

function serviceOf({ task, metrics }: PolicyView, env: number): Service {
  const names = task.layout.metrics;
  const read = (metric: string): number =>
    metrics[env * names.length + names.findIndex(({ name }) => name === metric)];
  return {
    cpu: read('cpu'),
    instances: read('instances'),
    replicas: read('capacity_units'),
    readyReplicas: read('serving_units'),
  };
}
