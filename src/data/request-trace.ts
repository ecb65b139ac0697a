/** Recorded requests to an inference server: what arrived when, exactly. Browser-safe. */
import { DataError } from './errors.js';
import type { Provenance } from './provenance.js';

/** Optional columns of numbers; NaN, or -1 for `prefix_parent`, where a request has none. */
export const TRACE_MEASURED = ['ttft_s', 'e2e_s'] as const;

/**
 * Requests by rising arrival, one entry each. Arrivals count from the first request; where the
 * recording names a date, `start_epoch_s` is that moment.
 */
export interface RequestTrace {
  readonly name: string;
  /** [requests], ascending from 0. */
  readonly arrival_s: Float64Array;
  /** [requests], whole, at least 1. */
  readonly prompt_tokens: Uint32Array;
  /** [requests], whole, at least 1. */
  readonly output_tokens: Uint32Array;
  /** [requests], index into `classes`. */
  readonly class_index?: Uint16Array;
  readonly classes?: readonly string[];
  /** [requests], the same number for requests of one conversation. */
  readonly session?: Uint32Array;
  /** [requests], the earlier request whose prompt this one begins with; -1 where there is none. */
  readonly prefix_parent?: Int32Array;
  /** [requests], how many tokens of the prompt that is. */
  readonly prefix_tokens?: Uint32Array;
  /** [requests], as measured when it was recorded; NaN where it was not. */
  readonly ttft_s?: Float64Array;
  readonly e2e_s?: Float64Array;
  /** Unix time of the first arrival; null where the recording does not say. */
  readonly start_epoch_s: number | null;
  readonly provenance: Provenance;
}

/**
 * Checks what every user of a trace relies on.
 *
 * @throws DataError naming the row and column of the first value that breaks it
 */
export function checkTrace(trace: RequestTrace): RequestTrace {
  const { arrival_s, prompt_tokens, output_tokens, prefix_parent } = trace;
  if (arrival_s.length === 0) throw new DataError('the trace has no requests');
  for (let i = 0; i < arrival_s.length; i++) {
    const row = i + 1;
    if (!(arrival_s[i] >= (i > 0 ? arrival_s[i - 1] : 0))) {
      throw new DataError(`${arrival_s[i]} is out of order`, { row, column: 'arrival_s' });
    }
    if (prompt_tokens[i] < 1) throw new DataError('is 0', { row, column: 'prompt_tokens' });
    if (output_tokens[i] < 1) throw new DataError('is 0', { row, column: 'output_tokens' });
    if (prefix_parent !== undefined && prefix_parent[i] >= i) {
      throw new DataError(`${prefix_parent[i]} is no earlier request`, {
        row,
        column: 'prefix_parent',
      });
    }
  }
  return trace;
}
