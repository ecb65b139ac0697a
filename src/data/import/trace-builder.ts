/** Requests as they are read, and the checked trace that they become. */
import { DataError } from '../errors.js';
import { NO_PROVENANCE } from '../provenance.js';
import { checkTrace, type RequestTrace } from '../request-trace.js';
import type { ImportLog } from './options.js';
import { NumberList } from './samples.js';

/** One request of a file. What it does not say is absent. */
export interface ReadRequest {
  /** Arrival in whole seconds and what is beyond them, so that nothing is rounded. */
  readonly whole_s: number;
  readonly fraction_s: number;
  readonly prompt: number;
  readonly output: number;
  readonly class?: string | undefined;
  readonly session?: string | undefined;
  /** The request, by its number in the file from 0, whose prompt this one begins with. */
  readonly parent?: number | undefined;
  readonly prefixTokens?: number | undefined;
  readonly ttft_s?: number | undefined;
  readonly e2e_s?: number | undefined;
}

const TOKENS_MAX = 1e8;
const CLASSES_MAX = 1000;

/** Collects requests in typed arrays. */
export class TraceBuilder {
  private readonly whole = new NumberList();
  private readonly fraction = new NumberList();
  private readonly prompt = new NumberList();
  private readonly output = new NumberList();
  private readonly classes = new Map<string, number>();
  private readonly sessions = new Map<string, number>();
  private readonly optional = {
    class: new NumberList(),
    session: new NumberList(),
    parent: new NumberList(),
    prefixTokens: new NumberList(),
    ttft: new NumberList(),
    e2e: new NumberList(),
  };
  private readonly rows = new NumberList();

  constructor(
    private readonly name: string,
    private readonly log: ImportLog,
  ) {}

  get length(): number {
    return this.whole.length;
  }

  /**
   * Adds a request. One without tokens, as failed ones are recorded, is left out and counted.
   *
   * @throws DataError naming the row of a count that is none
   */
  add(request: ReadRequest, row: number): void {
    const { prompt, output } = request;
    checkTokens(prompt, 'prompt tokens', row);
    checkTokens(output, 'output tokens', row);
    if (this.length >= this.log.limits.rows) {
      throw new DataError(`more than ${this.log.limits.rows} requests`);
    }
    if (prompt === 0 || output === 0) {
      this.log.count('dropped', `requests without ${prompt === 0 ? 'prompt' : 'output'} tokens`);
      return;
    }
    this.whole.push(request.whole_s);
    this.fraction.push(request.fraction_s);
    this.prompt.push(prompt);
    this.output.push(output);
    this.rows.push(row);
    this.addOptional(request);
  }

  private addOptional(request: ReadRequest): void {
    const { optional } = this;
    optional.class.push(numbered(this.classes, request.class));
    optional.session.push(numbered(this.sessions, request.session));
    optional.parent.push(request.parent ?? -1);
    optional.prefixTokens.push(request.prefixTokens ?? 0);
    optional.ttft.push(request.ttft_s ?? Number.NaN);
    optional.e2e.push(request.e2e_s ?? Number.NaN);
    if (this.classes.size > CLASSES_MAX) throw new DataError(`more than ${CLASSES_MAX} classes`);
  }

  /**
   * The trace. Arrivals on a clock, and such of Unix times, are counted from the first one;
   * `relative` ones already count from a beginning.
   *
   * @throws DataError for arrivals out of order that nobody asked to sort
   */
  finish(origin: 'epoch' | 'clock' | 'relative'): RequestTrace {
    const count = this.length;
    if (count === 0) throw new DataError('the file has no requests');
    const order = this.order();
    const [whole, fraction] = [this.whole.values, this.fraction.values];
    const first = order[0];
    const isKept = origin === 'relative' && whole[first] >= 0;
    const [start_s, rest_s] = isKept ? [0, 0] : [whole[first], fraction[first]];
    const by = <T extends Float64Array | Uint32Array | Int32Array | Uint16Array>(
      array: T,
      values: Float64Array,
    ): T => {
      for (let i = 0; i < count; i++) array[i] = values[order[i]];
      return array;
    };
    const arrival_s = Float64Array.from(order, (i) => whole[i] - start_s + (fraction[i] - rest_s));
    return checkTrace({
      name: this.name,
      arrival_s,
      prompt_tokens: by(new Uint32Array(count), this.prompt.values),
      output_tokens: by(new Uint32Array(count), this.output.values),
      ...this.optionalColumns(order, by),
      start_epoch_s: origin === 'epoch' ? start_s + rest_s : null,
      provenance: NO_PROVENANCE,
    });
  }

