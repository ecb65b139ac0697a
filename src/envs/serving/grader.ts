/**
 * The graders of serving tasks: from an episode's statistics, and statelessly from a log, whose
 * steps are folded by the same recurrences, so that both give the same number.
 */

import type { JsonObject } from '../../base/json.js';
import { servingLayout } from '../../generated/serving.js';
import { ConfigReader } from '../config-reader.js';
import { foldLogSteps } from '../episode-log.js';
import type {
  CompiledTask,
  EpisodeStatistics,
  Grade,
  GradeContext,
  GraderRules,
} from '../family.js';
import { readLog, type ServingLogNeeds } from './log.js';

/** Grades an episode that has at least one step. */
type Grader = (statistics: EpisodeStatistics, context: GradeContext) => Grade;

/** The needs of each kind of grader from a log. */
const LOG_NEEDS: Record<string, ServingLogNeeds> = {
  throughput: { metrics: ['tokens_per_sec'], action: false, reward: false },
  latency: { metrics: ['ttft_p50_ms', 'gpu_memory_gb'], action: false, reward: false },
  balance: {
    metrics: ['tokens_per_sec', 'slo_violations', 'cost_per_1k'],
    action: true,
    reward: false,
  },
  bound: { metrics: ['arrivals'], action: false, reward: true },
};

/** x clipped to [0, 1], NaN to 0. */
function clip01(x: number): number {
  const above = x > 0 ? x : 0;
  return above < 1 ? above : 1;
}

const EMPTY: Grade = { score: 0, breakdown: {}, feedback: 'Empty episode log.' };
const POSITIVE = { min: 1e-9, max: 1e9 };
const ANY = { min: -1e9, max: 1e9 };

/** The origin's task 1: the mean throughput between two marks. */
function throughputGrader(config: ConfigReader): Grader {
  const baseline = config.number('baseline_tps', ANY);
  const optimal = config.number('optimal_tps', ANY);
  return (s) => {
    const meanTps = s['tokens_per_sec_sum'] / s['length_steps'];
    const share = (meanTps - baseline) / (optimal - baseline);
    const score = clip01(share);
    const percent = (share * 100).toFixed(0);
    const feedback =
      `Agent achieved ${meanTps.toFixed(0)} TPS ` +
      `(${percent}% of way from baseline to optimal).`;
    return { score, breakdown: { throughput: score }, feedback };
  };
}

/** The origin's task 2: quick first tokens within a memory limit. */
function latencyGrader(config: ConfigReader): Grader {
  const ttftLimit = config.number('ttft_limit_ms', POSITIVE);
  const memoryLimit = config.number('memory_limit_gb', POSITIVE);
  const slack = config.number('memory_slack_gb', POSITIVE);
  return (s) => {
    const meanTtft = s['ttft_p50_ms_sum'] / s['length_steps'];
    const peak = s['gpu_memory_gb_max'];
    const ttft = clip01(1 - meanTtft / ttftLimit);
    const memory = peak < memoryLimit ? 1 : clip01(1 - (peak - memoryLimit) / slack);
    const feedback =
      `TTFT score: ${ttft.toFixed(2)} (mean TTFT ${meanTtft.toFixed(0)}ms vs ` +
      `${ttftLimit}ms SLO). Memory score: ${memory.toFixed(2)} ` +
      `(peak ${peak.toFixed(1)}GB vs ${memoryLimit}GB limit).`;
    return { score: 0.5 * ttft + 0.5 * memory, breakdown: { ttft, memory }, feedback };
  };
}

/** Population standard deviation of the changes from step to step, as NumPy's `std(diff(x))`. */
function deltaStd(s: EpisodeStatistics, name: string): number {
  const changes = s['length_steps'] - 1;
  return changes > 0 ? Math.sqrt(s[`${name}_delta_m2`] / changes) : 0;
}

/** The origin's task 3: throughput, SLO compliance, cost and steadiness. */
function balanceGrader(config: ConfigReader): Grader {
  const optimal = config.number('optimal_tps', POSITIVE);
  const violationsLimit = config.number('violations_limit', POSITIVE);
  const budget = config.number('cost_budget', POSITIVE);
  const variationLimit = config.number('variation_limit', POSITIVE);
  return (s) => {
    const meanTps = s['tokens_per_sec_sum'] / s['length_steps'];
    const meanViolations = s['slo_violations_sum'] / s['length_steps'];
    const totalCost = s['cost_per_1k_sum'];
    const variation = deltaStd(s, 'batch_size') / 512 + deltaStd(s, 'kv_budget');
    const throughput = clip01(meanTps / optimal);
    const slo = clip01(1 - meanViolations / violationsLimit);
    const cost = clip01(1 - totalCost / budget);
    const stability = 1 - clip01(variation / variationLimit);
    const feedback =
      `Throughput score: ${throughput.toFixed(2)} (mean ${meanTps.toFixed(0)} TPS vs ` +
      `${optimal} optimal). SLO score: ${slo.toFixed(2)} (mean ${meanViolations.toFixed(1)} ` +
      `violations per step vs ${violationsLimit} limit). Cost score: ${cost.toFixed(2)} ` +
      `(total ${totalCost.toFixed(2)} vs ${budget} budget). Stability score: ` +
      `${stability.toFixed(2)} (action variation ${variation.toFixed(2)} vs ` +
      `${variationLimit} limit).`;
    const score = 0.4 * throughput + 0.3 * slo + 0.2 * cost + 0.1 * stability;
    return { score, breakdown: { throughput, slo, cost, stability }, feedback };
  };
}

