/** Recorded rollouts against a step-by-step recording, and what `record` refuses. */
import { describe, expect, it } from 'vitest';
import {
  type BackendName,
  backendReport,
  createRecordArrays,
  type MakeVecOptions,
  makeVec,
  type RecordArrays,
  type TaskVectorEnv,
} from '../../src/index.js';

const report = await backendReport();
const available = report.filter((status) => status.available).map((status) => status.name);
const STEPS = 15;

/** The record that a learner would keep by itself: a copy of every array at every step. */
function recordByHand(env: TaskVectorEnv, policy: string): Required<RecordArrays> {
  const arrays = createRecordArrays(env, STEPS);
  for (let t = 0; t < STEPS; t++) {
    arrays.observations.set(env.observations, t * env.observations.length);
    arrays.masks.set(env.masks, t * env.masks.length);
    env.rollout(policy, 1);
    arrays.actions.set(env.actions, t * env.actions.length);
    arrays.rewards.set(env.rewards, t * env.numEnvs);
    arrays.costs.set(env.costs, t * env.numEnvs);
    arrays.terminated.set(env.terminated, t * env.numEnvs);
    arrays.truncated.set(env.truncated, t * env.numEnvs);
  }
  return arrays;
}

const bytesOf = (view: ArrayBufferView) =>
  Buffer.from(view.buffer, view.byteOffset, view.byteLength);

function expectSame(actual: Required<RecordArrays>, expected: Required<RecordArrays>): void {
  for (const [name, array] of Object.entries(expected)) {
    expect(bytesOf(actual[name as keyof RecordArrays]).equals(bytesOf(array)), name).toBe(true);
  }
}

async function pair(id: string, options: MakeVecOptions): Promise<[TaskVectorEnv, TaskVectorEnv]> {
  const envs = [await makeVec(id, options), await makeVec(id, options)] as const;
  for (const env of envs) env.reset();
  return [...envs];
}

describe.each(available)('a recorded rollout on %s', (backend: BackendName) => {
  it.each([
    ['serving/static-uniform-v1', { episode_len: 6 }],
    ['scheduling/base-v2', { episode_length: 6 }],
  ])('of %s is what single steps give', async (id, config) => {
    for (const autoreset of ['next-step', 'same-step'] as const) {
      const [byHand, env] = await pair(id, { backend, numEnvs: 66, seed: 5, autoreset, config });
      const expected = recordByHand(byHand, 'random');
      const arrays = createRecordArrays(env, STEPS);
      const { observations } = env.record('random', STEPS, arrays);
      expectSame(arrays, expected);
      expect(observations).toEqual(byHand.observations);
      expect(env.digest()).toBe(byHand.digest());
      for (const open of [byHand, env]) open.close();
    }
  });

  it('writes what is given and nothing beside it', async () => {
    const [byHand, env] = await pair('provisioning/easy-v1', { backend, numEnvs: 3, seed: 0 });
    const { rewards } = recordByHand(byHand, 'random');
    const memory = new Float32Array(3 * STEPS + 2).fill(7);
    env.record('random', STEPS, { rewards: memory.subarray(1, -1) });
    expect(memory.subarray(1, -1)).toEqual(rewards);
    expect([memory[0], memory.at(-1)]).toEqual([7, 7]);
    env.record('random', 0, { rewards: new Float32Array(0) });
    for (const open of [byHand, env]) open.close();
  });

  it('refuses arrays that do not fit, and steps nothing then', async () => {
    const env = await makeVec('provisioning/easy-v1', { backend, numEnvs: 3 });
    const arrays = createRecordArrays(env, 4);
    expect(() => env.record('random', 4, arrays)).toThrow(/call reset/);
    env.reset();
    const digest = env.digest();
    const memory = new Float32Array(24);
    const wrong: [RecordArrays, string | RegExp][] = [
      [{ ...arrays, rewards: new Float32Array(11) }, /rewards has 11 numbers: a Float32Array of /],
      [{ observations: new Float32Array(3) }, 'steps × numEnvs × width = 4 × 3 × 6 is needed'],
      [{ costs: new Float64Array(12) } as never, /costs is of type Float64Array: a Float32Array/],
      [{ actions: new Float32Array(12) }, /actions is of type Float32Array: a Int32Array/],
      [{ truncated: [0, 0, 0] } as never, /truncated is of type object: a Uint8Array/],
      [{ reward: arrays.rewards } as never, /arrays.reward is unknown: observations, /],
      [{ masks: new Uint8Array(3) }, /masks has 3 numbers/],
      [
        { rewards: memory.subarray(0, 12), costs: memory.subarray(11, 23) },
        'arrays.costs shares memory with rewards of arrays',
      ],
    ];
    for (const [given, message] of wrong) {
      expect(() => env.record('random', 4, given), String(message)).toThrow(message);
    }
    expect(() => env.record('random', 1, { rewards: env.rewards })).toThrow(
      'arrays.rewards shares memory with rewards of the batch',
    );
    expect(() => env.record('rondom', 4, arrays)).toThrow(/policy is "rondom"/);
    expect(() => env.record('random', -1, arrays)).toThrow(/steps is -1/);
    expect(env.digest()).toBe(digest);
    env.close();
  });
});

it.runIf(available.includes('native'))('is the same with two threads', async () => {
  const options = { backend: 'native', numEnvs: 300, seed: 2 } as const;
  const [one, two] = [await makeVec('2', options), await makeVec('2', { ...options, threads: 2 })];
  const [first, second] = [one, two].map((env) => {
    const arrays = createRecordArrays(env, STEPS);
    env.reset();
    env.record('random', STEPS, arrays);
    env.close();
    return arrays;
  });
  expectSame(second, first);
});
