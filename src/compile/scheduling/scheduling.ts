/**
 * Compiles a scheduling task into a program: power curves become tables of whole milliwatts by
 * units of CPU, demands and arrivals alias tables, a trace three columns and an index by tick.
 */

import { actionKind } from '../../generated/common.js';
import {
  fleetField,
  type SchedulingScalars,
  type SchedulingTables,
  schedulingLayout,
  serverField,
  slotField,
} from '../../generated/scheduling.js';
import { encodeProgram } from '../../program/program.js';
import { bitsFor, clippedArrivalTables } from '../arrivals.js';
import { buildAlias } from '../samplers.js';
import { type Fleet, milliwatts, powerTableMw } from './fleet.js';
import { noTrace, traceTables } from './trace.js';
import type { Distribution, DrawnWorkload, Workload } from './workload.js';

/** A scheduling task, read and checked. */
export interface SchedulingConfig {
  readonly fleet: Fleet;
  /** Exponent of the power curve. */
  readonly powerAlpha: number;
  readonly numSlots: number;
  readonly horizonSteps: number;
  readonly deadlineSteps: number;
  readonly sleepAware: boolean;
  /** Power asleep, as a share of the power awake and idle. */
  readonly standbyFactor: number;
  readonly wakeDelaySteps: number;
  /** Reward of drawing the fleet's greatest power for a step, negated. */
  readonly alpha: number;
  /** Reward of `violationScale` violations, negated. */
  readonly beta: number;
  readonly violationScale: number;
  readonly togglePenalty: number;
  /** Most arrivals of a step: draws are cut to it. */
  readonly maxArrivals: number;
  readonly workload: Workload;
}

/** Most jobs that can run at once: a corner that a trace of endless jobs could otherwise reach. */
const RUNNING_MAX = 65536;

/** The program of a scheduling task. Throws `ProgramError` or `RangeError` naming the field. */
export function compileScheduling(config: SchedulingConfig): Uint8Array {
  const { fleet, numSlots } = config;
  const numServers = fleet.servers.length;
  const tierCpu = (tier: number) => fleet.tiers[tier].cpu;
  const sumOver = (value: (tier: number) => number) =>
    fleet.servers.reduce((sum, tier) => sum + value(tier), 0);
  const fleetCpu = sumOver(tierCpu);
  const workload = compileWorkload(config, fleetCpu);
  const startSlots = mostStarted(config);
  const runningSlots = startSlots + workload.scalars.warmSlots;
  if (runningSlots > RUNNING_MAX) refuseRunning(config, runningSlots);
  const power = powerTables(config);
  const numActions = (numSlots + (config.sleepAware ? 1 : 0)) * numServers + 1;
  const fleetPowerMw = sumOver((tier) => power.tables[tier][tierCpu(tier)]);
  const scalars: SchedulingScalars = {
    horizon: config.horizonSteps,
    actionDim: 1,
    observationDim: observationDim(config),
    maskDim: numActions,
    numServers,
    numSlots,
    numActions,
    sleepAware: config.sleepAware ? 1 : 0,
    wakeDelaySteps: config.wakeDelaySteps,
    numTiers: fleet.tiers.length,
    capacityMax: fleet.servers.reduce((most, i) => (tierCpu(i) > most ? tierCpu(i) : most), 0),
    powerStride: power.stride,
    startSlots,
    runningSlots,
    deadlineSteps: config.deadlineSteps,
    fleetCpu,
    fleetPowerMw,
    idlePowerMw: sumOver((tier) => power.tables[tier][0]),
    rewardPower: config.alpha / fleetPowerMw,
    rewardViolation: config.beta / config.violationScale,
    rewardToggle: config.togglePenalty,
    ...workload.scalars,
  };
  const tables: SchedulingTables = {
    actionKind: Uint32Array.of(actionKind.index),
    actionNumChoices: new Uint32Array(1),
    actionRanges: Float32Array.of(0, numActions - 1),
    actionChoices: new Float32Array(8),
    serverTier: Uint32Array.from(fleet.servers),
    tierCpu: Uint32Array.from(fleet.tiers, ({ cpu }) => cpu),
    tierMem: Uint32Array.from(fleet.tiers, ({ mem }) => mem),
    tierPowerMw: power.flat,
    tierSleepMw: Uint32Array.from(fleet.tiers, ({ pIdleWatts }) =>
      milliwatts(pIdleWatts * config.standbyFactor),
    ),
    ...workload.tables,
  };
  return encodeProgram(schedulingLayout, scalars, tables);
}

