/**
 * Runs of real engines in the form of shared/data/llm_engine: a manifest.csv and a CSV a run. Where
 * a manifest is silent, but an engine's defaults or a benchmark's published script is not, that is
 * filled in here, once, for every run alike.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Columns, rowCount } from '../../src/data/columns.js';
import { readCsv } from '../../src/data/csv.js';
import type { MeasuredRun, RunComparison } from '../../src/envs/engine/measured.js';
import type { TraceRequest } from '../../src/envs/engine/requests.js';
import type { EngineConfig } from '../../src/envs/engine/setup.js';

/** A row of a table, by column. */
export type Row = Readonly<Record<string, string>>;

export interface RecordedRun extends MeasuredRun {
  /** Its row in the manifest. */
  readonly row: Row;
  /** True where replicas or GPUs are not stated, so that a miss may be the configuration's. */
  readonly isConfigurationKnown: boolean;
}

/** A recorded run beside its simulation. */
export type Compared = RunComparison & { readonly run: RecordedRun };

/** LMBenchmark's long-input script: users that are warmed up, and the prompt that all share. */
const LONG_INPUT = {
  warmUsers: 20,
  usersPerSecond: 2,
  /** Of them, those that get a second turn. */
  answered: 8,
  systemTokens: 1000,
  promptTokens: 21073,
  turnTokens: 129,
};
/** Clocks inside the engine see no front end. */
const ENGINE_CLOCKS = {
  arrival_s: 0,
  frontend_request_s: 0,
  frontend_token_s: 0,
  emission_s: 0,
};
/** The warm-up has ended long before the run begins. */
const WARMUP_S = 200;

/** Every run of a folder, in the order of its manifest. */
export function readRuns(folder: string): RecordedRun[] {
  const manifest = readRows(join(folder, 'manifest.csv'));
  return manifest.map((row) => readRun(row, readRows(join(folder, row['file'] ?? ''))));
}

