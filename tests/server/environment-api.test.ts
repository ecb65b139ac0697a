import { describe, expect, it } from 'vitest';
import { compileTask, constantPolicy, evaluateEpisodes, listTasks } from '../../src/index.js';
import { get, post, testServer } from './support.js';

const app = await testServer();

const ORIGIN_FIELDS = [
  'queue_depth',
  'mean_prompt_len',
  'arrival_rate',
  'kv_cache_occupancy',
  'ttft_p50',
  'tpot_p50',
  'slo_violation_rate',
  'gpu_memory_used_gb',
  'spec_accept_rate',
  'priority_distribution',
  'timestep',
  'cost_so_far',
];

const SNAPSHOT = [
  'ttft_p50_ms',
  'ttft_p99_ms',
  'tpot_ms',
  'tokens_per_sec',
  'gpu_memory_gb',
  'cost_per_1k',
  'spec_accept_rate',
  'eviction_events',
  'slo_violations',
];

async function begin(task_id: number | string = 1, seed = 42): Promise<string> {
  return (await post(app, '/reset', { task_id, seed })).body.session_id;
}

describe('GET', () => {
  it('/health is what both the origin and the validator ask for', async () => {
    const { status, body } = await get(app, '/health');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'healthy', ok: true, active_sessions: 0 });
    expect(body.uptime_s).toBeGreaterThanOrEqual(0);
  });

  it("/tasks begins with the origin's three and has every other task", async () => {
    const { tasks } = (await get(app, '/tasks')).body;
    expect(tasks.slice(0, 3)).toMatchObject([
      { id: 1, name: 'Static Uniform', difficulty: 'easy' },
      { id: 2, name: 'Bursty ShareGPT', difficulty: 'medium' },
      { id: 3, name: 'Adversarial Multi-Tenant', difficulty: 'hard' },
    ]);
    expect(tasks[0].active_actions).toEqual(['kv_budget', 'batch_size']);
    expect(tasks[0].env_id).toBe('serving/static-uniform-v1');
    const ids = tasks.map((task: { env_id: string }) => task.env_id).sort();
    expect(ids).toEqual(
      listTasks()
        .map(({ id }) => id)
        .sort(),
    );
  });

  it('/baseline gives the scores that evaluation gives, within the ranges', async () => {
    const { scores, expected_range } = (await get(app, '/baseline')).body;
    const task = compileTask('1');
    const policy = constantPolicy(task.baselineAction);
    const [{ score }] = await evaluateEpisodes(task, policy, [0]);
    expect(scores.task1).toBe(score);
    expect(Object.keys(scores)).toEqual(['task1', 'task2', 'task3']);
    expect(expected_range.task1).toEqual([0.3, 0.4]);
  });

  it('/info describes every task and the backend', async () => {
    const { body } = await get(app, '/info');
    expect(body.backend).toBe('reference');
    expect(body.action_schema.properties).toHaveProperty('kv_budget');
    expect(body.reward_weights['1']).toEqual({ alpha: 0.4, beta: 0.25, gamma: 0.25, delta: 0.1 });
    expect(body.tasks).toHaveLength(listTasks().length);
  });

  it('/openapi.json is OpenAPI 3.1 with the paths that clients look for', async () => {
    const { body } = await get(app, '/openapi.json');
    expect(body.openapi).toBe('3.1.0');
    expect(typeof body.info.version).toBe('string');
    for (const path of ['/reset', '/step', '/state', '/grader']) {
      expect(body.paths).toHaveProperty([path]);
    }
    expect((await get(app, '/api/docs')).status).toBe(200);
  });
});