/** Numbers in an observation row. */
export function observationDim({ fleet, numSlots }: SchedulingConfig): number {
  const count = (fields: object) => Object.keys(fields).length;
  const servers = fleet.servers.length * count(serverField);
  return servers + numSlots * count(slotField) + count(fleetField);
}

/** Tables of all tiers at one stride; past a tier's capacity they go on as at it. */
function powerTables({ fleet, powerAlpha }: SchedulingConfig) {
  const tables = fleet.tiers.map((tier) => powerTableMw(tier, powerAlpha));
  const stride = tables.reduce((most, { length }) => (length > most ? length : most), 0);
  const flat = new Uint32Array(tables.length * stride);
  tables.forEach((table, i) => {
    flat.fill(table[table.length - 1], i * stride, (i + 1) * stride);
    flat.set(table, i * stride);
  });
  return { tables, stride, flat };
}

/** One job at most starts in a step, and none outlasts the longest duration or the episode. */
function mostStarted({ workload, horizonSteps }: SchedulingConfig): number {
  const { values } =
    workload.kind === 'drawn' ? workload.duration : { values: workload.trace.duration };
  const longest = values.reduce((most, steps) => (steps > most ? steps : most), 1);
  return longest < horizonSteps ? longest : horizonSteps;
}

function refuseRunning(config: SchedulingConfig, runningSlots: number): never {
  throw new RangeError(
    `up to ${runningSlots} jobs run at once in an episode of ${config.horizonSteps} steps: at ` +
      `most ${RUNNING_MAX} are possible; shorten the jobs or the episode`,
  );
}

function compileWorkload(config: SchedulingConfig, fleetCpu: number) {
  const { workload, maxArrivals, horizonSteps } = config;
  if (workload.kind === 'drawn') return drawnTables(workload, maxArrivals);
  const nothing: DrawnWorkload = {
    kind: 'drawn',
    rates: [0],
    ...{ cpu: single(1), mem: single(1), duration: single(1) },
  };
  const unused = drawnTables(nothing, 1);
  const { scalars, tables } = traceTables(workload, horizonSteps, fleetCpu);
  return {
    scalars: { ...unused.scalars, ...scalars },
    tables: { ...unused.tables, ...tables },
  };
}

const single = (value: number): Distribution => ({ values: [value], weights: [1] });

function drawnTables({ rates, cpu, mem, duration }: DrawnWorkload, maxArrivals: number) {
  const levels = [...new Set(rates)].sort((a, b) => a - b);
  const arrivals = clippedArrivalTables(levels, maxArrivals);
  const demands = { cpu: demandTable(cpu), mem: demandTable(mem), duration: demandTable(duration) };
  return {
    scalars: {
      fromTrace: 0,
      numLevels: levels.length,
      arrivalBits: arrivals.bits,
      profileSteps: rates.length,
      cpuBits: demands.cpu.bits,
      memBits: demands.mem.bits,
      durationBits: demands.duration.bits,
      ...noTrace.scalars,
    },
    tables: {
      profileLevel: Uint32Array.from(rates, (rate) => levels.indexOf(rate)),
      arrivalAlias: arrivals.columns,
      cpuAlias: demands.cpu.columns,
      cpuValue: demands.cpu.values,
      memAlias: demands.mem.columns,
      memValue: demands.mem.values,
      durationAlias: demands.duration.columns,
      durationValue: demands.duration.values,
      ...noTrace.tables,
    },
  };
}

function demandTable({ values, weights }: Distribution) {
  const { bits, columns } = buildAlias(weights, 0, bitsFor(values.length));
  const padded = new Uint32Array(1 << bits);
  padded.set(values);
  return { bits, columns, values: padded };
}
