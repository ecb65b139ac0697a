/** The Model Context Protocol over JSON-RPC 2.0: an episode's calls as tools. */
import type { TaskSpec } from '../../index.js';
import type { ServerContext } from '../http/context.js';
import { ApiError } from '../http/errors.js';
import { compiled } from '../sessions/catalog.js';
import { emptyState } from '../sessions/routes.js';
import type { Session } from '../sessions/session.js';
import { beginEpisode, readReset, resultOf, takeStep } from './episode.js';
import { actionSchema } from './schema.js';

/** Codes of the JSON-RPC 2.0 specification. */
const CODES = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
} as const;

type Fields = Readonly<Record<string, unknown>>;
type RpcId = string | number | null;

interface RpcReply {
  readonly jsonrpc: '2.0';
  readonly id: RpcId;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** Where a caller's session is: on its connection, or in the server's store by its id. */
export interface SessionSlot {
  find(id: string | undefined): Session | undefined;
  keep(session: Session): void;
  /** Whether there was one. */
  remove(id: string): boolean;
  /** True where there is only one session, the connection's own. */
  readonly isConnection: boolean;
}

class RpcError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** Answers one request, given as text; every outcome is a reply. */
export async function answerRpcText(
  context: ServerContext,
  task: TaskSpec,
  slot: SessionSlot,
  text: string,
): Promise<RpcReply> {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch {
    return failure(null, CODES.parseError, 'the body is not JSON');
  }
  return answerRpc(context, task, slot, request);
}

/** Answers one request; every outcome is a reply. */
export async function answerRpc(
  context: ServerContext,
  task: TaskSpec,
  slot: SessionSlot,
  request: unknown,
): Promise<RpcReply> {
  if (!isObject(request)) return failure(null, CODES.invalidRequest, 'an object is needed');
  const { jsonrpc, method, params = {} } = request;
  const id = readId(request['id']);
  if (jsonrpc !== '2.0' || typeof method !== 'string' || !isObject(params)) {
    const needed = 'jsonrpc "2.0", a method and, if any, params as an object are needed';
    return failure(id, CODES.invalidRequest, needed);
  }
  try {
    return { jsonrpc: '2.0', id, result: await call(context, task, slot, method, params) };
  } catch (error) {
    if (error instanceof RpcError) return failure(id, error.code, error.message);
    if (error instanceof ApiError) return failure(id, CODES.invalidParams, error.message);
    return failure(id, CODES.internalError, 'internal error');
  }
}

function failure(id: RpcId, code: number, message: string): RpcReply {
  return { jsonrpc: '2.0', id, error: { code, message } };
}

function readId(id: unknown): RpcId {
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function call(
  context: ServerContext,
  task: TaskSpec,
  slot: SessionSlot,
  method: string,
  params: Fields,
): Promise<unknown> {
  switch (method) {
    case 'tools/list':
      return { tools: listTools(task) };
    case 'tools/call':
      return callTool(context, task, slot, params);
    case 'openenv/session/create': {
      const known = slot.isConnection ? slot.find(undefined) : undefined;
      const session = known ?? beginEpisode(context, task, readReset({}));
      if (known === undefined) slot.keep(session);
      return { session_id: session.id };
    }
    case 'openenv/session/close': {
      const id = params['session_id'];
      if (typeof id === 'string' && slot.remove(id)) return { session_id: id, closed: true };
      throw new RpcError(CODES.invalidParams, 'session_id names no session');
    }
    default:
      throw new RpcError(CODES.methodNotFound, `there is no method ${method.slice(0, 100)}`);
  }
}

function listTools(task: TaskSpec) {
  const session = { session_id: { type: 'string' } };
  const step = actionSchema(compiled(task.id));
  return [
    {
      name: 'reset',
      description: 'Begins an episode; without session_id, in a new session.',
      inputSchema: {
        type: 'object',
        properties: {
          ...session,
          seed: { type: 'integer', minimum: 0 },
          episode_id: { type: 'string' },
          config: { type: 'object' },
        },
      },
    },
    {
      name: 'step',
      description: `Takes an action. ${task.description}`,
      inputSchema: { type: 'object', properties: { ...session, action: step } },
    },
    {
      name: 'state',
      description: 'What has happened in the episode so far.',
      inputSchema: { type: 'object', properties: session },
    },
    {
      name: 'grade',
      description: 'Grades the episode as far as it has come, 0 to 1.',
      inputSchema: { type: 'object', properties: session },
    },
  ];
}

async function callTool(
  context: ServerContext,
  task: TaskSpec,
  slot: SessionSlot,
  params: Fields,
): Promise<unknown> {
  const { name, arguments: given = {} } = params;
  if (!isObject(given)) throw new RpcError(CODES.invalidParams, 'arguments must be an object');
  const id = given['session_id'] ?? params['session_id'];
  if (id !== undefined && typeof id !== 'string') {
    throw new RpcError(CODES.invalidParams, 'session_id must be a text');
  }
  const result = await runTool(context, task, slot, String(name), id, given);
  const content = [{ type: 'text', text: JSON.stringify(result) }];
  return { content, structuredContent: result, isError: false };
}

async function runTool(
  context: ServerContext,
  task: TaskSpec,
  slot: SessionSlot,
  name: string,
  id: string | undefined,
  given: Fields,
): Promise<object> {
  const found = slot.find(id);
  if (id !== undefined && found === undefined) {
    throw new RpcError(CODES.invalidParams, 'session_id names no session');
  }
  if (name === 'reset') {
    const session = beginEpisode(context, task, readReset(given), found?.id);
    slot.keep(session);
    return { session_id: session.id, ...resultOf(session) };
  }
  if (name === 'state') return found?.state() ?? emptyState(task.id);
  if (name !== 'step' && name !== 'grade') {
    throw new RpcError(CODES.invalidParams, `there is no tool ${name.slice(0, 100)}`);
  }
  if (found === undefined) {
    throw new RpcError(CODES.invalidParams, 'session_id is missing: call the tool reset first');
  }
  if (name === 'grade') return found.grade();
  const { session_id: _session, action, ...fields } = given;
  takeStep(found, action ?? fields, context, 'mcp');
  return resultOf(found);
}
