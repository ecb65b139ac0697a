/** The environments' own API, at the root. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { together } from '../http/batched-writes.js';
import type { ServerContext } from '../http/context.js';
import { unprocessable } from '../http/errors.js';
import * as schemas from '../http/schemas.js';
import { compiled, describeTask, findTask, taskSpecs } from './catalog.js';
import { gradeRequest, playBaselines } from './grading.js';
import { describeServer } from './info.js';
import { rootObservation } from './observation-json.js';
import { rootReplyText } from './reply-text.js';
import { Session } from './session.js';

/** A Fastify instance that knows the types of TypeBox schemas. */
export type App = FastifyInstance<
  Server,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

const DEFAULT_SEED = 42;
const SESSION_HEADER = 'x-session-id';
const JSON_TYPE = 'application/json; charset=utf-8';

/** The session a request names in its body or query, else by the header `x-session-id`. */
export function sessionIdOf(request: FastifyRequest, given?: string | null): string | undefined {
  if (given !== undefined && given !== null) return given;
  const header = request.headers[SESSION_HEADER];
  return typeof header === 'string' && schemas.SESSION_ID.test(header) ? header : undefined;
}

/** Makes a session as a reset asks for it, and keeps it. */
function beginSession(
  { backend, sessions }: ServerContext,
  taskId: string,
  body: schemas.ResetBody,
  id: string | undefined,
): Session {
  const task = compiled(taskId, (body.config ?? {}) as Parameters<typeof compiled>[1]);
  const session = new Session(task, backend, {
    seed: body.seed ?? DEFAULT_SEED,
    ...(id !== undefined && { id }),
    ...(typeof body.episode_id === 'string' && { episodeId: body.episode_id }),
  });
  sessions.add(session);
  return session;
}

/** A body may be absent where every field of it is optional. */
export async function allowNoBody(request: FastifyRequest): Promise<void> {
  request.body ??= {};
}

/** Sends a text that is JSON already, together with the other replies of its turn. */
export function sendJson(reply: FastifyReply, json: string): void {
  together(() => reply.type(JSON_TYPE).send(json));
}

/** State where there is no session: nothing has happened. */
export function emptyState(taskId: string) {
  return {
    episode_id: null,
    step_count: 0,
    cumulative_reward: 0,
    done: false,
    workload_phase: null,
    task: taskId,
    seed: null,
    program_digest: compiled(taskId).programDigest,
  };
}

export function addEnvironmentApi(app: App, context: ServerContext): void {
  addTaskRoutes(app, context);
  addEpisodeRoutes(app, context);
  addGradeRoutes(app, context);
}

function addTaskRoutes(app: App, context: ServerContext): void {
  const { sessions, rootTask, backend } = context;
  const started = performance.now();
  const tags = ['environment'];
  app.get(
    '/health',
    {
      schema: {
        tags,
        summary: 'Whether the server is up.',
        response: { 200: schemas.HealthReply, ...schemas.errorReplies },
      },
    },
    async () => ({
      status: 'healthy' as const,
      ok: true,
      active_sessions: sessions.size,
      uptime_s: Math.round(performance.now() - started) / 1000,
    }),
  );
  app.get(
    '/tasks',
    {
      schema: {
        tags,
        summary: "Every task, the origin's three first.",
        response: { 200: schemas.TasksReply, ...schemas.errorReplies },
      },
    },
    async () => ({ tasks: taskSpecs().map(describeTask) }),
  );
  app.get(
    '/info',
    {
      schema: {
        tags,
        summary: 'Schemas of actions and observations, reward weights, versions, backend.',
        response: { 200: schemas.InfoReply, ...schemas.errorReplies },
      },
    },
    async () => describeServer(backend, rootTask),
  );
}

function addEpisodeRoutes(app: App, context: ServerContext): void {
  const { sessions, rootTask, metrics } = context;
  const tags = ['environment'];
  app.post(
    '/reset',
    {
      preValidation: allowNoBody,
      schema: {
        tags,
        summary: 'Begins an episode in a new session.',
        body: schemas.ResetBody,
        response: { 200: schemas.ResetReply, ...schemas.errorReplies },
      },
    },
    async ({ body }, reply) => {
      const taskId = findTask(body.task_id ?? rootTask.id).id;
      const session = beginSession(context, taskId, body, body.session_id ?? undefined);
      reply.header(SESSION_HEADER, session.id);
      return {
        session_id: session.id,
        observation: rootObservation(session),
        reward: null,
        done: false,
        episode_length: session.task.horizonSteps,
      };
    },
  );
  app.post(
    '/step',
    {
      schema: {
        tags,
        summary: 'Takes an action in a session.',
        body: schemas.StepBody,
        response: { 200: schemas.StepReply, ...schemas.errorReplies },
      },
    },
    // Not async, and so without a promise for every step.
    (request, reply) => {
      const id = sessionIdOf(request, request.body.session_id);
      if (id === undefined) throw unprocessable('session_id is missing', 'session_id');
      const session = sessions.get(id);
      session.step(request.body.action);
      metrics.steps.http++;
      sendJson(reply, rootReplyText(session));
    },
  );
  app.get(
    '/state',
    {
      schema: {
        tags,
        summary: 'What has happened in a session so far.',
        querystring: schemas.SessionQuery,
        response: { 200: schemas.StateReply, ...schemas.errorReplies },
      },
    },
    async (request) => {
      const id = sessionIdOf(request, request.query.session_id);
      return id === undefined ? emptyState(rootTask.id) : sessions.get(id).state();
    },
  );
}

function addGradeRoutes(app: App, { sessions }: ServerContext): void {
  const tags = ['environment'];
  app.post(
    '/grader',
    {
      schema: {
        tags,
        summary: "Grades a session by the server's record, or a log as it is given.",
        body: schemas.GraderBody,
        response: { 200: schemas.GraderReply, ...schemas.errorReplies },
      },
    },
    async ({ body }) => gradeRequest(sessions, body),
  );
  let baselines: ReturnType<typeof playBaselines> | undefined;
  app.get(
    '/baseline',
    {
      schema: {
        tags,
        summary: "The fixed baselines of the origin's tasks, at seed 0.",
        response: { 200: schemas.BaselineReply, ...schemas.errorReplies },
      },
    },
    async () => {
      baselines ??= playBaselines();
      return baselines as never;
    },
  );
}
