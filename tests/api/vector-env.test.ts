import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { addFamily } from '../../src/api/registry.js';
import {
  type Autoreset,
  make,
  makeVec,
  type TaskVectorEnv,
  type VectorOptions,
} from '../../src/library.js';
import { tinyFamily, tinyTask } from '../support/tiny-family.js';

interface Run {
  numEnvs: number;
  seed: number;
  autoreset: Autoreset;
  steps: number;
}

const open: { close(): void }[] = [];

async function vec(options: Partial<VectorOptions> = {}, id = 'tiny'): Promise<TaskVectorEnv> {
  const env = await makeVec(id, { numEnvs: 3, backend: 'reference', ...options });
  open.push(env);
  return env;
}

/** Actions that are a function of the step and the environment's seed alone. */
function act(env: TaskVectorEnv, seed: number, step: number): void {
  const { actionDim } = env.task;
  for (let i = 0; i < env.numEnvs; i++) {
    for (let j = 0; j < actionDim; j++) {
      env.actions[i * actionDim + j] = (((seed + i) * 31 + step * 7 + j * 5) % 21) / 10 - 1;
    }
  }
}

beforeAll(() => addFamily(tinyFamily));
afterEach(() => {
  for (const env of open.splice(0)) env.close();
});

describe('a vector environment', () => {
  it('says who steps it', async () => {
    const env = await vec();
    expect(env.backend).toBe('reference');
    expect(env.kernel).toBe('scalar');
    expect(env.task.spec).toBe(tinyTask);
    expect(env.observations).toHaveLength(3 * 14);
    expect(env.singleActionSpace.flatDim).toBe(5);
    expect(env.actionSpace.flatDim).toBe(15);
    expect(env.observationSpace.flatDim).toBe(3 * 14);
  });

  it('keeps its arrays and returns them', async () => {
    const env = await vec();
    const { observations } = env.reset();
    const result = env.step();
    expect(result.observations).toBe(observations);
    expect(result.rewards).toBe(env.rewards);
    expect(env.singleObservationSpace.contains(observations.subarray(0, 14))).toBe(true);
  });

  it('takes the seed it was made with at the first reset, and the next episode later', async () => {
    const [a, b] = [await vec({ seed: 5 }), await vec()];
    a.reset();
    b.reset({ seed: 5 });
    expect(a.digest()).toBe(b.digest());
    a.reset();
    expect(a.digest()).not.toBe(b.digest());
    b.reset();
    expect(a.digest()).toBe(b.digest());
  });

  it('forgets a former history at a reset with a seed', async () => {
    const env = await vec();
    env.reset({ seed: 1 });
    const digest = env.digest();
    env.rollout('random', 25);
    expect(env.episodes).toBe(6);
    expect(env.episodeStatistics()[0]).toMatchObject({ length_steps: 11 });
    env.reset({ seed: 1 });
    expect(env.digest()).toBe(digest);
    expect(env.episodeStatistics()).toEqual([null, null, null]);
  });

  it('resets only where the mask is set', async () => {
    const env = await vec();
    env.reset({ seed: 1 });
    env.step();
    const rows = env.observations.slice();
    env.reset({ seed: 9, mask: [false, true, false] });
    const lone = await vec({ numEnvs: 1 });
    lone.reset({ seed: 10 });
    expect(env.observations.slice(14, 28)).toEqual(lone.observations);
    expect(env.observations.slice(0, 14)).toEqual(rows.slice(0, 14));
    expect(env.observations.slice(28)).toEqual(rows.slice(28));
  });

  it('refuses to step a finished environment where autoreset is disabled', async () => {
    const env = await vec({ autoreset: 'disabled' });
    env.reset();
    env.rollout('random', 10);
    env.reset({ mask: [1, 0, 0] });
    env.step();
    expect([...env.truncated]).toEqual([0, 1, 1]);
    expect(() => env.step()).toThrow(/environment 1 has finished/);
    env.reset({ mask: env.truncated });
    const before = env.digest();
    env.step();
    expect(env.digest()).not.toBe(before);
    expect([...env.truncated]).toEqual([0, 0, 0]);
  });

  it('reports infos where asked to', async () => {
    const env = await vec({ infos: true });
    env.reset();
    env.step();
    expect(Object.keys(env.info(2))).toEqual(['arrivals', 'served']);
    const silent = await vec();
    silent.reset();
    expect(silent.metrics).toHaveLength(0);
    expect(() => silent.info(0)).toThrow(/infos: true/);
  });
});

