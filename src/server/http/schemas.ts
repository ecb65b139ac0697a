/** Schemas of the environments' own API: validation, serialisation and OpenAPI come from these. */
import { type Static, Type } from 'typebox';

/** Largest seed that a JSON number carries exactly. */
const SEED_MAX = Number.MAX_SAFE_INTEGER;

/** A session's id goes back in a header, so its characters must be fit for one. */
export const SESSION_ID = /^[A-Za-z0-9._-]{1,128}$/;
export const SessionId = Type.String({ pattern: SESSION_ID.source });
const anyObject = Type.Record(Type.String(), Type.Unknown());

const ErrorReply = Type.Object(
  {
    detail: Type.Union([
      Type.String(),
      Type.Array(
        Type.Object({
          loc: Type.Array(Type.Union([Type.String(), Type.Integer()])),
          msg: Type.String(),
        }),
      ),
    ]),
  },
  { description: 'What is wrong: a sentence, or for 422 a list of places and sentences.' },
);

/** The replies that any endpoint may give beside its own. */
export const errorReplies = { '4xx': ErrorReply, '5xx': ErrorReply };

export const HealthReply = Type.Object({
  status: Type.Literal('healthy'),
  ok: Type.Boolean(),
  active_sessions: Type.Integer(),
  uptime_s: Type.Number(),
});

export const TasksReply = Type.Object({
  tasks: Type.Array(
    Type.Object({
      id: Type.Union([Type.Integer(), Type.String()]),
      name: Type.String(),
      difficulty: Type.String(),
      description: Type.String(),
      active_actions: Type.Array(Type.String()),
      env_id: Type.String(),
      aliases: Type.Array(Type.String()),
    }),
  ),
});

export const TaskId = Type.Union([Type.Integer(), Type.String({ minLength: 1, maxLength: 128 })], {
  description: "A number of the origin's tasks, an id or an alias.",
});

export const Seed = Type.Integer({ minimum: 0, maximum: SEED_MAX, default: 42 });

/** OpenEnv's clients send more than this with a reset; what is not known here is ignored. */
export const ResetBody = Type.Object({
  task_id: Type.Optional(Type.Union([TaskId, Type.Null()])),
  seed: Type.Optional(Type.Union([Seed, Type.Null()])),
  config: Type.Optional(
    Type.Union([anyObject, Type.Null()], {
      description: "Entries of the task's configuration to replace.",
    }),
  ),
  session_id: Type.Optional(
    Type.Union([SessionId, Type.Null()], {
      description: 'Begins anew under this id. Without one: a new id.',
    }),
  ),
  episode_id: Type.Optional(Type.Union([Type.String({ maxLength: 255 }), Type.Null()])),
});
export type ResetBody = Static<typeof ResetBody>;

export const ResetReply = Type.Object({
  session_id: Type.String(),
  observation: anyObject,
  reward: Type.Null(),
  done: Type.Boolean(),
  episode_length: Type.Integer(),
});

export const StepBody = Type.Object({
  session_id: Type.Optional(SessionId),
  action: Type.Unknown({
    description: "An action of the task; absent fields take the baseline's values.",
  }),
});
export type StepBody = Static<typeof StepBody>;

export const StepReply = Type.Object({
  observation: anyObject,
  reward: Type.Number(),
  done: Type.Boolean(),
  terminated: Type.Boolean(),
  truncated: Type.Boolean(),
  info: anyObject,
});

export const SessionQuery = Type.Object({ session_id: Type.Optional(SessionId) });
export type SessionQuery = Static<typeof SessionQuery>;

const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

export const StateReply = Type.Object({
  episode_id: orNull(Type.String()),
  step_count: Type.Integer(),
  cumulative_reward: Type.Number(),
  done: Type.Boolean(),
  workload_phase: orNull(Type.String()),
  task: Type.String(),
  seed: orNull(Type.Integer()),
  program_digest: Type.String(),
});

export const GraderBody = Type.Object({
  task_id: Type.Optional(TaskId),
  episode_log: Type.Optional(
    Type.Array(Type.Unknown(), {
      description:
        'Steps with action, reward and metrics, at the top level or under info. With a seed, a ' +
        "task whose score is normalised by the seed's own baseline can be graded too.",
    }),
  ),
  seed: Type.Optional(Seed),
  session_id: Type.Optional(SessionId),
});
export type GraderBody = Static<typeof GraderBody>;

export const GraderReply = Type.Object({
  score: Type.Number({ minimum: 0, maximum: 1 }),
  breakdown: Type.Record(Type.String(), Type.Number()),
  feedback: Type.String(),
  self_reported: Type.Boolean({ description: "True for a client's log, graded as given." }),
});

export const BaselineReply = Type.Object({
  seed: Type.Integer(),
  scores: Type.Record(Type.String(), Type.Number()),
  expected_range: Type.Record(Type.String(), Type.Array(Type.Number())),
  baselines: Type.Array(anyObject),
});

export const InfoReply = anyObject;

/** A reply that is an object of any fields. */
export const AnyObject = anyObject;
