import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { resolveConfig } from '../../src/server/index.js';
import { Client, get, listen, post, testServer } from './support.js';

it('a token is required of all but /health, and compared whole', async () => {
  const app = await testServer({ token: 'secret' });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  expect((await get(app, '/health')).status).toBe(200);
  for (const headers of [{}, bearer(''), bearer('secre'), bearer('secret2'), bearer('Secret')]) {
    const reply = await get(app, '/tasks', headers);
    expect(reply.status).toBe(401);
    expect(reply.headers['www-authenticate']).toBe('Bearer');
  }
  expect((await get(app, '/tasks', { authorization: 'Basic secret' })).status).toBe(401);
  expect((await get(app, '/tasks', bearer('secret'))).status).toBe(200);
  expect((await get(app, '/nowhere')).status).toBe(401);
  const ws = `${await listen(app)}/ws`;
  await expect(Client.open(ws)).rejects.toThrow('401');
  (await Client.open(ws, bearer('secret'))).close();
});

it('more requests than allowed are 429 with Retry-After, a handshake counting once', async () => {
  const app = await testServer({ rateLimit: 5 });
  const base = await listen(app);
  const client = await Client.open(`${base}/ws`);
  for (let i = 0; i < 20; i++) await client.ask({ type: 'state' });
  client.close();
  const statuses = [];
  for (let i = 0; i < 5; i++) statuses.push((await fetch(`${base}/health`)).status);
  expect(statuses).toEqual([200, 200, 200, 200, 429]);
  const limited = await fetch(`${base}/nowhere`);
  expect(limited.status).toBe(429);
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await limited.json()).toEqual({ detail: expect.stringContaining('5 requests') });
});

it('a client that sends its request too slowly is cut off', async () => {
  const app = await testServer({ requestTimeout: 300 });
  const port = Number(new URL(await listen(app)).port);
  const socket = connect(port, '127.0.0.1');
  socket.write('POST /reset HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n');
  let reply = '';
  socket.on('data', (data) => {
    reply += String(data);
  });
  await new Promise((resolve) => socket.on('close', resolve));
  expect(reply).toMatch(/^HTTP\/1\.1 408/);
});

/** The answer to a handshake, once the server has closed its connection. */
async function handshake(port: number, path: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13';
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n${key}\r\n\r\n`);
  let reply = '';
  socket.on('data', (data) => {
    reply += String(data);
  });
  await new Promise((resolve) => socket.on('close', resolve));
  return reply;
}

it('a handshake where there is no socket is answered like any request, and ended', async () => {
  const app = await testServer();
  const port = Number(new URL(await listen(app)).port);
  expect(await handshake(port, '/health')).toMatch(/^HTTP\/1\.1 200 /);
  expect(await handshake(port, '/nowhere')).toMatch(/^HTTP\/1\.1 404 /);
  expect(await handshake(port, '/openenv/serving/nothing/ws')).toMatch(/^HTTP\/1\.1 404 /);
});

it('a handshake that is refused for its token or its rate is ended too', async () => {
  const guarded = await testServer({ token: 'secret' });
  const guardedPort = Number(new URL(await listen(guarded)).port);
  expect(await handshake(guardedPort, '/tasks')).toMatch(/^HTTP\/1\.1 401 /);
  const limited = await testServer({ rateLimit: 1 });
  const limitedPort = Number(new URL(await listen(limited)).port);
  await handshake(limitedPort, '/health');
  expect(await handshake(limitedPort, '/health')).toMatch(/^HTTP\/1\.1 429 /);
});

it('a frame larger than any batch ends its connection and nothing else', async () => {
  const app = await testServer();
  const base = await listen(app);
  const client = await Client.open(`${base}/ws`);
  client.send(Buffer.alloc(9 * 2 ** 20));
  expect(await client.closed).toBe(1009);
  expect((await fetch(`${base}/health`)).status).toBe(200);
});

it('metrics count requests and steps in the format of Prometheus', async () => {
  const app = await testServer();
  const { session_id } = (await post(app, '/reset')).body;
  await post(app, '/step', { session_id, action: {} });
  const { status, body } = await get(app, '/metrics');
  expect(status).toBe(200);
  expect(body).toContain('infragym_env_steps_total{via="http"} 1');
  expect(body).toContain('infragym_sessions 1');
  const name = 'infragym_http_request_duration_seconds';
  const labels = 'method="POST",route="/step",status="200"';
  expect(body).toContain(`# TYPE ${name} histogram`);
  expect(body).toContain(`${name}_bucket{le="5",${labels}} 1`);
  expect(body).toContain(`${name}_bucket{le="+Inf",${labels}} 1`);
  expect(body).toContain(`${name}_count{${labels}} 1`);
});

it('other sites may call it, and be told what they need', async () => {
  const app = await testServer({ corsOrigin: 'https://example.org' });
  const { headers } = await get(app, '/health', { origin: 'https://example.org' });
  expect(headers['access-control-allow-origin']).toBe('https://example.org');
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/step',
    headers: {
      origin: 'https://example.org',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type, x-session-id',
    },
  });
  expect(preflight.statusCode).toBe(204);
  expect(preflight.headers['access-control-allow-methods']).toContain('POST');
  expect(preflight.headers['access-control-allow-headers']).toBe('content-type, x-session-id');
  expect(headers['access-control-expose-headers']).toContain('x-session-id');
});

it('settings come from options, then the environment, and are checked', () => {
  expect(resolveConfig()).toMatchObject({ host: '127.0.0.1', port: 7860, rateLimit: 100 });
  const environment = { INFRAGYM_PORT: '8000', INFRAGYM_TRUST_PROXY: 'true' };
  expect(resolveConfig({}, environment)).toMatchObject({ port: 8000, trustProxy: true });
  expect(resolveConfig({ port: 9 }, environment).port).toBe(9);
  expect(() => resolveConfig({}, { INFRAGYM_PORT: 'x' })).toThrow('INFRAGYM_PORT is NaN');
  expect(() => resolveConfig({ sessions: 0 })).toThrow('sessions is 0');
  expect(() => resolveConfig({}, { INFRAGYM_LOG_LEVEL: 'loud' })).toThrow('INFRAGYM_LOG_LEVEL');
  expect(() => resolveConfig({}, { INFRAGYM_TRUST_PROXY: 'yes' })).toThrow('true or false');
});
