/** Batch stepping: `POST /vec` makes a batch, the WebSocket `/vec/{id}` steps it. */
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { WebSocket } from 'ws';
import { describeTask } from '../../index.js';
import type { ServerContext } from '../http/context.js';
import { ApiError } from '../http/errors.js';
import * as schemas from '../http/schemas.js';
import type { App } from '../sessions/routes.js';
import { allowNoBody } from '../sessions/routes.js';
import type { VecBatch, VecRequest, VecStore } from './batches.js';
import { serveVec } from './socket.js';

const VecBody = Type.Object(
  {
    task_id: Type.Optional(Type.Union([schemas.TaskId, Type.Null()])),
    num_envs: Type.Optional(Type.Integer({ minimum: 1, maximum: 2 ** 20, default: 1 })),
    seed: Type.Optional(schemas.Seed),
    threads: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, default: 1 })),
    autoreset: Type.Optional(
      Type.Union(
        ['next_step', 'same_step', 'disabled'].map((mode) => Type.Literal(mode)),
        { default: 'next_step' },
      ),
    ),
    config: Type.Optional(schemas.AnyObject),
  },
  { additionalProperties: false },
);

const VecId = Type.Object({ id: Type.String({ maxLength: 64 }) });

const Frame = Type.Object({
  bytes: Type.Integer({ description: 'length of the frame' }),
  fields: Type.Array(
    Type.Object({
      name: Type.String(),
      dtype: Type.String({ description: 'float32, int32, uint8 or float64, little-endian' }),
      shape: Type.Array(Type.Integer()),
      offset: Type.Integer({ description: 'bytes from the beginning of the frame' }),
    }),
  ),
});

const VecReply = Type.Object({
  id: Type.String(),
  url: Type.String({ description: 'path of the WebSocket' }),
  env_id: Type.String(),
  num_envs: Type.Integer(),
  backend: Type.String(),
  kernel: Type.String(),
  autoreset: Type.String(),
  episode_length: Type.Integer(),
  single_action_space: schemas.AnyObject,
  single_observation_space: schemas.AnyObject,
  actions: Type.Array(schemas.AnyObject),
  baseline_action: Type.Array(Type.Number()),
  layout: Type.Object({
    step_request: Frame,
    reply: Frame,
    statistics_reply: Frame,
    statistics_names: Type.Array(Type.String()),
  }),
});

const DESCRIPTION = `
Requests over the WebSocket are binary frames whose first little-endian u32 says what is wanted:
0 reset (then u32 flags, 1 for a seed and 2 for a mask; u64 seed: environment i takes seed + i; and
a byte for each environment where there is a mask), 1 step (then the actions [num_envs, action_dim],
f32 or i32), 2 the statistics of the last finished episodes, 3 close. A reply has
the same first word, then a u32 that counts replies, then the arrays at the offsets in \`layout\`.
What is refused is answered by a text frame \`{"type":"error","data":{"code","message"}}\`. One
connection has a batch at a time; without a connection it is closed after a minute.`;

function describeBatch({ id, env, layout }: VecBatch): object {
  const description = describeTask(env.task);
  return {
    id,
    url: `/vec/${id}`,
    env_id: env.task.spec.id,
    num_envs: env.numEnvs,
    backend: env.backend,
    kernel: env.kernel,
    autoreset: env.autoreset.replace('-', '_'),
    episode_length: description.episode_length,
    single_action_space: description.action_row_space,
    single_observation_space: description.observation_space,
    actions: description.actions,
    baseline_action: description.baseline.row,
    layout,
  };
}

export function addVec(app: App, context: ServerContext, store: VecStore): void {
  const tags = ['batches'];
  app.post(
    '/vec',
    {
      preValidation: allowNoBody,
      schema: {
        tags,
        summary: 'Makes a batch of environments for remote trainers.',
        description: DESCRIPTION,
        body: VecBody,
        response: { 200: VecReply, ...schemas.errorReplies },
      },
    },
    async (request) => describeBatch(store.create(context, request.body as VecRequest)) as never,
  );
  app.delete(
    '/vec/:id',
    {
      schema: {
        tags,
        summary: 'Closes a batch.',
        params: VecId,
        response: { 200: Type.Object({ closed: Type.Boolean() }), ...schemas.errorReplies },
      },
    },
    async ({ params }) => {
      if (store.get(params.id).isConnected) throw new ApiError(409, 'the batch has a connection');
      return { closed: store.remove(params.id) };
    },
  );
}

export function addVecSocket(app: App, context: ServerContext, store: VecStore): void {
  const options = {
    websocket: true as const,
    schema: { hide: true },
    preValidation: async ({ params }: FastifyRequest) => {
      if (store.get((params as { id: string }).id).isConnected) {
        throw new ApiError(409, 'the batch has a connection already');
      }
    },
  };
  app.get('/vec/:id', options, (socket: WebSocket, { params }: FastifyRequest) => {
    serveVec(context, store, store.take((params as { id: string }).id), socket);
  });
}
