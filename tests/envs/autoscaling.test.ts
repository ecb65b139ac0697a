import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeRng } from '../../src/base/seeding.js';
import { EpisodeRecorder } from '../../src/evaluation/recorder.js';
import { type JsonObject, make, makeVec } from '../../src/index.js';
import { autoscaling, type Played, playEpisode, Service } from '../support/autoscaling.js';

const f = Math.fround;
const KEEP = 1;
const keep = (_step: number, row: Int32Array) => {
  row.fill(0);
  row[row.length - 1] = KEEP;
};

const types = fc
  .array(
    fc.record({
      capacity: fc.integer({ min: 1, max: 8 }),
      price: fc.double({ min: 0, max: 5, noNaN: true }),
    }),
    { minLength: 0, maxLength: 2 },
  )
  .map((others) => [{ capacity: 1, price: 1 }, ...others])
  .map((all) => all.map((type, i) => ({ name: `type ${i}`, ...type })));

const configs = fc
  .record({
    max_steps: fc.integer({ min: 1, max: 40 }),
    base_request_rate: fc.double({ min: 0, max: 120, noNaN: true }),
    request_rate_std: fc.double({ min: 0, max: 40, noNaN: true }),
    max_instances: fc.integer({ min: 8, max: 30 }),
    initial_resources: fc.integer({ min: 1, max: 8 }),
    initial_resources_spread: fc.integer({ min: 0, max: 3 }),
    max_delta: fc.integer({ min: 1, max: 3 }),
    cold_start_steps: fc.integer({ min: 0, max: 16 }),
    instance_types: types,
    capacity: fc.double({ min: 50, max: 200, noNaN: true }),
    target_cpu_range: fc.constantFrom([40, 70], [50, 80], [0, 1000]),
    target_memory_range: fc.constantFrom([40, 70], [10, 20]),
    resource_cost_weight: fc.double({ min: 0, max: 1, noNaN: true }),
    budget: fc.option(fc.double({ min: 0, max: 300, noNaN: true })),
  })
  .map((config) => config as unknown as JsonObject);

/** Random rows of an action, most of them in range. */
function randomRows(seed: number, numTypes: number, maxDelta: number) {
  const rng = makeRng(seed);
  const below = (n: number) => rng.nextUint32() % n;
  return Array.from({ length: 40 }, () => [below(numTypes), below(2 * maxDelta + 1)]);
}

/** Equal to binary32's precision. */
function expectNear(actual: number, expected: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-6 * Math.abs(expected) + 1e-30);
}

describe("the origin's example numbers", () => {
  const first = (rate: number): Played =>
    playEpisode(
      autoscaling('easy', {
        base_request_rate: rate,
        request_rate_std: 0,
        initial_resources: 3,
        initial_resources_spread: 0,
      }),
      0,
      keep,
    ).steps[0];

  it('47 requests on 3 instances read about 66 % and 60 %', () => {
    const { observation, terminated, metrics } = first(47);
    expect(observation[0]).toBeCloseTo(65.8, 4);
    expect(observation[1]).toBeCloseTo(59.5333, 3);
    expect([...observation.subarray(2)]).toEqual([47, 3]);
    expect(metrics['latency']).toBeCloseTo(47 / 3, 5);
    expect(terminated).toBe(false);
  });

  it('80 requests on 3 instances read 112 % and end the episode at once', () => {
    const { observation, terminated } = first(80);
    expect(observation[0]).toBeCloseTo(112, 4);
    expect(terminated).toBe(true);
  });
});

