/**
 * The grader of autoscaling: the origin's `final_score` and the survival-weighted `score`, from an
 * episode's statistics or, by the same recurrences, from its log or its states.
 */

import { autoscalingLayout, metric } from '../../generated/autoscaling.js';
import { exp } from '../../program/math.js';
import { isNumberArray, show } from '../../spaces/space.js';
import { foldLogSteps, type LogStep, readLogSteps, requireNumber } from '../episode-log.js';
import type { CompiledTask, EpisodeStatistics, Grade } from '../family.js';

/** The inputs of a grade beside the episode. */
export interface GradeRules {
  readonly horizonSteps: number;
  /** Score from which an episode has passed. */
  readonly scoreThreshold: number;
  readonly budget: number | null;
}

/** The origin's weights of stability, efficiency and performance. */
const WEIGHTS = { stability: 0.3, efficiency: 0.3, performance: 0.4 } as const;
const VARIANCE_SCALE = 100;
const EMPTY: Grade = { score: 0, breakdown: {}, feedback: 'Empty episode log.' };

/** Grades an episode by its statistics; one without a step scores 0. */
export function gradeStatistics(rules: GradeRules, s: EpisodeStatistics): Grade {
  const steps = s['length_steps'];
  if (!(steps > 0)) return EMPTY;
  const variance = (s['cpu_m2'] / steps + s['memory_m2'] / steps) / 2;
  const price = s['price_sum'] / steps;
  const stability = exp(0 - variance / VARIANCE_SCALE);
  // Where instances are free they cannot be inefficient.
  const efficiency = price > 0 ? 1 / price : 1;
  const performance = s['episode_return'] / steps;
  const score = s['episode_return'] / rules.horizonSteps;
  const breakdown = {
    score,
    final_score:
      WEIGHTS.stability * stability +
      WEIGHTS.efficiency * efficiency +
      WEIGHTS.performance * performance,
    passed: score >= rules.scoreThreshold ? 1 : 0,
    stability_score: stability,
    efficiency_score: efficiency,
    performance_score: performance,
    avg_reward: performance,
    avg_cpu: s['cpu_mean'],
    avg_memory: s['memory_mean'],
    avg_latency: s['latency_sum'] / steps,
    avg_instances: s['instances_sum'] / steps,
    steps,
    cumulative_reward: s['episode_return'],
    sla_violation_rate: s['sla_violation_sum'] / steps,
    total_price: s['price_sum'],
    over_budget_steps: s['over_budget_sum'],
  };
  return { score, breakdown, feedback: describeGrade(breakdown, rules) };
}

function describeGrade(b: Record<string, number>, rules: GradeRules): string {
  const end = b['steps'] < rules.horizonSteps ? 'An overload ended it' : 'It lasted';
  const budget =
    rules.budget === null
      ? ''
      : ` Spent ${b['total_price'].toFixed(1)} of ${rules.budget} price units.`;
  return (
    `Score ${b['score'].toFixed(3)} (the origin's final score ${b['final_score'].toFixed(3)}). ` +
    `${end} after ${b['steps']} of ${rules.horizonSteps} steps with CPU at ` +
    `${b['avg_cpu'].toFixed(1)}% and memory at ${b['avg_memory'].toFixed(1)}% on average, on ` +
    `${b['avg_instances'].toFixed(1)} instances; latency above its SLA in ` +
    `${(100 * b['sla_violation_rate']).toFixed(0)}% of the steps.${budget}`
  );
}

const NEEDED = ['cpu', 'memory', 'latency', 'instances', 'price', 'sla_violation', 'over_budget'];

/** The statistics of steps, with their costs as the kernels count them. */
const foldSteps = (steps: readonly LogStep[]): EpisodeStatistics =>
  foldLogSteps(autoscalingLayout, steps, (m) => m[metric.slaViolation] + m[metric.overBudget]);

