/** Grades: of sessions by the server's own record, of logs as the client gives them. */
import {
  type CompiledTask,
  constantPolicy,
  evaluateEpisodes,
  type Grade,
  type GradeContext,
  gradeContext,
  listTasks,
} from '../../index.js';
import { ApiError, refusal, unprocessable } from '../http/errors.js';
import type { GraderBody } from '../http/schemas.js';
import { plain } from '../openenv/schema.js';
import { compiled, findTask, originNumber } from './catalog.js';
import type { SessionStore } from './session-store.js';

interface GraderResult extends Grade {
  /** True for a client's log: nothing but its word stands behind it. */
  readonly self_reported: boolean;
}

/** Grades what a request names: a session, or a task and a log. */
export async function gradeRequest(
  sessions: SessionStore,
  body: GraderBody,
): Promise<GraderResult> {
  if (body.episode_log !== undefined) {
    if (body.task_id === undefined) {
      throw unprocessable('task_id is missing: a log is of some task', 'task_id');
    }
    const task = compiled(findTask(body.task_id).id);
    return { ...(await gradeLog(task, body.episode_log, body.seed)), self_reported: true };
  }
  if (body.session_id === undefined) {
    throw unprocessable('session_id or episode_log is needed', 'session_id');
  }
  return { ...(await sessions.get(body.session_id).grade()), self_reported: false };
}

/** Grades a log of a task; 422 naming the row and the field that is missing or wrong. */
async function gradeLog(task: CompiledTask, log: unknown[], seed?: number): Promise<Grade> {
  if (task.gradeLog === undefined) {
    const { id } = task.spec;
    throw new ApiError(422, [
      { loc: ['body', 'episode_log'], msg: `${id} is graded by session_id only, not by a log` },
    ]);
  }
  const context = await contextOf(task, seed);
  try {
    return task.gradeLog(log, context);
  } catch (error) {
    throw refusal(error, 'episode_log');
  }
}

async function contextOf(task: CompiledTask, seed: number | undefined): Promise<GradeContext> {
  if (!task.needsBaseline && task.bound === undefined) return {};
  if (seed === undefined) {
    const why = `the score of ${task.spec.id} is relative to the episode of its seed`;
    throw unprocessable(`seed is missing: ${why}`, 'seed');
  }
  return gradeContext(task, seed);
}

/** Where the origin says its baseline's mean score lies. */
const EXPECTED_RANGE: Readonly<Record<string, readonly [number, number]>> = {
  task1: [0.3, 0.4],
  task2: [0.22, 0.32],
  task3: [0.18, 0.28],
};

const BASELINE_SEED = 0;

/** The answer to `GET /baseline`: the fixed baselines of the origin's tasks at seed 0. */
export async function playBaselines() {
  const tasks = listTasks().filter((task) => originNumber(task) !== undefined);
  const baselines = await Promise.all(
    tasks.map(async ({ id }) => {
      const task = compiled(id);
      const policy = constantPolicy(task.baselineAction, 'baseline');
      const [{ score, breakdown }] = await evaluateEpisodes(task, policy, [BASELINE_SEED]);
      const action_config = plain(task.baselineAction);
      return { task_id: originNumber(task.spec), env_id: id, score, breakdown, action_config };
    }),
  );
  return {
    seed: BASELINE_SEED,
    scores: Object.fromEntries(baselines.map((b) => [`task${b.task_id}`, b.score])),
    expected_range: EXPECTED_RANGE,
    baselines,
  };
}
