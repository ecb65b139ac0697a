/** The guards of the server: token, unknown paths and methods, the log. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './errors.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route answers those who do not know the token. */
    readonly isPublic?: boolean;
  }
}

/** A load balancer asks this without knowing the token, and learns nothing by it. */
const PUBLIC_PATHS = ['/health'];

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Requires `Authorization: Bearer <token>` of every request but `GET /health`. Digests of equal
 * length are compared in constant time, so that neither content nor length can be measured.
 */
export function requireToken(app: FastifyInstance, token: string): void {
  const expected = digest(token);
  app.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    if (request.method === 'OPTIONS' || PUBLIC_PATHS.includes(pathOf(request))) return;
    if (request.routeOptions.config.isPublic === true) return;
    const [scheme, given = ''] = (request.headers.authorization ?? '').split(' ');
    const isGood = timingSafeEqual(digest(given), expected) && scheme.toLowerCase() === 'bearer';
    if (isGood) return;
    reply.header('www-authenticate', 'Bearer');
    throw new ApiError(401, 'a bearer token is needed: Authorization: Bearer <token>');
  });
}

/**
 * Ends the connection of a handshake where there is no socket, once it is answered: Node no longer
 * watches over a connection that has asked for another protocol. Call it before anything that may
 * refuse a request, whose answers end theirs too.
 */
export function endOtherHandshakes(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.headers.upgrade !== undefined) {
      reply.raw.once('finish', () => request.raw.socket.destroy());
    }
    done();
  });
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0];
}

/** Remembers the routes, so that a known path with another method is 405 and not 404. */
export class RouteTable {
  private readonly routes = new Map<string, { pattern: RegExp; methods: Set<string> }>();

  /** Call it before routes are added. */
  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ url, method }) => {
      if (url === '*') return; // what answers CORS preflights is no path of its own
      const entry = this.routes.get(url) ?? { pattern: patternOf(url), methods: new Set() };
      for (const name of [method].flat()) entry.methods.add(name);
      this.routes.set(url, entry);
    });
  }

  /** Answers what no route takes. */
  readonly reply = async (request: FastifyRequest): Promise<never> => {
    const path = pathOf(request);
    const found = [...this.routes.values()].filter(({ pattern }) => pattern.test(path));
    const allowed = [...new Set(found.flatMap(({ methods }) => [...methods]))].sort();
    if (allowed.length === 0) throw new ApiError(404, `no such path: ${path.slice(0, 200)}`);
    const needed = allowed.join(', ');
    throw new ApiError(405, `${request.method} is not allowed here: ${needed} is needed`);
  };
}

/** `/vec/:id` as an expression; `*` takes the rest. */
function patternOf(url: string): RegExp {
  const parts = url.split(/(:\w+|\*)/).map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    return part === '*' ? '.*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}
