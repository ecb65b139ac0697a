/** OpenEnv's WebSocket protocol: one connection is one session, one reply follows each message. */
import type { Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { TaskSpec } from '../../index.js';
import { together } from '../http/batched-writes.js';
import type { ServerContext } from '../http/context.js';
import { ApiError } from '../http/errors.js';
import { CLOSE, inOrder, sendAscii, sendBounded } from '../http/sockets.js';
import { messageText } from '../sessions/reply-text.js';
import { emptyState } from '../sessions/routes.js';
import type { Session } from '../sessions/session.js';
import { beginEpisode, readReset, takeStep } from './episode.js';
import { answerRpc, answerRpcText, type SessionSlot } from './mcp.js';

type ErrorCode =
  | 'INVALID_JSON'
  | 'UNKNOWN_TYPE'
  | 'VALIDATION_ERROR'
  | 'EXECUTION_ERROR'
  | 'CAPACITY_REACHED'
  | 'SESSION_ERROR';

type Fields = Readonly<Record<string, unknown>>;

class ProtocolError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** A connection's session: its own, or one made elsewhere that it has attached itself to. */
class ConnectionSlot implements SessionSlot {
  readonly isConnection = true;
  private own: Session | undefined;

  constructor(
    private readonly context: ServerContext,
    private readonly attached?: string,
  ) {}

  find(id?: string): Session | undefined {
    const session =
      this.attached === undefined ? this.own : this.context.sessions.get(this.attached);
    return id === undefined || id === session?.id ? session : undefined;
  }

  keep(session: Session): void {
    if (this.attached !== undefined) {
      this.context.sessions.add(session);
      return;
    }
    this.own?.close();
    this.own = session;
  }

  /** The connection's session ends with the connection and not before. */
  remove(): boolean {
    return false;
  }

  /** The id a new episode of this connection has to take. */
  get id(): string | undefined {
    return this.attached;
  }

  close(): void {
    this.own?.close();
    this.own = undefined;
  }
}

/** A connection: its WebSocket, and the stream that was upgraded to it. */
export interface Connection {
  readonly socket: WebSocket;
  readonly stream: Writable;
}

/** Serves a connection until it closes. `attached` is a session made elsewhere, or undefined. */
export function serveOpenEnv(
  context: ServerContext,
  task: TaskSpec,
  connection: Connection,
  attached: string | undefined,
): void {
  const { socket } = connection;
  const { sockets, sessions, config } = context;
  if (!sockets.admit(socket)) {
    endWith(socket, 'CAPACITY_REACHED', `${sockets.capacity} connections are open, the most here`);
    return;
  }
  if (attached !== undefined && !sessions.has(attached)) {
    endWith(socket, 'SESSION_ERROR', 'session_id names no session');
    return;
  }
  const slot = new ConnectionSlot(context, attached);
  socket.on('close', () => slot.close());
  inOrder(socket, config.bodyLimit, (text) => {
    const message = parse(text);
    if (message instanceof ProtocolError) return sendError(socket, message);
    if (message.type === 'close') return together(() => socket.close());
    if (message.type === 'mcp') {
      return answerRpc(context, task, slot, message.data).then((data) =>
        sendBounded(socket, JSON.stringify({ type: 'mcp', data })),
      );
    }
    answer(context, task, slot, connection, message);
  });
}

/** Serves JSON-RPC on a connection of its own. */
export function serveMcpSocket(context: ServerContext, task: TaskSpec, socket: WebSocket): void {
  if (!context.sockets.admit(socket)) {
    socket.close(CLOSE.tryAgainLater, 'too many connections');
    return;
  }
  const slot = new ConnectionSlot(context);
  socket.on('close', () => slot.close());
  inOrder(socket, context.config.bodyLimit, async (text) => {
    sendBounded(socket, JSON.stringify(await answerRpcText(context, task, slot, text)));
  });
}

interface Message {
  readonly type: string;
  readonly data: Fields;
}

/** Which messages carry data. */
const DATA: Readonly<Record<string, 'needed' | 'optional' | 'none'>> = {
  reset: 'optional',
  step: 'needed',
  state: 'none',
  close: 'none',
  mcp: 'needed',
};

function parse(text: string): Message | ProtocolError {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch (error) {
    return new ProtocolError('INVALID_JSON', `Invalid JSON: ${(error as Error).message}`);
  }
  if (!isObject(message)) {
    return new ProtocolError('VALIDATION_ERROR', 'a message must be a JSON object');
  }
  const { type, data } = message;
  if (typeof type !== 'string' || !Object.hasOwn(DATA, type)) {
    const known = Object.keys(DATA).join(', ');
    return new ProtocolError('UNKNOWN_TYPE', `Unknown message type: one of ${known} is needed`);
  }
  for (const name in message) {
    if (name === 'type' || name === 'data') continue;
    const extra = name.slice(0, 100);
    return new ProtocolError('VALIDATION_ERROR', `Invalid message: ${extra} is no field of one`);
  }
  if (DATA[type] === 'none' && data !== undefined) {
    return new ProtocolError('VALIDATION_ERROR', `Invalid message: ${type} takes no data`);
  }
  if (data === undefined && DATA[type] !== 'needed') return { type, data: {} };
  if (isObject(data)) return { type, data };
  return new ProtocolError('VALIDATION_ERROR', `Invalid message: ${type} needs data, an object`);
}

/** Answers a reset, a step or a state. */
function answer(
  context: ServerContext,
  task: TaskSpec,
  slot: ConnectionSlot,
  { socket, stream }: Connection,
  { type, data }: Message,
): void {
  try {
    if (type === 'state') {
      const state = slot.find()?.state() ?? emptyState(task.id);
      sendBounded(socket, JSON.stringify({ type, data: state }));
    } else {
      sendAscii(socket, stream, advance(context, task, slot, type, data));
    }
  } catch (error) {
    sendError(socket, problemOf(context, error));
  }
}

/** Begins or steps the connection's episode; the reply, in ASCII. */
function advance(
  context: ServerContext,
  task: TaskSpec,
  slot: ConnectionSlot,
  type: string,
  data: Fields,
): string {
  if (type === 'reset') {
    const session = beginEpisode(context, task, readReset(data), slot.id);
    slot.keep(session);
    return messageText(session);
  }
  const session = slot.find();
  if (session === undefined) {
    throw new ProtocolError('EXECUTION_ERROR', 'no episode has begun: send a reset first');
  }
  takeStep(session, data, context, 'openenv');
  return messageText(session);
}

/** Refused input is a VALIDATION_ERROR; a call at the wrong time, an EXECUTION_ERROR. */
function problemOf({ log }: ServerContext, error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  if (error instanceof ApiError) {
    const code = error.statusCode === 422 ? 'VALIDATION_ERROR' : 'EXECUTION_ERROR';
    return new ProtocolError(code, error.message);
  }
  log.error({ err: error }, 'message failed');
  return new ProtocolError('EXECUTION_ERROR', 'internal error');
}

function sendError(socket: WebSocket, { code, message }: ProtocolError): void {
  sendBounded(socket, JSON.stringify({ type: 'error', data: { message, code } }));
}

function endWith(socket: WebSocket, code: ErrorCode, message: string): void {
  sendError(socket, new ProtocolError(code, message));
  together(() => socket.close(CLOSE.tryAgainLater, code));
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
