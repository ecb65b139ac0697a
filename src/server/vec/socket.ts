/** Steps a batch over a WebSocket: a binary frame in, a binary frame out. */
import type { WebSocket } from 'ws';
import type { ServerContext } from '../http/context.js';
import { CLOSE, sendBounded } from '../http/sockets.js';
import type { VecBatch, VecStore } from './batches.js';
import { OP, RESET_BYTES, RESET_FLAG, ReplyWriter } from './frames.js';

/** Serves a connection until it closes. What is wrong is told in a text frame, as JSON. */
export function serveVec(
  { sockets, metrics }: ServerContext,
  store: VecStore,
  batch: VecBatch,
  socket: WebSocket,
): void {
  if (!sockets.admit(socket)) {
    socket.close(CLOSE.tryAgainLater, 'too many connections');
    return;
  }
  const stepper = new FrameStepper(batch);
  socket.on('close', () => store.release(batch));
  socket.on('error', () => socket.terminate());
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    try {
      if (!isBinary) throw new RangeError('a text frame: binary frames are needed');
      if (isClose(data)) {
        store.remove(batch.id);
        socket.close(CLOSE.normal, 'the batch is closed');
        return;
      }
      const reply = stepper.answer(data);
      if (stepper.hasStepped) metrics.steps.vec += batch.env.numEnvs;
      sendBounded(socket, reply);
    } catch (error) {
      sendBounded(socket, JSON.stringify({ type: 'error', data: describe(error) }));
    }
  });
}

const isClose = (frame: Buffer): boolean =>
  frame.length === 4 && frame.readUInt32LE(0) === OP.close;

/** Refused input in its own words; anything else says no more than that it is not the client's. */
function describe(error: unknown): { code: string; message: string } {
  const isRefusal = error instanceof RangeError;
  if (isRefusal) return { code: 'VALIDATION_ERROR', message: error.message };
  const message = error instanceof Error ? error.message : 'internal error';
  return { code: 'EXECUTION_ERROR', message };
}

class FrameStepper {
  hasStepped = false;
  private readonly writer: ReplyWriter;
  private readonly actionBytes: Uint8Array;

  constructor(private readonly batch: VecBatch) {
    const { actions } = batch.env;
    this.writer = new ReplyWriter(batch.env, batch.layout);
    this.actionBytes = new Uint8Array(actions.buffer, actions.byteOffset, actions.byteLength);
  }

  /** @throws RangeError for a frame of a wrong form and for an action that is refused. */
  answer(frame: Buffer): Uint8Array {
    this.hasStepped = false;
    if (frame.length < 4) throw new RangeError(`a frame of ${frame.length} bytes: 4 at least`);
    const op = frame.readUInt32LE(0);
    if (op === OP.step) return this.step(frame);
    if (op === OP.reset) return this.reset(frame);
    if (op === OP.statistics) return this.writer.statistics();
    throw new RangeError(`op is ${op}: 0 reset, 1 step, 2 statistics or 3 close is needed`);
  }

  private step(frame: Buffer): Uint8Array {
    const { env, layout } = this.batch;
    const needed = layout.step_request.bytes;
    if (frame.length !== needed) {
      throw new RangeError(`a step of ${frame.length} bytes: ${needed} are needed`);
    }
    this.actionBytes.set(frame.subarray(4));
    env.step(env.actions); // checked: a NaN must not pass for the lowest value
    this.hasStepped = true;
    return this.writer.outputs(OP.step);
  }

  private reset(frame: Buffer): Uint8Array {
    const { env } = this.batch;
    const flags = frame.length >= RESET_BYTES ? frame.readUInt32LE(4) : 0;
    const hasMask = (flags & RESET_FLAG.mask) !== 0;
    const needed = RESET_BYTES + (hasMask ? env.numEnvs : 0);
    if (frame.length !== needed) {
      throw new RangeError(`a reset of ${frame.length} bytes: ${needed} are needed`);
    }
    env.reset({
      ...(flags & RESET_FLAG.seed ? { seed: frame.readBigUInt64LE(8) } : {}),
      ...(hasMask ? { mask: frame.subarray(RESET_BYTES) } : {}),
    });
    return this.writer.outputs(OP.reset);
  }
}
