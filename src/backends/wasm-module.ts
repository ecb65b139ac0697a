/**
 * A batch in a WebAssembly instance of its own: one adapter for the AssemblyScript and the Rust
 * build, which export the same functions and import nothing (docs/adr/0005).
 */
import {
  autoresetIndex,
  type Backend,
  type BackendName,
  BackendRefusedError,
  type Batch,
  type BatchOptions,
  type Channels,
  KERNELS,
  type Kernel,
} from '../backend.js';
import type { Seed } from '../base/seeding.js';
import type { Layout } from '../program/layout.js';
import { programError } from '../program/program.js';
import { checkOneThread } from './one-thread.js';
import { channelBytes, layoutOf, type SlotRun, slotRuns, TYPED_ARRAY } from './shape.js';

/** The exports of an instance. Pointers are bytes into `memory`; all numbers but one are u32. */
interface WasmExports {
  readonly memory: WebAssembly.Memory;
  /** Space for the program, which the caller fills before `create`. */
  program_buffer(bytes: number): number;
  /**
   * Validates the program and allocates everything: 0, or the code of the first fault. Memory
   * does not grow afterwards.
   */
  create(numEnvs: number, autoreset: number, metrics: number, kernel: number): number;
  /** Where a channel of `channels` is, on a 64-byte boundary. */
  channel_ptr(channel: number): number;
  reset(seedLo: number, seedHi: number, seeded: number, masked: number): void;
  step(): void;
  rollout(policy: number, steps: number): void;
  /** Room for `POLICY_WORDS_MAX` words of a policy. */
  parameter_ptr(): number;
  /** Takes so many words from there: 1, or 0 for a policy of another task. */
  set_parameters(words: number): number;
  /** f64 */
  episodes(): number;
  /** Scratch for slots of the state: at least one of all environments fits. */
  slot_ptr(): number;
  /** Its bytes. */
  slot_bytes(): number;
  /** `count` slots of the state from `first` on to scratch, [slot][environment]. */
  export_slots(first: number, count: number): void;
  import_slots(first: number, count: number): void;
  /** Which steps the batch, an index into `KERNEL_NAMES`. */
  kernel_id(): number;
}

const EXPORTS: readonly (keyof WasmExports)[] = [
  'memory',
  'program_buffer',
  'create',
  'channel_ptr',
  'reset',
  'step',
  'rollout',
  'parameter_ptr',
  'set_parameters',
  'episodes',
  'slot_ptr',
  'slot_bytes',
  'export_slots',
  'import_slots',
  'kernel_id',
];
const KERNEL_NAMES = ['scalar', 'simd128'] as const satisfies readonly Kernel[];

/** A backend over a compiled module, which is instantiated once for each batch. */
export class WasmBackend implements Backend {
  readonly maxThreads = 1;
  readonly kernels = KERNEL_NAMES;

  constructor(
    readonly name: BackendName,
    private readonly module: WebAssembly.Module,
  ) {}

  /**
   * Compiles a module. Throws `BackendRefusedError` where this engine cannot, or where it is
   * not a module of this library.
   */
  static async load(
    name: BackendName,
    source: BufferSource | WebAssembly.Module,
  ): Promise<WasmBackend> {
    const module = await compile(name, source);
    const exported = WebAssembly.Module.exports(module).map((entry) => entry.name);
    const absent = EXPORTS.filter((entry) => !exported.includes(entry));
    if (absent.length === 0) return new WasmBackend(name, module);
    throw new BackendRefusedError(
      `${name}: the module does not export ${absent.join(', ')}; it is another one, or was built ` +
        'from older sources',
    );
  }

  create(program: Uint8Array, options: BatchOptions): Batch {
    checkOneThread(this.name, options.threads);
    const instance = new WebAssembly.Instance(this.module);
    const wasm = instance.exports as unknown as WasmExports;
    const layout = layoutOf(program);
    const code = allocating(options.numEnvs, () => {
      const at = wasm.program_buffer(program.byteLength);
      new Uint8Array(wasm.memory.buffer, at, program.byteLength).set(program);
      const { numEnvs, autoreset, metrics, kernel } = options;
      return wasm.create(
        numEnvs,
        autoresetIndex(autoreset),
        metrics ? 1 : 0,
        KERNELS.indexOf(kernel),
      );
    });
    if (code !== 0) throw programError(layout, code);
    return new WasmBatch(wasm, layout, program, options);
  }
}

