/**
 * Deep Q-learning (Mnih et al., 2015) with double targets (van Hasselt et al., 2016), masks and
 * optional conservatism (Kumar et al., 2020), in CleanRL's manner: defaults at the top, the loop
 * in `iterate`. A truncated transition bootstraps from its final observation, a terminated one does
 * not.
 */
import type { Policy, TaskVectorEnv } from '../library.js';
import { type ActionAdapter, adaptActions } from './actions.js';
import {
  type Activation,
  createModel,
  Draws,
  headOutputs,
  type Learner,
  type Model,
  Normalizer,
  type NormalizerKind,
} from './learner/index.js';
import { learnedPolicy } from './policy.js';
import { bytesOf, fillFrom, type Sections } from './sections.js';
import {
  EpisodeMeter,
  encodeNormalizer,
  explorationAt,
  hasEnded,
  makeTrainingBatch,
  normalizerState,
  type Trainer,
  type TrainRow,
  type TrainTask,
} from './trainer.js';

export const DQN_DEFAULTS = {
  numEnvs: 8,
  /** Transitions kept; the oldest are overwritten. */
  bufferSize: 100_000,
  /** Transitions before the first update. */
  learningStarts: 5_000,
  /** Steps of the batch between two updates. */
  trainEvery: 1,
  /** Updates each time. */
  updates: 1,
  minibatch: 64,
  learningRate: 5e-4,
  gamma: 0.99,
  /** Share of the steps over which the chance of a random action falls, from 1. */
  explorationShare: 0.3,
  /** The chance that it falls to. */
  explorationFinal: 0.05,
  /** Updates between two copies to the target, or the share of each update where below 1. */
  targetUpdate: 500,
  double: true,
  /** |error| from which the loss is linear. */
  huber: 1,
  /** Factor of conservative Q-learning's penalty; 0: none. */
  conservative: 0,
  maxNorm: 10,
  hidden: [64, 64] as readonly number[],
  activation: 'relu' as Activation,
  normalizer: 'running' as NormalizerKind,
  /** Factor of the rewards. */
  rewardScale: 1,
  /** Steps of the batch in one `iterate`. */
  iteration: 256,
};

export type DqnConfig = typeof DQN_DEFAULTS;

/** Makes a DQN trainer. The task's actions must be discrete. */
export async function dqn(
  learner: Learner,
  what: TrainTask,
  settings: Partial<DqnConfig> = {},
): Promise<DqnTrainer> {
  const config = { ...DQN_DEFAULTS, ...settings };
  const env = await makeTrainingBatch(what, config.numEnvs);
  return new DqnTrainer(learner, env, what.totalSteps, what.seed, config);
}

export class DqnTrainer implements Trainer {
  readonly task;
  readonly model: Model;
  steps = 0;
  private readonly target: Model;
  private readonly actions: ActionAdapter;
  private readonly normalizer: Normalizer;
  private readonly draws: Draws;
  private readonly meter = new EpisodeMeter();
  private readonly replay: Replay;
  private readonly seen: Float32Array;
  private readonly chosen: Int32Array;
  private readonly rows: Uint32Array;
  private acts = 0;
  private updates = 0;

  constructor(
    learner: Learner,
    private readonly env: TaskVectorEnv,
    readonly totalSteps: number,
    private readonly seed: number,
    private readonly config: DqnConfig,
  ) {
    const { task } = env;
    this.task = task;
    this.actions = adaptActions(task);
    const { head } = this.actions;
    if (head.kind !== 'categorical') {
      throw new RangeError(`task ${task.spec.id} has real actions: dqn needs discrete ones`);
    }
    const { hidden, activation } = config;
    const nets = { q: { hidden, activation, outputs: 'head' } } as const;
    const spec = { seed, observationDim: task.observationDim, nets, head };
    this.model = createModel(learner, spec);
    this.target = createModel(learner, spec);
    this.normalizer = new Normalizer(task.observationDim, config.normalizer);
    this.draws = new Draws(seed);
    const outputs = headOutputs(head);
    this.replay = new Replay(config.bufferSize, env, this.actions.width, head.masked ? outputs : 0);
    this.seen = new Float32Array(config.numEnvs * task.observationDim);
    this.chosen = new Int32Array(config.numEnvs * this.actions.width);
    this.rows = new Uint32Array(config.minibatch);
    env.reset();
    this.normalizer.learn(env.observations);
  }

