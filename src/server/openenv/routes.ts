/** OpenEnv at `/openenv/{family}/{task}` for every task, and at the root for one of them. */
import type { FastifyRequest, RouteHandlerMethod } from 'fastify';
import { Type } from 'typebox';
import type { WebSocket } from 'ws';
import { spec, type TaskSpec } from '../../index.js';
import type { ServerContext } from '../http/context.js';
import { ApiError, unprocessable } from '../http/errors.js';
import * as schemas from '../http/schemas.js';
import { compiled } from '../sessions/catalog.js';
import { mountReplyText } from '../sessions/reply-text.js';
import { type App, allowNoBody, emptyState, sendJson, sessionIdOf } from '../sessions/routes.js';
import type { Session } from '../sessions/session.js';
import { mountDocument } from './document.js';
import { beginEpisode, readReset, takeStep } from './episode.js';
import { answerRpcText, type SessionSlot } from './mcp.js';
import { taskMetadata, taskSchemas } from './schema.js';
import { serveMcpSocket, serveOpenEnv } from './socket.js';

const MOUNT = '/openenv/:family/:task';

const MountParams = Type.Object({
  family: Type.String({ maxLength: 64, examples: ['serving'] }),
  task: Type.String({ maxLength: 128, examples: ['static-uniform-v1'] }),
});

const SessionFields = { session_id: Type.Optional(schemas.SessionId) };
const ResetBody = Type.Object({
  ...SessionFields,
  seed: Type.Optional(Type.Union([schemas.Seed, Type.Null()])),
  episode_id: Type.Optional(Type.Union([Type.String({ maxLength: 255 }), Type.Null()])),
  config: Type.Optional(Type.Union([schemas.AnyObject, Type.Null()])),
});
const StepBody = Type.Object({ ...SessionFields, action: schemas.AnyObject });
const Result = Type.Object({
  observation: schemas.AnyObject,
  reward: Type.Union([Type.Number(), Type.Null()]),
  done: Type.Boolean(),
  session_id: Type.String(),
});

/** The task a mounted request is for; 404 where there is none. */
function taskOf({ rootTask }: ServerContext, request: FastifyRequest): TaskSpec {
  const { family, task } = request.params as { family?: string; task?: string };
  if (family === undefined || task === undefined) return rootTask;
  try {
    return spec(`${family}/${task}`);
  } catch (error) {
    throw new ApiError(404, (error as Error).message);
  }
}

export function addOpenEnv(app: App, context: ServerContext): void {
  for (const prefix of ['', MOUNT]) {
    addDescriptions(app, context, prefix);
    addMcp(app, context, prefix);
  }
  addMountedEpisodes(app, context);
}

export function addOpenEnvSockets(app: App, context: ServerContext): void {
  for (const prefix of ['', MOUNT]) addSockets(app, context, prefix);
}

/** `params` where there is a prefix to describe. */
function schemaOf(prefix: string, schema: object) {
  return { tags: ['openenv'], ...schema, ...(prefix !== '' && { params: MountParams }) };
}

function addDescriptions(app: App, context: ServerContext, prefix: string): void {
  const routes: [string, string, (task: TaskSpec) => unknown][] = [
    ['/metadata', 'Name and description of the task.', taskMetadata],
    [
      '/schema',
      'JSON Schemas of action, observation and state.',
      (task) => taskSchemas(compiled(task.id)),
    ],
  ];
  for (const [path, summary, answer] of routes) {
    const handler: RouteHandlerMethod = async (request) => answer(taskOf(context, request));
    const response = { 200: schemas.AnyObject, ...schemas.errorReplies };
    app.get(prefix + path, { schema: schemaOf(prefix, { summary, response }) }, handler);
  }
}

