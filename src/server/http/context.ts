/** The context that the server's parts share. */
import type { Logger } from 'pino';
import type { Backend, TaskSpec } from '../../index.js';
import type { SessionStore } from '../sessions/session-store.js';
import type { ServerConfig } from './config.js';
import type { ServerMetrics } from './metrics.js';
import type { SocketLimits } from './sockets.js';

export interface ServerContext {
  readonly config: ServerConfig;
  readonly log: Logger;
  readonly backend: Backend;
  readonly sessions: SessionStore;
  readonly sockets: SocketLimits;
  readonly metrics: ServerMetrics;
  /** The task at the root for OpenEnv's clients. */
  readonly rootTask: TaskSpec;
}
