/**
 * The reference as a backend: environments one after the other, through one action row and one
 * set of output rows that are copied from and to the channels. What is common to every family
 * stands here: autoreset, statistics, state transfer.
 */
import type { Autoreset, Batch, BatchOptions, Channels } from '../backend.js';
import { actionKind, channels as channelList, corePolicy, stream } from '../generated/common.js';
import type { ActionTables } from '../program/actions.js';
import {
  camel,
  channelWidths,
  type Layout,
  type StateField,
  stateFields,
} from '../program/layout.js';
import { type Folds, foldStep, foldsOf, type StepRecord } from '../program/statistics.js';
import { drawBlock, unitOf, wordBelow } from './draws.js';
import type { ActionRow, CommonState, Outputs, ReferenceEnvironment } from './environment.js';
import { isParametric, Parameters, type Seen } from './policy/parameters.js';
import { exportState, importState } from './transfer.js';

/** Scalars and tables that every family's program has. */
export interface CommonProgram {
  readonly scalars: {
    readonly horizon: number;
    readonly actionDim: number;
    readonly observationDim: number;
    readonly maskDim: number;
  };
  readonly tables: ActionTables;
}

export class ReferenceBatch<State extends CommonState> implements Batch {
  readonly kernel = 'scalar';
  readonly channels: Channels;
  private readonly states: State[];
  /** [environment][statistic]. */
  private readonly statistics: Float64Array;
  private readonly autoreset: Autoreset;
  private readonly keepsMetrics: boolean;
  private readonly folds: Folds;
  private readonly stepRecord: { -readonly [K in keyof StepRecord]: StepRecord[K] };
  private readonly previous: Float64Array;
  private readonly out: Outputs;
  private readonly action: ActionRow;
  private readonly words = new Uint32Array(4);
  private readonly fields: readonly StateField[];
  private parameters: Parameters | null = null;
  private numEpisodes = 0;

  constructor(
    layout: Layout,
    private readonly program: CommonProgram,
    private readonly environment: ReferenceEnvironment<State>,
    options: BatchOptions,
  ) {
    const { numEnvs } = options;
    const numMetrics = layout.metrics.length;
    this.autoreset = options.autoreset;
    this.keepsMetrics = options.metrics;
    this.folds = foldsOf(layout);
    this.channels = allocateChannels(layout, program, options);
    this.states = Array.from({ length: numEnvs }, () => environment.createState());
    this.statistics = new Float64Array(numEnvs * layout.statistics.length);
    this.previous = new Float64Array(numMetrics);
    this.out = {
      observation: new Float32Array(program.scalars.observationDim),
      metrics: new Float32Array(numMetrics),
      mask: new Uint8Array(program.scalars.maskDim),
      reward: 0,
      cost: 0,
      terminated: false,
      truncated: false,
    };
    const { metrics } = this.out;
    this.stepRecord = { step: 0, reward: 0, cost: 0, metrics, previous: this.previous };
    const real = new Float32Array(program.scalars.actionDim);
    this.action = { real, index: new Int32Array(real.buffer) };
    this.fields = stateFields(layout, scalarsOf(layout, program.scalars));
  }

  reset(seed: { lo: number; hi: number } | null, masked: boolean): void {
    this.states.forEach((state, i) => {
      if (masked && this.channels.resetMask[i] !== 1) return;
      if (seed) {
        const lo = seed.lo + i;
        state.seedLo = lo >>> 0;
        state.seedHi = (seed.hi + (lo > 0xffffffff ? 1 : 0)) >>> 0;
        state.episode = 0;
      } else {
        state.episode = (state.episode + 1) >>> 0;
      }
      this.beginEpisode(i);
    });
  }

  step(): void {
    for (let i = 0; i < this.states.length; i++) {
      this.readAction(i);
      this.stepState(i);
    }
  }

  /** One environment after the other, all its steps at once: its state stays in the cache. */
  rollout(policy: number, steps: number): void {
    for (let i = 0; i < this.states.length; i++) {
      for (let n = 0; n < steps; n++) {
        this.readAction(i);
        this.act(policy, i);
        this.stepState(i);
      }
    }
  }

  setParameters(words: Uint32Array): void {
    this.parameters = new Parameters(this.program, words.slice());
  }