describe('an episode', () => {
  it("has the origin's twelve fields in its order", async () => {
    const { status, body } = await post(app, '/reset', { task_id: 1, seed: 42 });
    expect(status).toBe(200);
    expect(body).toMatchObject({ reward: null, done: false, episode_length: 200 });
    expect(Object.keys(body.observation)).toEqual(ORIGIN_FIELDS);
    expect(body.observation.priority_distribution).toEqual([1, 0, 0]);
  });

  it('steps to its end, then refuses with 409 and can be graded', async () => {
    const session_id = await begin();
    const action = { kv_budget: 0.5, batch_size: 128 };
    const log = [];
    for (let step = 1; step <= 200; step++) {
      const { status, body } = await post(app, '/step', { session_id, action });
      expect(status).toBe(200);
      expect(body.done).toBe(step === 200);
      log.push({ action, reward: body.reward, info: body.info });
    }
    expect(Object.keys(log[0].info.metrics)).toEqual(expect.arrayContaining(SNAPSHOT));
    expect(log[0].info).toMatchObject({ timestep: 1, workload: { phase: 'warmup' } });
    expect((await post(app, '/step', { session_id, action })).status).toBe(409);
    const state = (await get(app, `/state?session_id=${session_id}`)).body;
    const sum = log.reduce((total, { reward }) => total + reward, 0);
    expect(state).toMatchObject({ step_count: 200, done: true, seed: 42, cumulative_reward: sum });
    const mine = (await post(app, '/grader', { task_id: 1, episode_log: log })).body;
    const own = (await post(app, '/grader', { session_id })).body;
    expect(mine.self_reported).toBe(true);
    expect({ ...mine, self_reported: false }).toEqual(own);
    expect(own.score).toBeGreaterThan(0.5);
  });

  it('is graded as far as it has come', async () => {
    const session_id = await begin();
    expect((await post(app, '/grader', { session_id })).body.score).toBe(0);
    const { body } = await post(app, '/step', { session_id, action: {} });
    const graded = (await post(app, '/grader', { session_id })).body;
    const log = [{ action: {}, reward: body.reward, metrics: body.info.metrics }];
    const fromLog = (await post(app, '/grader', { task_id: 1, episode_log: log })).body;
    expect(graded.score).toBe(fromLog.score);
  });

  it('is the same for the same seed and another for another', async () => {
    const play = async (seed: number) => {
      const session_id = await begin(2, seed);
      const replies = [];
      for (let i = 0; i < 5; i++) {
        replies.push((await post(app, '/step', { session_id, action: {} })).body);
      }
      return replies;
    };
    expect(await play(7)).toEqual(await play(7));
    expect(await play(7)).not.toEqual(await play(8));
  });

  it('takes another configuration, which must be one', async () => {
    const reset = (config: object) => post(app, '/reset', { task_id: 1, config });
    expect((await reset({ episode_len: 3 })).body.episode_length).toBe(3);
    const unknown = await reset({ alhpa: 1 });
    expect(unknown.status).toBe(422);
    expect(unknown.body.detail[0].loc).toEqual(['body', 'config', 'alhpa']);
    for (const table of ['/etc/passwd', '../package.json', 'package', 'C:\\x']) {
      expect((await reset({ table })).status).toBe(422);
    }
  });

  it.each(listTasks().map(({ id }) => id))('of %s steps by its id', async (id) => {
    const task = compileTask(id);
    const session_id = await begin(id, 3);
    const sample = task.baselineAction;
    const action = ArrayBuffer.isView(sample) ? [...(sample as Float32Array)] : sample;
    const { status, body } = await post(app, '/step', { session_id, action });
    expect(status).toBe(200);
    expect(Number.isFinite(body.reward)).toBe(true);
    expect((await post(app, '/grader', { session_id })).status).toBe(200);
  });
});

