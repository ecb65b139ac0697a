import { describe, expect, it } from 'vitest';
import { compileTask, listTasks, loadBackend, TaskVectorEnv } from '../../src/index.js';
import { Client, get, listen, post, testServer } from './support.js';

const app = await testServer();
const base = await listen(app);

interface Layout {
  bytes: number;
  fields: { name: string; dtype: string; shape: number[]; offset: number }[];
}

const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array } as const;

/** An array of a reply, by the layout that POST /vec gave. */
function fieldOf(reply: Buffer, { fields }: Layout, name: string) {
  const { dtype, shape, offset } = fields.find((field) => field.name === name)!;
  const View = arrays[dtype as keyof typeof arrays];
  const length = shape.reduce((product, size) => product * size, 1);
  const bytes = Uint8Array.from(reply.subarray(offset, offset + length * View.BYTES_PER_ELEMENT));
  return new View(bytes.buffer);
}

function resetFrame(seed: bigint): Buffer {
  const frame = Buffer.alloc(16);
  frame.writeUInt32LE(1, 4);
  frame.writeBigUInt64LE(seed, 8);
  return frame;
}

function stepFrame(actions: Float32Array | Int32Array): Buffer {
  const frame = Buffer.alloc(4 + actions.byteLength);
  frame.writeUInt32LE(1, 0);
  frame.set(new Uint8Array(actions.buffer, actions.byteOffset, actions.byteLength), 4);
  return frame;
}

async function ask(client: Client, frame: Buffer): Promise<Buffer> {
  client.send(frame);
  return client.next();
}

describe.each(listTasks().map(({ id }) => [id]))('a batch of %s', (id) => {
  it('gives the bits that the library gives', async () => {
    const numEnvs = 5;
    const made = await post(app, '/vec', { task_id: id, num_envs: numEnvs, seed: 9 });
    expect(made.status).toBe(200);
    const { url, layout } = made.body;
    const env = new TaskVectorEnv(compileTask(id), await loadBackend('reference'), {
      numEnvs,
      seed: 9,
    });
    const client = await Client.open(base + url);
    env.reset({ seed: 2n ** 60n });
    const first = await ask(client, resetFrame(2n ** 60n));
    expect(fieldOf(first, layout.reply, 'observations')).toEqual(env.observations);
    for (let step = 0; step < 3; step++) {
      for (let i = 0; i < numEnvs; i++) {
        const row = env.actions.subarray(i * env.task.actionDim, (i + 1) * env.task.actionDim);
        env.task.encodeAction(env.task.baselineAction, row);
      }
      const reply = await ask(client, stepFrame(env.actions));
      env.step();
      expect(reply.length).toBe(layout.reply.bytes);
      expect([reply.readUInt32LE(0), reply.readUInt32LE(4)]).toEqual([1, step + 1]);
      for (const name of ['observations', 'rewards', 'costs', 'terminated', 'truncated'] as const) {
        expect(fieldOf(reply, layout.reply, name)).toEqual(env[name]);
      }
    }
    client.close();
    env.close();
  });
});

describe('batches', () => {
  it('give statistics of finished episodes', async () => {
    const config = { episode_len: 2 };
    const { url, layout } = (await post(app, '/vec', { num_envs: 3, config })).body;
    const client = await Client.open(base + url);
    const actions = Float32Array.from({ length: 15 }, (_, i) => [1, 32, 0, 0, 0][i % 5]);
    await ask(client, stepFrame(actions));
    const last = await ask(client, stepFrame(actions));
    expect(fieldOf(last, layout.reply, 'truncated')).toEqual(Uint8Array.of(1, 1, 1));
    const reply = await ask(client, Buffer.from([2, 0, 0, 0]));
    const at = layout.statistics_names.indexOf('length_steps');
    const { offset } = layout.statistics_reply.fields[0];
    expect(reply.readDoubleLE(offset + 8 * at)).toBe(2);
    client.close();
  });

  it('answer what is wrong in a text frame and go on', async () => {
    const { url } = (await post(app, '/vec', {})).body;
    const client = await Client.open(base + url);
    const index = Buffer.alloc(8);
    for (const frame of [Buffer.alloc(0), Buffer.alloc(3), Buffer.from([9, 0, 0, 0]), index]) {
      const reply = JSON.parse(String(await ask(client, frame)));
      expect(reply).toMatchObject({ type: 'error', data: { code: 'VALIDATION_ERROR' } });
    }
    expect(await client.ask('{}')).toMatchObject({ type: 'error' });
    expect((await ask(client, resetFrame(1n))).readUInt32LE(0)).toBe(0);
    await expect(Client.open(base + url)).rejects.toThrow('409');
    expect((await app.inject({ method: 'DELETE', url })).statusCode).toBe(409);
    client.close();
    await client.closed;
  });

  it('are reset by a mask, refuse NaN, and are freed by a frame', async () => {
    const request = { task_id: 'static-uniform', num_envs: 2, autoreset: 'same_step' };
    const { url, layout } = (await post(app, '/vec', request)).body;
    const client = await Client.open(base + url);
    const rows = Float32Array.from([0.5, 8, 0, 0, 0, 0.5, 8, 0, 0, 0]);
    const before = await ask(client, stepFrame(rows));
    expect(fieldOf(before, layout.reply, 'final_observations')).toHaveLength(28);
    const masked = Buffer.concat([resetFrame(5n), Buffer.from([0, 1])]);
    masked.writeUInt32LE(3, 4);
    const after = fieldOf(await ask(client, masked), layout.reply, 'observations');
    const seen = fieldOf(before, layout.reply, 'observations');
    expect(after.subarray(0, 14)).toEqual(seen.subarray(0, 14));
    expect(after.subarray(14)).not.toEqual(seen.subarray(14));
    const wrong = [stepFrame(rows.map((x, i) => (i === 5 ? Number.NaN : x))), masked.subarray(1)];
    for (const frame of [...wrong, Buffer.concat([masked, Buffer.alloc(1)])]) {
      expect(String(await ask(client, frame))).toMatch(/VALIDATION_ERROR/);
    }
    client.send(Buffer.from([3, 0, 0, 0]));
    await client.closed;
    await expect(Client.open(base + url)).rejects.toThrow('404');
  });

  it('are limited in number and size, and can be closed', async () => {
    const small = await testServer({ vecs: 1, vecEnvs: 4 });
    expect((await post(small, '/vec', { num_envs: 5 })).status).toBe(422);
    expect((await post(small, '/vec', { num_env: 1 })).status).toBe(422);
    const { url } = (await post(small, '/vec', { num_envs: 4 })).body;
    const client = await Client.open((await listen(small)) + url);
    expect((await post(small, '/vec', {})).status).toBe(503);
    client.close();
    await client.closed;
    expect((await small.inject({ method: 'DELETE', url })).json()).toEqual({ closed: true });
    expect((await post(small, '/vec', {})).status).toBe(200);
    expect((await get(small, '/vec/none')).status).toBe(404);
  });
});
