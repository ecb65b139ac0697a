/** The shape that every algorithm has, so that one driver logs, evaluates and resumes them all. */
import {
  type CompiledTask,
  makeVec,
  type Policy,
  type TaskOptions,
  type TaskVectorEnv,
} from '../library.js';
import type { Normalizer, NormalizerState } from './learner/index.js';
import type { Sections } from './sections.js';

/** The task and the budget of a run. */
export interface TrainTask extends TaskOptions {
  /** Id or alias. */
  readonly task: string;
  readonly totalSteps: number;
  /** Of weights, draws and environments: environment i of seed s is s · 2^32 + i. */
  readonly seed: number;
  /** Threads that step the environments; the results do not depend on it. */
  readonly threads?: number;
}

/** The environments of a run: environment i of seed s is s · 2^32 + i. */
export function makeTrainingBatch(what: TrainTask, numEnvs: number): Promise<TaskVectorEnv> {
  const { task, totalSteps: _totalSteps, seed, threads = 1, ...options } = what;
  const batch = { numEnvs, seed: firstSeed(seed), autoreset: 'same-step', threads } as const;
  return makeVec(task, { ...options, ...batch });
}

/** The seed of a run's first environment. */
export const firstSeed = (seed: number): bigint => BigInt(seed) << 32n;

/** Whether environment i's episode ended in the last step, in either way. */
export function hasEnded({ terminated, truncated }: TaskVectorEnv, i: number): boolean {
  return terminated[i] === 1 || truncated[i] === 1;
}

/** The chance of a random action, which falls from 1 over a share of the steps. */
export interface Exploration {
  readonly explorationShare: number;
  readonly explorationFinal: number;
}

/** That chance after so many of the steps. */
export function explorationAt(
  { explorationShare, explorationFinal }: Exploration,
  steps: number,
  totalSteps: number,
): number {
  const done = steps / (explorationShare * totalSteps);
  return 1 + (explorationFinal - 1) * (done < 1 ? done : 1);
}

/** A normaliser's state as bytes. */
export function encodeNormalizer(normalizer: Normalizer): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(normalizer.save()));
}

/** The state that `encodeNormalizer` wrote. */
export function normalizerState(bytes: Uint8Array): NormalizerState {
  return JSON.parse(new TextDecoder().decode(bytes)) as NormalizerState;
}

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

  /** Adds the episodes that ended in the batch's last step. */
  addEnded(env: TaskVectorEnv): void {
    for (let i = 0; i < env.numEnvs; i++) {
      if (!hasEnded(env, i)) continue;
      const statistics = env.statisticsOf(i)!;
      this.returns += statistics['episode_return'];
      this.lengths += statistics['length_steps'];
      this.count += 1;
    }
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
