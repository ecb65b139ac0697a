/** The server, put together. */
import fastifyCors from '@fastify/cors';
import fastifyRateLimit from '@fastify/rate-limit';
import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastifyWebsocket from '@fastify/websocket';
import Fastify from 'fastify';
import pino from 'pino';
import { loadBackend, spec, VERSION } from '../index.js';
import { claimFolder, openDatabase } from './experiments/database.js';
import { addExperiments } from './experiments/routes.js';
import { RunStore } from './experiments/run-store.js';
import { Runner } from './experiments/runner.js';
import { trainDefaults } from './experiments/train-request.js';
import { type Environment, resolveConfig, type ServerConfig } from './http/config.js';
import type { ServerContext } from './http/context.js';
import { ApiError, replyWithError } from './http/errors.js';
import { createMetrics } from './http/metrics.js';
import { measureRequests } from './http/request-log.js';
import { endOtherHandshakes, RouteTable, requireToken } from './http/safety.js';
import { SocketLimits } from './http/sockets.js';
import { addOpenEnv, addOpenEnvSockets } from './openenv/routes.js';
import { type App, addEnvironmentApi } from './sessions/routes.js';
import { SessionStore } from './sessions/session-store.js';
import { VecStore } from './vec/batches.js';
import { addVec, addVecSocket } from './vec/routes.js';
import { addWeb } from './web/routes.js';

/** Actions of the largest batch in one frame, and some room. */
const FRAME_BYTES_MAX = 8 * 2 ** 20;
/** How long a browser may remember a preflight. */
const DAY_S = 86_400;

/**
 * Builds the server; it does not listen yet. `inject` and `listen` are Fastify's. What is not in
 * `options` comes from the INFRAGYM_… variables of `environment`, then from the defaults.
 *
 * @throws RangeError for a setting that is wrong and an unknown task.
 */
export async function buildServer(
  options: Partial<ServerConfig> = {},
  environment: Environment = {},
): Promise<App> {
  const config = resolveConfig(options, environment);
  const rootTask = spec(config.openenv);
  const backend = await loadBackend(config.backend);
  const app = createApp(config);
  const sessions = new SessionStore(config.sessions);
  const sockets = new SocketLimits(config.sockets);
  const batches = new VecStore(config);
  const metrics = createMetrics({
    sessions: () => sessions.size,
    sockets: () => sockets.size,
    batches: () => batches.size,
  });
  const log = pino({ level: config.logLevel }, process.stderr);
  const context: ServerContext = { config, log, backend, sessions, sockets, metrics, rootTask };
  const routes = new RouteTable(app);
  app.setErrorHandler(replyWithError(log));
  measureRequests(app, metrics.requests, log);
  endOtherHandshakes(app);
  await addWeb(app);
  await addPlugins(app, config);
  app.setNotFoundHandler(config.rateLimit > 0 ? { preHandler: app.rateLimit() } : {}, routes.reply);
  if (config.token !== null) requireToken(app, config.token);
  addEnvironmentApi(app, context);
  addOpenEnv(app, context);
  addVec(app, context, batches);
  await addSockets(app, context, batches);
  addRuns(app, config, environment);
  addDocuments(app, context);
  app.addHook('preClose', () => sockets.close());
  app.addHook('onClose', async () => {
    sessions.close();
    batches.close();
  });
  await app.ready();
  return app;
}

function createApp(config: ServerConfig): App {
  const app = Fastify({
    bodyLimit: config.bodyLimit,
    trustProxy: config.trustProxy,
    requestTimeout: config.requestTimeout,
    // How often slow requests are looked for; Node's own 30 s would let them live twice as long.
    http: { connectionsCheckingInterval: Math.min(2000, config.requestTimeout) },
    keepAliveTimeout: 10_000,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  // The schemas of replies are for readers: JSON.stringify is faster than what is compiled of them.
  app.setSerializerCompiler(() => JSON.stringify);
  app.server.headersTimeout = Math.min(10_000, config.requestTimeout);
  app.server.maxConnections = config.connections;
  acceptEmptyJson(app);
  return app;
}

/** A JSON content type with no body at all means no body; stock parsers refuse it. */
function acceptEmptyJson(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parse(request, body as string, done);
  });
}

async function addPlugins(app: App, config: ServerConfig): Promise<void> {
  await app.register(fastifyCors, {
    origin: config.corsOrigin,
    methods: 'GET, POST, DELETE',
    exposedHeaders: 'x-session-id, retry-after',
    maxAge: DAY_S,
    // An OPTIONS that is no preflight is answered like one, for errors here are JSON.
    strictPreflight: false,
  });
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'InfraGym',
        version: VERSION,
        description: 'Reinforcement-learning environments for computing infrastructure.',
      },
    },
  });
  if (config.rateLimit > 0) {
    await app.register(fastifyRateLimit, {
      max: config.rateLimit,
      timeWindow: 60_000,
      errorResponseBuilder: (_request, { after, max }) =>
        new ApiError(429, `more than ${max} requests a minute: try again in ${after}`),
    });
  }
}

/** In a scope of their own, for what WebSockets need would be asked of every other request too. */
async function addSockets(app: App, context: ServerContext, batches: VecStore): Promise<void> {
  await app.register(async (scope: App) => {
    await scope.register(fastifyWebsocket, {
      options: { maxPayload: FRAME_BYTES_MAX, perMessageDeflate: false },
    });
    addOpenEnvSockets(scope, context);
    addVecSocket(scope, context, batches);
  });
}

/** Experiments, whose database is opened here and closed with the server. */
function addRuns(app: App, config: ServerConfig, environment: Environment): void {
  const release = claimFolder(config.dataDir);
  const store = new RunStore(openDatabase(config.dataDir));
  const runner = new Runner(store, config);
  addExperiments(app, { store, runner, defaults: trainDefaults(environment) }, config);
  app.addHook('onClose', async () => {
    await runner.close();
    store.close();
    release();
  });
}

function addDocuments(app: App, { metrics }: ServerContext): void {
  app.register(fastifySwaggerUi, { routePrefix: '/api/docs' });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    reply.type(metrics.registry.contentType);
    return `${await metrics.registry.metrics()}\n${metrics.requests.text()}`;
  });
}
