/** Experiments: the dashboard's API. */
import type { PassThrough } from 'node:stream';
import { Type } from 'typebox';
import { type ServerConfig, variableName } from '../http/config.js';
import { ApiError, unprocessable } from '../http/errors.js';
import * as schemas from '../http/schemas.js';
import type { App } from '../sessions/routes.js';
import type { RunStore } from './run-store.js';
import type { Runner } from './runner.js';
import { streamRun } from './stream.js';
import { byAgent, comparePairs, summarizeAgents } from './summary.js';
import {
  defaultVariable,
  readJob,
  type TrainDefaults,
  type TrainRequest,
} from './train-request.js';
import { RUN_STATUSES, type Run } from './types.js';

const count = (maximum: number) => Type.Optional(Type.Integer({ minimum: 0, maximum }));
const number = () => Type.Optional(Type.Number());
const text = () => Type.Optional(Type.String({ minLength: 1, maxLength: 128 }));

const TrainBody = Type.Object(
  {
    task: Type.Optional(schemas.TaskId),
    agent: text(),
    agents: Type.Optional(
      Type.Array(Type.String({ maxLength: 128 }), {
        minItems: 1,
        maxItems: 64,
        description: 'Several policies on the same seeds; "all" for every one of the family.',
      }),
    ),
    config: Type.Optional(schemas.AnyObject),
    n_servers: count(100_000),
    cluster_type: text(),
    episodes: count(1e9),
    episode_length: count(1e9),
    total_steps: count(1e12),
    alpha: number(),
    beta: number(),
    toggle_penalty: number(),
    seed: count(2 ** 50),
    n_train_seeds: count(10_000),
    n_test_seeds: count(10_000),
    use_real_traces: Type.Optional(Type.Boolean()),
    trace_family: text(),
  },
  { additionalProperties: false },
);

const RunId = Type.Object({ id: Type.String({ maxLength: 64 }) });
const digits = Type.Optional(Type.String({ pattern: '^[0-9]{1,6}$' }));
const ListQuery = Type.Object({
  status: Type.Optional(Type.Union(RUN_STATUSES.map((status) => Type.Literal(status)))),
  task: text(),
  agent: text(),
  limit: digits,
  offset: digits,
});

const LIST_MAX = 1000;
const COMPARE_MAX = 50;

export interface Experiments {
  readonly store: RunStore;
  readonly runner: Runner;
  readonly defaults: TrainDefaults;
}

const reply = { 200: schemas.AnyObject, ...schemas.errorReplies };
const tags = ['experiments'];

function schemaOf(summary: string, more: object = {}) {
  return { tags, summary, response: reply, ...more };
}

export function addExperiments(app: App, experiments: Experiments, config: ServerConfig): void {
  addRuns(app, experiments);
  addReads(app, experiments);
  addStream(app, experiments);
  const { defaults } = experiments;
  app.get(
    '/api/config/defaults',
    { schema: schemaOf('The defaults of POST /api/train, and what sets each of them.') },
    async () => ({
      ...defaults,
      variables: Object.fromEntries(
        Object.keys(defaults).map((name) => [name, defaultVariable(name)]),
      ),
      server: serverSettings(config),
    }),
  );
}

/** The server's settings that are nobody's secret, with their variables. */
function serverSettings({ token: _token, dataDir: _dataDir, ...settings }: ServerConfig) {
  const entries = Object.entries(settings);
  return Object.fromEntries(entries.map(([name, value]) => [variableName(name), value]));
}

function addRuns(app: App, { store, runner, defaults }: Experiments): void {
  app.post(
    '/api/train',
    { schema: schemaOf('Queues a run.', { body: TrainBody }) },
    async (request) => {
      const run = runner.submit(readJob(request.body as TrainRequest, defaults));
      return { id: run.id, run_id: run.id, status: run.status, job: run.job };
    },
  );
  const actions: [string, string, (run: Run) => Run][] = [
    ['cancel', 'Ends a run that is queued or running.', (run) => runner.cancel(run)],
    ['resume', 'Goes on from the last checkpoint.', (run) => runner.resume(run)],
  ];
  for (const [name, summary, act] of actions) {
    app.post(
      `/api/experiments/:id/${name}`,
      { schema: schemaOf(summary, { params: RunId }) },
      async (request) => describeRun(act(find(store, request.params))),
    );
  }
  app.delete(
    '/api/experiments/:id',
    { schema: schemaOf('Deletes a run that is not running.', { params: RunId }) },
    async (request) => {
      const run = find(store, request.params);
      if (run.status === 'running') throw new ApiError(409, 'the run is running: cancel it first');
      store.delete(run.id);
      return { id: run.id, deleted: true };
    },
  );
}

