/** The shape that every algorithm has, so that one driver logs, evaluates and resumes them all. */
import type { CompiledTask, Policy } from '../library.js';
import type { Sections } from './sections.js';

/** One line of a learning curve, by name: losses, entropy, returns of the training episodes. */
export type TrainRow = Readonly<Record<string, number>>;

/** An algorithm at work. */
export interface Trainer {
  readonly task: CompiledTask;
  /** Environment steps so far, and those that it was asked for. */
  readonly steps: number;
  readonly totalSteps: number;
  /** Collects and learns once; between two calls the state is whole. */
  iterate(): TrainRow;
  /** The policy as it is: greedy, of the present weights. It goes on learning with the trainer. */
  policy(): Policy;
  /** The policy's own parts, for a file. */
  savePolicy(): Sections;
  /** Takes the parts of a policy of the same algorithm and settings. */
  loadPolicy(sections: Sections): void;
  /** Everything: a trainer of the same settings that loads it goes on to the same weights. */
  save(): Sections;
  load(sections: Sections): void;
  /** Names the weights. */
  digest(): string;
  close(): void;
}

/** Means over the episodes that ended in training since the last row. */
export class EpisodeMeter {
  private returns = 0;
  private lengths = 0;
  private count = 0;

  add(episodeReturn: number, length: number): void {
    this.returns += episodeReturn;
    this.lengths += length;
    this.count += 1;
  }

  /** The means; empty where no episode ended. */
  take(): TrainRow {
    const { returns, lengths, count } = this;
    this.returns = 0;
    this.lengths = 0;
    this.count = 0;
    if (count === 0) return {};
    return {
      episode_return_mean: returns / count,
      episode_length_mean: lengths / count,
      episodes: count,
    };
  }
}
