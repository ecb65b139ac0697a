/** Scheduling's dynamics against a plain model, its invariants, its refusals, its workloads. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/json.js';
import { schedulingFamily, schedulingJobs } from '../../src/envs/scheduling/family.js';
import { registerJobTrace } from '../../src/envs/scheduling/registered.js';
import { stateSlots } from '../../src/program/layout.js';
import { programScalars } from '../../src/program/program.js';
import '../../src/envs/scheduling/node.js';
import type { TaskVectorEnv } from '../../src/api/task-vector-env.js';
import { makeRng } from '../../src/base/seeding.js';
import { readJobTrace } from '../../src/data/job-trace.js';
import { metric } from '../../src/generated/scheduling.js';
import {
  ModelCluster,
  randomSchedulingConfig,
  referenceEnv,
  scheduling,
} from '../support/scheduling.js';

const f = Math.fround;
const metricOf = (env: TaskVectorEnv, name: keyof typeof metric) => env.metrics[metric[name]]!;

/** A feasible decision four times out of five, else any: the model must refuse it too. */
function decide(mask: Uint8Array, word: number): number {
  const feasible = Array.from(mask.keys()).filter((i) => mask[i] === 1);
  const any = word % 5 === 0;
  if (word % 40 === 0) return mask.length + (word % 7);
  if (word % 45 === 0) return -1 - (word % 7);
  return any ? (word >>> 8) % mask.length : feasible[(word >>> 8) % feasible.length]!;
}

function expectModel(env: TaskVectorEnv, model: ModelCluster, reward: number, violations: number) {
  const { counts, servers, queue } = model;
  const running = servers.flatMap((server) => server.running);
  const powerMw = servers.reduce((sum, server) => sum + model.powerMw(server), 0);
  expect(env.rewards[0]).toBeCloseTo(reward, 4);
  expect(env.costs[0]).toBe(violations);
  expect(metricOf(env, 'powerWatts')).toBe(f(powerMw / 1000));
  expect(metricOf(env, 'running')).toBe(running.length);
  expect(metricOf(env, 'waiting')).toBe(queue.length);
  expect(metricOf(env, 'asleep')).toBe(servers.filter(({ mode }) => mode === 'asleep').length);
  expect(metricOf(env, 'waking')).toBe(servers.filter(({ mode }) => mode === 'waking').length);
  expect(Array.from(env.masks)).toEqual(model.mask());
  const left = running.length + queue.length + counts.completed + counts.dropped;
  expect(counts.running + counts.arrived).toBe(left);
}

/** The observation as the page describes it. */
function expectedObservation(model: ModelCluster, config: JsonObject, arrivals: number): number[] {
  const { servers, queue, clock } = model;
  const largest = Math.max(...servers.map(({ tier }) => tier.cpu));
  const power = servers.reduce((sum, server) => sum + model.powerMw(server), 0);
  const most = servers.reduce((sum, { tier }) => sum + 1000 * tier.pMaxWatts, 0);
  const rows = servers.flatMap((server) => {
    const { cpu, mem } = model.used(server);
    const ends = server.running.map(({ end }) => end);
    const next = server.mode === 'waking' ? server.awakeAt : Math.min(...ends);
    return [
      ...[cpu / server.tier.cpu, mem / server.tier.mem, server.tier.cpu / largest],
      ...['active', 'waking', 'asleep'].map((mode) => Number(mode === server.mode)),
      Number.isFinite(next) ? (next - clock) / 100 : 0,
    ];
  });
  const slots = Array.from({ length: Number(config['num_slots']) }, (_, k) => {
    const job = queue[k];
    if (job === undefined) return [0, 0, 0, 0, 0];
    const wait = (clock - job.arrival) / Number(config['sla_deadline_steps']);
    return [1, job.cpu / 100, job.mem / 100, job.duration / 100, wait];
  });
  const backlog = Math.max(0, queue.length - slots.length) / 512;
  const elapsed = clock / Number(config['episode_length']);
  const recent = arrivals / 10;
  return [...rows, ...slots.flat(), backlog, power / most, recent, elapsed].map(f);
}