/**
 * Grades an episode from its log: rows of `{ reward, metrics }`, or of `{ reward, info }` with
 * `metrics` in `info`, as `step` returns them. Stateless: the same log gives the same grade.
 *
 * @throws RangeError naming the row and the field that is missing or no finite number
 */
export function gradeAutoscalingLog(task: CompiledTask, log: unknown): Grade {
  return task.grade(foldSteps(readLogSteps(log, autoscalingLayout, { metrics: NEEDED })));
}

/** The entries of a configuration that say what the states alone do not. */
interface ServiceEntries {
  readonly instance_types: readonly { readonly capacity: number; readonly price: number }[];
  readonly cold_start_steps: number;
  readonly latency_sla: number;
  readonly budget: number | null;
  readonly normalize_observation: boolean;
}

/**
 * The origin's `grade_episode`: grades an episode from the states after its steps and its rewards.
 * Actions are part of an episode but not of its grade.
 *
 * @param states observations as the environment gave them, the reset's left out; f32
 * @param rewards f32, as many as states
 * @throws RangeError for normalised observations and for a fleet with a cold start, whose states
 * do not say which instances serve; and naming the state or reward that is wrong
 */
export function gradeAutoscalingEpisode(
  task: CompiledTask,
  states: readonly ArrayLike<number>[],
  actions: readonly unknown[],
  rewards: ArrayLike<number>,
): Grade {
  const service = task.config as unknown as ServiceEntries;
  const isFleet = service.instance_types.length > 1;
  if (service.normalize_observation || (isFleet && service.cold_start_steps > 0)) {
    throw new RangeError(
      'states are normalised or ambiguous: grade the log with gradeAutoscalingLog instead',
    );
  }
  if (states.length !== rewards.length || states.length !== actions.length) {
    const lengths = `${states.length}, ${actions.length} and ${rewards.length}`;
    throw new RangeError(`states, actions and rewards are ${lengths}: equal lengths are needed`);
  }
  let budgetLeft = service.budget ?? Infinity;
  const steps = states.map((state, i) => {
    requireState(state, task.observationDim, `states[${i}]`);
    const metrics = metricsOfState(state, service);
    budgetLeft -= priceOf(state, service);
    metrics[metric.overBudget] = budgetLeft < 0 ? 1 : 0;
    return { reward: requireNumber(rewards[i], `rewards[${i}]`), metrics };
  });
  return task.grade(foldSteps(steps));
}

/** Instances of each type: the counts of a fleet, else the one number there is. */
function countsOf(state: ArrayLike<number>, { instance_types }: ServiceEntries): number[] {
  return instance_types.length > 1 ? instance_types.map((_, i) => state[4 + i]) : [state[3]];
}

const priceOf = (state: ArrayLike<number>, service: ServiceEntries): number =>
  countsOf(state, service).reduce((sum, n, i) => sum + n * service.instance_types[i].price, 0);

function metricsOfState(state: ArrayLike<number>, service: ServiceEntries): Float32Array {
  const m = new Float32Array(autoscalingLayout.metrics.length);
  const starting = service.cold_start_steps > 0 ? state[state.length - 1] : 0;
  const serving = countsOf(state, service).reduce(
    (sum, n, i) => sum + n * service.instance_types[i].capacity,
    0 - starting,
  );
  m[metric.cpu] = state[0];
  m[metric.memory] = state[1];
  m[metric.instances] = state[3];
  m[metric.latency] = state[2] / (serving > 1 ? serving : 1);
  m[metric.price] = priceOf(state, service);
  m[metric.slaViolation] = m[metric.latency] > service.latency_sla ? 1 : 0;
  return m;
}

function requireState(state: unknown, length: number, where: string): void {
  if (isNumberArray(state) && state.length === length) {
    for (let i = 0; i < length; i++) requireNumber(state[i], `${where}[${i}]`);
    return;
  }
  throw new RangeError(`${where} is ${show(state)}: an array of ${length} numbers is needed`);
}
