/** Seeds in every form they may have, configurations in a batch's reset, and infos read late. */
import { describe, expect, it, vi } from 'vitest';
import {
  backendReport,
  type MakeVecOptions,
  make,
  makeVec,
  type SeedLike,
  type TaskVectorEnv,
} from '../../src/index.js';

const TASK = 'autoscaling/easy-v1';
const report = await backendReport();
const available = report.filter((status) => status.available).map((status) => status.name);

async function rowsOf(env: TaskVectorEnv, steps = 5): Promise<number[][]> {
  env.actions.fill(2);
  for (let step = 0; step < steps; step++) env.step();
  const width = env.task.observationDim;
  return Array.from({ length: env.numEnvs }, (_, i) => [
    ...env.observations.subarray(i * width, (i + 1) * width),
    env.rewards[i]!,
  ]);
}

async function single(seed: SeedLike, options: MakeVecOptions = {}): Promise<number[]> {
  const env = await makeVec(TASK, { ...options, seed });
  env.reset();
  const [row] = await rowsOf(env);
  env.close();
  return row!;
}

describe.each(available)('a list of seeds on %s', (backend) => {
  it('gives each environment its own, alone or after others', async () => {
    const seeds = [7, 2n ** 64n - 1n, 'name', 8, 3];
    const expected = await Promise.all(seeds.map((seed) => single(seed, { backend })));
    const env = await makeVec(TASK, { numEnvs: 5, seed: seeds, backend });
    env.reset();
    expect(env.seed).toEqual(seeds);
    expect(await rowsOf(env)).toEqual(expected);
    env.reset({ seed: 1 });
    expect(env.seed).toBe(1);
    env.reset({ seed: seeds });
    expect(await rowsOf(env)).toEqual(expected);
    env.close();
  });

  it('goes only to the environments of the mask', async () => {
    const env = await makeVec(TASK, { numEnvs: 4, seed: 10, backend });
    env.reset();
    env.reset({ seed: [90, 91, 5, 93], mask: [0, 0, 1, 0] });
    expect(env.seed).toEqual([10, 11, 5, 13]);
    const expected = await Promise.all([10, 11, 5, 13].map((seed) => single(seed, { backend })));
    expect(await rowsOf(env)).toEqual(expected);
    env.reset({ seed: 12, mask: [0, 0, 1, 1] });
    expect(env.seed).toEqual([10, 11, 14, 15]);
    env.close();
  });
});

describe('seeds', () => {
  it('are drawn afresh where none is given, and told', async () => {
    const envs = await Promise.all([0, 1, 2].map(() => makeVec(TASK, { numEnvs: 2 })));
    for (const env of envs) env.reset();
    expect(new Set(envs.map((env) => env.digest())).size).toBe(3);
    for (const env of envs) {
      const again = await makeVec(TASK, { numEnvs: 2, seed: env.seed });
      again.reset();
      expect(again.digest()).toBe(env.digest());
    }
    const [a, b] = [await make(TASK), await make(TASK)];
    for (const env of [a, b]) env.reset();
    expect(a.digest()).not.toBe(b.digest());
    b.reset({ seed: a.seed });
    expect(a.digest()).toBe(b.digest());
  });

  it('may be null, as in Gymnasium: the next episode', async () => {
    const env = await make(TASK, { seed: 3 });
    env.reset();
    const first = env.digest();
    env.reset({ seed: null });
    expect(env.digest()).not.toBe(first);
    expect(env.seed).toBe(3);
  });

  it('are read from a snapshot', async () => {
    const [a, b] = [
      await makeVec(TASK, { numEnvs: 3, seed: 40 }),
      await makeVec(TASK, { numEnvs: 3 }),
    ];
    a.reset();
    b.restore(a.snapshot());
    expect(b.seed).toBe(40);
    a.reset({ seed: [1, 5, 2] });
    b.restore(a.snapshot());
    expect(b.seed).toEqual([1, 5, 2]);
  });

  it('that are invalid change nothing', async () => {
    const env = await makeVec(TASK, { numEnvs: 2, seed: 1 });
    env.reset();
    const digest = env.digest();
    expect(() => env.reset({ seed: [1] })).toThrow('seed is a list of 1: 2 are needed');
    expect(() => env.reset({ seed: [1, 0.5] })).toThrow('seed[1] is 0.5');
    expect(() => env.reset({ seed: {} as never })).toThrow('seed is an object');
    expect(() => env.reset({ seed: 5, mask: [0, 7] })).toThrow('mask[1] is 7');
    expect([env.digest(), env.seed]).toEqual([digest, 1]);
  });
});

describe('a configuration at reset', () => {
  it('is taken by the whole batch, from the seeds that it had', async () => {
    const env = await makeVec(TASK, { numEnvs: 3, seed: 5 });
    env.reset();
    const before = env.digest();
    env.reset({ options: { config: { max_steps: 4 } } });
    const other = await makeVec(TASK, { numEnvs: 3, seed: 5, config: { max_steps: 4 } });
    other.reset();
    expect(env.digest()).toBe(other.digest());
    expect(env.task.horizonSteps).toBe(4);
    env.reset({ options: { config: {} } });
    expect(env.digest()).toBe(before);
    expect(() => env.reset({ mask: [1, 1, 1], options: { config: {} } })).toThrow('no mask');
    expect(() => env.reset({ options: { config: { max_step: 4 } } })).toThrow(
      'max_step is unknown',
    );
    expect(env.digest()).toBe(before);
  });

  it('may change what is observed', async () => {
    const env = await makeVec('scheduling/base-v2', { numEnvs: 2, seed: 0 });
    env.reset();
    env.reset({ options: { config: { n_servers: 4 } } });
    expect(env.observations.length).toBe(2 * env.task.observationDim);
    env.step(env.masks.length > 0 ? [env.task.baselineAction, env.task.baselineAction] : undefined);
    expect(env.singleActionSpace).toEqual(env.task.actionSpace);
  });
});

describe('the info of a step', () => {
  it('tells of its own step, however late it is read', async () => {
    for (const id of ['serving/static-uniform-v1', 'scheduling/base-v2', 'autoscaling/fleet-v1']) {
      const [late, early] = [await make(id, { seed: 2 }), await make(id, { seed: 2 })];
      late.reset();
      early.reset();
      const kept = [];
      const expected = [];
      for (let t = 0; t < 6; t++) {
        const step = late.step(late.task.baselineAction);
        step.observation.fill(-1); // the caller's own
        kept.push(step);
        expected.push(structuredClone(early.step(early.task.baselineAction).info));
      }
      expect(kept.map(({ info }) => info)).toEqual(expected);
      expect(JSON.parse(JSON.stringify(kept[0]))).toMatchObject({ reward: kept[0]!.reward });
    }
  });
});

describe('threads', () => {
  it('beyond the cores are clamped, with a note', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const env = await makeVec(TASK, { numEnvs: 2, threads: 1023, backend: 'reference' });
    expect(env.threads).toBe(1);
    await makeVec(TASK, { numEnvs: 2, threads: 1023, backend: 'reference' });
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/threads is 1023: backend reference steps with at most 1 here/)],
    ]);
    warn.mockRestore();
  });
});
