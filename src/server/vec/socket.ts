/** Steps a batch over a WebSocket: a binary frame in, a binary frame out. */
import type { WebSocket } from 'ws';
import type { ServerContext } from '../http/context.js';
import { CLOSE, sendBounded } from '../http/sockets.js';
import type { VecBatch, VecStore } from './batches.js';
import { OP, RESET_BYTES, ReplyWriter } from './frames.js';

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
      const reply = stepper.answer(data);
      if (stepper.hasStepped) metrics.steps.vec += batch.env.numEnvs;
      sendBounded(socket, reply);
    } catch (error) {
      sendBounded(socket, JSON.stringify({ type: 'error', data: describe(error) }));
    }
  });
}

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
    throw new RangeError(`op is ${op}: 0 reset, 1 step or 2 statistics is needed`);
  }

  private step(frame: Buffer): Uint8Array {
    const { env, layout } = this.batch;
    const needed = layout.step_request.bytes;
    if (frame.length !== needed) {
      throw new RangeError(`a step of ${frame.length} bytes: ${needed} are needed`);
    }
    this.actionBytes.set(frame.subarray(4));
    // Real numbers are clipped by the kernel; an index beyond the space has no nearest neighbour.
    if (env.task.actionDtype === 'index') env.step(env.actions);
    else env.step();
    this.hasStepped = true;
    return this.writer.outputs(OP.step);
  }

  private reset(frame: Buffer): Uint8Array {
    if (frame.length !== RESET_BYTES) {
      throw new RangeError(`a reset of ${frame.length} bytes: ${RESET_BYTES} are needed`);
    }
    const hasSeed = frame.readUInt32LE(4) !== 0;
    if (hasSeed) this.batch.env.reset({ seed: frame.readBigUInt64LE(8) });
    else this.batch.env.reset();
    return this.writer.outputs(OP.reset);
  }
}
