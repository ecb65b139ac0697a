/** Episodes as OpenEnv's clients see them. */
import type { JsonObject, TaskSpec } from '../../index.js';
import type { ServerContext } from '../http/context.js';
import { unprocessable } from '../http/errors.js';
import type { StepSource } from '../http/metrics.js';
import { compiled } from '../sessions/catalog.js';
import { openEnvObservation } from '../sessions/observation-json.js';
import { Session, type SessionOptions } from '../sessions/session.js';

/** The answer to a reset or a step, as an object. */
interface OpenEnvResult {
  readonly observation: Record<string, unknown>;
  readonly reward: number | null;
  readonly done: boolean;
}

interface ResetRequest {
  readonly seed: number;
  readonly config: JsonObject;
  readonly episodeId?: string;
}

const DEFAULT_SEED = 42;
const EPISODE_ID_LENGTH_MAX = 255;

/** Reads a reset's fields; those that are not known are the client's own business. */
export function readReset(data: Readonly<Record<string, unknown>>): ResetRequest {
  const { seed, episode_id: episodeId, config } = data;
  const isSeed = Number.isSafeInteger(seed) && Number(seed) >= 0;
  if (seed !== undefined && seed !== null && !isSeed) {
    throw unprocessable('seed must be an integer from 0 to 2^53 - 1', 'seed');
  }
  const isId = typeof episodeId === 'string' && episodeId.length <= EPISODE_ID_LENGTH_MAX;
  if (episodeId !== undefined && episodeId !== null && !isId) {
    throw unprocessable(`episode_id must be a text of at most ${EPISODE_ID_LENGTH_MAX}`);
  }
  const isConfig = typeof config === 'object' && !Array.isArray(config);
  if (config !== undefined && !isConfig) throw unprocessable('config must be an object', 'config');
  return {
    seed: isSeed ? Number(seed) : DEFAULT_SEED,
    config: (config ?? {}) as JsonObject,
    ...(isId && { episodeId: episodeId as string }),
  };
}

/** Begins an episode of a task. */
export function beginEpisode(
  { backend }: ServerContext,
  task: TaskSpec,
  { seed, config, episodeId }: ResetRequest,
  id?: string,
): Session {
  const options: SessionOptions = {
    seed,
    ...(id !== undefined && { id }),
    ...(episodeId !== undefined && { episodeId }),
  };
  return new Session(compiled(task.id, config), backend, options);
}

/** The reply to a reset or a step; `resultText` is the same in fewer microseconds. */
export function resultOf(session: Session): OpenEnvResult {
  const { reward, done } = session;
  return { observation: openEnvObservation(session), reward, done };
}

/** Takes a step. `metadata` is a field of every OpenEnv action; not ours. */
export function takeStep(
  session: Session,
  action: unknown,
  { metrics }: ServerContext,
  via: StepSource,
): void {
  session.step(withoutMetadata(action));
  metrics.steps[via]++;
}

function withoutMetadata(action: unknown): unknown {
  if (typeof action !== 'object' || action === null || !('metadata' in action)) return action;
  const { metadata, ...fields } = action;
  const isObject = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata);
  return isObject ? fields : action;
}
