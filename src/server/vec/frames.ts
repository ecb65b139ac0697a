/**
 * Binary frames of a batch, little-endian. A request is a word and what belongs to it; a reply is
 * two words and arrays one after the other, in the order and with the offsets that `layoutOf`
 * gives and `POST /vec` returns.
 */
import type { TaskVectorEnv } from '../../index.js';

/** First word of a request. */
export const OP = {
  /**
   * u32 op, u32 flags (1 there is a seed, 2 there is a mask), u64 seed, then with a mask a byte for
   * each environment: 1 where an episode begins.
   */
  reset: 0,
  /** u32 op, then the actions [num_envs, action_dim]. */
  step: 1,
  /** u32 op: the statistics of each environment's last finished episode. */
  statistics: 2,
  /** u32 op: the batch is freed and the connection closed; there is no reply. */
  close: 3,
} as const;

const WORD = 4;
export const RESET_BYTES = 4 * WORD;
export const RESET_FLAG = { seed: 1, mask: 2 } as const;
/** u32 op, u32 number of the reply, from 0 and modulo 2^32. */
const HEADER_BYTES = 2 * WORD;

/** An array of a frame. */
interface FrameField {
  readonly name: string;
  readonly dtype: 'float32' | 'int32' | 'uint8' | 'float64';
  readonly shape: readonly number[];
  /** Bytes from the frame's beginning; a multiple of the element's size. */
  readonly offset: number;
}

interface FrameLayout {
  readonly bytes: number;
  readonly fields: readonly FrameField[];
}

export interface VecLayout {
  readonly step_request: FrameLayout;
  /** The reply to a reset and to a step. */
  readonly reply: FrameLayout;
  readonly statistics_reply: FrameLayout;
  readonly statistics_names: readonly string[];
}

const SIZES = { float32: 4, int32: 4, uint8: 1, float64: 8 } as const;

function place(
  start: number,
  arrays: readonly [string, FrameField['dtype'], readonly number[]][],
): FrameLayout {
  let end = start;
  const fields = arrays.map(([name, dtype, shape]): FrameField => {
    const size = SIZES[dtype];
    const offset = Math.ceil(end / size) * size;
    end = offset + size * shape.reduce((product, length) => product * length, 1);
    return { name, dtype, shape, offset };
  });
  return { bytes: end, fields };
}

/** Where everything is in the frames of a batch. */
export function layoutOf({ task, numEnvs, autoreset }: TaskVectorEnv): VecLayout {
  const n = [numEnvs];
  const actionType = task.actionDtype === 'index' ? 'int32' : 'float32';
  const names = task.layout.statistics.map(({ name }) => name);
  return {
    step_request: place(WORD, [['actions', actionType, [numEnvs, task.actionDim]]]),
    reply: place(HEADER_BYTES, [
      ['observations', 'float32', [numEnvs, task.observationDim]],
      ['rewards', 'float32', n],
      ['costs', 'float32', n],
      ['terminated', 'uint8', n],
      ['truncated', 'uint8', n],
      ...(task.maskDim > 0 ? [['masks', 'uint8', [numEnvs, task.maskDim]] as const] : []),
      // Where the next episode begins in the step that ends one, its last observation is here.
      ...(autoreset === 'same-step'
        ? [['final_observations', 'float32', [numEnvs, task.observationDim]] as const]
        : []),
    ] as [string, FrameField['dtype'], number[]][]),
    statistics_reply: place(HEADER_BYTES, [['statistics', 'float64', [numEnvs, names.length]]]),
    statistics_names: names,
  };
}

/** Writes replies of one batch, each into a buffer of its own: it is sent while others are made. */
export class ReplyWriter {
  private count = 0;

  constructor(
    private readonly env: TaskVectorEnv,
    private readonly layout: VecLayout,
  ) {}

  /** Observations, rewards and flags as they are now. */
  outputs(op: number): Uint8Array {
    const { observations, rewards, costs, terminated, truncated, masks } = this.env;
    const maybe = masks.length > 0 ? [masks] : [];
    const arrays = [observations, rewards, costs, terminated, truncated, ...maybe];
    return this.frame(op, this.layout.reply, [...arrays, this.env.finalObservations]);
  }

  statistics(): Uint8Array {
    return this.frame(OP.statistics, this.layout.statistics_reply, [this.env.finalStatistics]);
  }

  private frame(op: number, layout: FrameLayout, arrays: readonly ArrayBufferView[]): Uint8Array {
    // Every byte is written below, or padding that says nothing.
    const frame = Buffer.allocUnsafeSlow(layout.bytes);
    frame.writeUInt32LE(op, 0);
    frame.writeUInt32LE(this.count, WORD);
    this.count = (this.count + 1) >>> 0;
    layout.fields.forEach(({ offset }, i) => {
      const { buffer, byteOffset, byteLength } = arrays[i];
      frame.set(new Uint8Array(buffer, byteOffset, byteLength), offset);
    });
    return frame;
  }
}
