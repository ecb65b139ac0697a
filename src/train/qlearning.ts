/**
 * Tabular Q-learning (Watkins and Dayan, 1992) over binned observations, for small tasks with one
 * discrete action: what seed 001 asks of its students. The greedy policy is one that the core
 * plays (`tabular`).
 */
import {
  type CompiledTask,
  digestOf,
  type ParametricPolicy,
  type Policy,
  parametricPolicy,
  type TaskVectorEnv,
} from '../library.js';
import { Draws } from './learner/index.js';
import { bytesOf, fillFrom, type Sections } from './sections.js';
import {
  EpisodeMeter,
  explorationAt,
  firstSeed,
  hasEnded,
  makeTrainingBatch,
  type Trainer,
  type TrainRow,
  type TrainTask,
} from './trainer.js';

export const QLEARNING_DEFAULTS = {
  numEnvs: 8,
  /** Names of the observations to bin; empty: all. */
  features: [] as readonly string[],
  /** Bins of each feature, by equal shares of what a random policy sees. */
  bins: 8,
  learningRate: 0.1,
  gamma: 0.99,
  explorationShare: 0.5,
  explorationFinal: 0.05,
  /** Value that every cell begins with. */
  initialValue: 0,
  /** Steps of the batch in one `iterate`. */
  iteration: 256,
};

export type QlearningConfig = typeof QLEARNING_DEFAULTS;

/** Most cells of a table. */
const CELLS_MAX = 4_000_000;
/** Steps of a random policy by which the bins are chosen. */
const BINNING_STEPS = 512;

/** Makes a Q-learning trainer. */
export async function qlearning(
  what: TrainTask,
  settings: Partial<QlearningConfig> = {},
): Promise<QlearningTrainer> {
  const config = { ...QLEARNING_DEFAULTS, ...settings };
  const env = await makeTrainingBatch(what, config.numEnvs);
  return new QlearningTrainer(env, what.totalSteps, what.seed, config);
}

export class QlearningTrainer implements Trainer {
  readonly task;
  steps = 0;
  private readonly features: { observation: number; edges: Float32Array }[];
  private readonly numActions: number;
  private readonly lowest: number;
  /** [cells, numActions], f64. */
  private readonly table: Float64Array;
  private readonly draws: Draws;
  private readonly meter = new EpisodeMeter();
  private readonly cells: Uint32Array;
  private acts = 0;

  constructor(
    private readonly env: TaskVectorEnv,
    readonly totalSteps: number,
    seed: number,
    private readonly config: QlearningConfig,
  ) {
    const { task } = env;
    this.task = task;
    const space = task.actionSpace as { n?: number; start?: number };
    if (task.actionDtype !== 'index' || space.n === undefined) {
      throw new RangeError(`task ${task.spec.id}: qlearning needs one discrete action`);
    }
    this.numActions = space.n;
    this.lowest = space.start ?? 0;
    env.reset();
    this.features = this.chooseBins();
    const numCells = this.features.reduce((n, { edges }) => n * (edges.length + 1), 1);
    if (numCells * this.numActions > CELLS_MAX) {
      const needed = `at most ${CELLS_MAX} with the actions are possible: name fewer features`;
      throw new RangeError(`${this.features.length} features make ${numCells} cells: ${needed}`);
    }
    this.table = new Float64Array(numCells * this.numActions).fill(config.initialValue);
    this.draws = new Draws(seed);
    this.cells = new Uint32Array(env.numEnvs);
    env.reset({ seed: firstSeed(seed) });
  }

  /** Edges at equal shares of the values that a random policy sees. */
  private chooseBins() {
    const { env, config } = this;
    const { observationNames } = this.task;
    const names = config.features.length > 0 ? config.features : observationNames;
    const places = names.map((name) => {
      const at = observationNames.indexOf(name);
      if (at >= 0) return at;
      throw new RangeError(`features has "${name}": of ${observationNames.join(', ')} are known`);
    });
    const values: number[][] = places.map(() => []);
    const width = this.task.observationDim;
    for (let step = 0; step < BINNING_STEPS; step++) {
      for (let i = 0; i < env.numEnvs; i++) {
        places.forEach((place, k) => {
          values[k].push(env.observations[i * width + place]);
        });
      }
      env.rollout('random', 1);
    }
    return places.map((observation, k) => ({
      observation,
      edges: edgesOf(values[k], config.bins),
    }));
  }

  iterate(): TrainRow {
    const { env, config, table, numActions } = this;
    let change = 0;
    for (let k = 0; k < config.iteration && this.steps < this.totalSteps; k++) {
      const epsilon = this.epsilon();
      this.readCells(env.observations, this.cells);
      for (let i = 0; i < env.numEnvs; i++) {
        env.actions[i] = this.lowest + this.choose(this.cells[i], i, epsilon);
      }
      const before = Uint32Array.from(this.cells);
      const taken = Int32Array.from(env.actions, (action) => action - this.lowest);
      env.step();
      this.acts++;
      this.steps += env.numEnvs;
      const { terminated } = env;
      this.readCells(this.nextObservations(), this.cells);
      for (let i = 0; i < env.numEnvs; i++) {
        const at = before[i] * numActions + taken[i];
        const follows = terminated[i] === 1 ? 0 : config.gamma * this.best(this.cells[i]).value;
        const error = env.rewards[i] + follows - table[at];
        table[at] += config.learningRate * error;
        change += error < 0 ? -error : error;
      }
      this.meter.addEnded(env);
    }
    const updates = config.iteration * env.numEnvs;
    return { td_error_abs: change / updates, epsilon: this.epsilon(), ...this.meter.take() };
  }

