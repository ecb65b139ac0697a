import { describe, expect, it } from 'vitest';
import { compileTask, listTasks } from '../../src/index.js';
import { Client, get, listen, post, testServer } from './support.js';

const app = await testServer();
const base = await listen(app);
const mounts = listTasks().map(({ id }) => [`/openenv/${id}`, id] as const);

/** An action as a client sends it: an object, the baseline's. */
function wireAction(id: string): object {
  const { baselineAction } = compileTask(id);
  if (ArrayBuffer.isView(baselineAction)) return { action: [...(baselineAction as Float32Array)] };
  if (Array.isArray(baselineAction)) return { action: baselineAction };
  return typeof baselineAction === 'object' ? baselineAction! : { action: baselineAction };
}

describe.each([['', 'serving/static-uniform-v1'] as const, ...mounts])('at %s/', (mount, id) => {
  it('holds what the validator asks for', async () => {
    const document = await get(app, `${mount}/openapi.json`);
    expect(typeof document.body.info.version).toBe('string');
    expect(document.body.paths).toMatchObject({ '/reset': {}, '/step': {}, '/state': {} });
    if (mount !== '') expect(document.body.servers).toEqual([{ url: mount }]);
    expect((await get(app, `${mount}/health`)).body.status).toBe('healthy');
    const { body } = await get(app, `${mount}/metadata`);
    expect(body).toMatchObject({ name: id, description: expect.any(String) });
    const schema = (await get(app, `${mount}/schema`)).body;
    for (const part of ['action', 'observation', 'state']) {
      expect(schema[part]).toMatchObject({ type: 'object', properties: {} });
    }
    const rpc = await post(app, `${mount}/mcp`, {});
    expect(rpc.status).toBe(200);
    expect(rpc.body).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32600 } });
  });

  it('plays over a WebSocket, with observations as the schema says', async () => {
    const client = await Client.open(`${base}${mount}/ws`);
    const first = await client.ask({ type: 'reset', data: { seed: 5, episode_id: 'mine', x: 1 } });
    expect(first.type).toBe('observation');
    expect(first.data).toMatchObject({ reward: null, done: false });
    const { observation } = (await get(app, `${mount}/schema`)).body;
    expect(Object.keys(first.data.observation)).toEqual(observation.required);
    const step = await client.ask({ type: 'step', data: wireAction(id) });
    expect(step.data).toMatchObject({ reward: expect.any(Number), done: expect.any(Boolean) });
    expect(Object.keys(step.data.observation)).toEqual(observation.required);
    const state = await client.ask({ type: 'state' });
    expect(state).toMatchObject({ type: 'state', data: { episode_id: 'mine', step_count: 1 } });
    client.close();
  });
});

describe('the WebSocket', () => {
  const ws = `${base}/ws`;

  it.each([
    ['INVALID_JSON', '{'],
    ['UNKNOWN_TYPE', { type: 'dance' }],
    ['UNKNOWN_TYPE', {}],
    ['VALIDATION_ERROR', { type: 'step' }],
    ['VALIDATION_ERROR', { type: 'reset', data: {}, more: 1 }],
    ['VALIDATION_ERROR', { type: 'reset', data: { seed: -1 } }],
    ['VALIDATION_ERROR', []],
    ['EXECUTION_ERROR', { type: 'step', data: {} }],
  ])('answers %s and stays open', async (code, message) => {
    const client = await Client.open(ws);
    expect(await client.ask(message)).toMatchObject({ type: 'error', data: { code } });
    expect(await client.ask({ type: 'state' })).toMatchObject({ data: { step_count: 0 } });
    client.close();
  });

  it('refuses a bad action and leaves the episode unharmed', async () => {
    const client = await Client.open(ws);
    expect(await client.ask({ type: 'reset' })).toMatchObject({ type: 'observation' });
    const reply = await client.ask({ type: 'step', data: { kv_budget: 9 } });
    expect(reply.data.code).toBe('VALIDATION_ERROR');
    expect(reply.data.message).toContain('kv_budget');
    expect((await client.ask({ type: 'state' })).data.step_count).toBe(0);
    const step = await client.ask({ type: 'step', data: { kv_budget: 0.5, metadata: {} } });
    expect(step.type).toBe('observation');
    client.close();
  });

  it('plays a whole episode, then wants a reset', async () => {
    const client = await Client.open(ws);
    await client.ask({ type: 'reset', data: { config: { episode_len: 3 } } });
    for (const done of [false, false, true]) {
      expect((await client.ask({ type: 'step', data: {} })).data.done).toBe(done);
    }
    const late = await client.ask({ type: 'step', data: {} });
    expect(late.data.code).toBe('EXECUTION_ERROR');
    expect((await client.ask({ type: 'reset' })).data.done).toBe(false);
    client.send({ type: 'close' });
    await client.closed;
  });

  it('answers in order what is sent at once', async () => {
    const client = await Client.open(ws);
    client.send({ type: 'reset', data: {} });
    const grade = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'grade' } };
    client.send({ type: 'mcp', data: grade });
    client.send({ type: 'step', data: {} });
    const types = [];
    for (let i = 0; i < 3; i++) types.push(JSON.parse(String(await client.next())).type);
    expect(types).toEqual(['observation', 'mcp', 'observation']);
    client.close();
  });

  it('has a limit of connections and of frames', async () => {
    const small = await testServer({ sockets: 1, bodyLimit: 1024 });
    const url = `${await listen(small)}/ws`;
    const first = await Client.open(url);
    const second = await Client.open(url);
    expect(JSON.parse(String(await second.next()))).toMatchObject({
      data: { code: 'CAPACITY_REACHED' },
    });
    await second.closed;
    first.send('x'.repeat(2000));
    expect(await first.closed).toBe(1009);
  });

  it('is refused for a task that is unknown', async () => {
    await expect(Client.open(`${base}/openenv/serving/nothing-v1/ws`)).rejects.toThrow('404');
  });
});

