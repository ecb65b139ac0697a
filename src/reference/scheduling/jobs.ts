/** Which jobs arrive in a step: drawn, or read from a trace. They depend on no action. */

import { stream } from '../../generated/common.js';
import type { SchedulingScalars, SchedulingTables } from '../../generated/scheduling.js';
import type { DecodedProgram } from '../../program/program.js';
import { type AliasTable, sampleAlias } from '../../program/sample.js';
import { drawBlock, wordBelow } from '../draws.js';
import type { CommonState } from '../environment.js';

/** A job's demands: units of CPU and memory, and steps. */
export interface Job {
  cpu: number;
  mem: number;
  duration: number;
}

/** One of the three demands of a job: an alias table over outcomes, and their values. */
interface Demand {
  readonly alias: AliasTable;
  readonly values: Uint32Array;
}

export class SchedulingJobs {
  private readonly arrivals: readonly AliasTable[];
  private readonly cpu: Demand;
  private readonly mem: Demand;
  private readonly duration: Demand;
  private readonly words = new Uint32Array(4);
  private readonly job: Job = { cpu: 0, mem: 0, duration: 0 };

  constructor(
    private readonly s: SchedulingScalars,
    private readonly t: SchedulingTables,
  ) {
    const numColumns = 1 << s.arrivalBits;
    this.arrivals = Array.from({ length: s.numLevels }, (_, level) => ({
      bits: s.arrivalBits,
      offset: 0,
      columns: t.arrivalAlias.subarray(level * numColumns, (level + 1) * numColumns),
    }));
    const demand = (bits: number, columns: Uint32Array, values: Uint32Array): Demand => {
      return { alias: { bits, offset: 0, columns }, values };
    };
    this.cpu = demand(s.cpuBits, t.cpuAlias, t.cpuValue);
    this.mem = demand(s.memBits, t.memAlias, t.memValue);
    this.duration = demand(s.durationBits, t.durationAlias, t.durationValue);
  }

  /** The tick an episode begins at: uniform over the windows in which the trace has a job. */
  windowStart(state: CommonState): number {
    const words = drawBlock(state, stream.reset, 0, this.words);
    return this.t.windowStarts[wordBelow(words[0], this.s.numWindows)];
  }

  /**
   * Calls back with every job of the trace that runs when the window begins, in the order of
   * arrival; its duration is what is left of it, and the object is reused.
   */
  running({ windowStart }: { windowStart: number }, admit: (job: Job) => void): void {
    const { s, t, job } = this;
    const end = t.traceFirst[windowStart];
    for (let i = t.runningFirst[windowStart]; i < end && i < s.traceJobs; i++) {
      if (t.traceEnd[i] <= windowStart) continue;
      job.cpu = t.traceCpu[i];
      job.mem = t.traceMem[i];
      job.duration = t.traceEnd[i] - windowStart;
      admit(job);
    }
  }

  /** Calls back with every job of the state's step, in order; the object is reused. */
  arrive(state: CommonState & { windowStart: number }, admit: (job: Job) => void): void {
    if (this.s.fromTrace === 1) this.replay(state.windowStart + state.step, admit);
    else this.draw(state, admit);
  }

  private replay(tick: number, admit: (job: Job) => void): void {
    const { s, t, job } = this;
    // After its last tick a trace has no more jobs.
    if (tick + 1 >= s.traceTicks) return;
    const end = t.traceFirst[tick + 1];
    for (let i = t.traceFirst[tick]; i < end && i < s.traceJobs; i++) {
      job.cpu = t.traceCpu[i];
      job.mem = t.traceMem[i];
      job.duration = t.traceDuration[i];
      admit(job);
    }
  }

  /** Block 0: a word for the number, three for the first job; the others take a block each. */
  private draw(state: CommonState, admit: (job: Job) => void): void {
    const { s, t, job } = this;
    const words = drawBlock(state, stream.step, 0, this.words);
    const level = t.profileLevel[state.step % s.profileSteps];
    const numArrivals = sampleAlias(this.arrivals[level], words[0]);
    for (let i = 0; i < numArrivals; i++) {
      const at = i === 0 ? 1 : 0;
      if (i > 0) drawBlock(state, stream.step, i, words);
      job.cpu = sample(this.cpu, words[at]);
      job.mem = sample(this.mem, words[at + 1]);
      job.duration = sample(this.duration, words[at + 2]);
      admit(job);
    }
  }
}

const sample = ({ alias, values }: Demand, word: number): number =>
  values[sampleAlias(alias, word)];

/** A job with the step it arrives at. */
export interface ArrivedJob extends Readonly<Job> {
  readonly arrival: number;
}

/** The jobs of an episode, whatever is done in it: a clairvoyant's knowledge. */
export interface EpisodeJobs {
  /** The jobs that run when it begins; `duration` is what is left of them. */
  readonly running: readonly Readonly<Job>[];
  /** Those that arrive, in order. */
  readonly arrived: readonly ArrivedJob[];
}

/** Every job of an episode. */
export function jobsOfEpisode(
  { scalars, tables }: DecodedProgram<SchedulingScalars, SchedulingTables>,
  seed: { readonly lo: number; readonly hi: number },
  episode: number,
): EpisodeJobs {
  const jobs = new SchedulingJobs(scalars, tables);
  const state = { seedLo: seed.lo, seedHi: seed.hi, episode, step: 0, finished: 0, windowStart: 0 };
  state.windowStart = jobs.windowStart(state);
  const running: Job[] = [];
  jobs.running(state, (job) => running.push({ ...job }));
  const arrived: ArrivedJob[] = [];
  for (; state.step < scalars.horizon; state.step++) {
    jobs.arrive(state, (job) => arrived.push({ ...job, arrival: state.step }));
  }
  return { running, arrived };
}
