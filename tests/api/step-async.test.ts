/** `stepAsync` on every backend of this machine: the bits of `step`, and nothing else meanwhile. */
import { describe, expect, it } from 'vitest';
import { type BackendName, backendReport, makeVec, type TaskVectorEnv } from '../../src/index.js';

const TASK = 'serving/bursty-sharegpt-v1';
const report = await backendReport();
const available = report.filter((status) => status.available).map((status) => status.name);

describe.each(available)('stepAsync on %s', (backend: BackendName) => {
  const vec = (options = {}) => makeVec(TASK, { numEnvs: 65, backend, seed: 3, ...options });

  it('gives the digest of step, also where episodes end', async () => {
    const config = { episode_len: 5 };
    const [waiting, stepping] = [await vec({ config }), await vec({ config })];
    for (const env of [waiting, stepping]) env.reset();
    for (let step = 0; step < 12; step++) {
      const actions = waiting.actions.map((_, k) => ((k + step) % 7) / 7);
      const result = await stepping.stepAsync(actions);
      waiting.step(actions);
      expect(result.observations).toBe(stepping.observations);
      expect(stepping.digest()).toBe(waiting.digest());
    }
    for (const env of [waiting, stepping]) env.close();
  });

  it('steps two batches by turns', async () => {
    const alone = await vec();
    const batches = [await vec(), await vec()];
    for (const env of [alone, ...batches]) env.reset();
    await Promise.all(batches.map((env) => env.stepAsync()));
    alone.step();
    for (const env of batches) expect(env.digest()).toBe(alone.digest());
    for (const env of [alone, ...batches]) env.close();
  });

  it('refuses every other call until it resolves, and loses nothing', async () => {
    const [env, expected] = [await vec({ infos: true }), await vec({ infos: true })];
    for (const batch of [env, expected]) batch.reset();
    const before = env.snapshot();
    const running = env.stepAsync();
    const calls: ((batch: TaskVectorEnv) => unknown)[] = [
      (batch) => batch.step(),
      (batch) => batch.reset(),
      (batch) => batch.rollout('random', 1),
      (batch) => batch.snapshot(),
      (batch) => batch.restore(before),
      (batch) => batch.digest(),
      (batch) => batch.info(0),
      (batch) => batch.episodes,
      (batch) => batch.episodeStatistics(),
      (batch) => batch.runningStatistics(0),
      (batch) => batch.close(),
    ];
    for (const call of calls) expect(() => call(env), String(call)).toThrow(/a step is running/);
    await expect(env.stepAsync()).rejects.toThrow(/a step is running/);
    await running;
    expected.step();
    expect(env.digest()).toBe(expected.digest());
    for (const batch of [env, expected]) batch.close();
  });

  it('rejects what step refuses, and can go on', async () => {
    const env = await vec();
    await expect(env.stepAsync()).rejects.toThrow(/call reset/);
    env.reset();
    await expect(env.stepAsync([])).rejects.toThrow(/actions are a plain array of 0/);
    await expect(env.stepAsync()).resolves.toMatchObject({ rewards: env.rewards });
    env.close();
    await expect(env.stepAsync()).rejects.toThrow(/closed/);
  });
});

it.runIf(available.includes('native'))('leaves the JavaScript thread free', async () => {
  // About 50 ms of work, during which timers of 1 ms must fire.
  const env = await makeVec(TASK, { numEnvs: 2 ** 20, backend: 'native' });
  env.reset();
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const started = performance.now();
  await env.stepAsync();
  const elapsedMs = performance.now() - started;
  clearInterval(timer);
  env.close();
  console.info(`${ticks} ticks in ${elapsedMs.toFixed(0)} ms`);
  expect(ticks).toBeGreaterThan(0);
});