describe('a step', () => {
  it('is what a list of instances and the origin’s formulas say', () => {
    fc.assert(
      fc.property(configs, fc.nat(), (config, seed) => {
        const task = autoscaling('medium', config);
        const numTypes = (task.config['instance_types'] as unknown[]).length;
        const maxDelta = Number(task.config['max_delta']);
        const rows = randomRows(seed, numTypes, maxDelta);
        const { initial, steps } = playEpisode(task, seed, (t, row) => {
          row.set(rows[t].slice(2 - row.length));
        });
        const service = new Service(task.config, initial[3]);
        steps.forEach(({ metrics, observation, reward, cost, terminated, truncated }, t) => {
          const [type, index] = rows[t];
          service.change(numTypes > 1 ? type : 0, index - maxDelta);
          const expected = service.observe(metrics['request_rate']);
          expectNear(observation[0], expected.cpu);
          expectNear(observation[1], expected.memory);
          expect(observation[3]).toBe(expected.instances);
          expect(metrics['starting_instances']).toBe(expected.starting);
          expect(metrics['price']).toBeCloseTo(expected.price, 4);
          expect(metrics['budget_left']).toBeCloseTo(expected.budgetLeft, 2);
          // A utilisation that f32 rounds over an end of its range is worth a step less.
          const { cpu, memory } = expected;
          const ends = [...(config['target_cpu_range'] as unknown as number[]), 10, 20, 40, 70];
          const isAtEnd = ends.some((end) => [cpu, memory].some((u) => Math.abs(u - end) < 1e-4));
          if (!isAtEnd) expect(reward).toBeCloseTo(expected.reward, 6);
          if (Math.abs(expected.budgetLeft) > 1e-6 || config['budget'] === null) {
            const late = metrics['latency'] > 20 ? 1 : 0;
            expect(cost).toBe(late + (expected.overBudget ? 1 : 0));
          }
          expect(terminated).toBe(observation[0] > 95 || observation[1] > 95);
          expect(truncated).toBe(t + 1 === task.horizonSteps);
          if (numTypes > 1) {
            const counts = [0, 1, 2].map((kind) => service.count(kind));
            expect([...observation.subarray(4, 7)]).toEqual(counts);
          }
        });
      }),
      { numRuns: 150, seed: 11 },
    );
  });

  it('keeps instances in their bounds and the reward in [0, 1], whatever the action', () => {
    const anything = fc.integer();
    fc.assert(
      fc.property(
        configs,
        fc.nat(),
        fc.array(anything, { minLength: 80 }),
        (config, seed, rows) => {
          const task = autoscaling('medium', config);
          const { steps } = playEpisode(task, seed, (t, row) => {
            row.set([rows[2 * t], rows[2 * t + 1]].slice(2 - row.length));
          });
          const most = Number(task.config['max_instances']);
          for (const { observation, reward, terminated } of steps) {
            expect(observation[3]).toBeGreaterThanOrEqual(1);
            expect(observation[3]).toBeLessThanOrEqual(most);
            expect(reward).toBeGreaterThanOrEqual(0);
            expect(reward).toBeLessThanOrEqual(1);
            expect(terminated).toBe(observation[0] > 95 || observation[1] > 95);
            expect(task.observationSpace.describe(observation)).toBeNull();
          }
        },
      ),
      { numRuns: 80, seed: 12 },
    );
  });

  it.each([0, 1, 2, 15, 16])('lets an instance serve %i steps after it was asked for', (delay) => {
    const task = autoscaling('easy', { cold_start_steps: delay, max_steps: 30 });
    const { steps, initial } = playEpisode(task, 5, (t, row) => {
      row[0] = t === 2 ? KEEP + 1 : KEEP;
    });
    steps.forEach(({ metrics, observation }, t) => {
      expect(metrics['serving_units'], `step ${t}`).toBe(initial[3] + (t >= 2 + delay ? 1 : 0));
      expect(observation[3]).toBe(initial[3] + (t >= 2 ? 1 : 0));
      if (delay > 0) expect(observation[4]).toBe(t >= 2 && t < 2 + delay ? 1 : 0);
    });
  });
});

describe('the request rate', () => {
  const ratesUnder = (task: ReturnType<typeof autoscaling>, seed: number, action: number) =>
    playEpisode(task, seed, (_, row) => row.fill(action)).steps.map(
      (s) => s.metrics['request_rate'],
    );

  it('does not depend on what is done', () => {
    for (const name of ['medium', 'diurnal', 'trace']) {
      const task = autoscaling(name, { utilization_limit: 1000, max_steps: 50 });
      expect(ratesUnder(task, 3, 0)).toEqual(ratesUnder(task, 3, 2));
    }
  });

  it('is normal about its base: mean and deviation within 4 standard errors', () => {
    const task = autoscaling('hard', { utilization_limit: 1000, max_steps: 2000 });
    const rates = [1, 2, 3, 4, 5].flatMap((seed) => ratesUnder(task, seed, 2));
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length;
    expect(rates.length).toBe(10_000);
    expect(Math.abs(mean - 80)).toBeLessThan((4 * 25) / 100);
    expect(Math.abs(Math.sqrt(variance) - 25)).toBeLessThan((4 * 25) / Math.sqrt(20_000));
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(0);
  });

  it('follows days and weeks', () => {
    const task = autoscaling('diurnal', { request_rate_std: 0, utilization_limit: 1000 });
    const rates = ratesUnder(task, 8, 2);
    expect(rates.length).toBe(2016);
    expect(Math.max(...rates)).toBeCloseTo(84, 3);
    expect(Math.min(...rates)).toBeCloseTo(60 * 0.6 * 0.75, 3);
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    expect(mean).toBeCloseTo((60 * (5 + 2 * 0.75)) / 7, 3);
    expect(ratesUnder(task, 9, 2)[0]).not.toBe(rates[0]);
  });

  it('of a recorded window has mean 60 and leaves room at its peak', () => {
    const task = autoscaling('trace', { utilization_limit: 1000 });
    for (let seed = 0; seed < 20; seed++) {
      const rates = ratesUnder(task, seed, 2);
      expect(rates.reduce((sum, rate) => sum + rate, 0) / 100).toBeCloseTo(60, 3);
      expect(Math.max(...rates)).toBeLessThanOrEqual((0.9 * 20 * 100) / 4.2);
    }
  });

  it('begins a recorded window with what an HPA would run', () => {
    const { initial } = playEpisode(autoscaling('trace'), 4, keep);
    expect(initial[3]).toBe(Math.ceil((initial[2] * 4.2) / 55));
  });
});