  /** The observations that followed the step: an episode's last one where it ended. */
  private nextObservations(): Float32Array {
    const { env } = this;
    const width = this.task.observationDim;
    const rows = Float32Array.from(env.observations);
    for (let i = 0; i < env.numEnvs; i++) {
      if (!hasEnded(env, i)) continue;
      rows.set(env.finalObservations.subarray(i * width, (i + 1) * width), i * width);
    }
    return rows;
  }

  private epsilon(): number {
    return explorationAt(this.config, this.steps, this.totalSteps);
  }

  private choose(cell: number, env: number, epsilon: number): number {
    const words = this.draws.action(this.acts, env, 0);
    if (words[1] / 4294967296 >= epsilon) return this.best(cell).action;
    return Math.floor((words[2] * this.numActions) / 4294967296);
  }

  private best(cell: number): { action: number; value: number } {
    const { table, numActions } = this;
    const action = bestAction(table, numActions, cell);
    return { action, value: table[cell * numActions + action] };
  }

  private readCells(observations: Float32Array, cells: Uint32Array): void {
    const width = this.task.observationDim;
    for (let i = 0; i < cells.length; i++) {
      let cell = 0;
      for (const { observation, edges } of this.features) {
        const value = observations[i * width + observation];
        let bin = 0;
        while (bin < edges.length && value >= edges[bin]) bin++;
        cell = cell * (edges.length + 1) + bin;
      }
      cells[i] = cell;
    }
  }

  /** The greedy policy, as the core plays it. */
  parameters(): ParametricPolicy {
    const table = greedyTable(this.table, this.numActions, this.lowest);
    return { kind: 'tabular', features: this.features, table };
  }

  policy(): Policy {
    return { ...parametricPolicy(this.parameters()), name: 'qlearning' };
  }

  savePolicy(): Sections {
    const edges = this.features.flatMap(({ observation, edges }) => [
      observation,
      edges.length,
      ...edges,
    ]);
    return { table: bytesOf(this.table), features: bytesOf(Float64Array.from(edges)) };
  }

  loadPolicy(sections: Sections): void {
    const own = this.savePolicy();
    const isSame = own['features'].every((byte, i) => byte === sections['features'][i]);
    if (!isSame) throw new RangeError('the policy has other features: it is of another run');
    fillFrom(this.table, sections['table'], 'table');
  }

  save(): Sections {
    const counters = bytesOf(Float64Array.of(this.steps, this.acts));
    return { ...this.savePolicy(), counters, environments: this.env.snapshot() };
  }

  load(sections: Sections): void {
    const counters = new Float64Array(2);
    fillFrom(counters, sections['counters'], 'counters');
    this.loadPolicy(sections);
    this.env.restore(sections['environments']);
    [this.steps, this.acts] = counters;
  }

  digest(): string {
    return digestOf(this.table);
  }

  close(): void {
    this.env.close();
  }
}

/** At most `bins` − 1 edges at equal shares of the values, each a value that occurs. */
function edgesOf(values: readonly number[], bins: number): Float32Array {
  const sorted = Float32Array.from(values).sort();
  const edges = new Set<number>();
  for (let b = 1; b < bins; b++) {
    const value = sorted[Math.floor((b * sorted.length) / bins)];
    if (value > sorted[0]) edges.add(value);
  }
  return Float32Array.from(edges).sort();
}

/**
 * The greedy policy of the parts that `savePolicy` gave.
 *
 * @throws RangeError for a task with another number of actions
 */
export function tabularFrom(sections: Sections, task: CompiledTask): ParametricPolicy {
  const space = task.actionSpace as { n?: number; start?: number };
  const numbers = new Float64Array(sections['features'].slice().buffer);
  const values = new Float64Array(sections['table'].slice().buffer);
  const features: { observation: number; edges: Float32Array }[] = [];
  for (let at = 0; at < numbers.length; at += 2 + numbers[at + 1]) {
    const edges = Float32Array.from(numbers.subarray(at + 2, at + 2 + numbers[at + 1]));
    features.push({ observation: numbers[at], edges });
  }
  const numCells = features.reduce((n, { edges }) => n * (edges.length + 1), 1);
  const numActions = values.length / numCells;
  if (numActions !== space.n) {
    throw new RangeError(`the policy has ${numActions} actions: ${task.spec.id} has ${space.n}`);
  }
  return { kind: 'tabular', features, table: greedyTable(values, numActions, space.start ?? 0) };
}

/** The best action of every cell. */
function greedyTable(values: Float64Array, numActions: number, lowest: number): Int32Array {
  return Int32Array.from({ length: values.length / numActions }, (_, cell) => {
    return lowest + bestAction(values, numActions, cell);
  });
}

/** The best action of a cell, the lowest of equals. */
function bestAction(values: Float64Array, numActions: number, cell: number): number {
  let best = 0;
  for (let a = 1; a < numActions; a++) {
    if (values[cell * numActions + a] > values[cell * numActions + best]) best = a;
  }
  return best;
}