/**
 * Measured tasks: how far the return is from the baseline's on the same seed to the bound, which
 * is every request good at full precision on one GPU.
 */
function boundGrader(meanRate: number): Grader {
  return (s, { baselineReturn }) => {
    if (baselineReturn === undefined) {
      throw new RangeError("baselineReturn is missing: the baseline's return on the same seed");
    }
    const bound = s['arrivals_sum'] / meanRate;
    const reached = s['episode_return'];
    const room = bound - baselineReturn;
    // In a quiet window the baseline may be at the bound; rewards are rounded to f32.
    const rounding = 1e-6 * bound;
    const share =
      room > rounding ? (reached - baselineReturn) / room : Number(reached >= bound - rounding);
    const score = clip01(share);
    const feedback =
      `Return ${reached.toFixed(1)}: ${(share * 100).toFixed(0)}% of the way from the ` +
      `baseline's ${baselineReturn.toFixed(1)} to the bound of ${bound.toFixed(1)} ` +
      '(every request in time, at full precision, on one GPU).';
    return { score, breakdown: { return: score }, feedback };
  };
}

const GRADER_DEFAULTS: Record<string, JsonObject> = {
  throughput: { kind: 'throughput', baseline_tps: 2800, optimal_tps: 8200 },
  latency: { kind: 'latency', ttft_limit_ms: 300, memory_limit_gb: 36, memory_slack_gb: 10 },
  balance: {
    kind: 'balance',
    optimal_tps: 4200,
    violations_limit: 100,
    cost_budget: 5,
    variation_limit: 0.5,
  },
};

/** Measured tasks have one grader, the origin's tasks name theirs. */
function graderKind(json: JsonObject): string {
  if (json['dynamics'] === 'measured') return 'bound';
  const kind = String((json['grader'] as JsonObject | null)?.['kind']);
  if (Object.hasOwn(GRADER_DEFAULTS, kind)) return kind;
  const kinds = Object.keys(GRADER_DEFAULTS).join(', ');
  return ConfigReader.over(json, []).refuse('grader', `an object whose kind is one of ${kinds}`);
}

/**
 * The grader of a task's configuration; `meanRate` is the traffic's, arrivals per step.
 *
 * @throws RangeError naming an entry of `config.grader` that is unknown or out of range.
 */
export function graderOf(json: JsonObject, meanRate: number): Grader {
  const kind = graderKind(json);
  if (kind === 'bound') return boundGrader(meanRate);
  const config = ConfigReader.over(json, []).object('grader', GRADER_DEFAULTS[kind]);
  if (kind === 'throughput') return throughputGrader(config);
  return kind === 'latency' ? latencyGrader(config) : balanceGrader(config);
}

/** The rules of a configuration's grader, as data; throws as `graderOf`. */
export function graderRules(json: JsonObject, meanRate: number): GraderRules {
  const kind = graderKind(json);
  if (kind === 'bound') return { kind: 'serving/bound', mean_rate: meanRate };
  const rules = ConfigReader.over(json, []).object('grader', GRADER_DEFAULTS[kind]);
  return { ...rules.json, kind: `serving/${kind}` };
}

/** Grades an episode by its statistics; one without a step scores 0. */
export function gradeStatistics(
  grader: Grader,
  statistics: EpisodeStatistics,
  context: GradeContext = {},
): Grade {
  return statistics['length_steps'] > 0 ? grader(statistics, context) : EMPTY;
}

/**
 * Grades a serving episode from its log: rows of `{ action, reward, metrics }`, or of
 * `{ reward, info }` with `metrics` and `applied_action` in `info`, as `step` returns them.
 * Stateless: the same log gives the same grade.
 *
 * @param context `baselineReturn` for measured tasks
 * @throws RangeError naming the row and the field that is missing or of a wrong type
 */
export function gradeLog(task: CompiledTask, log: unknown, context: GradeContext = {}): Grade {
  const needs = LOG_NEEDS[graderKind(task.config)];
  return task.grade(foldLogSteps(servingLayout, readLog(log, needs)), context);
}
