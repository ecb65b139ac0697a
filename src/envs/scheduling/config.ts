/** Reads a scheduling task's configuration; refusals name the entry. */

import type { Json, JsonObject } from '../../base/json.js';
import { drawFleet, type Fleet, type Tier } from '../../compile/scheduling/fleet.js';
import type { SchedulingConfig } from '../../compile/scheduling/scheduling.js';
import {
  geometricSteps,
  meanOf,
  scaledSamples,
  scaleToMean,
  swingingRates,
  uniformIntegers,
  type Workload,
} from '../../compile/scheduling/workload.js';
import type { JobTrace } from '../../data/job-trace.js';
import { show } from '../../spaces/space.js';
import { ConfigReader } from '../config-reader.js';
import type { TaskSpec } from '../family.js';
import { demandSamples, jobTraces } from './registered.js';
import { SCHEDULING_DEFAULTS } from './tasks.js';

const WORKLOADS = ['poisson', 'poisson_diurnal', 'google_v2_sampled', 'trace'] as const;
type WorkloadName = (typeof WORKLOADS)[number];

/** Mean arrivals of a step, where a task does not say. */
const ARRIVAL_RATES: Readonly<Record<WorkloadName, number>> = {
  poisson: 0.75,
  poisson_diurnal: 0.4,
  google_v2_sampled: 0.75,
  trace: 0,
};

/** Longest drawn duration in steps, where a task does not say. */
const DURATION_MAX_POISSON = 300;
const DURATION_MAX_SAMPLED = 1000;

const UNITS = { min: 1, max: 65535, integer: true };
const STEPS = { min: 1, max: 100_000, integer: true };
const WATTS = { min: 0.001, max: 16_000 };
const WEIGHT = { min: 0, max: 1e6 };

/**
 * The configuration of a task, some entries replaced, and the same as JSON.
 *
 * @throws RangeError naming an entry that is unknown, mistyped or out of range; DataError for a
 * trace that is not known.
 */
export function readConfig(spec: TaskSpec, overrides: JsonObject) {
  const reader = ConfigReader.over(SCHEDULING_DEFAULTS, [spec.config, overrides]);
  const fleet = readFleet(reader);
  const maxArrivals = reader.number('max_arrivals_per_step', { min: 1, max: 511, integer: true });
  const config: SchedulingConfig = {
    fleet,
    powerAlpha: reader.number('power_alpha', { min: 0.1, max: 10 }),
    numSlots: reader.number('num_slots', { min: 1, max: 16, integer: true }),
    horizonSteps: reader.number('episode_length', STEPS),
    deadlineSteps: reader.number('sla_deadline_steps', { min: 1, max: 10_000, integer: true }),
    sleepAware: reader.boolean('sleep_aware'),
    standbyFactor: reader.number('sleep_standby_factor', { min: 0, max: 1 }),
    wakeDelaySteps: reader.number('server_wakeup_delay', { min: 0, max: 1000, integer: true }),
    alpha: reader.number('alpha', WEIGHT),
    beta: reader.number('beta', WEIGHT),
    violationScale: reader.number('violation_scale', { min: 1e-3, max: 1e6 }),
    togglePenalty: reader.number('toggle_penalty', WEIGHT),
    maxArrivals,
    workload: readWorkload(reader, fleet, maxArrivals),
  };
  refuseIdle(reader, spec, overrides);
  return { config, json: reader.json };
}

/** Entries that only some tasks read, and what a task must be for it. */
const READ_WHERE: Readonly<Record<string, (json: JsonObject) => string | null>> = {
  ...where(['cpu_capacity', 'mem_capacity', 'p_idle_watts', 'p_max_watts'], {
    cluster_type: ['homogeneous'],
  }),
  ...where(['tiers', 'fleet_seed'], { cluster_type: ['heterogeneous'] }),
  ...where(['sleep_standby_factor', 'server_wakeup_delay', 'toggle_penalty'], {
    sleep_aware: [true],
  }),
  ...where(['diurnal_swing', 'diurnal_period_steps'], { workload: ['poisson_diurnal'] }),
  ...where(['trace', 'warm_start'], { workload: ['trace'] }),
  ...where(['job_mem'], { workload: ['poisson', 'poisson_diurnal'] }),
  ...where(['arrival_rate', 'job_cpu', 'job_duration_mean_steps', 'job_duration_max_steps'], {
    workload: ['poisson', 'poisson_diurnal', 'google_v2_sampled'],
  }),
};

