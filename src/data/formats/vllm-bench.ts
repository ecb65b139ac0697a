/** Results of `vllm bench serve`, `vllm bench sweep` and of SGLang's, which took the form over. */
import { latencyFields, type Measurement, measurement, type Statistic } from '../measurement.js';
import { at, isObject, type Json, list, number, text } from '../read/json.js';

/** Whether a JSON document is one result or an array of them. */
export function isVllmBench(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 && value.every(isResult) : isResult(value);
}

function isResult(value: unknown): value is Json {
  if (!isObject(value)) return false;
  const has = (key: string) => Object.hasOwn(value, key);
  return has('completed') && (has('mean_ttft_ms') || has('median_ttft_ms')) && has('duration');
}

/** The results of a document: one, or a sweep's. */
export function vllmResults(value: unknown): readonly Json[] {
  return (Array.isArray(value) ? value : [value]).filter(isObject);
}

/** Keys that every result has; what else is a number or a text is a parameter that was swept. */
const KNOWN = new RegExp(
  '^(date|backend|endpoint_type|endpoint|label|model_id|tokenizer_id|num_prompts|request_rate|' +
    'burstiness|max_concurrency|duration|completed|failed|run_number|goodput|rtfx|dataset_.*|' +
    'total_.*|request_.*|output_.*|input_.*|max_output_.*|max_concurrent_requests|' +
    '(mean|median|std|p\\d+(\\.\\d+)?)_(ttft|tpot|itl|e2el)_ms|.*_lens?|ttfts|itls|errors|' +
    'generated_texts|start_times|concurrency|accept_length|.*_throughput)$',
);

/** One run of the measurement table. Means of lengths come from the totals. */
export function vllmMeasurement(result: Json, source: string): Measurement {
  const completed = number(result['completed']);
  const perRequest = (total: number | undefined) =>
    total !== undefined && completed ? total / completed : undefined;
  const swept = Object.entries(result).filter(
    ([key, value]) => !KNOWN.test(key) && (typeof value === 'number' || typeof value === 'string'),
  );
  const flags = swept.length > 0 ? JSON.stringify(Object.fromEntries(swept)) : '';
  const rate = result['request_rate'];
  const numRequests = number(result['num_prompts']);
  const failed =
    number(result['failed']) ??
    (numRequests !== undefined && completed !== undefined ? numRequests - completed : undefined);
  return measurement(
    {
      source,
      engine: text(result['backend']) ?? text(result['endpoint_type']),
      model: text(result['model_id']),
      flags,
      gpu: text(result['gpu']) ?? text(result['gpu_type']),
    },
    {
      tensor_parallel: number(at(result, 'tensor_parallel_size')),
      concurrency: number(result['max_concurrency']),
      request_rate_per_s: rate === 'inf' || rate === Infinity ? Infinity : number(rate),
      prompt_tokens: perRequest(number(result['total_input_tokens'] ?? result['total_input'])),
      output_tokens: perRequest(number(result['total_output_tokens'] ?? result['total_output'])),
      num_requests: numRequests,
      completed,
      failed,
      duration_s: number(result['duration']),
      // A run in which every request failed reports zeros, which are no measurements.
      ...(completed === 0 ? {} : measured(result)),
    },
  );
}

function measured(result: Json) {
  const latency = (name: 'ttft' | 'tpot' | 'itl' | 'e2e', key: string) =>
    latencyFields(name, (statistic) => latencyAt(result, statistic, key));
  return {
    requests_per_s: number(result['request_throughput']),
    output_tokens_per_s: number(result['output_throughput']),
    total_tokens_per_s: number(result['total_token_throughput'] ?? result['total_throughput']),
    ...latency('ttft', 'ttft'),
    ...latency('tpot', 'tpot'),
    ...latency('itl', 'itl'),
    ...latency('e2e', 'e2el'),
  };
}

/** `percentiles_ttft_ms` is a list of pairs in results that are kept in memory. */
function latencyAt(result: Json, statistic: Statistic, key: string): number | undefined {
  const prefix = statistic === 'p50' ? 'median' : statistic;
  const direct = number(result[`${prefix}_${key}_ms`]) ?? number(result[`${statistic}_${key}_ms`]);
  if (direct !== undefined || statistic === 'mean') return direct;
  const rank = Number(statistic.slice(1));
  const pair = list(result[`percentiles_${key}_ms`]).find((p) => number(at(p, 0)) === rank);
  return number(at(pair, 1));
}
