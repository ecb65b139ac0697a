/** The server: environments, OpenEnv and experiments over HTTP and WebSocket. */
export { buildServer } from './app.js';
export {
  DEFAULT_CONFIG,
  readEnvironment,
  resolveConfig,
  type ServerConfig,
  variableName,
} from './http/config.js';
export { type ServeEvents, serve } from './serve.js';
export type { App } from './sessions/routes.js';
