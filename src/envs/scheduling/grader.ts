/**
 * The grader of scheduling: the return between round-robin's on the same seed and a bound that no
 * policy reaches; from an episode's statistics or, by the same recurrences, from its log.
 */
import { metric, schedulingLayout, WAIT_BINS } from '../../generated/scheduling.js';
import { waitBin } from '../../reference/scheduling/scheduling.js';
import { foldLogSteps, type LogStep, readLogSteps } from '../episode-log.js';
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
  /** Of jobs that were placed, and of those that still wait, as long as they have waited. */
  readonly wait_steps_mean: number;
  readonly wait_steps_p95: number;
  /** Jobs that still wait: their waits are censored, so mean and p95 are at least what is said. */
  readonly censored_jobs: number;
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
    // A job is counted as waiting once for every step that it waits.
    wait_steps_mean: over(s['waiting_sum'], s['placed_sum'] + censoredJobs(s)),
    wait_steps_p95: waitQuantile(s, 0.95),
    censored_jobs: censoredJobs(s),
    completed_jobs: s['completed_sum'],
    dropped_jobs: s['dropped_sum'],
    utilization_ratio: over(s['utilization_ratio_sum'], steps),
    num_toggles: s['toggles_sum'],
    invalid_actions: s['invalid_actions_sum'],
  };
}

/** Least wait of a bin: bins of one step are 0 .. 39, then there are 20 an octave. */
export function binStart(bin: number): number {
  if (bin < 40) return bin;
  const octave = Math.floor(bin / 20) - 1;
  return (20 + (bin % 20)) * 2 ** octave;
}

/**
 * The wait that a share of the jobs did not exceed: exact below 40 steps, else by a straight line
 * through its bin, which is at most a twentieth of its start wide. Jobs that still wait are in the
 * histogram once the episode has ended; before, they count with the mean of their waits. 0 where
 * no job has come.
 */
export function waitQuantile(s: EpisodeStatistics, share: number): number {
  const counts = Array.from({ length: WAIT_BINS }, (_, bin) => s[`wait_histogram_${bin}`]);
  const missing = s['placed_sum'] + censoredJobs(s) - sum(counts);
  if (missing > 0) {
    const waited = s['waiting_sum'] - s['wait_steps_sum'];
    counts[waitBin(Math.round(waited / censoredJobs(s)))] += missing;
  }
  const total = sum(counts);
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

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Jobs that came, were not dropped and have not been placed. */
const censoredJobs = (s: EpisodeStatistics): number =>
  s['arrivals_sum'] - s['dropped_sum'] - s['placed_sum'];

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
  const unclipped = range > 0 ? (own - baselineReturn) / range : Number(own >= baselineReturn);
  const score = Math.max(0, Math.min(unclipped, 1));
  const metrics = schedulingMetrics(s);
  const breakdown = {
    ...{ return: own, baseline_return: baselineReturn, bound, score_unclipped: unclipped },
    // Of a bound of 0 there is no share to speak of.
    ...(bound < 0 && { above_bound_percent: 100 * (own / bound - 1) }),
    ...metrics,
  };
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
    (b.censored_jobs > 0 ? ` ${b.censored_jobs} jobs still wait, counted as long as so far.` : '') +
    (b.invalid_actions > 0 ? ` ${b.invalid_actions} actions were infeasible.` : '')
  );
}

/** The metrics of a step that the grader reads. */
const NEEDED = schedulingLayout.statistics.map(({ of }) => of);

/**
 * Grades an episode from its log: rows of `{ reward, metrics }`, or of `{ reward, info }` with
 * `metrics` in `info`, as `step` returns them. Stateless: the same log gives the same grade.
 *
 * @throws RangeError naming the row and the field that is missing or no finite number
 */
export function gradeSchedulingLog(task: CompiledTask, log: unknown, context: GradeContext): Grade {
  const steps = readLogSteps(log, schedulingLayout, { metrics: NEEDED });
  steps.forEach(({ metrics }, i) => {
    const bin = metrics[metric.waitBin];
    if (Number.isInteger(bin) && bin >= 0 && bin <= WAIT_BINS) return;
    const needed = `a whole number from 0 to ${WAIT_BINS} is needed`;
    throw new RangeError(`log[${i}].metrics.wait_bin is ${bin}: ${needed}`);
  });
  const statistics: Record<string, number> = { ...foldLogSteps(schedulingLayout, steps) };
  for (const wait of waitsAtEnd(steps)) statistics[`wait_histogram_${waitBin(wait)}`] += 1;
  return task.grade(statistics, context);
}

/** How long the jobs that still wait have waited: those that came less those that were placed. */
function waitsAtEnd(steps: readonly LogStep[]): number[] {
  const waiting = steps.map(({ metrics: m }) => m[metric.arrivals] - m[metric.dropped]);
  steps.forEach(({ metrics: m }, step) => {
    if (m[metric.placed] === 1) waiting[step - m[metric.waitSteps]] -= 1;
  });
  return waiting.flatMap((count, arrival) =>
    new Array<number>(count > 0 ? count : 0).fill(steps.length - arrival),
  );
}