function playAgainstModel(config: JsonObject, seed: number, steps: number): void {
  const task = scheduling('sleep-aware', config);
  const env = referenceEnv(task, seed);
  const model = new ModelCluster(task, seed);
  const rng = makeRng(`actions ${seed}`);
  const sums = { completed: 0, dropped: 0, invalid: 0, energy: 0 };
  for (let t = 0; t < steps; t++) {
    const decision = decide(env.masks, rng.nextUint32());
    const before = model.counts.arrived;
    env.actions[0] = decision;
    env.step();
    const { reward, violations } = model.step(decision);
    expectModel(env, model, reward, violations);
    const expected = expectedObservation(model, task.config, model.counts.arrived - before);
    expect(Array.from(env.observations)).toEqual(expected);
    sums.completed += metricOf(env, 'completed');
    sums.dropped += metricOf(env, 'dropped');
    sums.invalid += metricOf(env, 'invalidActions');
    sums.energy += metricOf(env, 'powerWatts');
  }
  expect(sums.completed).toBe(model.counts.completed);
  expect(sums.dropped).toBe(model.counts.dropped);
  expect(sums.invalid).toBe(model.counts.invalid);
  expect(sums.energy).toBeCloseTo(model.energyMw / 1000, 1);
  env.close();
}

describe('the dynamics', () => {
  it('are those of a plain list of jobs and servers', () => {
    playAgainstModel({ episode_length: 160, arrival_rate: 0.9, sla_deadline_steps: 7 }, 3, 160);
    playAgainstModel({ workload: 'google_v2_sampled', episode_length: 120 }, 5, 120);
  });

  it('drop what the backlog has no room for, and count it as violated', () => {
    const config = { arrival_rate: 9, max_arrivals_per_step: 10, episode_length: 80, n_servers: 2 };
    playAgainstModel({ ...config, workload: 'poisson' }, 7, 80);
  });

  it('hold for any configuration', () => {
    const seeds = fc.integer({ min: 0, max: 1e6 });
    fc.assert(
      fc.property(seeds, (seed) => {
        const config = randomSchedulingConfig(makeRng(`config ${seed}`));
        playAgainstModel(config, seed, Number(config['episode_length']) - 1);
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  it('count a wait as violated when it passes a multiple of the deadline', () => {
    const csv = 'arrival,cpu,mem,duration\n0,5,5,5\n';
    registerJobTrace('one job', readJobTrace(csv, 'one job'));
    const task = scheduling('base', { workload: 'trace', trace: 'one job' });
    const env = referenceEnv(task);
    env.actions.fill(task.baselineAction as number);
    const late: number[] = [];
    for (let t = 1; t <= 100; t++) {
      env.step();
      if (env.costs[0] === 1) late.push(t);
    }
    expect(late).toEqual([31, 61, 91]);
    env.close();
  });

  it('let a woken server stand for the delay, then take a job', () => {
    const task = scheduling('sleep-aware', { server_wakeup_delay: 2, arrival_rate: 0 });
    const env = referenceEnv(task);
    const wait = task.baselineAction as number;
    const active = (): number => env.observations[3]!;
    const modes = [wait + 1, wait + 1, wait, wait, wait].map((decision) => {
      env.actions[0] = decision;
      env.step();
      return [active(), metricOf(env, 'waking'), metricOf(env, 'asleep')].join('');
    });
    expect(modes).toEqual(['001', '010', '010', '100', '100']);
    env.close();
  });
});

describe('episodes', () => {
  it('know their jobs in advance, whatever is done in them', () => {
    const task = scheduling('base', { episode_length: 200 });
    const env = referenceEnv(task, 11);
    env.rollout('best-fit', 200);
    expect(env.statisticsOf(0)!['arrivals_sum']).toBe(
      schedulingJobs(task, { lo: 11, hi: 0 }).length,
    );
    env.close();
  });

  it('begin anywhere in a longer trace, the same for the same seed', () => {
    const rows = Array.from({ length: 300 }, (_, i) => `${i},${1 + (i % 60)},5,3`);
    registerJobTrace('long', readJobTrace(`arrival,cpu,mem,duration\n${rows.join('\n')}`, 'long'));
    const config = { workload: 'trace', trace: 'long', episode_length: 50 };
    const task = scheduling('base', config);
    const first = (lo: number) => schedulingJobs(task, { lo, hi: 0 })[0]!.cpu;
    const firsts = Array.from({ length: 40 }, (_, lo) => first(lo));
    expect(new Set(firsts).size).toBeGreaterThan(20);
    expect(firsts).toEqual(Array.from({ length: 40 }, (_, lo) => first(lo)));
    expect(schedulingJobs(task, { lo: 1, hi: 0 })).toHaveLength(50);
  });

  it('tell what is feasible in info', () => {
    const task = scheduling('sleep-aware');
    const env = referenceEnv(task);
    const mask = env.info(0)['action_mask'] as number[];
    expect(mask).toHaveLength(5 * 15 + 1 + 15);
    expect(mask.slice(75)).toEqual(new Array(16).fill(1));
    env.close();
  });
});

describe('workloads', () => {
  const jobsOf = (config: JsonObject) => {
    const task = scheduling('base', { episode_length: 20_000, ...config });
    return schedulingJobs(task, { lo: 0, hi: 0 });
  };
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

  it('draw Poisson arrivals, uniform demands and geometric durations', () => {
    const jobs = jobsOf({});
    expect(jobs.length / 20_000).toBeCloseTo(0.75, 1);
    expect(mean(jobs.map(({ cpu }) => cpu))).toBeCloseTo(32.5, 0);
    expect(Math.min(...jobs.map(({ mem }) => mem))).toBe(5);
    expect(Math.max(...jobs.map(({ mem }) => mem))).toBe(60);
    expect(Math.abs(mean(jobs.map(({ duration }) => duration)) - 57.69)).toBeLessThan(1.5);
    expect(Math.max(...jobs.map(({ duration }) => duration))).toBe(300);
  });

  it('swing by 70 % with a period of 250', () => {
    const jobs = jobsOf({ workload: 'poisson_diurnal' });
    const phase = (from: number) => jobs.filter((j) => Math.floor((j.arrival % 250) / 25) === from);
    expect(jobs.length / 20_000).toBeCloseTo(0.4, 1);
    expect(phase(2).length / phase(7).length).toBeGreaterThan(4);
  });

  it("sample Google's demands with openb's runtimes at the same load", () => {
    const jobs = jobsOf({ workload: 'google_v2_sampled' });
    const load = mean(jobs.map(({ cpu }) => cpu)) * mean(jobs.map(({ duration }) => duration));
    expect(Math.abs(load / (32.5 * 57.69) - 1)).toBeLessThan(0.05);
    expect(Math.max(...jobs.map(({ cpu }) => cpu))).toBeLessThanOrEqual(40);
    const median = jobs.map(({ duration }) => duration).sort((a, b) => a - b)[jobs.length >> 1]!;
    expect(median).toBeLessThan(100);
  });
});

describe('refusals', () => {
  const trace = (name: string, csv: string) => registerJobTrace(name, readJobTrace(csv, name));
  trace('giant', 'arrival,cpu,mem,duration\n0,5,5,5\n1,161,5,5\n');
  trace('burst', `arrival,cpu,mem,duration\n${'4,5,5,5\n'.repeat(11)}`);
  it.each<[JsonObject, RegExp]>([
    [{ n_servers: 0 }, /config\.n_servers is 0/],
    [{ n_servers: 257 }, /config\.n_servers is 257/],
    [{ arrival_rate: -0.1 }, /config\.arrival_rate is -0\.1/],
    [{ arrival_rate: Number.NaN }, /config\.arrival_rate is NaN/],
    [{ cluster_type: 'mixed' }, /config\.cluster_type is "mixed"/],
    [{ workload: 'uniform' }, /config\.workload is "uniform"/],
    [{ job_cpu: [5, 161] }, /config\.job_cpu .*some server can take/],
    [{ job_mem: [60, 5] }, /config\.job_mem .*least and greatest/],
    [{ p_max_watts: 50, cluster_type: 'homogeneous' }, /config\.p_max_watts is 50: at least/],
    [{ tiers: [] }, /config\.tiers/],
    [{ workload: 'trace', trace: 'giant' }, /config\.trace .*row 2 asks for cpu 161/],
    [{ workload: 'trace', trace: 'burst' }, /max_arrivals_per_step is 10.*at least 11.*row 11/],
    [{ workload: 'trace', trace: 'nowhere' }, /"nowhere" is neither a file nor registered/],
    [{ workload: 'google_v2_sampled', job_duration_max_steps: 50 }, /job_duration_max_steps is 50/],
    [{ nservers: 3 }, /config\.nservers is unknown/],
    [{ p_idle_watts: 50 }, /config\.p_idle_watts is 50: cluster_type "homogeneous"/],
    [{ diurnal_swing: 0.2 }, /config\.diurnal_swing is 0\.2: workload "poisson_diurnal"/],
    [{ trace: 'burst' }, /config\.trace is "burst": workload "trace"/],
    [{ warm_start: false }, /config\.warm_start is false: workload "trace"/],
    [{ toggle_penalty: 1 }, /config\.toggle_penalty is 1: sleep_aware true/],
    [{ cluster_type: 'homogeneous', fleet_seed: 3 }, /config\.fleet_seed is 3: cluster_type/],
  ])('%j', (config, message) => {
    expect(() => scheduling('base', config)).toThrow(message);
  });

  it.each([
    ['no rows', 'arrival,cpu,mem,duration\n', /no rows/],
    ['unsorted', 'arrival,cpu,mem,duration\n3,1,1,1\n2,1,1,1\n', /data row 2, column "arrival"/],
    ['not a number', 'arrival,cpu,mem,duration\n3,x,1,1\n', /data row 1, column "cpu": "x"/],
    ['a fraction', 'arrival,cpu,mem,duration\n3,1.5,1,1\n', /data row 1, column "cpu": is 1\.5/],
    ['nothing asked for', 'arrival,cpu,mem,duration\n3,0,1,1\n', /column "cpu": is 0/],
    ['a negative time', 'arrival,cpu,mem,duration\n-1,1,1,1\n', /column "arrival": is -1/],
    ['a column less', 'arrival,cpu,mem\n1,1,1\n', /column "duration": is missing/],
  ])('a trace with %s', (_, csv, message) => {
    expect(() => readJobTrace(csv, 'bad')).toThrow(message);
  });

  it('an action outside the space, naming it', () => {
    const env = referenceEnv(scheduling('base'));
    expect(() => env.step([76])).toThrow(/action\.decision is 76/);
    expect(() => env.step([1.5])).toThrow(/action\.decision is 1\.5/);
    env.close();
  });
});

describe('the layout', () => {
  it('names every number of an observation', () => {
    for (const spec of schedulingFamily.tasks) {
      const task = schedulingFamily.compile(spec);
      expect(new Set(task.observationNames).size).toBe(task.observationDim);
      const env = referenceEnv(task, 0, 2);
      env.rollout('power-aware', 300);
      expect(task.observationSpace.contains(env.observations.slice(0, task.observationDim))).toBe(
        true,
      );
      env.close();
    }
  });

  it.each([
    [{}, 16_036],
    [{ n_servers: 256 }, 20_856],
    [{ workload: 'google_v2_sampled' }, 27_236],
  ])('takes %j as many bytes of state an environment as the page says', (config, bytes) => {
    const { layout, program } = scheduling('base', config);
    const slots = stateSlots(layout, programScalars(layout, program));
    expect(slots.reduce((sum, { dtype }) => sum + (dtype === 'u32' ? 4 : 8), 0)).toBe(bytes);
  });
});
