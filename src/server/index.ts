/** The server: environments, OpenEnv and experiments over HTTP and WebSocket. */
export { buildServer } from './app.js';
export {
  DEFAULT_CONFIG,
  readEnvironment,
  resolveConfig,
  type ServerConfig,
  variableName,
} from './config.js';
export type { App } from './environment-api.js';
export { type ServeEvents, serve } from './serve.js';