describe('what a vector environment refuses', () => {
  it.each([
    [{ numEnvs: 0 }, /numEnvs is 0: an integer from 1/],
    [{ numEnvs: 1.5 }, /numEnvs is 1.5/],
    [{ numEnvs: '4' as unknown as number }, /numEnvs is "4", a string: an integer from 1/],
    [{ seed: [1, 2] }, /seed is a list of 2: 3 are needed/],
    [{ seed: [1, -2, 3] }, /seed\[1\] is -2/],
    [{ threads: 0 }, /threads is 0/],
    [{ autoreset: 'never' as 'disabled' }, /autoreset is "never": one of next-step/],
    [{ kernel: 'fast' as 'auto' }, /kernel is "fast"/],
    [{ seed: -1 }, /seed is -1/],
  ])('%o', async (options, message) => {
    await expect(vec(options)).rejects.toThrow(message);
  });

  it('an unknown task, naming the nearest', async () => {
    await expect(makeVec('tiny/normalized-v1', { numEnvs: 1 })).rejects.toThrow(
      /no task is called "tiny\/normalized-v1"; the nearest are tiny\/normalised-v1/,
    );
  });

  it('options of another name', async () => {
    const options = { num_envs: 4 } as VectorOptions;
    await expect(makeVec('tiny', options)).rejects.toThrow(/num_envs is unknown: is numEnvs meant/);
    await expect(make('tiny', { sed: 1 } as object)).rejects.toThrow(/is seed meant\?/);
  });

  it('an unknown backend, and one that is not part of the build', async () => {
    const backend = 'gpu' as 'native';
    await expect(makeVec('tiny', { numEnvs: 1, backend })).rejects.toThrow(/backend is "gpu"/);
    await expect(makeVec('tiny', { numEnvs: 1, backend: 'native' })).rejects.toThrow(/native/);
  });

  it('a task with a configuration the family refuses', async () => {
    const options = { numEnvs: 1, config: { colour: 'red' } };
    await expect(makeVec('tiny', options)).rejects.toThrow(/config.colour is unknown/);
    await expect(makeVec('tiny', { numEnvs: 1, normalizeObservation: true })).rejects.toThrow(
      /normalize_observation/,
    );
  });

  it('steps before a reset and anything after close', async () => {
    const env = await vec();
    expect(() => env.step()).toThrow(/call reset\(\) first/);
    expect(() => env.snapshot()).toThrow(/call reset\(\) first/);
    expect(() => env.reset({ mask: [1, 1, 1] })).toThrow(/first reset has a mask/);
    env.close();
    env.close();
    expect(() => env.reset()).toThrow(/closed/);
    expect(() => env.episodeStatistics()).toThrow(/closed/);
    expect(() => env.episodes).toThrow(/closed/);
  });

  it('masks of another length or value', async () => {
    const env = await vec();
    env.reset();
    expect(() => env.reset({ mask: [1] })).toThrow(/mask has 1 flags: 3 are needed/);
    expect(() => env.reset({ mask: [1, 2, 0] })).toThrow(/mask\[1\] is 2/);
  });

  it('unknown policies and wrong step counts', async () => {
    const env = await vec();
    env.reset();
    expect(() => env.rollout('greedy' as 'random', 1)).toThrow(/policy is "greedy"/);
    expect(() => env.rollout('toString' as 'random', 1)).toThrow(/constant or random/);
    expect(() => env.rollout('random', -1)).toThrow(/steps is -1/);
  });
});

describe('actions', () => {
  it('are taken as rows or one by one', async () => {
    const [a, b, c] = [await vec(), await vec(), await vec()];
    for (const env of [a, b, c]) env.reset({ seed: 1 });
    const rows = Float32Array.from({ length: 15 }, (_, k) => k / 15);
    a.step(rows);
    b.step([0, 1, 2].map((i) => [...rows.subarray(5 * i, 5 * i + 5)]));
    c.actions.set(rows);
    c.step();
    expect(b.digest()).toBe(a.digest());
    expect(c.digest()).toBe(a.digest());
  });

  it('are refused whole, naming environment and field', async () => {
    const env = await vec();
    env.reset();
    const rows = new Float32Array(15);
    rows[6] = Number.NaN;
    const [digest, before] = [env.digest(), env.actions.slice()];
    expect(() => env.step(rows)).toThrow(/environment 1: action batch_size is NaN: a finite/);
    expect(() => env.step(new Float64Array(15).fill(1e300))).toThrow(/kv_budget is 1e\+300/);
    expect(() => env.step(new Float32Array(4))).toThrow(/numEnvs × actionDim = 3 × 5/);
    const [good, bad] = [
      [0, 0, 0, 0, 0],
      [0, 0, 2, 0, 0],
    ];
    expect(() => env.step([good, good, bad])).toThrow(/environment 2: action\[2\] is 2/);
    expect(() => env.step([good])).toThrow(/one action for each of the 3/);
    expect(() => env.step(null as never)).toThrow(/actions are null/);
    expect(env.actions).toEqual(before);
    expect(env.digest()).toBe(digest);
  });

  it('that are indices are i32 and inside the space', async () => {
    const env = await vec({}, 'tiny/discrete');
    env.reset();
    expect(env.actions).toBeInstanceOf(Int32Array);
    env.step([0, 7, 3]);
    expect([...env.actions]).toEqual([0, 7, 3]);
    expect(() => env.step(Int32Array.of(0, 8, 0))).toThrow(/environment 1: action is 8/);
    expect(() => env.step(Float32Array.of(0, 0, 0.5))).toThrow(/environment 2: .* an integer/);
    expect(() => env.step([0, 1, -1])).toThrow(/environment 2: action is -1/);
  });
});