async function compile(
  name: BackendName,
  source: BufferSource | WebAssembly.Module,
): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  try {
    return await WebAssembly.compile(source);
  } catch (error) {
    const needed = 'an engine with WebAssembly SIMD and an undamaged file are needed';
    throw new BackendRefusedError(`${name}: ${(error as Error).message}; ${needed}`);
  }
}

/** A trap while a batch is made means that memory ran out: nothing else there can trap. */
function allocating<T>(numEnvs: number, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    throw new RangeError(
      `numEnvs is ${numEnvs}: that batch needs more memory than a WebAssembly instance can have ` +
        'here (4 GB at most); take a smaller batch, or several',
      { cause: error },
    );
  }
}

class WasmBatch implements Batch {
  readonly kernel: string;
  readonly channels: Channels;
  private readonly numEnvs: number;
  private readonly runs: readonly SlotRun[];
  private instance: WasmExports | null;

  constructor(wasm: WasmExports, layout: Layout, program: Uint8Array, options: BatchOptions) {
    this.runs = slotRuns(layout, program);
    this.instance = wasm;
    this.numEnvs = options.numEnvs;
    this.kernel = KERNEL_NAMES[wasm.kernel_id()]!;
    const entries = channelBytes(layout, program, options).map(({ name, dtype, length }, i) => [
      name,
      new TYPED_ARRAY[dtype](wasm.memory.buffer, wasm.channel_ptr(i), length),
    ]);
    this.channels = Object.fromEntries(entries) as Channels;
  }

  reset(seed: Seed | null, masked: boolean): void {
    this.wasm.reset(seed?.lo ?? 0, seed?.hi ?? 0, seed ? 1 : 0, masked ? 1 : 0);
  }

  step(): void {
    this.wasm.step();
  }

  rollout(policy: number, steps: number): void {
    this.wasm.rollout(policy, steps);
  }

  setParameters(words: Uint32Array): void {
    const { wasm } = this;
    new Uint32Array(wasm.memory.buffer, wasm.parameter_ptr(), words.length).set(words);
    if (wasm.set_parameters(words.length) === 0) throw new RangeError('a policy of another task');
  }

  episodes(): number {
    return this.wasm.episodes();
  }

  exportState(): Uint8Array {
    const { wasm } = this;
    const bytesPerEnv = this.runs.reduce((sum, { count, bytes }) => sum + count * bytes, 0);
    const state = new Uint8Array(bytesPerEnv * this.numEnvs);
    this.eachPart((first, count, offset, bytes) => {
      wasm.export_slots(first, count);
      state.set(new Uint8Array(wasm.memory.buffer, wasm.slot_ptr(), bytes), offset);
    });
    return state;
  }

  importState(state: Uint8Array): void {
    const { wasm } = this;
    this.eachPart((first, count, offset, bytes) => {
      const scratch = new Uint8Array(wasm.memory.buffer, wasm.slot_ptr(), bytes);
      scratch.set(state.subarray(offset, offset + bytes));
      wasm.import_slots(first, count);
    });
  }

  close(): void {
    this.instance = null;
  }

  private get wasm(): WasmExports {
    if (this.instance === null) throw new Error('the batch is closed; make another one');
    return this.instance;
  }

  /** Calls back with the slots that scratch takes at once, their place in the state and length. */
  private eachPart(
    visit: (first: number, count: number, offset: number, bytes: number) => void,
  ): void {
    const room = this.wasm.slot_bytes();
    let first = 0;
    let offset = 0;
    for (const run of this.runs) {
      const slotBytes = run.bytes * this.numEnvs;
      const most = Math.floor(room / slotBytes);
      for (let left = run.count; left > 0; ) {
        const count = Math.min(left, most);
        visit(first, count, offset, count * slotBytes);
        first += count;
        offset += count * slotBytes;
        left -= count;
      }
    }
  }
}