function where(names: readonly string[], only: Readonly<Record<string, readonly Json[]>>) {
  const [entry, values] = Object.entries(only)[0];
  const needed = (json: JsonObject) =>
    values.includes(json[entry]) ? null : `${entry} ${values.map(show).join(' or ')}`;
  return Object.fromEntries(names.map((name) => [name, needed]));
}

/** Refuses an entry that is not the task's own where the rest of the task does not read it. */
function refuseIdle(reader: ConfigReader, spec: TaskSpec, overrides: JsonObject): void {
  const own = { ...SCHEDULING_DEFAULTS, ...spec.config };
  for (const name of Object.keys(overrides)) {
    const needed = READ_WHERE[name]?.(reader.json) ?? null;
    const isOwn = JSON.stringify(overrides[name]) === JSON.stringify(own[name]);
    if (needed !== null && !isOwn)
      reader.refuse(name, `${needed}, without which it has no effect,`);
  }
}

function readFleet(reader: ConfigReader): Fleet {
  const numServers = reader.number('n_servers', { min: 1, max: 256, integer: true });
  const seed = reader.number('fleet_seed', { min: 0, max: 2 ** 53, integer: true });
  if (reader.choice('cluster_type', ['homogeneous', 'heterogeneous']) === 'homogeneous') {
    const server: Tier = {
      name: 'server',
      cpu: reader.number('cpu_capacity', UNITS),
      mem: reader.number('mem_capacity', UNITS),
      ...readPower(reader),
      probability: 1,
    };
    return { tiers: [server], servers: new Array<number>(numServers).fill(0) };
  }
  const tiers = reader.objects('tiers', (SCHEDULING_DEFAULTS['tiers'] as JsonObject[])[0]);
  if (tiers.length < 1 || tiers.length > 16) reader.refuse('tiers', 'a list of 1 to 16 tiers');
  const read = tiers.map(readTier);
  if (!read.some(({ probability }) => probability > 0)) {
    reader.refuse('tiers', 'a probability above 0');
  }
  return drawFleet(numServers, read, seed);
}

function readTier(reader: ConfigReader): Tier {
  return {
    name: reader.text('name'),
    cpu: reader.number('cpu', UNITS),
    mem: reader.number('mem', UNITS),
    ...readPower(reader),
    probability: reader.number('probability', { min: 0, max: 1 }),
  };
}

function readPower(reader: ConfigReader) {
  const pIdleWatts = reader.number('p_idle_watts', { ...WATTS, min: 0 });
  const pMaxWatts = reader.number('p_max_watts', WATTS);
  if (pMaxWatts < pIdleWatts) {
    reader.refuse('p_max_watts', `at least p_idle_watts, ${pIdleWatts},`);
  }
  return { pIdleWatts, pMaxWatts };
}

function readWorkload(reader: ConfigReader, fleet: Fleet, maxArrivals: number): Workload {
  const name = reader.choice('workload', WORKLOADS);
  if (name === 'trace') {
    const trace = jobTraces.find(reader.text('trace'));
    checkTrace(reader, trace, fleet, maxArrivals);
    return { kind: 'trace', trace, warmStart: reader.boolean('warm_start') };
  }
  const given = reader.optionalNumber('arrival_rate', { min: 0, max: maxArrivals });
  const rate = given ?? ARRIVAL_RATES[name];
  if (name === 'google_v2_sampled') {
    return { kind: 'drawn', rates: [rate], ...sampledDemands(reader, fleet) };
  }
  const cpu = readUnits(reader, 'job_cpu');
  const mem = readUnits(reader, 'job_mem');
  if (!someServer(fleet, cpu[1], mem[1])) {
    reader.refuse('job_cpu', `jobs that some server can take (with job_mem up to ${mem[1]})`);
  }
  return {
    kind: 'drawn',
    rates: name === 'poisson' ? [rate] : readSwing(reader, rate),
    cpu: uniformIntegers(...cpu),
    mem: uniformIntegers(...mem),
    duration: baseDurations(reader),
  };
}