  /** Steps the batch `iteration` times and updates on the way. */
  iterate(): TrainRow {
    const { config, env } = this;
    const sums = { loss: 0, value: 0, absError: 0 };
    let updates = 0;
    for (let k = 0; k < config.iteration && this.steps < this.totalSteps; k++) {
      this.collect();
      this.steps += env.numEnvs;
      const isDue = this.acts % config.trainEvery === 0;
      if (!isDue || this.replay.size < config.learningStarts) continue;
      for (let u = 0; u < config.updates; u++) {
        const stats = this.update();
        sums.loss += stats.loss;
        sums.value += stats.value;
        sums.absError += stats.absError;
        updates++;
      }
    }
    const mean = (sum: number) => (updates > 0 ? sum / updates : 0);
    return {
      loss: mean(sums.loss),
      q_mean: mean(sums.value),
      td_error_abs: mean(sums.absError),
      epsilon: this.epsilon(),
      ...this.meter.take(),
    };
  }

  private epsilon(): number {
    return explorationAt(this.config, this.steps, this.totalSteps);
  }

  private collect(): void {
    const { env, normalizer, model, actions, seen, chosen, replay, config } = this;
    normalizer.apply(env.observations, seen);
    const isMasked = actions.head.kind === 'categorical' && actions.head.masked;
    const draw = { seed: this.seed, step: this.acts++, epsilon: this.epsilon() };
    model.act(seen, isMasked ? env.masks : null, draw, { actions: chosen });
    actions.write(chosen, env.actions);
    replay.begin(chosen);
    env.step();
    replay.end(config.rewardScale);
    normalizer.learn(env.observations);
    this.meter.addEnded(env);
  }

  private update() {
    const { config, replay, model, target, draws, rows } = this;
    for (let r = 0; r < rows.length; r++) {
      rows[r] = Math.floor(draws.uniform(this.updates, r) * replay.size);
    }
    const batch = replay.sample(rows, this.normalizer);
    const { gamma, huber, double, conservative } = config;
    const stats = model.gradient('td', batch, null, { gamma, huber, double, conservative, target });
    model.step({ lr: config.learningRate, maxNorm: config.maxNorm });
    this.updates++;
    const { targetUpdate } = config;
    if (targetUpdate < 1) target.copyFrom(model, targetUpdate);
    else if (this.updates % targetUpdate === 0) target.copyFrom(model);
    return stats;
  }

  policy(): Policy {
    return learnedPolicy('dqn', this.model, this.normalizer, this.actions);
  }

  savePolicy(): Sections {
    return { model: this.model.save(), normalizer: encodeNormalizer(this.normalizer) };
  }

  loadPolicy({ model, normalizer }: Sections): void {
    this.model.load(model);
    this.target.copyFrom(this.model);
    this.normalizer.load(normalizerState(normalizer));
  }

  save(): Sections {
    return {
      ...this.savePolicy(),
      target: this.target.save(),
      counters: bytesOf(Float64Array.of(this.steps, this.acts, this.updates)),
      environments: this.env.snapshot(),
      ...this.replay.save(),
    };
  }

  load(sections: Sections): void {
    const counters = new Float64Array(3);
    fillFrom(counters, sections['counters'], 'counters');
    this.loadPolicy(sections);
    this.target.load(sections['target']);
    this.env.restore(sections['environments']);
    this.replay.load(sections);
    [this.steps, this.acts, this.updates] = counters;
  }

  digest(): string {
    return this.model.digest();
  }

  close(): void {
    this.env.close();
    this.model.close();
    this.target.close();
  }
}

/** A ring of transitions; observations are kept as they were and normalised when they are read. */
class Replay {
  size = 0;
  private next = 0;
  private readonly rings: Readonly<Record<string, Float32Array | Int32Array | Uint8Array>>;
  private readonly scratch: Readonly<Record<string, Float32Array | Int32Array | Uint8Array>>;

