/** Results of LLMPerf: the summary of a run, and its list of requests. */
import { type Latency, latencyFields, type Measurement, measurement } from '../measurement.js';
import { isObject, type Json, number, text, times } from '../read/json.js';
import { latencyStatistics } from './statistics.js';

export function isLlmperf(value: unknown): value is Json {
  return isObject(value) && 'results_ttft_s_mean' in value;
}

export function llmperfMeasurement(summary: Json, source: string): Measurement {
  const mean = (name: string) => number(summary[`results_${name}_mean`]);
  const latency = (name: Latency, key: string) =>
    latencyFields(name, (s) => {
      const field = s === 'mean' ? `results_${key}_s_mean` : `results_${key}_s_quantiles_${s}`;
      return times(number(summary[field]), 1e3);
    });
  const completed = number(summary['results_num_completed_requests']);
  const perMinute = number(summary['results_num_completed_requests_per_min']);
  return measurement(
    { source, engine: text(summary['framework']), model: text(summary['model']) },
    {
      concurrency: number(summary['num_concurrent_requests']),
      prompt_tokens: mean('number_input_tokens') ?? number(summary['mean_input_tokens']),
      output_tokens: mean('number_output_tokens') ?? number(summary['mean_output_tokens']),
      num_requests: number(summary['results_num_requests_started']),
      completed,
      failed: number(summary['results_number_errors']),
      duration_s: completed && perMinute ? (completed / perMinute) * 60 : undefined,
      requests_per_s: times(perMinute, 1 / 60),
      output_tokens_per_s: number(summary['results_mean_output_throughput_token_per_s']),
      ...latency('ttft', 'ttft'),
      // The time between tokens as a mean of each request, the first token included.
      ...latency('itl', 'inter_token_latency'),
      ...latency('e2e', 'end_to_end_latency'),
    },
  );
}

/** Whether a document is the list of a run's requests. */
export function isLlmperfRequests(value: unknown): value is Json[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((v) => isObject(v) && 'ttft_s' in v && 'end_to_end_latency_s' in v)
  );
}

/** A list of requests as one run; the load is not in it. */
export function llmperfRequests(requests: readonly Json[], source: string): Measurement {
  const good = requests.filter((request) => !request['error_code']);
  const values = (key: string, factor: number) =>
    good.flatMap((request) => times(number(request[key]), factor) ?? []);
  const mean = (key: string) => {
    const all = values(key, 1);
    return all.length > 0 ? all.reduce((a, b) => a + b, 0) / all.length : undefined;
  };
  const tpot = good.flatMap((request) => {
    const [ttft, e2e] = [number(request['ttft_s']), number(request['end_to_end_latency_s'])];
    const tokens = number(request['number_output_tokens']) ?? 0;
    return ttft !== undefined && e2e !== undefined && tokens > 1
      ? [(1e3 * (e2e - ttft)) / (tokens - 1)]
      : [];
  });
  return measurement(
    { source },
    {
      prompt_tokens: mean('number_input_tokens'),
      output_tokens: mean('number_output_tokens'),
      num_requests: requests.length,
      completed: good.length,
      failed: requests.length - good.length,
      ...latencyStatistics('ttft', values('ttft_s', 1e3)),
      ...latencyStatistics('tpot', tpot),
      ...latencyStatistics('e2e', values('end_to_end_latency_s', 1e3)),
    },
  );
}
