/** The text that vLLM and others give at `/metrics`: one measurement of all since the start. */
import { DataError } from '../errors.js';
import {
  type Latency,
  latencyFields,
  type Measurement,
  measurement,
  type Statistic,
} from '../measurement.js';

const LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/;

export function isPrometheusText(lines: readonly string[]): boolean {
  const filled = lines.slice(0, 200).filter((line) => line.trim() !== '');
  const hasType = filled.some((line) => /^# (TYPE|HELP) [A-Za-z_:]/.test(line));
  const good = filled.filter((line) => line.startsWith('#') || LINE.test(line)).length;
  return hasType && good >= filled.length - 1;
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Samples by metric name. */
type Samples = ReadonlyMap<string, readonly Sample[]>;

function parse(text: string): Samples {
  const samples = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const m = LINE.exec(line.trim());
    if (m === null) continue;
    const value = m[3] === '+Inf' ? Infinity : Number(m[3]);
    const known = samples.get(m[1]);
    const sample = { labels: labelsOf(m[2] ?? ''), value };
    if (known) known.push(sample);
    else samples.set(m[1], [sample]);
  }
  return samples;
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const m of text.matchAll(/([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g)) labels[m[1]] = m[2];
  return labels;
}

/** Histograms of vLLM that hold a latency, old and new names. */
const LATENCY_NAMES: Readonly<Record<Latency, readonly string[]>> = {
  ttft: ['vllm:time_to_first_token_seconds', 'sglang:time_to_first_token_seconds'],
  tpot: ['vllm:request_time_per_output_token_seconds'],
  itl: [
    ...['vllm:inter_token_latency_seconds', 'vllm:time_per_output_token_seconds'],
    'sglang:inter_token_latency_seconds',
  ],
  e2e: ['vllm:e2e_request_latency_seconds', 'sglang:e2e_request_latency_seconds'],
};

/**
 * A measurement of everything that the server did since it started.
 *
 * @throws DataError where there is no histogram of a latency
 */
export function metricsMeasurement(text: string, source: string): Measurement {
  const samples = parse(text);
  const found = Object.values(LATENCY_NAMES)
    .flat()
    .filter((name) => samples.has(`${name}_count`));
  if (found.length === 0) {
    const some = [...samples.keys()].slice(0, 5).join(', ') || 'no metrics';
    throw new DataError(`no latency of vLLM or SGLang is among the metrics (${some}, …)`);
  }
  const labels = samples.get(`${found[0]}_count`)?.[0].labels ?? {};
  const mean = (name: string) => {
    const count = sum(samples, `${name}_count`);
    return count > 0 ? sum(samples, `${name}_sum`) / count : undefined;
  };
  const completed = sum(samples, 'vllm:request_success_total');
  const latency = (name: Latency) =>
    latencyFields(name, (statistic) => latencyMs(samples, LATENCY_NAMES[name], statistic));
  const engine = found[0].split(':')[0];
  return measurement(
    { source, engine, model: labels['model_name'], flags: flagsOf(samples) },
    {
      prompt_tokens: mean('vllm:request_prompt_tokens'),
      output_tokens: mean('vllm:request_generation_tokens'),
      completed: completed > 0 ? completed : undefined,
      ...latency('ttft'),
      ...latency('tpot'),
      ...latency('itl'),
      ...latency('e2e'),
    },
  );
}

function sum(samples: Samples, name: string): number {
  return (samples.get(name) ?? []).reduce((total, { value }) => total + value, 0);
}

/** A mean from the sum, a quantile from the buckets as Prometheus' histogram_quantile does. */
function latencyMs(
  samples: Samples,
  names: readonly string[],
  statistic: Statistic,
): number | undefined {
  const name = names.find((n) => sum(samples, `${n}_count`) > 0);
  if (name === undefined) return undefined;
  const count = sum(samples, `${name}_count`);
  if (statistic === 'mean') return (1e3 * sum(samples, `${name}_sum`)) / count;
  const buckets = new Map<number, number>();
  for (const { labels, value } of samples.get(`${name}_bucket`) ?? []) {
    const edge = labels['le'] === '+Inf' ? Infinity : Number(labels['le']);
    buckets.set(edge, (buckets.get(edge) ?? 0) + value);
  }
  const edges = [...buckets].sort((a, b) => a[0] - b[0]);
  const wanted = (Number(statistic.slice(1)) / 100) * count;
  let [low, below] = [0, 0];
  for (const [edge, upTo] of edges) {
    if (upTo >= wanted) {
      // Beyond the last edge nothing is known but that it is larger.
      if (edge === Infinity) return low * 1e3;
      const share = upTo > below ? (wanted - below) / (upTo - below) : 0;
      return (low + (edge - low) * share) * 1e3;
    }
    [low, below] = [edge, upTo];
  }
  return undefined;
}

/** The cache's configuration, which vLLM gives as labels. */
function flagsOf(samples: Samples): string {
  const config = samples.get('vllm:cache_config_info')?.[0].labels ?? {};
  const wanted = [
    'block_size',
    'num_gpu_blocks',
    'gpu_memory_utilization',
    'enable_prefix_caching',
  ];
  const flags = wanted.flatMap((key) => (config[key] === undefined ? [] : [[key, config[key]]]));
  const preemptions = sum(samples, 'vllm:num_preemptions_total');
  if (preemptions > 0) flags.push(['num_preemptions', String(preemptions)]);
  return flags.length > 0 ? JSON.stringify(Object.fromEntries(flags)) : '';
}