describe('HTTP at a mount', () => {
  const mount = '/openenv/serving/bursty-sharegpt-v1';

  it('keeps a session by its id or by the header', async () => {
    const begun = await post(app, `${mount}/reset`);
    expect(begun.body).toMatchObject({ reward: null, done: false });
    const { session_id } = begun.body;
    const step = await post(app, `${mount}/step`, { action: {}, session_id });
    expect(step.body.observation.info.timestep).toBe(1);
    const headers = { 'x-session-id': session_id };
    await post(app, `${mount}/step`, { action: { batch_size: 64 }, timeout_s: 3 }, headers);
    const state = await get(app, `${mount}/state`, headers);
    expect(state.body.step_count).toBe(2);
    const elsewhere = await get(app, '/openenv/serving/static-uniform-v1/state', headers);
    expect(elsewhere.status).toBe(404);
    expect((await get(app, `${mount}/state`)).body.step_count).toBe(0);
    expect((await post(app, `${mount}/step`, { action: {} })).status).toBe(422);
  });

  it('knows no task of another name', async () => {
    expect((await get(app, '/openenv/serving/nothing-v1/health')).status).toBe(404);
    expect((await get(app, '/openenv/serving/static-uniform-v1/reset')).status).toBe(405);
  });
});

describe('JSON-RPC', () => {
  const rpc = async (body: unknown) => (await post(app, '/mcp', body)).body;
  const call = (method: string, params: object = {}) =>
    rpc({ jsonrpc: '2.0', id: 7, method, params });
  const tool = (name: string, args: object = {}) => call('tools/call', { name, arguments: args });

  it('answers 200 with a code for what is wrong', async () => {
    const headers = { 'content-type': 'application/json' };
    const bad = await app.inject({ method: 'POST', url: '/mcp', headers, payload: '{' });
    expect(bad.statusCode).toBe(200);
    expect(bad.json().error.code).toBe(-32700);
    expect(await call('nothing')).toMatchObject({ id: 7, error: { code: -32601 } });
    expect((await tool('step')).error.code).toBe(-32602);
    expect((await tool('state', { session_id: 'none' })).error.code).toBe(-32602);
    expect((await tool('fly')).error.code).toBe(-32602);
  });

  it('plays an episode with tools', async () => {
    const { tools } = (await call('tools/list')).result;
    expect(tools.map(({ name }: { name: string }) => name)).toEqual([
      'reset',
      'step',
      'state',
      'grade',
    ]);
    const { session_id } = (await call('openenv/session/create')).result;
    await tool('reset', { session_id, seed: 3 });
    const step = await tool('step', { session_id, action: { batch_size: 64 } });
    expect(step.result.structuredContent.reward).toEqual(expect.any(Number));
    expect((await tool('state', { session_id })).result.structuredContent).toMatchObject({
      step_count: 1,
      seed: 3,
    });
    expect((await tool('grade', { session_id })).result.structuredContent.score).toBeTypeOf(
      'number',
    );
    const closing = await call('openenv/session/close', { session_id });
    expect(closing.result).toEqual({ session_id, closed: true });
    expect((await call('openenv/session/close', { session_id })).error.code).toBe(-32602);
  });
});
