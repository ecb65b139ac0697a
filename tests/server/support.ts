/** A server of the tests' own, and short ways to speak to it. */
import { afterAll } from 'vitest';
import { type App, buildServer, type ServerConfig } from '../../src/server/index.js';

/** Builds a server that is closed after the file's tests. No limit on requests unless given. */
export async function testServer(options: Partial<ServerConfig> = {}): Promise<App> {
  const app = await buildServer({
    rateLimit: 0,
    logLevel: 'silent',
    port: 0,
    dataDir: ':memory:',
    backend: 'reference',
    ...options,
  });
  afterAll(() => app.close());
  return app;
}

/** A reply's status and its parsed body. */
export interface Answer {
  readonly status: number;
  // The tests read replies as a client without types does.
  readonly body: ReturnType<typeof JSON.parse>;
  readonly headers: Readonly<Record<string, unknown>>;
}

async function answerOf(reply: Awaited<ReturnType<App['inject']>>): Promise<Answer> {
  const isJson = String(reply.headers['content-type']).includes('json');
  const body = isJson ? JSON.parse(reply.body) : reply.body;
  return { status: reply.statusCode, body, headers: reply.headers };
}

export async function get(app: App, url: string, headers = {}): Promise<Answer> {
  return answerOf(await app.inject({ method: 'GET', url, headers }));
}

export async function post(app: App, url: string, body?: unknown, headers = {}): Promise<Answer> {
  const payload = body === undefined ? {} : { payload: body as object };
  return answerOf(await app.inject({ method: 'POST', url, headers, ...payload }));
}
