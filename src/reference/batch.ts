/**
 * The reference as a backend: environments one after the other, each on its own rows of the
 * channels. What is common to every family stands here: autoreset, statistics, state transfer.
 */
import type { Autoreset, Batch, BatchOptions, Channels } from '../backend.js';
import { camel, channelWidths, type Layout } from '../compile/layout.js';
import { actionKind, channels as channelList, corePolicy, stream } from '../generated/common.js';
import { drawBlock, unitOf, wordBelow } from './draws.js';
import type { ActionRow, CommonState, Outputs, ReferenceEnvironment } from './environment.js';
import { type Folds, foldStep, foldsOf } from './statistics.js';

/** Scalars and tables that every family's program has. */
export interface CommonProgram {
  readonly scalars: {
    readonly horizon: number;
    readonly actionDim: number;
    readonly observationDim: number;
    readonly maskDim: number;
  };
  readonly tables: {
    readonly actionKind: Uint32Array;
    readonly actionNumChoices: Uint32Array;
    readonly actionRanges: Float32Array;
    readonly actionChoices: Float32Array;
  };
}

/** One environment of the batch with its rows of the channels. */
interface Lane<State> {
  readonly state: State;
  readonly statistics: Float64Array;
  readonly out: Outputs;
  readonly action: ActionRow;
}

export class ReferenceBatch<State extends CommonState> implements Batch {
  readonly kernel = 'scalar';
  readonly channels: Channels;
  private readonly lanes: Lane<State>[];
  private readonly autoreset: Autoreset;
  private readonly folds: Folds;
  private readonly words = new Uint32Array(4);
  private readonly numArrayElements: number;
  private numEpisodes = 0;

  constructor(
    private readonly layout: Layout,
    private readonly program: CommonProgram,
    private readonly environment: ReferenceEnvironment<State>,
    options: BatchOptions,
  ) {
    this.autoreset = options.autoreset;
    this.folds = foldsOf(layout);
    this.channels = allocateChannels(layout, program, options);
    this.lanes = Array.from({ length: options.numEnvs }, (_, i) => this.createLane(i, options));
    const arrays = arraysOf(layout, this.lanes[0].state);
    this.numArrayElements = arrays.reduce((sum, array) => sum + array.length, 0);
  }

  reset(seed: { lo: number; hi: number } | null, masked: boolean): void {
    this.lanes.forEach((lane, i) => {
      if (masked && this.channels.resetMask[i] !== 1) return;
      if (seed) {
        const lo = seed.lo + i;
        lane.state.seedLo = lo >>> 0;
        lane.state.seedHi = (seed.hi + (lo > 0xffffffff ? 1 : 0)) >>> 0;
        lane.state.episode = 0;
      } else {
        lane.state.episode = (lane.state.episode + 1) >>> 0;
      }
      this.beginEpisode(i);
    });
  }

  step(): void {
    for (let i = 0; i < this.lanes.length; i++) this.stepLane(i);
  }

  rollout(policy: number, steps: number): void {
    for (let n = 0; n < steps; n++) {
      for (let i = 0; i < this.lanes.length; i++) {
        this.act(policy, this.lanes[i]);
        this.stepLane(i);
      }
    }
  }

  episodes(): number {
    return this.numEpisodes;
  }

  exportState(): Uint8Array {
    const { layout, lanes } = this;
    const n = lanes.length;
    const numWords = layout.words.length + this.numArrayElements;
    const numReals = layout.reals.length + layout.statistics.length;
    const bytes = new Uint8Array((4 * numWords + 8 * numReals) * n);
    const view = new DataView(bytes.buffer);
    lanes.forEach(({ state, statistics }, i) => {
      const values = state as unknown as Record<string, number>;
      const words = layout.words.map(({ name }) => values[camel(name)]);
      const arrays = arraysOf(layout, state).flatMap((array) => Array.from(array));
      [...words, ...arrays].forEach((value, slot) => {
        view.setUint32(4 * (slot * n + i), value, true);
      });
      const reals = layout.reals.map(({ name }) => values[camel(name)]);
      [...reals, ...statistics].forEach((value, slot) => {
        view.setFloat64(4 * numWords * n + 8 * (slot * n + i), value, true);
      });
    });
    return bytes;
  }

  importState(bytes: Uint8Array): void {
    const { layout, lanes } = this;
    const n = lanes.length;
    const realsFrom = 4 * (layout.words.length + this.numArrayElements) * n;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    lanes.forEach(({ state, statistics }, i) => {
      const values = state as unknown as Record<string, number>;
      let word = 0;
      const nextWord = () => view.getUint32(4 * (word++ * n + i), true);
      let real = 0;
      const nextReal = () => view.getFloat64(realsFrom + 8 * (real++ * n + i), true);
      for (const { name } of layout.words) values[camel(name)] = nextWord();
      for (const array of arraysOf(layout, state)) {
        for (let k = 0; k < array.length; k++) array[k] = nextWord();
      }
      for (const { name } of layout.reals) values[camel(name)] = nextReal();
      for (let s = 0; s < statistics.length; s++) statistics[s] = nextReal();
    });
  }

  close(): void {}

