/** Scheduling: place jobs on servers, let idle servers sleep, keep deadlines and save power. */

import { digestOf } from '../../base/digest.js';
import type { JsonObject } from '../../base/json.js';
import type { Seed } from '../../base/seeding.js';
import {
  compileScheduling,
  observationDim,
  type SchedulingConfig,
} from '../../compile/scheduling/scheduling.js';
import {
  fleetFieldNames,
  type SchedulingScalars,
  type SchedulingTables,
  schedulingLayout,
  serverFieldNames,
  slotFieldNames,
} from '../../generated/scheduling.js';
import { decodeProgram } from '../../program/program.js';
import {
  type ArrivedJob,
  type EpisodeJobs,
  jobsOfEpisode,
} from '../../reference/scheduling/jobs.js';
import { Box, Discrete } from '../../spaces/index.js';
import { actionNumber } from '../action-number.js';
import type { CompiledTask, EnvFamily, TaskSpec } from '../family.js';
import { metricsEntry } from '../report.js';
import { returnBound } from './bound.js';
import { readConfig } from './config.js';
import { gradeSchedulingLog, gradeStatistics, schedulingMetrics } from './grader.js';
import { schedulingTasks } from './tasks.js';

/** The scheduling family: fleets of equal and of different servers, with and without sleep. */
export const schedulingFamily: EnvFamily = {
  name: 'scheduling',
  layout: schedulingLayout,
  tasks: schedulingTasks,
  policies: [
    ...['baseline', 'random', 'random-feasible', 'constant'],
    ...['rr', 'sjf', 'ffd', 'best-fit', 'tetris', 'power-aware'],
  ],
  compile: compileSchedulingTask,
};

/**
 * Compiles a scheduling task with some entries of its configuration replaced.
 *
 * @throws RangeError naming an entry that is unknown, mistyped or out of range; DataError for a
 * trace that is not known.
 */
function compileSchedulingTask(spec: TaskSpec, overrides: JsonObject = {}): CompiledTask {
  const { config, json } = readConfig(spec, overrides);
  const program = compileScheduling(config);
  const wait = config.numSlots * config.fleet.servers.length;
  const numActions = wait + 1 + (config.sleepAware ? config.fleet.servers.length : 0);
  const actionSpace = new Discrete(numActions);
  return {
    spec,
    config: json,
    layout: schedulingLayout,
    program,
    programDigest: digestOf(program),
    horizonSteps: config.horizonSteps,
    actionSpace,
    observationSpace: observationSpace(config),
    actionDtype: 'index',
    actionDim: 1,
    observationDim: observationDim(config),
    maskDim: numActions,
    actionNames: schedulingLayout.actions.map(({ name }) => name),
    observationNames: observedFields(config).map(({ name }) => name),
    encodeAction(action, row) {
      const decision = actionNumber(action, 'decision');
      const problem = actionSpace.describe(decision, 'action.decision');
      if (problem !== null) throw new RangeError(problem);
      row[0] = decision as number;
    },
    baselineAction: wait,
    baselineHeuristic: 'rr',
    report: [metricsEntry(schedulingLayout)],
    grader: { kind: 'scheduling' },
    grade: gradeStatistics,
    gradeLog(log, context = {}) {
      return gradeSchedulingLog(this, log, context);
    },
    episodeMetrics: (statistics) => ({ ...schedulingMetrics(statistics) }),
    needsBaseline: true,
    bound: (seed, episode) => returnBound(decode(program), seed, episode),
  };
}

const decode = (program: Uint8Array) =>
  decodeProgram<SchedulingScalars, SchedulingTables>(schedulingLayout, program);

/** Every job of an episode of a task, whatever is done in it, in the order of arrival. */
export function schedulingJobs(task: CompiledTask, seed: Seed, episode = 0): readonly ArrivedJob[] {
  return schedulingEpisodeJobs(task, seed, episode).arrived;
}

/** `schedulingJobs`, and the jobs of a recording that run when its window begins. */
export function schedulingEpisodeJobs(task: CompiledTask, seed: Seed, episode = 0): EpisodeJobs {
  return jobsOfEpisode(decode(task.program), seed, episode);
}

/** The observation row field by field: servers, then slots, then the fleet. */
function observedFields({ fleet, numSlots }: SchedulingConfig) {
  const field = (name: string, prefix: string) => {
    const { low, high } = schedulingLayout.observations.find((o) => o.name === name)!;
    return { name: prefix + name, low, high };
  };
  return [
    ...fleet.servers.flatMap((_, n) => serverFieldNames.map((f) => field(f, `server_${n}_`))),
    ...Array.from({ length: numSlots }, (_, k) =>
      slotFieldNames.map((f) => field(f, `slot_${k}_`)),
    ).flat(),
    ...fleetFieldNames.map((f) => field(f, '')),
  ];
}

function observationSpace(config: SchedulingConfig): Box {
  const fields = observedFields(config);
  return new Box({
    low: fields.map(({ low }) => low ?? -Infinity),
    high: fields.map(({ high }) => high ?? Infinity),
  });
}