describe('sessions', () => {
  it('never mix when fifty are stepped at once', async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, (_, i) => begin(1, i)));
    expect(new Set(ids).size).toBe(50);
    const play = async (session_id: string) => {
      const replies = [];
      for (let i = 0; i < 4; i++) {
        replies.push((await post(app, '/step', { session_id, action: {} })).body.observation);
      }
      return replies;
    };
    const together = await Promise.all(ids.map(play));
    const alone = await play(await begin(1, 17));
    expect(together[17]).toEqual(alone);
    expect((await get(app, '/health')).body.active_sessions).toBe(50);
  });

  it('are evicted least recently used first', async () => {
    const small = await testServer({ sessions: 2 });
    const reset = async () => (await post(small, '/reset', {})).body.session_id as string;
    const state = async (id: string) => (await get(small, `/state?session_id=${id}`)).status;
    const [a, b] = [await reset(), await reset()];
    expect(await state(a)).toBe(200);
    const c = await reset();
    expect([await state(a), await state(b), await state(c)]).toEqual([200, 404, 200]);
    expect((await post(small, '/step', { session_id: b, action: {} })).status).toBe(404);
  });

  it('take calls in the order in which they come', async () => {
    const session_id = await begin();
    const steps = Array.from({ length: 20 }, () => post(app, '/step', { session_id, action: {} }));
    const timesteps = (await Promise.all(steps)).map(({ body }) => body.info.timestep);
    expect(timesteps).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });
});

describe('what is wrong', () => {
  it('is named, and leaves the session unharmed', async () => {
    const session_id = await begin();
    const bad = [
      [{ kv_budget: 7 }, 'kv_budget'],
      [{ batch_size: 1.5 }, 'batch_size'],
      [{ spec_length: 3 }, 'spec_length'],
      [{ speed: 3 }, 'speed'],
      [{ quant_tier: 'INT8' }, 'quant_tier'],
    ] as const;
    for (const [action, field] of bad) {
      const { status, body } = await post(app, '/step', { session_id, action });
      expect(status).toBe(422);
      expect(body.detail[0].loc).toEqual(['body', 'action', field]);
      expect(body.detail[0].msg).toContain(field);
    }
    expect((await post(app, '/step', { session_id, action: 3 })).status).toBe(422);
    expect((await post(app, '/step', { session_id })).status).toBe(422);
    expect((await get(app, `/state?session_id=${session_id}`)).body.step_count).toBe(0);
  });

  it.each([
    ['unknown task', { task_id: 9 }, 'task_id'],
    ['negative seed', { seed: -1 }, 'seed'],
    ['fractional seed', { seed: 1.5 }, 'seed'],
    ['text for a seed', { seed: '7' }, 'seed'],
    ['an invalid configuration', { config: 3 }, 'config'],
    ['session id that fits no header', { session_id: 'a\u0000b' }, 'session_id'],
  ])('%s is 422', async (_what, body, field) => {
    const answer = await post(app, '/reset', body);
    expect(answer.status).toBe(422);
    expect(answer.body.detail[0].loc).toContain(field);
  });

  it('has its own code', async () => {
    const headers = { 'content-type': 'application/json' };
    const raw = (payload: string) =>
      app.inject({ method: 'POST', url: '/reset', headers, payload });
    expect((await raw('{')).statusCode).toBe(400);
    expect((await raw('')).statusCode).toBe(200);
    expect((await raw(`"${'x'.repeat(2 ** 20)}"`)).statusCode).toBe(413);
    expect((await post(app, '/step', { session_id: 'none', action: {} })).status).toBe(404);
    expect((await get(app, '/step')).status).toBe(405);
    expect((await post(app, '/health', {})).status).toBe(405);
    expect((await get(app, '/nowhere')).status).toBe(404);
    expect((await post(app, '/grader', { task_id: 1 })).status).toBe(422);
    const log = [{ action: {}, metrics: {} }];
    expect((await post(app, '/grader', { task_id: 1, episode_log: log })).status).toBe(422);
    const empty = await post(app, '/grader', { task_id: 1, episode_log: [] });
    expect(empty.body.score).toBe(0);
  });
});

it('/state without a session tells that nothing has happened', async () => {
  const { body } = await get(app, '/state');
  expect(body).toMatchObject({ step_count: 0, episode_id: null });
});