function readRows(path: string): Row[] {
  const bytes = existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`));
  const columns: Columns = readCsv(bytes);
  return Array.from({ length: rowCount(columns) }, (_, i) => {
    const cells = Object.entries(columns).map(([name, values]) => [name, String(values[i])]);
    return Object.fromEntries(cells) as Row;
  });
}

function readRun(row: Row, rows: Row[]): RecordedRun {
  const requests = requestsOf(rows);
  const isLong = /long/.test(row['workload'] ?? '') && Number(rows[0]?.['user_id']) > 0;
  const firstRound = isLong ? warmUp(rows, requests) : [];
  const warmup = [...firstRound, ...secondRound(firstRound)];
  const shift = isLong ? WARMUP_S : 0;
  const trace = requests.map((r) => ({ ...r, arrival_s: r.arrival_s + shift }));
  const none = warmup.map(() => Number.NaN);
  const config = configOf(row);
  return {
    id: row['id'] ?? '',
    row,
    isConfigurationKnown: isKnown(row),
    config: isLong ? { ...config, system_prompt_tokens: LONG_INPUT.systemTokens } : config,
    trace: [...warmup, ...trace],
    ttft_s: [...none, ...rows.map((r) => Number(r['ttft_s']))],
    e2e_s: [...none, ...rows.map((r) => Number(r['e2e_s']))],
  };
}

/** Requests with their sessions: those whose prompts continue each other. */
function requestsOf(rows: readonly Row[]): TraceRequest[] {
  const places = new Map(rows.map((row, i) => [row['request_id'], i]));
  const sessions: number[] = [];
  return rows.map((row, i) => {
    const parent = placeOf(row['prefix_parent'] ?? '', places, i);
    sessions[i] = parent < 0 ? i : sessions[parent]!;
    const prompt_tokens = Math.round(Number(row['prompt_tokens']));
    const shared = Math.round(Number(row['cached_prefix_max'] || 0));
    return {
      arrival_s: Number(row['arrival_s']),
      prompt_tokens,
      output_tokens: Math.max(1, Math.round(Number(row['output_tokens']))),
      session: sessions[i]!,
      shared_tokens: parent < 0 ? 0 : Math.min(shared, prompt_tokens),
    };
  });
}

/** The row that a cell of prefix_parent names, by its id or its number; -1 where there is none. */
function placeOf(cell: string, places: ReadonlyMap<string | undefined, number>, row: number) {
  if (cell === '' || cell === 'NaN') return -1;
  const place = places.get(cell) ?? Math.round(Number(cell));
  return place >= 0 && place < row ? place : -1;
}

/** The script's own warm-up, which is not recorded: the users' first prompts, two a second. */
function warmUp(rows: readonly Row[], requests: TraceRequest[]): TraceRequest[] {
  const users = rows.map((row) => Number(row['user_id']));
  const first = Math.min(...users);
  return Array.from({ length: LONG_INPUT.warmUsers }, (_, k): TraceRequest => {
    const i = users.indexOf(first + k);
    const isFirst = i >= 0 && Number(rows[i]!['question_id']) === 1;
    if (isFirst) requests[i] = { ...requests[i]!, shared_tokens: requests[i]!.prompt_tokens };
    const session = i >= 0 ? requests[i]!.session! : `warm-up ${k}`;
    const { promptTokens, usersPerSecond } = LONG_INPUT;
    const arrival_s = k / usersPerSecond;
    return { arrival_s, prompt_tokens: promptTokens, output_tokens: 100, session };
  });
}

/** The second prompts of those users whom the warm-up's ten seconds are enough to answer. */
function secondRound(first: readonly TraceRequest[]): TraceRequest[] {
  const { promptTokens, turnTokens, answered } = LONG_INPUT;
  return first.slice(0, answered).map((request, k): TraceRequest => {
    const prompt_tokens = promptTokens + turnTokens;
    return { ...request, arrival_s: 10 + k, prompt_tokens, shared_tokens: promptTokens + 99 };
  });
}

const isKnown = (row: Row) =>
  row['timestamps']?.startsWith('engine') || !/^(|NaN)$/.test(row['replicas'] ?? '');

/** Replicas as the manifest has them; a note there names the loads at which they were one. */
function statedReplicas(row: Row): number {
  const alone = /q>=(\d+) behave as ONE replica/.exec(row['gpu'] ?? '');
  const load = Number.parseFloat(row['load'] ?? '');
  if (alone !== null && load >= Number(alone[1])) return 1;
  return row['replicas'] === '' ? Number.NaN : Number(row['replicas']);
}

/** The engine of a run: the manifest's flags, and vLLM's defaults of that version and GPU. */
export function configOf(row: Row): EngineConfig {
  const flags = JSON.parse(row['flags'] || '{}') as Record<string, unknown>;
  const gpu = row['gpu'] ?? '';
  const isHopper = /h100|h200/i.test(gpu);
  const parallel = row['parallel'] ?? '';
  const dataParallel = Number(/DP(\d+)/.exec(parallel)?.[1] ?? 1);
  const stated = statedReplicas(row);
  const replicas = Number.isNaN(stated) ? dataParallel : stated * dataParallel;
  const number = (name: string) =>
    typeof flags[name] === 'number' ? (flags[name] as number) : undefined;
  const blocks = number('num_gpu_blocks');
  const utilization = number('gpu_memory_utilization');
  return {
    model: row['model'] ?? '',
    gpu: /A100/.test(gpu) ? 'a100-80gb' : gpu.replace(/not stated/, 'A100'),
    tensor_parallel_size: Number(/TP(\d+)/.exec(parallel)?.[1] ?? 1),
    replicas,
    router: dataParallel > 1 ? 'least-outstanding' : 'connection',
    max_num_seqs: number('max_num_seqs') ?? (isHopper ? 1024 : 256),
    max_num_batched_tokens: number('max_num_batched_tokens') ?? (isHopper ? 8192 : 2048),
    ...(blocks !== undefined && { num_gpu_blocks: blocks }),
    ...(utilization !== undefined && { gpu_memory_utilization: utilization }),
    enable_prefix_caching: flags['prefix_caching'] !== false,
    engine_version: /^0\.\d+/.exec(row['version'] ?? '')?.[0] ?? '0.8',
    ...(flags['async_scheduling'] === false && { async_scheduling: false }),
    ...(row['timestamps']?.startsWith('engine') && { calibration: ENGINE_CLOCKS }),
  };
}