describe('any batch', () => {
  it('is its single environments, bit for bit', async () => {
    const runs: fc.Arbitrary<Run> = fc.record({
      numEnvs: fc.integer({ min: 1, max: 5 }),
      seed: fc.integer({ min: 0, max: 2 ** 40 }),
      autoreset: fc.constantFrom<Autoreset>('next-step', 'same-step'),
      steps: fc.integer({ min: 1, max: 25 }),
    });
    const check = async ({ numEnvs, seed, autoreset, steps }: Run) => {
      const batch = await vec({ numEnvs, autoreset });
      const singles = await Promise.all(
        Array.from({ length: numEnvs }, () => vec({ numEnvs: 1, autoreset })),
      );
      batch.reset({ seed });
      singles.forEach((single, i) => {
        single.reset({ seed: seed + i });
      });
      for (let step = 0; step < steps; step++) {
        act(batch, seed, step);
        batch.step();
        singles.forEach((single, i) => {
          act(single, seed + i, step);
          single.step();
        });
      }
      for (const name of ['observations', 'rewards', 'truncated', 'finalStatistics'] as const) {
        const joined = singles.flatMap((single) => [...single[name]]);
        expect([...batch[name]]).toEqual(joined);
      }
    };
    await fc.assert(fc.asyncProperty(runs, check), { numRuns: 20 });
  });

  it('has one digest for a seed', async () => {
    const seeds = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    const check = async (seed: bigint) => {
      const [a, b] = [await vec({ seed }), await vec()];
      a.reset();
      b.reset({ seed: String(seed) });
      for (const env of [a, b]) env.rollout('random', 13);
      expect(a.digest()).toBe(b.digest());
    };
    await fc.assert(fc.asyncProperty(seeds, check), { numRuns: 20 });
  });
});

describe('a single environment', () => {
  it('is the batch of one, with fresh results', async () => {
    const [env, batch] = [await make('tiny', { backend: 'reference' }), await vec({ numEnvs: 1 })];
    open.push(env);
    const first = env.reset({ seed: 4 });
    batch.reset({ seed: 4 });
    expect(first.observation).toEqual(batch.observations);
    const action = [0.5, 0.5, 0, 0, 0];
    const step = env.step(action);
    batch.step([action]);
    expect(step).toMatchObject({ reward: batch.rewards[0], terminated: false, truncated: false });
    env.step(action);
    expect(step.observation).toEqual(batch.observations);
    expect(first.info).toHaveProperty('arrivals');
  });

  it('ends with the statistics and stays ended until it is reset', async () => {
    const env = await make('tiny', { backend: 'reference', seed: 2 });
    open.push(env);
    const before = env.reset();
    let step = env.step([0, 0, 0, 0, 0]);
    let total = step.reward;
    for (let t = 1; t < 11; t++) {
      step = env.step([0, 0, 0, 0, 0]);
      total += step.reward;
    }
    expect(step).toMatchObject({ truncated: true, info: { episode: { length_steps: 11 } } });
    expect(env.episodeStatistics()).toMatchObject({ episode_return: total });
    expect(() => env.step([0, 0, 0, 0, 0])).toThrow(/episode has ended: call reset/);
    expect(env.reset().observation).not.toBe(before.observation);
    expect(() => env.step([0, 0, Number.NaN, 0, 0])).toThrow(/^action\[2\] is NaN/);
  });

  it('takes a configuration at reset, and takes it back', async () => {
    const env = await make('tiny', { backend: 'reference', config: { alpha: 0.2 } });
    open.push(env);
    const original = env.task.programDigest;
    env.reset({ options: { config: { alpha: 0.9 } } });
    expect(env.task.config.alpha).toBe(0.9);
    expect(env.task.programDigest).not.toBe(original);
    const digest = env.digest();
    expect(() => env.reset({ options: { config: { alfa: 1 } } })).toThrow(/config.alfa/);
    expect(() => env.reset({ seed: -1, options: { config: {} } })).toThrow(/seed is -1/);
    expect(env.digest()).toBe(digest);
    env.reset({ options: { config: {} } });
    expect(env.task.programDigest).toBe(original);
    env.close();
    expect(() => env.reset({ options: { config: {} } })).toThrow(/closed/);
  });
});