function addReads(app: App, { store }: Experiments): void {
  app.get(
    '/api/experiments',
    { schema: schemaOf('Runs, the newest first.', { querystring: ListQuery }) },
    async (request) => {
      const { limit = '100', offset = '0', ...filter } = request.query as Record<string, string>;
      const page = { limit: Math.min(Number(limit), LIST_MAX), offset: Number(offset) };
      const runs = store.list({ ...filter, ...page });
      return {
        experiments: runs.map((run) => ({
          ...describeRun(run),
          agents: summarizeAgents(run.job, store.episodes(run.id)),
        })),
      };
    },
  );
  app.get(
    '/api/experiments/compare',
    {
      schema: schemaOf('Runs side by side, their agents paired by held-out seed.', {
        querystring: Type.Object({ ids: Type.String({ minLength: 1, maxLength: 4096 }) }),
      }),
    },
    async (request) => compare(store, (request.query as { ids: string }).ids.split(',')),
  );
  app.get(
    '/api/experiments/:id',
    { schema: schemaOf('A run: configuration, status, metrics, episodes.', { params: RunId }) },
    async (request) => {
      const run = find(store, request.params);
      const episodes = store.episodes(run.id);
      return {
        ...describeRun(run),
        agents: summarizeAgents(run.job, episodes),
        paired: comparePairs(byAgent(episodes)),
        episodes: episodes.map(({ row: _row, statistics: _statistics, ...episode }) => episode),
      };
    },
  );
}

function addStream(app: App, { store, runner }: Experiments): void {
  const open = new Set<PassThrough>();
  app.addHook('preClose', async () => {
    for (const stream of open) stream.end();
  });
  app.get(
    '/api/experiments/:id/stream',
    {
      schema: {
        tags,
        summary: 'Server-sent events: episode, progress, status, summary.',
        params: RunId,
      },
    },
    async (request, answer) => {
      const { id } = find(store, request.params);
      const last = Number(request.headers['last-event-id'] ?? 0);
      const stream = streamRun(store, runner, id, Number.isSafeInteger(last) ? last : 0);
      open.add(stream);
      stream.once('close', () => open.delete(stream));
      answer.header('content-type', 'text/event-stream').header('cache-control', 'no-cache');
      return answer.send(stream);
    },
  );
}

function find(store: RunStore, params: unknown): Run {
  const run = store.get((params as { id: string }).id);
  if (run === undefined) throw new ApiError(404, 'no such run: GET /api/experiments lists them');
  return run;
}

function describeRun({ job, episodes_done, episodes_total, ...run }: Run) {
  const { task, kind, agents, ignored } = job;
  const share = episodes_total === 0 ? 1 : episodes_done / episodes_total;
  const progress = { done: episodes_done, total: episodes_total, share };
  return {
    ...run,
    task,
    kind,
    agent: agents.join(','),
    config: job.config,
    ignored,
    job,
    progress,
  };
}

/** Several runs' agents; those that played the same task are paired. */
function compare(store: RunStore, ids: readonly string[]) {
  if (ids.length > COMPARE_MAX) throw unprocessable(`ids has ${ids.length}: 50 at most`, 'ids');
  const runs = ids.map((id) => find(store, { id }));
  const tables = new Map<string, Map<string, ReturnType<RunStore['episodes']>>>();
  const rows = runs.flatMap((run) => {
    const episodes = store.episodes(run.id);
    const world = JSON.stringify([run.job.task, run.job.config]);
    const agents = tables.get(world) ?? new Map();
    tables.set(world, agents);
    for (const [agent, played] of byAgent(episodes)) agents.set(`${run.id} ${agent}`, played);
    return summarizeAgents(run.job, episodes).map((agent) => ({
      run_id: run.id,
      task: run.job.task,
      config: run.job.config,
      status: run.status,
      ...agent,
    }));
  });
  return { rows, paired: [...tables.values()].flatMap(comparePairs) };
}