describe('configurations', () => {
  it.each<[string, JsonObject]>([
    ['config.max_instances is 0', { max_instances: 0 }],
    ['config.initial_resources is 21', { initial_resources: 21 }],
    ['config.base_request_rate is -1', { base_request_rate: -1 }],
    ['config.request_rate_std is NaN', { request_rate_std: Number.NaN }],
    ['config.target_cpu_range is', { target_cpu_range: [70, 40] }],
    ['config.target_memory_range is', { target_memory_range: [40] }],
    ['config.max_delta is 4', { max_delta: 4 }],
    ['config.instance_types is', { instance_types: [] }],
    [
      'config.instance_types[0].capacity is 2',
      { instance_types: [{ name: 'a', capacity: 2, price: 1 }] },
    ],
    ['config.request_pattern is', { request_pattern: { kind: 'sine' } }],
    [
      'config.request_pattern.amplitude is 2',
      { request_pattern: { kind: 'weekly', amplitude: 2 } },
    ],
    ['config.hpa.min_replicas is 30', { hpa: { min_replicas: 30 } }],
    ['config.replicas is unknown', { replicas: 3 }],
  ])('are refused with the field named: %s', (message, config) => {
    expect(() => autoscaling('medium', config)).toThrow(message);
  });

  it('are refused where the trace is unknown or too short', () => {
    const trace = (name: string) => ({ request_pattern: { kind: 'trace', trace: name } });
    expect(() => autoscaling('trace', trace('nowhere'))).toThrow('rate trace "nowhere"');
    expect(() => autoscaling('trace', { max_steps: 8000 })).toThrow('has 7938 entries');
    expect(() => autoscaling('trace', { max_instances: 2 })).toThrow('no window of 100 steps');
  });
});

describe('actions', () => {
  it('of a fleet are a type and a change, by number or by name', async () => {
    const env = await make('autoscaling/fleet-v1', { backend: 'reference', seed: 1 });
    const { observation } = env.reset();
    const small = observation[4];
    const { observation: next, info } = env.step({ instance_type: 'large', change: 1 });
    expect([...next.subarray(4, 7)]).toEqual([small, 0, 1]);
    expect(info['budget_left']).toBeCloseTo(900 - small - 3.6, 3);
    expect([...env.step([2, 0]).observation.subarray(4, 7)]).toEqual([small, 0, 0]);
    expect(() => env.step([3, 0])).toThrow('action[0] is 3');
    expect(() => env.step({ instance_type: 'huge', change: 1 })).toThrow('small, medium, large');
    expect(() => env.step({ instance_type: 0, change: 2 })).toThrow('from -1 to 1');
    env.close();
  });

  it('of the wide variant change by up to max_delta, and batches are checked too', async () => {
    const options = { numEnvs: 2, backend: 'reference' } as const;
    const wide = await makeVec('autoscaling/medium-v1', { ...options, config: { max_delta: 3 } });
    const before = wide.reset().observations.slice();
    const { observations } = wide.step(Int32Array.of(6, 0));
    expect(observations[3]).toBe(before[3] + 3);
    expect(observations[7]).toBe(Math.max(1, before[7] - 3));
    expect(() => wide.step(Int32Array.of(0, 7))).toThrow('environment 1: action is 7');
    const fleet = await makeVec('autoscaling/fleet-v1', options);
    fleet.reset();
    expect(() => fleet.step(Int32Array.of(0, 0, 1, 3))).toThrow('environment 1: action[1] is 3');
  });
});

describe('the recorder', () => {
  it('keeps states, actions and rewards of an episode', async () => {
    const recorder = new EpisodeRecorder(
      await make('autoscaling/easy-v1', { backend: 'reference' }),
    );
    expect(recorder.hasEnded).toBe(true);
    expect(() => recorder.episode).toThrow('no episode has begun');
    recorder.reset({ seed: 2 });
    expect(() => recorder.step(9)).toThrow('action is 9');
    for (let k = 0; !recorder.hasEnded; k++) recorder.step(k % 2 === 0 ? 1 : 2);
    const { states, actions, rewards, infos, initialState, truncated, terminated } =
      recorder.episode;
    expect([actions.length, rewards.length, infos.length]).toEqual(Array(3).fill(states.length));
    expect(truncated || terminated).toBe(true);
    expect(initialState).toBeInstanceOf(Float32Array);
    const tensor = recorder.stateTensor();
    expect(tensor.length).toBe(4 * states.length);
    expect([...tensor.subarray(0, 4)]).toEqual([...states[0]]);
    expect(infos[0]['latency']).toBe(f(states[0][2] / states[0][3]));
  });
});