  private order(): Uint32Array {
    const [whole, fraction] = [this.whole.values, this.fraction.values];
    const order = Uint32Array.from({ length: this.length }, (_, i) => i);
    const after = (a: number, b: number) => whole[a] - whole[b] || fraction[a] - fraction[b];
    const back = order.findIndex((i) => i > 0 && after(i, i - 1) < 0);
    if (back < 0) return order;
    if (!this.log.options.sort) {
      const by_s = -(whole[back] - whole[back - 1] + fraction[back] - fraction[back - 1]);
      throw new DataError(`arrives ${Number(by_s.toPrecision(6))} s before the row above it`, {
        row: this.rows.values[back],
        column: 'arrival',
        option: '--sort sorts the rows',
      });
    }
    order.sort((a, b) => after(a, b) || a - b);
    const moved = order.filter((i, place) => i !== place).length;
    this.log.count('repaired', 'requests put in order (--sort)', moved);
    return order;
  }

  private optionalColumns(
    order: Uint32Array,
    by: <T extends Float64Array | Uint32Array | Int32Array | Uint16Array>(
      array: T,
      values: Float64Array,
    ) => T,
  ) {
    const count = order.length;
    const { optional, classes, sessions } = this;
    const some = (values: Float64Array) => values.some((value) => !Number.isNaN(value));
    const parents = this.parents(order);
    const hasParents = parents.some((parent) => parent >= 0);
    return {
      ...(classes.size > 1
        ? {
            class_index: by(new Uint16Array(count), optional.class.values),
            classes: [...classes.keys()],
          }
        : {}),
      ...(sessions.size > 1
        ? { session: by(new Uint32Array(count), optional.session.values) }
        : {}),
      ...(hasParents
        ? {
            prefix_parent: parents,
            prefix_tokens: by(new Uint32Array(count), optional.prefixTokens.values),
          }
        : {}),
      ...(some(optional.ttft.values)
        ? { ttft_s: by(new Float64Array(count), optional.ttft.values) }
        : {}),
      ...(some(optional.e2e.values)
        ? { e2e_s: by(new Float64Array(count), optional.e2e.values) }
        : {}),
    };
  }

  /** Parents by their place in the trace. One that was left out, or comes later, is none. */
  private parents(order: Uint32Array): Int32Array {
    const placeOfRow = new Map<number, number>();
    const rows = this.rows.values;
    order.forEach((i, place) => {
      placeOfRow.set(rows[i] - 1, place);
    });
    const parents = this.optional.parent.values;
    return Int32Array.from(order, (i, place) => {
      const parent = parents[i] < 0 ? undefined : placeOfRow.get(parents[i]);
      return parent !== undefined && parent < place ? parent : -1;
    });
  }
}

/** The number of a name, in the order of first use. */
function numbered(numbers: Map<string, number>, name: string | undefined): number {
  const key = name ?? '';
  const known = numbers.get(key);
  if (known !== undefined) return known;
  numbers.set(key, numbers.size);
  return numbers.size - 1;
}

function checkTokens(tokens: number, what: string, row: number): void {
  if (Number.isInteger(tokens) && tokens >= 0 && tokens <= TOKENS_MAX) return;
  const needed = `a whole number from 0 to ${TOKENS_MAX} is needed`;
  throw new DataError(`has ${tokens} ${what}; ${needed}`, { row });
}