  episodes(): number {
    return this.numEpisodes;
  }

  exportState(): Uint8Array {
    return exportState(this.fields, this.states, this.statistics);
  }

  importState(bytes: Uint8Array): void {
    importState(this.fields, this.states, this.statistics, bytes);
  }

  close(): void {}

  private stepState(i: number): void {
    const { environment, out } = this;
    const state = this.states[i];
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
    environment.previousMetrics(state, this.previous);
    environment.step(state, this.action, out);
    this.fold(i, state.step);
    this.publishOutcome(i);
    if (out.terminated || out.truncated) this.endEpisode(i);
    this.publishRows(i);
  }

  private fold(i: number, step: number): void {
    const { stepRecord: record, out, statistics, folds } = this;
    record.step = step;
    record.reward = out.reward;
    record.cost = out.cost;
    foldStep(folds, statistics, i * folds.numStatistics, record);
  }

  private publishOutcome(i: number): void {
    const { channels, out } = this;
    channels.rewards[i] = out.reward;
    channels.costs[i] = out.cost;
    channels.terminated[i] = out.terminated ? 1 : 0;
    channels.truncated[i] = out.truncated ? 1 : 0;
  }

  private publishRows(i: number): void {
    const { channels, out } = this;
    channels.observations.set(out.observation, i * out.observation.length);
    if (this.keepsMetrics) channels.metrics.set(out.metrics, i * out.metrics.length);
    if (out.mask.length > 0) channels.masks.set(out.mask, i * out.mask.length);
  }

  private beginEpisode(i: number): void {
    const { out } = this;
    this.clearEpisode(i);
    out.reward = 0;
    out.cost = 0;
    out.terminated = false;
    out.truncated = false;
    this.publishOutcome(i);
    this.publishRows(i);
  }

  private endEpisode(i: number): void {
    const { out, statistics } = this;
    const { finalStatistics, finalObservations } = this.channels;
    const state = this.states[i];
    const { numStatistics } = this.folds;
    const first = i * numStatistics;
    this.numEpisodes += 1;
    this.environment.foldEnd?.(state, statistics, first);
    state.finished = 1;
    finalStatistics.set(statistics.subarray(first, first + numStatistics), first);
    finalObservations.set(out.observation, i * out.observation.length);
    if (this.autoreset !== 'same-step') return;
    // The reward and the flags are the ended episode's, the observation is the next one's.
    state.episode = (state.episode + 1) >>> 0;
    this.clearEpisode(i);
  }

  /** Begins the episode that the state names, with the statistics of no step. */
  private clearEpisode(i: number): void {
    const state = this.states[i];
    const { numStatistics } = this.folds;
    this.statistics.fill(0, i * numStatistics, (i + 1) * numStatistics);
    state.finished = 0;
    this.environment.reset(state, this.out);
  }

  private readAction(i: number): void {
    const { index } = this.action;
    const { actions } = this.channels;
    for (let j = 0; j < index.length; j++) index[j] = actions[i * index.length + j];
  }

  /** Writes the action of a core policy; `constant` leaves the row as it is. */
  private act(policy: number, i: number): void {
    if (policy === corePolicy.constant) return;
    const { action } = this;
    if (policy === corePolicy.random) this.actRandomly(this.states[i], action);
    else if (isParametric(policy)) this.parameters?.act(policy, this.seenBy(i), action);
    else this.environment.act(policy, this.states[i], action);
    this.channels.actions.set(action.index, i * action.index.length);
  }

  /** A policy's view of environment i. */
  private seenBy(i: number): Seen {
    const { observationDim, maskDim } = this.program.scalars;
    const { observations, masks } = this.channels;
    return {
      observation: observations.subarray(i * observationDim, (i + 1) * observationDim),
      mask: masks.subarray(i * maskDim, (i + 1) * maskDim),
    };
  }

  /** Uniform on the action space; action numbers 4 k .. 4 k + 3 take the words of block k. */
  private actRandomly(state: State, action: ActionRow): void {
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

function scalarsOf(layout: Layout, scalars: object): number[] {
  const values = scalars as Record<string, number>;
  return layout.scalars.map(({ name }) => values[camel(name)]);
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
