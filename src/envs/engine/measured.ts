/** Runs of a real engine beside their simulation: errors, and a calibration's loss. */
import type { TraceRequest } from './requests.js';
import { type EngineConfig, ROUTERS } from './setup.js';
import { simulateEngine } from './simulate.js';

/** One measured run: its requests in the order of arrival, and what each of them took. */
export interface MeasuredRun {
  readonly id: string;
  readonly config: EngineConfig;
  readonly trace: readonly TraceRequest[];
  /** By request, seconds; NaN for those that were not measured, as a warm-up's. */
  readonly ttft_s: readonly number[];
  readonly e2e_s: readonly number[];
}

export const METRICS = ['ttft', 'tpot', 'e2e', 'throughput'] as const;
export const STATISTICS = ['mean', 'p50', 'p90', 'p99'] as const;
export type FidelityMetric = (typeof METRICS)[number];
export type FidelityStatistic = (typeof STATISTICS)[number];

/** [metric][statistic]; seconds, and output tokens a second. */
export type RunSummary = Record<FidelityMetric, Record<FidelityStatistic, number>>;

/** Times of one run, measured or simulated. */
interface Times {
  readonly arrival_s: readonly number[];
  readonly output_tokens: readonly number[];
  readonly ttft_s: readonly number[];
  readonly e2e_s: readonly number[];
}

/** The figures of a run that are compared. */
export function summarize(times: Times): RunSummary {
  const counted = times.ttft_s.flatMap((ttft, i) => (Number.isNaN(ttft) ? [] : [i]));
  const ttft = counted.map((i) => times.ttft_s[i]!);
  const e2e = counted.map((i) => times.e2e_s[i]!);
  const several = counted.filter((i) => times.output_tokens[i]! > 1);
  const tpot = several.map((i) =>
    tpotOf(times.ttft_s[i]!, times.e2e_s[i]!, times.output_tokens[i]!),
  );
  return {
    ttft: statistics(ttft),
    tpot: statistics(tpot),
    e2e: statistics(e2e),
    throughput: throughput(times, counted),
  };
}

const tpotOf = (ttft: number, e2e: number, output: number) => (e2e - ttft) / (output - 1);

/** Output tokens by the second in which a request ends, over the run; the quantiles by request. */
function throughput(times: Times, counted: readonly number[]): Record<FidelityStatistic, number> {
  const first = Math.min(...counted.map((i) => times.arrival_s[i]!));
  const last = Math.max(...counted.map((i) => times.arrival_s[i]! + times.e2e_s[i]!));
  const tokens = counted.reduce((sum, i) => sum + times.output_tokens[i]!, 0);
  const rates = counted.map((i) => times.output_tokens[i]! / times.e2e_s[i]!);
  return { ...statistics(rates), mean: tokens / (last - first) };
}

function statistics(values: readonly number[]): Record<FidelityStatistic, number> {
  const sorted = [...values].sort((a, b) => a - b);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((p) => quantile(sorted, p));
  return { mean, p50: p50!, p90: p90!, p99: p99! };
}

/** Linear between order statistics. */
export function quantile(sorted: readonly number[], p: number): number {
  const place = (sorted.length - 1) * p;
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (place - low);
}

/** A run beside its simulations, one for each seed of the router. */
export interface RunComparison {
  readonly run: MeasuredRun;
  readonly measured: RunSummary;
  /** Mean over the seeds. */
  readonly simulated: RunSummary;
  /** simulated / measured - 1. */
  readonly error: RunSummary;
  readonly simulations: readonly Times[];
}

/** Simulates a run open loop, with its arrivals and its numbers of tokens. */
export function compareRun(run: MeasuredRun, seeds = 3): RunComparison {
  const arrival_s = run.trace.map((request) => request.arrival_s);
  const output_tokens = run.trace.map((request) => request.output_tokens);
  const isDrawn = ['random', 'connection', 'power-of-two'].includes(
    run.config.router ?? ROUTERS[0],
  );
  const count = isDrawn && (run.config.replicas ?? 1) > 1 ? seeds : 1;
  const simulations = Array.from({ length: count }, (_, seed): Times => {
    const { requests } = simulateEngine(run.trace, { ...run.config, seed });
    const isMeasured = (i: number) => !Number.isNaN(run.ttft_s[i]!);
    return {
      arrival_s,
      output_tokens,
      ttft_s: requests.map(({ ttft_s }, i) => (isMeasured(i) ? ttft_s : NaN)),
      e2e_s: requests.map(({ e2e_s }, i) => (isMeasured(i) ? e2e_s : NaN)),
    };
  });
  const measured = summarize({ arrival_s, output_tokens, ttft_s: run.ttft_s, e2e_s: run.e2e_s });
  const simulated = meanSummary(simulations.map(summarize));
  const error = mapSummary((m, s) => simulated[m][s] / measured[m][s] - 1);
  return { run, measured, simulated, error, simulations };
}

function meanSummary(summaries: readonly RunSummary[]): RunSummary {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  return mapSummary((m, s) => mean(summaries.map((summary) => summary[m][s])));
}

function mapSummary(value: (m: FidelityMetric, s: FidelityStatistic) => number): RunSummary {
  const row = (m: FidelityMetric) =>
    Object.fromEntries(STATISTICS.map((s) => [s, value(m, s)])) as Record<
      FidelityStatistic,
      number
    >;
  return Object.fromEntries(METRICS.map((m) => [m, row(m)])) as RunSummary;
}

/** Quadratic up to d, linear beyond: one request that went astray does not decide. */
const huber = (x: number, d: number) => (Math.abs(x) < d ? (x * x) / (2 * d) : Math.abs(x) - d / 2);

/**
 * How far a run's simulation is from its measurement, request by request and in the mean. A first
 * token that is late by far, as in a pause of the front end, counts no more than one that is late.
 */
export function lossOf({ run, simulations, error }: RunComparison): number {
  let sum = 0;
  let count = 0;
  for (const times of simulations) {
    times.ttft_s.forEach((ttft, i) => {
      if (Number.isNaN(ttft)) return;
      count += 1;
      sum += 0.3 * Math.min(0.3, huber(Math.log(ttft / run.ttft_s[i]!), 0.15));
      const output = times.output_tokens[i]!;
      const measured = tpotOf(run.ttft_s[i]!, run.e2e_s[i]!, output);
      if (output <= 20 || !(measured > 1e-3)) return;
      sum += huber(Math.log(tpotOf(ttft, times.e2e_s[i]!, output) / measured), 0.05);
    });
  }
  const off = (e: number) => Math.abs(Math.log(1 + e));
  const means =
    0.15 * Math.min(0.3, off(error.ttft.mean)) +
    0.5 * off(error.tpot.mean) +
    0.3 * off(error.e2e.mean);
  return sum / count + means;
}
