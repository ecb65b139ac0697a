/** The requests of a detailed result of `vllm bench serve` as a trace. */
import { DataError } from '../errors.js';
import type { ImportLog } from '../import/options.js';
import { TraceBuilder } from '../import/trace-builder.js';
import { type Json, list, number, text } from '../read/json.js';
import type { RequestTrace } from '../request-trace.js';

/**
 * The requests of a result with `--save-detailed`, and what was measured of each.
 *
 * @throws DataError where the arrays of single requests are absent, or there are several results
 */
export function vllmTrace(results: readonly Json[], source: string, log: ImportLog): RequestTrace {
  const [result] = results;
  if (results.length !== 1) throw new DataError(`${results.length} runs; a trace is one of them`);
  const starts = list(result['start_times']);
  const [inputs, outputs] = [list(result['input_lens']), list(result['output_lens'])];
  const rate = log.options.rate;
  if (inputs.length === 0 || outputs.length !== inputs.length) {
    const option = 'vllm bench serve --save-result --save-detailed';
    throw new DataError('single requests are not in this result', { option });
  }
  if (starts.length !== inputs.length && rate === undefined) {
    throw new DataError('start_times are not in this result', { option: '--rate REQUESTS_PER_S' });
  }
  const [ttfts, itls, errors] = ['ttfts', 'itls', 'errors'].map((key) => list(result[key]));
  const builder = new TraceBuilder(source, log);
  inputs.forEach((input, i) => {
    if (text(errors[i]) !== undefined) {
      log.count('dropped', 'requests that failed');
      return;
    }
    const ttft_s = number(ttfts[i]);
    const gaps = list(itls[i]).map((gap) => number(gap) ?? 0);
    const e2e_s = ttft_s === undefined ? undefined : gaps.reduce((a, b) => a + b, ttft_s);
    const start = number(starts[i]) ?? i / (rate ?? 1);
    const tokens = { prompt: number(input) ?? -1, output: number(outputs[i]) ?? -1 };
    builder.add({ whole_s: start, fraction_s: 0, ...tokens, ttft_s, e2e_s }, i + 1);
  });
  // They are the client's monotonic clock, which begins anywhere.
  return builder.finish('clock');
}
