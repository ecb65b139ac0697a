/** Request traces from rows: Azure's, BurstGPT, Mooncake, Vidur's, our own, any other. */
import { DataError, quote } from '../errors.js';
import { isMissing, parseNumber } from '../read/csv-dialect.js';
import { number, text } from '../read/json.js';
import { attempt, type Cell, plainName, type Rows } from '../read/rows.js';
import type { RequestTrace } from '../request-trace.js';
import { columnOf, type RoleNames, sampleOf } from './columns-of.js';
import type { ImportLog } from './options.js';
import { timeReaderOf } from './series-rows.js';
import { TraceBuilder } from './trace-builder.js';

const ROLES = {
  arrival: [
    ...['arrival_s', 'arrived_at', 'arrival_time', 'arrival_timestamp', 'arrival', 'timestamp'],
    ...['timestamp_ms', 'arrival_ms', 'time', 'start_time', 'request_time', 'ts', 't_s', 't'],
    ...['request_start_s', 'start_s', 'submit_time', 'created_at', 'date', 'datetime'],
  ],
  prompt: [
    ...['prompt_tokens', 'contexttokens', 'context_tokens', 'input_length', 'input_tokens'],
    ...['request_tokens', 'num_prefill_tokens', 'prompt_len', 'prompt_length', 'input_len', 'isl'],
    ...['num_prompt_tokens', 'n_prompt_tokens', 'prefill_tokens', 'input_sequence_length', 'input'],
    ...['input_toks', 'prompt'],
  ],
  output: [
    ...['output_tokens', 'generatedtokens', 'generated_tokens', 'output_length', 'response_tokens'],
    ...['num_decode_tokens', 'completion_tokens', 'output_len', 'osl', 'decode_tokens'],
    ...['generation_tokens', 'output_sequence_length', 'output', 'output_toks', 'answer_tokens'],
  ],
  class: ['class', 'request_class', 'priority', 'log_type', 'model', 'tier'],
  session: ['session', 'session_id', 'conversation_id', 'chat_id'],
  parent: ['prefix_parent'],
  prefix: ['prefix_tokens', 'cached_prefix_max'],
  hashes: ['hash_ids'],
  ttft: ['ttft_s', 'ttft_ms', 'ttft'],
  e2e: ['e2e_s', 'e2e_ms', 'e2e', 'end_to_end_latency_s', 'latency_s'],
} as const satisfies Record<string, RoleNames>;

type Role = keyof typeof ROLES;
type Roles = Readonly<Record<Role, number>>;
/** Tokens of one block of Mooncake's hashes. */
const BLOCK_TOKENS = 512;

function rolesOf(rows: Rows, told: Readonly<Record<string, string>> | undefined): Roles {
  const roles = {} as Record<Role, number>;
  for (const role of Object.keys(ROLES) as Role[]) {
    roles[role] = columnOf(rows, role, ROLES[role], told);
  }
  return roles;
}

/** Whether rows hold requests: prompt and answer in tokens. */
export function isTraceRows(rows: Rows): boolean {
  const { prompt, output, arrival } = rolesOf(rows, undefined);
  return prompt >= 0 && output >= 0 && arrival >= 0;
}

/**
 * The requests of a file's rows.
 *
 * @throws DataError naming row and column of what cannot be read, and the option that helps
 */
export async function traceFromRows(
  rows: Rows,
  source: string,
  log: ImportLog,
): Promise<RequestTrace> {
  const roles = rolesOf(rows, log.options.columns);
  for (const role of ['prompt', 'output'] as const) {
    if (roles[role] < 0) throw missingRole(rows, role);
  }
  const { rate } = log.options;
  if (roles.arrival < 0 && rate === undefined) throw missingRole(rows, 'arrival');
  const reader = roles.arrival < 0 ? null : arrivalReader(rows, roles.arrival, log);
  const builder = new TraceBuilder(source, log);
  const prefixes = new Prefixes();
  let row = 0;
  for await (const batch of rows.batches(log.badRow)) {
    for (const cells of batch) {
      row++;
      attempt(() => {
        reader?.read(cells[roles.arrival], row);
        const whole_s = reader?.whole ?? (row - 1) / (rate ?? 1);
        const at = { whole_s, fraction_s: reader?.fraction ?? 0 };
        builder.add({ ...at, ...requestOf(cells, roles, rows, row, prefixes) }, row);
      }, log.badRow);
    }
  }
  if (reader) log.count('converted', `times read as ${reader.format.label}`, row);
  else log.count('repaired', `arrivals spaced evenly at ${rate} a second (--rate)`, row);
  const trace = builder.finish(reader?.format.origin ?? 'relative');
  // Our own files count from the first arrival, and say beside it when that was.
  const start = number(rows.meta?.['start_epoch_s']);
  const name = text(rows.meta?.['name']) ?? source;
  return start === undefined ? trace : { ...trace, name, start_epoch_s: start };
}

