/**
 * The grader of scheduling: the return between round-robin's on the same seed and a bound that no
 * policy reaches; from an episode's statistics or, by the same recurrences, from its log.
 */
import { schedulingLayout, WAIT_BINS } from '../../generated/scheduling.js';
import { foldLogSteps, readLogSteps } from '../episode-log.js';
import type { CompiledTask, EpisodeStatistics, Grade, GradeContext } from '../family.js';

/** A step of the clock stands for a minute. */
const HOURS_PER_STEP = 1 / 60;

/** The metrics of an episode, by the names of the command line. */
export interface SchedulingMetrics {
  /** Jobs with at least one violation, over jobs that arrived. */
  readonly sla_violation_rate: number;
  /** Violations, over jobs that arrived: a job that keeps waiting counts again and again. */
  readonly violations_per_job: number;
  readonly mean_power_watts: number;
  /** At one minute a step. */
  readonly energy_kwh: number;
  /** Of the jobs that were placed. */
  readonly wait_steps_mean: number;
  readonly wait_steps_p95: number;
  readonly completed_jobs: number;
  readonly dropped_jobs: number;
  readonly utilization_ratio: number;
  readonly num_toggles: number;
  readonly invalid_actions: number;
}

/** The metrics of an episode by its statistics; all zero where it has no step. */
export function schedulingMetrics(s: EpisodeStatistics): SchedulingMetrics {
  const over = (sum: number, count: number) => (count > 0 ? sum / count : 0);
  const steps = s['length_steps'];
  return {
    sla_violation_rate: over(s['violated_jobs_sum'], s['arrivals_sum']),
    violations_per_job: over(s['violations_sum'], s['arrivals_sum']),
    mean_power_watts: over(s['power_watts_sum'], steps),
    energy_kwh: (s['power_watts_sum'] * HOURS_PER_STEP) / 1000,
    wait_steps_mean: over(s['wait_steps_sum'], s['placed_sum']),
    wait_steps_p95: waitQuantile(s, 0.95),
    completed_jobs: s['completed_sum'],
    dropped_jobs: s['dropped_sum'],
    utilization_ratio: over(s['utilization_ratio_sum'], steps),
    num_toggles: s['toggles_sum'],
    invalid_actions: s['invalid_actions_sum'],
  };
}

/** Least wait of a bin; its bins of one step are 0 .. 15, then there are four an octave. */
export function binStart(bin: number): number {
  return bin < 16 ? bin : (4 + (bin % 4)) * 2 ** (Math.floor(bin / 4) - 2);
}

/**
 * The wait that a share of the placed jobs did not exceed: exact below 16 steps, else by a straight
 * line through its bin, which is at most a quarter of its start wide. 0 where none was placed.
 */
export function waitQuantile(s: EpisodeStatistics, share: number): number {
  const counts = Array.from({ length: WAIT_BINS }, (_, bin) => s[`wait_histogram_${bin}`]);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return 0;
  let below = 0;
  const bin = counts.findIndex((count) => {
    below += count;
    return below >= share * total;
  });
  const width = binStart(bin + 1) - binStart(bin);
  const within = (share * total - (below - counts[bin])) / counts[bin];
  return binStart(bin) + (width - 1) * within;
}

/** Grades an episode by its statistics; one without a step scores 0. */
export function gradeStatistics(s: EpisodeStatistics, context: GradeContext = {}): Grade {
  const { baselineReturn, bound } = context;
  if (!(s['length_steps'] > 0)) {
    return { score: 0, breakdown: {}, feedback: 'Empty episode log.' };
  }
  if (baselineReturn === undefined) {
    throw new RangeError('baselineReturn is missing: the return of rr on the same seed is needed');
  }
  if (bound === undefined) {
    throw new RangeError('bound is missing: task.bound(seed, episode) of the same episode');
  }
  const own = s['episode_return'];
  // Where round-robin is as good as the bound there is nothing to win.
  const range = bound - baselineReturn;
  const share = range > 0 ? (own - baselineReturn) / range : Number(own >= baselineReturn);
  const score = Math.max(0, Math.min(share, 1));
  const metrics = schedulingMetrics(s);
  const breakdown = { return: own, baseline_return: baselineReturn, bound, ...metrics };
  return { score, breakdown, feedback: describeGrade(breakdown) };
}

function describeGrade(b: SchedulingMetrics & Record<'return' | 'baseline_return', number>) {
  const versus = b.return >= b.baseline_return ? 'above' : 'below';
  const difference = Math.abs(b.return - b.baseline_return).toFixed(0);
  return (
    `${(100 * b.sla_violation_rate).toFixed(1)}% of the jobs missed a deadline, at a mean power ` +
    `of ${b.mean_power_watts.toFixed(0)} W and ${(100 * b.utilization_ratio).toFixed(0)}% ` +
    `utilisation; jobs waited ${b.wait_steps_mean.toFixed(1)} steps on average ` +
    `(p95 ${b.wait_steps_p95.toFixed(0)}). The return is ${difference} ${versus} round-robin's.` +
    (b.invalid_actions > 0 ? ` ${b.invalid_actions} actions were infeasible.` : '')
  );
}

/** The metrics of a step that the grader reads. */
const NEEDED = schedulingLayout.statistics.map(({ of }) => of);
const WAIT_BIN = schedulingLayout.metrics.findIndex(({ name }) => name === 'wait_bin');

/**
 * Grades an episode from its log: rows of `{ reward, metrics }`, or of `{ reward, info }` with
 * `metrics` in `info`, as `step` returns them. Stateless: the same log gives the same grade.
 *
 * @throws RangeError naming the row and the field that is missing or no finite number
 */
export function gradeSchedulingLog(task: CompiledTask, log: unknown, context: GradeContext): Grade {
  const steps = readLogSteps(log, schedulingLayout, { metrics: NEEDED });
  steps.forEach(({ metrics }, i) => {
    const bin = metrics[WAIT_BIN];
    if (Number.isInteger(bin) && bin >= 0 && bin <= WAIT_BINS) return;
    const needed = `a whole number from 0 to ${WAIT_BINS} is needed`;
    throw new RangeError(`log[${i}].metrics.wait_bin is ${bin}: ${needed}`);
  });
  return task.grade(foldLogSteps(schedulingLayout, steps), context);
}
