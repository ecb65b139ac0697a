/** The requests of a GuideLLM report as a trace. */
import { DataError } from '../errors.js';
import type { ImportLog } from '../import/options.js';
import { TraceBuilder } from '../import/trace-builder.js';
import { at, list, number, times } from '../read/json.js';
import type { RequestTrace } from '../request-trace.js';

/**
 * The successful requests of every benchmark of a report, by their start.
 *
 * @throws DataError where the report holds no single requests
 */
export function guidellmTrace(report: unknown, source: string, log: ImportLog): RequestTrace {
  const requests = list(at(report, 'benchmarks')).flatMap((benchmark) =>
    list(at(benchmark, 'requests', 'successful')),
  );
  if (requests.length === 0) throw new DataError('single requests are not in this report');
  const startOf = (request: unknown) =>
    number(at(request, 'request_start_time')) ??
    number(at(request, 'scheduler_info', 'request_timings', 'request_start')) ??
    number(at(request, 'info', 'timings', 'request_start')) ??
    number(at(request, 'start_time'));
  const sorted = requests
    .map((request) => ({ request, start: startOf(request) }))
    .sort((a, b) => (a.start ?? 0) - (b.start ?? 0));
  const builder = new TraceBuilder(source, log);
  sorted.forEach(({ request, start }, i) => {
    if (start === undefined) throw new DataError(`request ${i} has no start`);
    const count = (names: readonly string[]) =>
      names.map((name) => number(at(request, name))).find((n) => n !== undefined) ??
      number(
        at(request, names[0].startsWith('p') ? 'input_metrics' : 'output_metrics', 'total_tokens'),
      );
    builder.add(
      {
        whole_s: start,
        fraction_s: 0,
        prompt: count(['prompt_tokens', 'prompt_token_count']) ?? -1,
        output: count(['output_tokens', 'output_token_count']) ?? -1,
        ttft_s: times(number(at(request, 'time_to_first_token_ms')), 1e-3),
        e2e_s: number(at(request, 'request_latency')),
      },
      i + 1,
    );
  });
  return builder.finish((sorted[0].start ?? 0) > 1e8 ? 'epoch' : 'clock');
}
