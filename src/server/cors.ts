/** Lets pages of other sites call the server. */
import type { FastifyInstance, FastifyReply } from 'fastify';

const METHODS = 'GET, POST, DELETE';
const EXPOSED = 'x-session-id, retry-after';
const DAY_S = 86_400;

/**
 * Answers preflights, and marks replies to requests that carry an Origin; others are no browser's
 * and are spared the headers.
 */
export function allowOrigin(app: FastifyInstance, origin: string): void {
  const mark = (reply: FastifyReply) => {
    reply.header('access-control-allow-origin', origin);
    reply.header('access-control-expose-headers', EXPOSED);
    if (origin !== '*') reply.header('vary', 'Origin');
  };
  app.addHook('onRequest', (request, reply, done) => {
    const { headers, method } = request;
    if (headers.origin === undefined) return done();
    mark(reply);
    const wanted = headers['access-control-request-method'];
    if (method !== 'OPTIONS' || wanted === undefined) return done();
    reply.header('access-control-allow-methods', METHODS);
    const asked = headers['access-control-request-headers'];
    if (asked !== undefined) reply.header('access-control-allow-headers', asked);
    reply.header('access-control-max-age', DAY_S).code(204).send();
  });
}