/** JSON-RPC answers 200 whatever the body is, so the body is taken as text. */
function addMcp(app: App, context: ServerContext, prefix: string): void {
  const slot: SessionSlot = {
    isConnection: false,
    find: (id) =>
      id !== undefined && context.sessions.has(id) ? context.sessions.get(id) : undefined,
    keep: (session) => context.sessions.add(session),
    remove: (id) => context.sessions.remove(id),
  };
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
      done(null, body);
    });
    const schema = schemaOf(prefix, {
      summary: 'The Model Context Protocol: tools/list, tools/call, openenv/session/create|close.',
      response: { 200: schemas.AnyObject, ...schemas.errorReplies },
    });
    scope.post(`${prefix}/mcp`, { schema }, async (request) => {
      const text = typeof request.body === 'string' ? request.body : '';
      return answerRpcText(context, taskOf(context, request), slot, text);
    });
  });
}

function addSockets(app: App, context: ServerContext, prefix: string): void {
  // An unknown task is refused before the handshake, as 404.
  const options = {
    websocket: true as const,
    schema: { hide: true },
    preValidation: async (request: FastifyRequest) => void taskOf(context, request),
  };
  app.get(`${prefix}/ws`, options, (socket: WebSocket, request: FastifyRequest) => {
    const { session_id: id } = request.query as { session_id?: string };
    const connection = { socket, stream: request.socket };
    serveOpenEnv(context, taskOf(context, request), connection, id);
  });
  app.get(`${prefix}/mcp`, options, (socket: WebSocket, request: FastifyRequest) => {
    serveMcpSocket(context, taskOf(context, request), socket);
  });
}

function addMountedEpisodes(app: App, context: ServerContext): void {
  const { sessions } = context;
  const response = { 200: Result, ...schemas.errorReplies };
  app.post(
    `${MOUNT}/reset`,
    {
      preValidation: allowNoBody,
      schema: schemaOf(MOUNT, { summary: 'Begins an episode.', body: ResetBody, response }),
    },
    (request, reply) => {
      const body = request.body as { session_id?: string };
      const id = sessionIdOf(request, body.session_id);
      const session = beginEpisode(context, taskOf(context, request), readReset({ ...body }), id);
      sessions.add(session);
      sendJson(reply, mountReplyText(session));
    },
  );
  app.post(
    `${MOUNT}/step`,
    { schema: schemaOf(MOUNT, { summary: 'Takes an action.', body: StepBody, response }) },
    (request, reply) => {
      const body = request.body as { session_id?: string; action: object };
      const session = sessionOf(context, request, body.session_id);
      if (session === undefined) throw unprocessable('session_id is missing', 'session_id');
      takeStep(session, body.action, context, 'http');
      sendJson(reply, mountReplyText(session));
    },
  );
  addMountedReads(app, context);
}

function addMountedReads(app: App, context: ServerContext): void {
  app.get(
    `${MOUNT}/state`,
    {
      schema: schemaOf(MOUNT, {
        summary: 'What has happened so far.',
        querystring: schemas.SessionQuery,
        response: { 200: schemas.StateReply, ...schemas.errorReplies },
      }),
    },
    async (request) => {
      const { session_id: id } = request.query as schemas.SessionQuery;
      const session = sessionOf(context, request, id);
      return session?.state() ?? emptyState(taskOf(context, request).id);
    },
  );
  app.get(
    `${MOUNT}/health`,
    {
      schema: schemaOf(MOUNT, {
        summary: 'Whether the server is up.',
        response: { 200: Type.Object({ status: Type.String() }), ...schemas.errorReplies },
      }),
    },
    async (request) => {
      taskOf(context, request);
      return { status: 'healthy' };
    },
  );
  app.get(
    `${MOUNT}/openapi.json`,
    { schema: { hide: true, params: MountParams } },
    async (request) => {
      const { id } = taskOf(context, request);
      const { family, task } = request.params as { family: string; task: string };
      return mountDocument(app, `/openenv/${family}/${task}`, id);
    },
  );
}

/** The session a request names; 404 where it is unknown or of another task. */
function sessionOf(
  context: ServerContext,
  request: FastifyRequest,
  given: string | undefined,
): Session | undefined {
  const id = sessionIdOf(request, given);
  if (id === undefined) return undefined;
  const session = context.sessions.get(id);
  const task = taskOf(context, request);
  if (session.task.spec.id === task.id) return session;
  throw new ApiError(404, `session ${id} is one of ${session.task.spec.id}, not of ${task.id}`);
}
