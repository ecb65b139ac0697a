/** Results of benchmark tools, in small files of the tools' own forms. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { importRuns } from '../../support/imports.js';
import { isSharedDataAbsent, sharedData } from '../../support/shared-data.js';

const vllm = (changes: object = {}) => ({
  date: '20260301-000000',
  backend: 'vllm',
  model_id: 'meta-llama/Llama-3.1-8B',
  tokenizer_id: 'meta-llama/Llama-3.1-8B',
  num_prompts: 100,
  request_rate: 'inf',
  burstiness: 1,
  max_concurrency: 16,
  duration: 12.5,
  completed: 100,
  total_input_tokens: 51_200,
  total_output_tokens: 12_800,
  request_throughput: 8,
  request_goodput: null,
  output_throughput: 1024,
  total_token_throughput: 5120,
  mean_ttft_ms: 120.5,
  median_ttft_ms: 110,
  std_ttft_ms: 10,
  p99_ttft_ms: 200,
  mean_tpot_ms: 15,
  median_tpot_ms: 14.5,
  std_tpot_ms: 1,
  p99_tpot_ms: 20,
  mean_itl_ms: 15,
  median_itl_ms: 14,
  p99_itl_ms: 40,
  ...changes,
});

describe('vllm bench', () => {
  it('reads a result: loads, means of lengths, percentiles', async () => {
    const [run] = await importRuns(vllm());
    expect(run).toMatchObject({
      engine: 'vllm',
      model: 'meta-llama/Llama-3.1-8B',
      concurrency: 16,
      request_rate_per_s: Infinity,
      prompt_tokens: 512,
      output_tokens: 128,
      failed: 0,
      ttft_ms_p50: 110,
      ttft_ms_p99: 200,
      tpot_ms_mean: 15,
      output_tokens_per_s: 1024,
    });
  });

  it('reads a sweep, keeping what was swept as flags', async () => {
    const runs = await importRuns([
      vllm({ max_num_seqs: 64, run_number: 0 }),
      vllm({ max_num_seqs: 128, run_number: 0, max_concurrency: null, request_rate: 4 }),
    ]);
    expect(runs.map(({ flags }) => JSON.parse(flags))).toEqual([
      { max_num_seqs: 64 },
      { max_num_seqs: 128 },
    ]);
    expect(runs[1].concurrency).toBeUndefined();
    expect(runs[1].request_rate_per_s).toBe(4);
  });

  it('takes zeros of a run that failed for no measurement', async () => {
    const [run] = await importRuns(vllm({ completed: 0, mean_ttft_ms: 0, median_ttft_ms: 0 }));
    expect(run).toMatchObject({ completed: 0, failed: 100 });
    expect(run.ttft_ms_mean).toBeUndefined();
  });
});

const summary = (mean: number, factor = 1) => ({
  successful: {
    mean: mean * factor,
    median: mean * factor * 0.9,
    std_dev: 1,
    percentiles: { p50: mean * factor * 0.9, p90: mean * factor * 1.5, p99: mean * factor * 2 },
  },
});

it('reads a report of GuideLLM, one run a benchmark', async () => {
  const benchmark = (strategy: object) => ({
    type_: 'generative_benchmark',
    config: { strategy, backend: { type_: 'openai_http', model: 'm' } },
    duration: 30,
    metrics: {
      request_totals: { successful: 58, errored: 1, incomplete: 2, total: 61 },
      requests_per_second: summary(2),
      request_concurrency: summary(7.4),
      request_latency: summary(3.7),
      time_to_first_token_ms: summary(80),
      inter_token_latency_ms: summary(12),
      time_per_output_token_ms: summary(13),
      prompt_token_count: summary(256),
      output_token_count: summary(128),
      output_tokens_per_second: summary(250),
    },
    requests: { successful: [] },
  });
  const runs = await importRuns({
    metadata: { version: 1, guidellm_version: '0.4.0' },
    args: { target: 'http://localhost', model: 'm' },
    benchmarks: [
      benchmark({ type_: 'synchronous' }),
      benchmark({ type_: 'concurrent', streams: 8 }),
      benchmark({ type_: 'throughput' }),
      benchmark({ type_: 'constant', rate: 2 }),
    ],
  });
  expect(runs.map((r) => [r.concurrency, r.request_rate_per_s])).toEqual([
    [1, undefined],
    [8, undefined],
    [undefined, Infinity],
    [undefined, 2],
  ]);
  expect(runs[0]).toMatchObject({ model: 'm', completed: 58, failed: 1, prompt_tokens: 256 });
  expect(runs[0]).toMatchObject({ ttft_ms_p99: 160, tpot_ms_mean: 12, e2e_ms_mean: 3700 });
});

it('reads the CSV of GuideLLM with its three header lines', async () => {
  const columns = [
    ['Run Info', 'Run ID', '', 'x-1'],
    ['Benchmark', 'Strategy', '', 'synchronous'],
    ['Timings', 'Duration', 'Sec', '30.5'],
    ['Request Counts', 'Successful', '', '58'],
    ['Request Counts', 'Errored', '', '0'],
    ['Request Latency', 'Successful Sec', 'Mean', '3.5'],
    ['Time to First Token', 'Successful ms', 'Mean', '80'],
    ['Time to First Token', 'Successful ms', 'Median', '75'],
    ['Time to First Token', 'Successful ms', 'Percentiles', '"[1,2,3,4,5,6,7,120,130,200,210]"'],
    ['Inter Token Latency', 'Successful ms', 'Mean', '12'],
    ['Server Throughput', 'Successful Requests/Sec', 'Mean', '2'],
    ['Token Metrics', 'Successful Input Tokens', 'Mean', '256'],
    ['Token Metrics', 'Successful Output Tokens', 'Mean', '128'],
    ['Token Throughput', 'Successful Output Tokens/Sec', 'Mean', '250'],
  ];
  const lines = [0, 1, 2, 3].map((line) => columns.map((column) => column[line]).join(','));
  expect((await importRuns(lines.join('\n')))[0]).toMatchObject({
    concurrency: 1,
    completed: 58,
    prompt_tokens: 256,
    output_tokens: 128,
    requests_per_s: 2,
    output_tokens_per_s: 250,
    ttft_ms_mean: 80,
    ttft_ms_p50: 75,
    ttft_ms_p90: 120,
    ttft_ms_p99: 200,
    tpot_ms_mean: 12,
    e2e_ms_mean: 3500,
  });
});

const metric = (unit: string, avg: number) => ({
  ...{ unit, avg, min: avg / 2, max: avg * 2 },
  ...{ p50: avg, p90: avg * 1.2, p95: avg * 1.3, p99: avg * 1.5, std: 1, count: 100 },
});

it('reads profiles of AIPerf and GenAI-Perf', async () => {
  const metrics = {
    time_to_first_token: metric('ms', 60),
    inter_token_latency: metric('ms', 11),
    request_latency: metric('s', 2.5),
    request_throughput: { unit: 'requests/sec', avg: 6.4 },
    output_token_throughput: { unit: 'tokens/sec', avg: 1280 },
    input_sequence_length: metric('tokens', 550),
    output_sequence_length: metric('tokens', 200),
  };
  const [aiperf] = await importRuns({
    schema_version: '1.1',
    aiperf_version: '0.5.0',
    ...metrics,
    input_config: {
      models: { items: [{ name: 'Qwen/Qwen3-8B' }] },
      phases: [
        { name: 'warmup', type: 'concurrency', concurrency: 2 },
        { name: 'profiling', type: 'concurrency', concurrency: 16, duration: 60 },
      ],
    },
  });
  expect(aiperf).toMatchObject({ model: 'Qwen/Qwen3-8B', concurrency: 16, completed: 100 });
  expect(aiperf).toMatchObject({ ttft_ms_p99: 90, tpot_ms_mean: 11, e2e_ms_mean: 2500 });
  const [genai] = await importRuns({
    ...metrics,
    input_config: { model: ['m'], perf_analyzer: { stimulus: { concurrency: 4 } } },
  });
  expect(genai).toMatchObject({ model: 'm', concurrency: 4, output_tokens_per_s: 1280 });
});

it('reads the CSV of AIPerf', async () => {
  const [run] = await importRuns(
    'Metric,avg,min,max,p99,p90,p50,std\n' +
      'Time To First Token (ms),60.5,50,70,69,65,60,3\n' +
      'Request Latency (ms),"2,500.00",2000,3000,2900,2700,2500,100\n' +
      '\nMetric,Value\nRequest Throughput (requests/sec),6.4\n',
  );
  expect(run).toMatchObject({ ttft_ms_mean: 60.5, ttft_ms_p99: 69, e2e_ms_mean: 2500 });
  expect(run.requests_per_s).toBe(6.4);
});

it('reads optimum-benchmark and tables with names of one’s own', async () => {
  const [run] = await importRuns(
    'experiment_name,benchmark.input_shapes.batch_size,benchmark.input_shapes.sequence_length,' +
      'benchmark.new_tokens,model,environment.gpus,forward.latency(s),generate.latency(s),' +
      'generate.throughput(tokens/s),generate.peak_memory(MB)\n' +
      'fp16,8,256,128,meta-llama/Llama-2-7b-hf,A100,0.05,3.2,320,21000\n',
  );
  expect(run).toMatchObject({ source: 'fp16', batch_size: 8, prompt_tokens: 256, gpu: 'A100' });
  expect(run).toMatchObject({ ttft_ms_mean: 50, output_tokens_per_s: 320, gpu_memory_gb: 21 });
});

it('reads the metrics of vLLM: means of sums, quantiles of buckets', async () => {
  const histogram = (name: string, edges: [string, number][], sum: number) =>
    `# TYPE ${name} histogram\n${edges
      .map(([le, n]) => `${name}_bucket{le="${le}",model_name="m"} ${n}`)
      .join(
        '\n',
      )}\n${name}_count{model_name="m"} ${edges.at(-1)![1]}\n${name}_sum{model_name="m"} ${sum}\n`;
  const [run] = await importRuns(
    '# HELP vllm:cache_config_info x\n# TYPE vllm:cache_config_info gauge\n' +
      'vllm:cache_config_info{block_size="16",num_gpu_blocks="5000"} 1.0\n' +
      histogram(
        'vllm:time_to_first_token_seconds',
        [
          ['0.1', 50],
          ['0.2', 90],
          ['+Inf', 100],
        ],
        12,
      ) +
      histogram('vllm:request_prompt_tokens', [['+Inf', 100]], 51_200),
  );
  expect(run).toMatchObject({ model: 'm', engine: 'vllm', prompt_tokens: 512, ttft_ms_mean: 120 });
  expect(run.ttft_ms_p50).toBeCloseTo(100);
  expect(run.ttft_ms_p90).toBeCloseTo(200);
  expect(JSON.parse(run.flags)).toEqual({ block_size: '16', num_gpu_blocks: '5000' });
});

it('says what JSON it does not know', async () => {
  await expect(importRuns({ foo: 1, bar: [2] })).rejects.toThrow(
    /this is JSON of an object of foo, bar; known are results of vllm bench/,
  );
});

describe.skipIf(isSharedDataAbsent())('recorded results', () => {
  const folder = sharedData('bench_results');
  const files = readdirSync(folder).filter((name) => /\.(csv|json)$/.test(name));
  it.each(files)('reads %s', async (name) => {
    const runs = await importRuns(readFileSync(`${folder}/${name}`, 'utf8'));
    expect(runs.length).toBeGreaterThan(0);
    for (const run of runs) {
      expect(run.prompt_tokens).toBeGreaterThan(0);
      expect(run.ttft_ms_mean ?? Number.NaN).toBeGreaterThan(0);
    }
  });
});
