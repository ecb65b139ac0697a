/** Observations in words: rows of numbers become objects with names. */
import type { CompiledTask } from '../../index.js';
import { originNumber } from './catalog.js';
import type { Session } from './session.js';

type ObservationObject = Record<string, unknown>;

/** A row of an observation by the task's names. */
export function nameObservation(task: CompiledTask, row: Float32Array): ObservationObject {
  const named: ObservationObject = {};
  const { observationNames } = task;
  for (let i = 0; i < observationNames.length; i++) named[observationNames[i]] = row[i];
  return named;
}

/** The observation's fields that the origin has as one list, next to each other. */
export const PRIORITIES = ['priority_interactive', 'priority_batch', 'priority_best_effort'];

/** The origin's twelve fields, in its order: three shares are its `priority_distribution`. */
function originObservation(task: CompiledTask, row: Float32Array): ObservationObject {
  const fields: ObservationObject = {};
  task.observationNames.forEach((name, i) => {
    if (name === PRIORITIES[0]) fields['priority_distribution'] = [...row.subarray(i, i + 3)];
    else if (!PRIORITIES.includes(name)) fields[name] = row[i];
  });
  return fields;
}

/** The observation of the root's HTTP endpoints. */
export function rootObservation({ task, observation }: Session): ObservationObject {
  const isOrigin = originNumber(task.spec) !== undefined;
  return isOrigin ? originObservation(task, observation) : nameObservation(task, observation);
}

/**
 * The observation of OpenEnv's clients, which drop everything beside it: `info`, `terminated` and
 * `truncated` go inside.
 */
export function openEnvObservation(session: Session): ObservationObject {
  const { task, observation, terminated, truncated } = session;
  const info = { timestep: session.stepCount, ...session.report };
  return { ...nameObservation(task, observation), terminated, truncated, info };
}