function readSwing(reader: ConfigReader, rate: number): number[] {
  const swing = reader.number('diurnal_swing', { min: 0, max: 1 });
  const period = reader.number('diurnal_period_steps', { min: 2, max: 2000, integer: true });
  return swingingRates(rate, swing, period);
}

function readUnits(reader: ConfigReader, name: string): [number, number] {
  const [min, max] = reader.numbers(name, UNITS, 2);
  const isRange = min <= max && max - min < 512;
  return isRange ? [min, max] : reader.refuse(name, 'least and greatest, at most 511 apart,');
}

function baseDurations(reader: ConfigReader) {
  const mean = reader.number('job_duration_mean_steps', { min: 1, max: 1e6 });
  return geometricSteps(mean, durationMax(reader, 512) ?? DURATION_MAX_POISSON);
}

function durationMax(reader: ConfigReader, max: number): number | null {
  return reader.optionalNumber('job_duration_max_steps', { min: 1, max, integer: true });
}

/**
 * Google's demands (fractions of its largest machine, here of the fleet's) with openb's runtimes,
 * scaled so that a job is as much CPU work as one of the Poisson workload.
 */
function sampledDemands(reader: ConfigReader, fleet: Fleet) {
  const samples = demandSamples.find('google_v2_sampled');
  const units = fleet.servers.reduce((most, i) => Math.max(most, fleet.tiers[i].cpu), 0);
  const largest = (capacity: (tier: Tier) => number): [number, number] => [
    1,
    fleet.servers.reduce((most, i) => Math.max(most, capacity(fleet.tiers[i])), 1),
  ];
  const cpu = scaledSamples(
    samples.cpuFraction,
    units,
    largest((tier) => tier.cpu),
  );
  const mem = scaledSamples(
    samples.memFraction,
    units,
    largest((tier) => tier.mem),
  );
  const base = meanOf(uniformIntegers(...readUnits(reader, 'job_cpu')));
  const mean = reader.number('job_duration_mean_steps', { min: 1, max: 1e6 });
  const steps: [number, number] = [1, durationMax(reader, 65536) ?? DURATION_MAX_SAMPLED];
  const wanted = (base * meanOf(geometricSteps(mean, DURATION_MAX_POISSON))) / meanOf(cpu);
  if (wanted >= steps[1]) {
    reader.refuse('job_duration_max_steps', `more than the mean, ${Math.ceil(wanted)},`);
  }
  const scale = scaleToMean(samples.runtimeS, wanted, steps);
  return { cpu, mem, duration: scaledSamples(samples.runtimeS, scale, steps) };
}

const someServer = (fleet: Fleet, cpu: number, mem: number): boolean =>
  fleet.servers.some((i) => fleet.tiers[i].cpu >= cpu && fleet.tiers[i].mem >= mem);

/** A job that no server can take would wait for ever, and a tick may not bring more than stated. */
function checkTrace(reader: ConfigReader, trace: JobTrace, fleet: Fleet, maxArrivals: number) {
  const { arrival, cpu, mem } = trace;
  let sameTick = 0;
  for (let i = 0; i < arrival.length; i++) {
    if (!someServer(fleet, cpu[i], mem[i])) {
      const job = `row ${i + 1} asks for cpu ${cpu[i]}, mem ${mem[i]}`;
      reader.refuse('trace', `jobs that some server of the fleet can take (${job})`);
    }
    sameTick = i > 0 && arrival[i] === arrival[i - 1] ? sameTick + 1 : 1;
    if (sameTick > maxArrivals) {
      const tick = `row ${i + 1} is job ${sameTick} of step ${arrival[i]}`;
      const needed = `at least ${sameTick} for this trace (${tick})`;
      reader.refuse('max_arrivals_per_step', needed);
    }
  }
}