  private createLane(i: number, options: BatchOptions): Lane<State> {
    const { scalars } = this.program;
    const { actions, observations, metrics, masks } = this.channels;
    const numMetrics = this.layout.metrics.length;
    const actionAt = actions.byteOffset + 4 * i * scalars.actionDim;
    return {
      state: this.environment.createState(),
      statistics: new Float64Array(this.layout.statistics.length),
      action: {
        real: new Float32Array(actions.buffer, actionAt, scalars.actionDim),
        index: new Int32Array(actions.buffer, actionAt, scalars.actionDim),
      },
      out: {
        observation: rowOf(observations, i, scalars.observationDim),
        metrics: options.metrics ? rowOf(metrics, i, numMetrics) : new Float32Array(numMetrics),
        mask: rowOf(masks, i, scalars.maskDim),
        reward: 0,
        cost: 0,
        terminated: false,
        truncated: false,
      },
    };
  }

  private stepLane(i: number): void {
    const lane = this.lanes[i];
    const { state, out } = lane;
    if (state.finished === 1) {
      if (this.autoreset === 'disabled') {
        // A finished environment stands still until it is reset: its last flags remain.
        this.channels.rewards[i] = 0;
        this.channels.costs[i] = 0;
        return;
      }
      state.episode = (state.episode + 1) >>> 0;
      this.beginEpisode(i);
      return;
    }
    const previous = this.environment.previousMetrics(state);
    this.environment.step(state, lane.action, out);
    const { reward, cost, metrics } = out;
    foldStep(this.folds, lane.statistics, { step: state.step, reward, cost, metrics, previous });
    this.publish(i);
    if (out.terminated || out.truncated) this.endEpisode(i);
  }

  private publish(i: number): void {
    const { out } = this.lanes[i];
    this.channels.rewards[i] = out.reward;
    this.channels.costs[i] = out.cost;
    this.channels.terminated[i] = out.terminated ? 1 : 0;
    this.channels.truncated[i] = out.truncated ? 1 : 0;
  }

  private beginEpisode(i: number): void {
    const { state, statistics, out } = this.lanes[i];
    statistics.fill(0);
    state.finished = 0;
    this.environment.reset(state, out);
    out.reward = 0;
    out.cost = 0;
    out.terminated = false;
    out.truncated = false;
    this.publish(i);
  }

  private endEpisode(i: number): void {
    const { state, statistics, out } = this.lanes[i];
    const { finalStatistics, finalObservations } = this.channels;
    this.numEpisodes += 1;
    state.finished = 1;
    finalStatistics.set(statistics, i * statistics.length);
    finalObservations.set(out.observation, i * out.observation.length);
    if (this.autoreset !== 'same-step') return;
    // The reward and the flags are the ended episode's, the observation is the next one's.
    statistics.fill(0);
    state.finished = 0;
    state.episode = (state.episode + 1) >>> 0;
    this.environment.reset(state, out);
  }

  /** Writes the action of a core policy; `constant` leaves the row as it is. */
  private act(policy: number, lane: Lane<State>): void {
    if (policy === corePolicy.constant) return;
    if (policy === corePolicy.random) this.actRandomly(lane);
    else this.environment.act(policy, lane.state, lane.out, lane.action);
  }

  /** Uniform on the action space; action numbers 4 k .. 4 k + 3 take the words of block k. */
  private actRandomly({ state, action }: Lane<State>): void {
    const { actionRanges, actionChoices } = this.program.tables;
    for (let j = 0; j < action.real.length; j++) {
      if (j % 4 === 0) drawBlock(state, stream.policy, j / 4, this.words);
      const word = this.words[j % 4];
      const kind = this.program.tables.actionKind[j];
      const low = actionRanges[2 * j];
      const width = Math.fround(actionRanges[2 * j + 1] - low);
      if (kind === actionKind.real) {
        action.real[j] = Math.fround(low + Math.fround(width * unitOf(word)));
      } else if (kind === actionKind.choice) {
        const numChoices = this.program.tables.actionNumChoices[j];
        action.real[j] = actionChoices[8 * j + wordBelow(word, numChoices)];
      } else {
        const value = Math.trunc(low) + wordBelow(word, Math.trunc(width) + 1);
        if (kind === actionKind.index) action.index[j] = value;
        else action.real[j] = value;
      }
    }
  }
}

/** The arrays of a state, by their names in the layout. */
function arraysOf(layout: Layout, state: object): Uint32Array[] {
  const values = state as Record<string, Uint32Array>;
  return layout.arrays.map(({ name }) => values[camel(name)]);
}

function rowOf<T extends Float32Array | Uint8Array>(array: T, i: number, width: number): T {
  return array.subarray(i * width, (i + 1) * width) as T;
}

function allocateChannels(layout: Layout, program: CommonProgram, options: BatchOptions): Channels {
  const types = { f32: Float32Array, f64: Float64Array, u32: Uint32Array, u8: Uint8Array };
  const widths = channelWidths(layout, program.scalars, options.metrics);
  const entries = channelList.map(({ name, dtype }, i) => [
    name,
    new types[dtype](widths[i] * options.numEnvs),
  ]);
  return Object.fromEntries(entries) as Channels;
}
