/**
 * The native addon as a backend. Batches are kept by number on the Rust side; the arrays are
 * handed over once, and a step passes nothing.
 */
import { availableParallelism, freemem } from 'node:os';
import {
  autoresetIndex,
  type Backend,
  BackendRefusedError,
  BackendUnavailableError,
  type Batch,
  type BatchOptions,
  type Channels,
  KERNELS,
  type Kernel,
  RECORDED,
  type Recording,
} from '../backend.js';
import type { Seed } from '../base/seeding.js';
import type { Layout } from '../program/layout.js';
import { programError } from '../program/program.js';
import { requireAddon } from './addon.js';
import { channelBytes, layoutOf, slotRuns, TYPED_ARRAY } from './shape.js';

/** The exports of bindings/node. */
interface Addon {
  version(): string;
  kernels(): Kernel[];
  create(
    program: Uint8Array,
    numEnvs: number,
    autoreset: number,
    threads: number,
    metrics: boolean,
    kernel: number,
    maxBytes: number,
  ): number;
  channel(batch: number, index: number, bytes: number): Uint8Array;
  reset(batch: number, seedLo: number, seedHi: number, seeded: boolean, masked: boolean): void;
  step(batch: number): void;
  stepAsync(batch: number): Promise<void>;
  rollout(batch: number, policy: number, steps: number): void;
  /** The arrays of `RECORDED`, as bytes. */
  record(batch: number, policy: number, steps: number, ...arrays: (Uint8Array | null)[]): void;
  setParameters(batch: number, words: Uint32Array): void;
  episodes(batch: number): number;
  /** The whole state, slot by slot. */
  exportState(batch: number, out: Uint8Array): void;
  importState(batch: number, state: Uint8Array): void;
  kernel(batch: number): string;
  close(batch: number): void;
}

/** Node frees shared arrays in macrotasks only; `settle` waits for one after so many bytes. */
const BYTES_LEAST = 64 * 2 ** 10;
const BYTES_MAX = 16 * 2 ** 20;
let bytesClosed = 0;

class NativeBatch implements Batch {
  readonly kernel: string;
  readonly channels: Channels;
  private readonly stateBytes: number;
  /** Of the arrays that JavaScript holds. */
  private readonly bytes: number;

  constructor(
    private readonly addon: Addon,
    private readonly handle: number,
    layout: Layout,
    options: BatchOptions,
    program: Uint8Array,
    private readonly abandoned: FinalizationRegistry<number>,
  ) {
    abandoned.register(this, handle, this);
    const bytesPerEnv = slotRuns(layout, program).reduce((sum, r) => sum + r.count * r.bytes, 0);
    this.stateBytes = bytesPerEnv * options.numEnvs;
    this.kernel = addon.kernel(handle);
    const shapes = channelBytes(layout, program, options);
    this.bytes = shapes.reduce((sum, { bytes }) => sum + bytes, 0);
    const entries = shapes.map((channel, index) => {
      if (channel.bytes === 0) return [channel.name, new TYPED_ARRAY[channel.dtype](0)];
      const { buffer, byteOffset } = addon.channel(handle, index, channel.bytes);
      const view = new TYPED_ARRAY[channel.dtype](
        buffer as ArrayBuffer,
        byteOffset,
        channel.length,
      );
      return [channel.name, view];
    });
    this.channels = Object.fromEntries(entries) as Channels;
  }

  reset(seed: Seed | null, masked: boolean): void {
    this.addon.reset(this.handle, seed?.lo ?? 0, seed?.hi ?? 0, seed !== null, masked);
  }

  step(): void {
    this.addon.step(this.handle);
  }

  stepAsync(): Promise<void> {
    return this.addon.stepAsync(this.handle);
  }

  rollout(policy: number, steps: number): void {
    this.addon.rollout(this.handle, policy, steps);
  }

  record(policy: number, steps: number, arrays: Recording): void {
    const bytes = RECORDED.map((name) => {
      const array = arrays[name];
      return array ? new Uint8Array(array.buffer, array.byteOffset, array.byteLength) : null;
    });
    this.addon.record(this.handle, policy, steps, ...bytes);
  }

  setParameters(words: Uint32Array): void {
    this.addon.setParameters(this.handle, words);
  }

  episodes(): number {
    return this.addon.episodes(this.handle);
  }

  exportState(): Uint8Array {
    const state = new Uint8Array(this.stateBytes);
    this.addon.exportState(this.handle, state);
    return state;
  }

  importState(state: Uint8Array): void {
    this.addon.importState(this.handle, state);
  }

  close(): void {
    this.abandoned.unregister(this);
    bytesClosed += this.bytes + BYTES_LEAST;
    this.addon.close(this.handle);
  }
}

/** Loads the addon. Throws `BackendUnavailableError` saying what would add it. */
export function loadNative(): Promise<Backend> {
  let addon: Addon;
  try {
    addon = requireAddon<Addon>();
  } catch (error) {
    return Promise.reject(loadError(error as NodeJS.ErrnoException));
  }
  // A batch that nobody closed and nobody can reach; its arrays may still be in use.
  const abandoned = new FinalizationRegistry<number>((handle) => addon.close(handle));
  return Promise.resolve({
    name: 'native',
    maxThreads: availableParallelism(),
    kernels: addon.kernels(),
    async settle() {
      if (bytesClosed < BYTES_MAX) return;
      bytesClosed = 0;
      await new Promise(setImmediate);
    },
    create(program, options) {
      const layout = layoutOf(program);
      const autoreset = autoresetIndex(options.autoreset);
      const { numEnvs, threads, metrics, kernel } = options;
      const handle = inMemory((bytes) =>
        addon.create(program, numEnvs, autoreset, threads, metrics, KERNELS.indexOf(kernel), bytes),
      );
      if (handle < 0) throw programError(layout, -handle);
      return new NativeBatch(addon, handle, layout, options, program, abandoned);
    },
  });
}

/** Makes a batch of as many bytes as are free; one that needs more is refused by a `RangeError`. */
function inMemory(create: (maxBytes: number) => number): number {
  // Newer Nodes know of a container's limit.
  const host: { availableMemory?: () => number } = process;
  try {
    return create(host.availableMemory?.() ?? freemem());
  } catch (error) {
    const { message } = error as Error;
    if (message.startsWith('numEnvs')) throw new RangeError(message, { cause: error });
    throw error;
  }
}

/** An addon that is there and cannot be loaded is another matter than one that is not there. */
function loadError({ code, message }: NodeJS.ErrnoException): BackendUnavailableError {
  const [reason] = message.split('\n');
  const remedy = '"npm run build:native" builds it';
  return code === 'MODULE_NOT_FOUND'
    ? new BackendUnavailableError(`the native addon is not there; ${remedy} (${reason})`)
    : new BackendRefusedError(`the native addon cannot be loaded; ${remedy} anew (${reason})`);
}
