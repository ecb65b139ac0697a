import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileTask, constantPolicy, evaluateEpisodes } from '../../src/index.js';
import { trainDefaults } from '../../src/server/experiments/train-request.js';
import { type ServerProcess, startServer } from './process.js';
import { get, post, testServer } from './support.js';

type Json = ReturnType<typeof JSON.parse>;

const folder = mkdtempSync(join(tmpdir(), 'infragym-runs-'));
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer({ dataDir: folder });
});
afterAll(async () => {
  await server.end('SIGTERM');
  rmSync(folder, { recursive: true });
});

async function call(method: string, path: string, body?: object): Promise<Json> {
  const headers = { 'content-type': 'application/json' };
  const options = body === undefined ? {} : { body: JSON.stringify(body), headers };
  const reply = await fetch(server.base + path, { method, ...options });
  return reply.json();
}

async function waitFor(id: string, isReached: (run: Json) => boolean): Promise<Json> {
  for (;;) {
    const run = await call('GET', `/api/experiments/${id}`);
    if (isReached(run)) return run;
    if (hasEnded(run)) throw new Error(`the run is ${run.status}: ${run.error}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const hasEnded = ({ status }: Json) => status !== 'running' && status !== 'queued';

/** Long enough to be caught in the middle. */
const LONG = { task: '3', agent: 'random', n_test_seeds: 2000, n_train_seeds: 0 };

describe('a run', () => {
  it('evaluates as the library does, and streams what it finds', async () => {
    const { id } = await call('POST', '/api/train', {
      task: 'serving/static-uniform-v1',
      agent: 'baseline',
      n_train_seeds: 1,
      n_test_seeds: 10,
    });
    const stream = await (await fetch(`${server.base}/api/experiments/${id}/stream`)).text();
    const events = [...stream.matchAll(/^event: (\w+)$/gm)].map((match) => match[1]);
    expect(events.filter((event) => event === 'episode')).toHaveLength(11);
    expect(events.slice(-2)).toEqual(['status', 'summary']);
    const run = await waitFor(id, hasEnded);
    expect(run).toMatchObject({ status: 'finished', kind: 'evaluation', error: null });
    const task = compileTask('1');
    const seeds = Array.from({ length: 10 }, (_, i) => 1_000_000 + i);
    const results = await evaluateEpisodes(task, constantPolicy(task.baselineAction), seeds);
    const held = run.episodes.filter(({ pool }: Json) => pool === 'test');
    expect(held.map(({ seed }: Json) => seed)).toEqual(seeds);
    expect(held.map(({ score }: Json) => score)).toEqual(results.map(({ score }) => score));
  });

  it('may be a sweep of policies, paired by seed, and compared with others', async () => {
    const request = { task: 'autoscaling/easy-v1', n_train_seeds: 0, n_test_seeds: 5 };
    const sweep = await call('POST', '/api/train', { ...request, agents: ['baseline', 'random'] });
    const single = await call('POST', '/api/train', { ...request, agent: 'baseline' });
    const run = await waitFor(sweep.id, hasEnded);
    expect(run.status).toBe('finished');
    expect(run.agents.map(({ agent }: Json) => agent)).toEqual(['baseline', 'random']);
    expect(run.paired).toMatchObject([{ a: 'baseline', b: 'random', episodes: 5 }]);
    await waitFor(single.id, hasEnded);
    const both = await call('GET', `/api/experiments/compare?ids=${sweep.id},${single.id}`);
    expect(both.rows).toHaveLength(3);
    const same = both.paired.find(
      ({ a, b }: Json) => a === `${sweep.id} baseline` && b === `${single.id} baseline`,
    );
    expect(same.score_difference_mean).toBe(0);
    const listed = await call('GET', '/api/experiments?agent=random&limit=5');
    expect(listed.experiments.map(({ id }: Json) => id)).toEqual([sweep.id]);
  });

  it('can be cancelled, resumed and deleted', async () => {
    const { id } = await call('POST', '/api/train', LONG);
    await waitFor(id, ({ progress }) => progress.done > 0);
    expect((await call('DELETE', `/api/experiments/${id}`)).detail).toContain('cancel');
    expect((await call('POST', `/api/experiments/${id}/cancel`)).status).toBe('cancelled');
    const resumed = await call('POST', `/api/experiments/${id}/resume`);
    expect(resumed.status).toBe('running');
    expect(resumed.progress.done).toBeGreaterThan(0);
    await call('POST', `/api/experiments/${id}/cancel`);
    expect(await call('DELETE', `/api/experiments/${id}`)).toEqual({ id, deleted: true });
    expect((await call('GET', `/api/experiments/${id}`)).detail).toContain('no such run');
  });
});

describe('a data folder', () => {
  it('is for one server at a time, and free when that has ended', async () => {
    await expect(testServer({ dataDir: folder })).rejects.toThrow('another server is using');
    const own = mkdtempSync(join(tmpdir(), 'infragym-claim-'));
    const first = await testServer({ dataDir: own });
    await expect(testServer({ dataDir: own })).rejects.toThrow('--data-dir');
    await first.close();
    await (await testServer({ dataDir: own })).close();
    rmSync(own, { recursive: true });
  });
});

describe('a server that is killed', () => {
  it('keeps what is finished and resumes what was not, to the same numbers', async () => {
    const short = { ...LONG, n_test_seeds: 160 };
    const before = await call('POST', '/api/train', { task: '1', n_test_seeds: 3 });
    const finished = await waitFor(before.id, hasEnded);
    const { id } = await call('POST', '/api/train', short);
    const waiting = await call('POST', '/api/train', { task: '1', n_test_seeds: 2 });
    await waitFor(id, ({ progress }) => progress.done > 0);
    await server.end('SIGKILL');
    server = await startServer({ dataDir: folder });
    expect(await call('GET', `/api/experiments/${before.id}`)).toEqual(finished);
    const broken = await call('GET', `/api/experiments/${id}`);
    expect(broken.status).toBe('interrupted');
    expect(broken.progress.done).toBeGreaterThan(0);
    expect(broken.progress.done).toBeLessThan(160);
    expect((await waitFor(waiting.id, hasEnded)).status).toBe('finished');
    await call('POST', `/api/experiments/${id}/resume`);
    const resumed = await waitFor(id, hasEnded);
    expect(resumed).toMatchObject({ status: 'finished', progress: { done: 160, share: 1 } });
    const whole = await call('POST', '/api/train', short);
    const straight = await waitFor(whole.id, hasEnded);
    expect(resumed.agents).toEqual(straight.agents);
  });

  it('finishes gracefully when it is asked to end', async () => {
    const other = await startServer({ dataDir: ':memory:' });
    expect(await other.end('SIGTERM')).toBe(0);
  });
});

describe('requests', () => {
  it("are taken in the origin's words, telling what means nothing", async () => {
    const app = await testServer({ maxRuns: 1 });
    const body = { task: '1', agent: 'baseline', total_steps: 5, n_servers: 3, n_test_seeds: 1 };
    const { job } = (await post(app, '/api/train', body)).body;
    expect(job.ignored).toEqual(['total_steps', 'n_servers']);
    const bad = [
      [{ agent: 'ppo' }, 'learner'],
      [{ agent: 'nobody' }, 'policy'],
      [{ task: 'nothing' }, 'nothing'],
      [{ task: '1', config: { alhpa: 1 } }, 'alhpa'],
      [{ agnet: 'baseline' }, 'must NOT have additional properties'],
      [{ n_test_seeds: 0, n_train_seeds: 0 }, 'nothing to do'],
    ] as const;
    for (const [wrong, word] of bad) {
      const { status, body: answer } = await post(app, '/api/train', wrong);
      expect(status).toBe(422);
      expect(answer.detail[0].msg).toContain(word);
    }
    expect((await get(app, '/api/experiments/none')).status).toBe(404);
    expect((await get(app, '/api/experiments?status=odd')).status).toBe(422);
  });

  it('have defaults that the environment sets', async () => {
    const app = await testServer();
    const { body } = await get(app, '/api/config/defaults');
    expect(body).toMatchObject({ n_test_seeds: 50, test_seed_offset: 1_000_000 });
    expect(body.variables.n_servers).toBe('INFRAGYM_N_SERVERS');
    expect(JSON.stringify(body)).not.toContain('token');
    expect(trainDefaults({ INFRAGYM_N_SERVERS: '7' }).n_servers).toBe(7);
    expect(() => trainDefaults({ INFRAGYM_N_SERVERS: 'x' })).toThrow('INFRAGYM_N_SERVERS');
  });
});