/** Mooncake's `timestamp`, and that of traces in its form, is in milliseconds. */
function arrivalReader(rows: Rows, column: number, log: ImportLog) {
  const plain = plainName(rows.columns[column]);
  const isMooncake = plain === 'timestamp' && rows.columns.includes('input_length');
  return timeReaderOf(rows, column, log, isMooncake ? 'timestamp_ms' : plain);
}

function missingRole(rows: Rows, role: Role): DataError {
  const found = rows.columns.map((name) => quote(name)).join(', ');
  const or = role === 'arrival' ? ' or --rate REQUESTS_PER_S' : '';
  const option = `--columns ${role}=NAME${or}`;
  return new DataError(`no column is known to be ${role} among ${found}`, { option });
}

function requestOf(
  cells: readonly Cell[],
  roles: Roles,
  rows: Rows,
  row: number,
  prefixes: Prefixes,
) {
  const numberAt = (role: Role): number | undefined => {
    const c = roles[role];
    if (c < 0) return undefined;
    const cell = cells[c];
    if (cell === null || (typeof cell === 'string' && isMissing(cell))) return undefined;
    const value = typeof cell === 'number' ? cell : parseNumber(cell, rows.decimal);
    if (!Number.isNaN(value)) return value;
    throw new DataError(`${quote(`${cell}`)} is not a number`, { row, column: rows.columns[c] });
  };
  const needed = (role: 'prompt' | 'output') => {
    const value = numberAt(role);
    if (value !== undefined) return value;
    throw new DataError('is empty', { row, column: rows.columns[roles[role]] });
  };
  const textAt = (role: Role) => (roles[role] < 0 ? undefined : `${cells[roles[role]] ?? ''}`);
  const seconds = (role: 'ttft' | 'e2e') => {
    const value = numberAt(role);
    const isMs = roles[role] >= 0 && /_ms$/.test(plainName(rows.columns[roles[role]]));
    return value === undefined ? undefined : isMs ? value / 1e3 : value;
  };
  const prompt = needed('prompt');
  const hashes = roles.hashes < 0 ? null : prefixes.next(cells[roles.hashes], prompt, row);
  return {
    prompt,
    output: needed('output'),
    class: textAt('class'),
    session: textAt('session'),
    parent: hashes?.parent ?? numberAt('parent'),
    prefixTokens: hashes?.tokens ?? numberAt('prefix'),
    ttft_s: seconds('ttft'),
    e2e_s: seconds('e2e'),
  };
}

/** The earlier prompt that each begins with, by hashes that stand for all blocks before them. */
class Prefixes {
  /** The latest request, from 0, of each hash. */
  private readonly latest = new Map<number, number>();

  next(cell: Cell, prompt: number, row: number): { parent: number; tokens: number } {
    const ids = hashesOf(cell, row);
    let shared = 0;
    while (shared < ids.length && this.latest.has(ids[shared])) shared++;
    const parent = shared > 0 ? this.latest.get(ids[shared - 1])! : -1;
    for (const id of ids) this.latest.set(id, row - 1);
    return { parent, tokens: Math.min(prompt, shared * BLOCK_TOKENS) };
  }
}

function hashesOf(cell: Cell, row: number): number[] {
  const numbers: unknown = typeof cell === 'string' ? safeJson(cell) : null;
  if (Array.isArray(numbers) && numbers.every((n) => typeof n === 'number')) {
    return numbers as number[];
  }
  const problem = `${quote(`${cell ?? ''}`)} is no list of numbers`;
  throw new DataError(problem, { row, column: 'hash_ids' });
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The format that a trace's columns are known for. */
export function traceLabel(rows: Rows): string {
  const names = new Set(rows.columns.map(plainName));
  if (names.has('contexttokens')) return 'azure-llm';
  if (names.has('request_tokens') && names.has('log_type')) return 'burstgpt';
  if (names.has('hash_ids')) return 'mooncake';
  if (sampleOf(rows, 0).length > 0 && names.has('arrived_at')) return 'vidur';
  return 'trace';
}
