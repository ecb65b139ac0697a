/** Times every request, and logs it without its body. */
import type { Logger } from 'pino';
import type { App } from '../sessions/routes.js';
import type { RequestTimes } from './request-times.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** When it came, by `performance.now()`. */
    startedMs: number;
  }
}

/**
 * Measures the requests of all that is added to `app` afterwards, until their reply is handed to
 * Node. What Fastify offers for it, `onResponse`, listens to two events of every reply, and so does
 * a logger of its own; together they would take a twentieth of a step's request.
 */
export function measureRequests(app: App, times: RequestTimes, log: Logger): void {
  const isLogged = log.isLevelEnabled('info');
  app.decorateRequest('startedMs', 0);
  app.addHook('onRequest', (request, _reply, done) => {
    request.startedMs = performance.now();
    done();
  });
  app.addHook('onSend', (request, reply, _payload, done) => {
    const { method, id } = request;
    const route = request.routeOptions.url ?? 'unknown';
    const { statusCode: status } = reply;
    const seconds = (performance.now() - request.startedMs) / 1000;
    times.observe(method, route, status, seconds);
    if (isLogged) log.info({ id, method, route, status, seconds }, 'request');
    done();
  });
}
