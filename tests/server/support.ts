/** A server of the tests' own, and short ways to speak to it. */
import { afterAll } from 'vitest';
import { WebSocket } from 'ws';
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

/** Listens on a free port and returns where. */
export async function listen(app: App): Promise<string> {
  return app.listen({ host: '127.0.0.1', port: 0 });
}

/** A WebSocket client that asks and waits, one message at a time. */
export class Client {
  private readonly waiting: ((data: Buffer) => void)[] = [];
  private readonly early: Buffer[] = [];
  readonly closed: Promise<number>;

  private constructor(readonly socket: WebSocket) {
    this.closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => undefined); // what goes wrong is seen as a close
    socket.on('message', (data: Buffer) => {
      const next = this.waiting.shift();
      if (next === undefined) this.early.push(data);
      else next(data);
    });
  }

  static async open(url: string, headers = {}): Promise<Client> {
    const client = new Client(new WebSocket(url.replace('http', 'ws'), { headers }));
    await new Promise((resolve, reject) => {
      client.socket.once('open', resolve);
      client.socket.once('error', reject);
    });
    return client;
  }

  async next(): Promise<Buffer> {
    const early = this.early.shift();
    if (early !== undefined) return early;
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Sends bytes, text as it is, or anything else as JSON. */
  send(message: unknown): void {
    const isRaw = typeof message === 'string' || ArrayBuffer.isView(message);
    this.socket.send(isRaw ? (message as string) : JSON.stringify(message));
  }

  async ask(message: unknown): Promise<ReturnType<typeof JSON.parse>> {
    this.send(message);
    return JSON.parse(String(await this.next()));
  }

  close(): void {
    this.socket.close();
  }
}