  constructor(
    private readonly capacity: number,
    private readonly env: TaskVectorEnv,
    private readonly actionWidth: number,
    private readonly maskWidth: number,
  ) {
    this.rings = this.arrays(capacity);
    this.scratch = {};
  }

  private arrays(rows: number) {
    const { observationDim } = this.env.task;
    return {
      observations: new Float32Array(rows * observationDim),
      nextObservations: new Float32Array(rows * observationDim),
      masks: new Uint8Array(rows * this.maskWidth),
      nextMasks: new Uint8Array(rows * this.maskWidth),
      actions: new Int32Array(rows * this.actionWidth),
      rewards: new Float32Array(rows),
      terminated: new Uint8Array(rows),
    };
  }

  private widthOf(name: string): number {
    return this.rings[name].length / this.capacity;
  }

  /** Keeps what the environments show and what is done, before the step. */
  begin(actions: Int32Array): void {
    this.put('observations', this.env.observations);
    this.put('masks', this.env.masks);
    this.put('actions', actions);
  }

  /** Keeps what came of it; where an episode ended its final observation, not the next one's. */
  end(rewardScale: number): void {
    const { env } = this;
    const { numEnvs, terminated } = env;
    this.put('nextObservations', env.observations);
    this.put('nextMasks', env.masks);
    this.put('terminated', terminated);
    const width = env.task.observationDim;
    for (let i = 0; i < numEnvs; i++) {
      const row = (this.next + i) % this.capacity;
      this.rings['rewards'][row] = env.rewards[i] * rewardScale;
      if (!hasEnded(env, i)) continue;
      const final = env.finalObservations.subarray(i * width, (i + 1) * width);
      this.rings['nextObservations'].set(final, row * width);
      // The mask of a final state is not shown: everything counts as allowed there.
      const { maskWidth } = this;
      this.rings['nextMasks'].fill(1, row * maskWidth, (row + 1) * maskWidth);
    }
    this.next = (this.next + numEnvs) % this.capacity;
    this.size = Math.min(this.capacity, this.size + numEnvs);
  }

  private put(name: string, values: Float32Array | Int32Array | Uint8Array): void {
    const ring = this.rings[name];
    const width = this.widthOf(name);
    if (width === 0) return;
    const room = (this.capacity - this.next) * width;
    ring.set(values.subarray(0, room), this.next * width);
    if (values.length > room) ring.set(values.subarray(room), 0);
  }

  /** The transitions of some rows side by side, observations normalised. */
  sample(rows: Uint32Array, normalizer: Normalizer) {
    if (this.scratch['rewards']?.length !== rows.length) {
      Object.assign(this.scratch, this.arrays(rows.length));
    }
    for (const [name, ring] of Object.entries(this.rings)) {
      const width = this.widthOf(name);
      const out = this.scratch[name];
      rows.forEach((row, r) => {
        for (let j = 0; j < width; j++) out[r * width + j] = ring[row * width + j];
      });
    }
    const out = this.scratch as ReturnType<Replay['arrays']>;
    normalizer.apply(out.observations, out.observations);
    normalizer.apply(out.nextObservations, out.nextObservations);
    const { masks, nextMasks, ...rest } = out;
    return this.maskWidth > 0 ? { ...rest, masks, nextMasks } : rest;
  }

  save(): Sections {
    const parts = Object.entries(this.rings).map(([name, ring]) => {
      const used = ring.subarray(0, this.size * this.widthOf(name));
      return [`replay.${name}`, bytesOf(used)] as const;
    });
    const place = bytesOf(Float64Array.of(this.size, this.next));
    return { ...Object.fromEntries(parts), 'replay.place': place };
  }

  load(sections: Sections): void {
    const place = new Float64Array(2);
    fillFrom(place, sections['replay.place'], 'replay.place');
    [this.size, this.next] = place;
    for (const [name, ring] of Object.entries(this.rings)) {
      const used = ring.subarray(0, this.size * this.widthOf(name));
      fillFrom(used, sections[`replay.${name}`], `replay.${name}`);
    }
  }
}
