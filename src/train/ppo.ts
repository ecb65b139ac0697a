/**
 * Proximal policy optimisation (Schulman et al., 2017), in CleanRL's manner: everything that makes
 * it PPO is in this file; the learner computes gradients. Defaults at the top, the loop in
 * `iterate`.
 *
 * Truncated episodes are bootstrapped: the value of the final observation counts as if the episode
 * went on; terminated ones end at 0. Observations are normalised by running moments, rewards by
 * the running deviation of the discounted return.
 */
import type { Policy, TaskVectorEnv } from '../library.js';
import { type ActionAdapter, adaptActions, choicesOf } from './actions.js';
import {
  type Activation,
  createModel,
  Draws,
  type Learner,
  type Model,
  Normalizer,
  type NormalizerKind,
} from './learner/index.js';
import { learnedPolicy } from './policy.js';
import { RewardScale } from './reward-scale.js';
import { bytesOf, fillFrom, type Sections } from './sections.js';
import {
  EpisodeMeter,
  encodeNormalizer,
  hasEnded,
  makeTrainingBatch,
  normalizerState,
  type Trainer,
  type TrainRow,
  type TrainTask,
} from './trainer.js';

export const PPO_DEFAULTS = {
  /** Environments that step together. */
  numEnvs: 8,
  /** Steps of each before an update. */
  numSteps: 256,
  epochs: 10,
  minibatch: 64,
  learningRate: 3e-4,
  /** Whether the learning rate falls to 0 with the steps. */
  anneal: false,
  gamma: 0.99,
  gaeLambda: 0.95,
  clip: 0.2,
  valueCoefficient: 0.5,
  entropyCoefficient: 0,
  /** Largest norm of a gradient. */
  maxNorm: 0.5,
  /** Epochs end where the approximate KL divergence is above it; 0: never. */
  targetKl: 0,
  hidden: [64, 64] as readonly number[],
  activation: 'tanh' as Activation,
  normalizer: 'running' as NormalizerKind,
  /** Whether rewards are divided by the running deviation of the return. */
  scaleRewards: true,
  /** A discrete action to begin near: its choices get a bias of `startBias`. −1: none. */
  startAction: -1,
  startBias: 2,
};

export type PpoConfig = typeof PPO_DEFAULTS;

/** Makes a PPO trainer. */
export async function ppo(
  learner: Learner,
  what: TrainTask,
  settings: Partial<PpoConfig> = {},
): Promise<PpoTrainer> {
  const config = { ...PPO_DEFAULTS, ...settings };
  const env = await makeTrainingBatch(what, config.numEnvs);
  return new PpoTrainer(learner, env, what.totalSteps, what.seed, config);
}

export class PpoTrainer implements Trainer {
  readonly task;
  readonly model: Model;
  steps = 0;
  private readonly actions: ActionAdapter;
  private readonly normalizer: Normalizer;
  private readonly rewardScale: RewardScale;
  private readonly draws: Draws;
  private readonly meter = new EpisodeMeter();
  /** Calls of `act` and of the shuffle: counters of their draws. */
  private acts = 0;
  private shuffles = 0;
  private readonly rollout: Rollout;
  private readonly order: Uint32Array;

  constructor(
    learner: Learner,
    private readonly env: TaskVectorEnv,
    readonly totalSteps: number,
    private readonly seed: number,
    private readonly config: PpoConfig,
  ) {
    this.task = env.task;
    this.actions = adaptActions(env.task);
    const { hidden, activation } = config;
    this.model = createModel(learner, {
      seed,
      observationDim: this.task.observationDim,
      nets: {
        actor: { hidden, activation, outputs: 'head', lastGain: 0.01 },
        critic: { hidden, activation },
      },
      head: this.actions.head,
    });
    this.biasStart();
    this.normalizer = new Normalizer(this.task.observationDim, config.normalizer);
    this.rewardScale = new RewardScale(config.numEnvs, config.gamma, config.scaleRewards);
    this.draws = new Draws(seed);
    this.rollout = new Rollout(config.numSteps, env, this.actions);
    this.order = new Uint32Array(config.numSteps * config.numEnvs);
    env.reset();
    this.normalizer.learn(env.observations);
  }

  /** Collects `numSteps` of every environment, then learns from them for `epochs` epochs. */
  iterate(): TrainRow {
    const { config, rollout } = this;
    for (let t = 0; t < config.numSteps; t++) this.collect(t);
    this.steps += config.numSteps * config.numEnvs;
    const last = this.valuesOf(this.env.observations);
    rollout.estimateAdvantages(last, config.gamma, config.gaeLambda);
    return { ...this.learn(), ...rollout.explained(), ...this.meter.take() };
  }

  private collect(t: number): void {
    const { env, rollout, model, actions, normalizer } = this;
    const at = rollout.at(t);
    normalizer.apply(env.observations, at.observations);
    at.masks?.set(env.masks);
    const draw = { seed: this.seed, step: this.acts++ };
    model.act(at.observations, at.masks ?? null, draw, at);
    actions.write(at.actions, env.actions);
    env.step();
    this.reward(at);
    normalizer.learn(env.observations);
  }

  /** Scaled rewards; an episode that was cut off is worth the value of where it stood. */
  private reward({ rewards, ended }: Moment): void {
    const { env } = this;
    const { terminated } = env;
    const scale = this.rewardScale.learn(env.rewards, (i) => hasEnded(env, i));
    let isCut = false;
    for (let i = 0; i < rewards.length; i++) {
      rewards[i] = env.rewards[i] * scale;
      ended[i] = hasEnded(env, i) ? 1 : 0;
      isCut ||= ended[i] === 1 && terminated[i] === 0;
    }
    this.meter.addEnded(env);
    if (!isCut) return;
    const values = this.valuesOf(env.finalObservations);
    for (let i = 0; i < rewards.length; i++) {
      if (ended[i] === 1 && terminated[i] === 0) rewards[i] += this.config.gamma * values[i];
    }
  }

  private valuesOf(observations: Float32Array): Float32Array {
    const { normalizer, model, rollout } = this;
    normalizer.apply(observations, rollout.scratch);
    model.forward('critic', rollout.scratch, rollout.lastValues);
    return rollout.lastValues;
  }

  private learn(): TrainRow {
    const { config, model, rollout, order } = this;
    const share = config.anneal ? 1 - this.steps / this.totalSteps : 1;
    const adam = { lr: config.learningRate * (share > 0 ? share : 0), maxNorm: config.maxNorm };
    const coefficients = {
      clip: config.clip,
      value: config.valueCoefficient,
      entropy: config.entropyCoefficient,
    };
    let stats: TrainRow = {};
    let norm = 0;
    for (let epoch = 0; epoch < config.epochs; epoch++) {
      this.draws.permutation(this.shuffles++, order);
      for (let from = 0; from < order.length; from += config.minibatch) {
        const rows = order.subarray(from, from + config.minibatch);
        stats = { ...model.gradient('ppo', rollout.batch, rows, coefficients) };
        norm = model.step(adam).norm;
      }
      if (config.targetKl > 0 && stats['approxKl'] > 1.5 * config.targetKl) break;
    }
    return {
      policy_loss: stats['policyLoss'],
      value_loss: stats['valueLoss'],
      entropy: stats['entropy'],
      approx_kl: stats['approxKl'],
      clip_fraction: stats['clipFraction'],
      gradient_norm: norm,
    };
  }

  /** A bias on the choices of an action, so that the first policy plays near it. */
  private biasStart(): void {
    const { startAction, startBias } = this.config;
    if (startAction < 0) return;
    const { head } = this.actions;
    if (head.kind !== 'categorical') {
      throw new RangeError(`startAction is ${startAction}: only discrete actions can have one`);
    }
    const tensors = this.model.tensors.filter(({ name }) => /^actor\..*bias$/.test(name));
    const bias = this.model.tensor(tensors[tensors.length - 1].name);
    let at = 0;
    choicesOf(head.fields, startAction).forEach((choice, k) => {
      bias[at + choice] += startBias;
      at += head.fields[k];
    });
  }

  policy(): Policy {
    return learnedPolicy('ppo', this.model, this.normalizer, this.actions);
  }

  savePolicy(): Sections {
    return { model: this.model.save(), normalizer: encodeNormalizer(this.normalizer) };
  }

  loadPolicy({ model, normalizer }: Sections): void {
    this.model.load(model);
    this.normalizer.load(normalizerState(normalizer));
  }

  save(): Sections {
    const counters = Float64Array.of(this.steps, this.acts, this.shuffles);
    return {
      ...this.savePolicy(),
      counters: bytesOf(counters),
      rewards: this.rewardScale.save(),
      environments: this.env.snapshot(),
    };
  }

  load(sections: Sections): void {
    const counters = new Float64Array(3);
    fillFrom(counters, sections['counters'], 'counters');
    this.loadPolicy(sections);
    this.rewardScale.load(sections['rewards']);
    this.env.restore(sections['environments']);
    [this.steps, this.acts, this.shuffles] = counters;
  }

  digest(): string {
    return this.model.digest();
  }

  close(): void {
    this.env.close();
    this.model.close();
  }
}

/** The part of a rollout that belongs to one step of the batch. */
interface Moment {
  readonly observations: Float32Array;
  readonly masks: Uint8Array | undefined;
  readonly actions: Int32Array | Float32Array;
  readonly samples?: Float32Array;
  readonly logProbs: Float32Array;
  readonly values: Float32Array;
  readonly rewards: Float32Array;
  readonly ended: Uint8Array;
}

/** The record of `numSteps` steps, each array [numSteps, numEnvs, …]. */
class Rollout {
  private readonly observations: Float32Array;
  private readonly masks: Uint8Array;
  private readonly actions: Int32Array | Float32Array;
  private readonly samples: Float32Array | null;
  private readonly logProbs: Float32Array;
  private readonly values: Float32Array;
  private readonly rewards: Float32Array;
  private readonly ended: Uint8Array;
  private readonly advantages: Float32Array;
  private readonly returns: Float32Array;
  /** [numEnvs, observationDim] and [numEnvs], for what is not kept. */
  readonly scratch: Float32Array;
  readonly lastValues: Float32Array;
  private readonly isMasked: boolean;

  constructor(
    private readonly numSteps: number,
    private readonly env: TaskVectorEnv,
    private readonly adapter: ActionAdapter,
  ) {
    const { numEnvs, task } = env;
    const rows = numSteps * numEnvs;
    const floats = (width = 1) => new Float32Array(rows * width);
    this.isMasked = adapter.head.kind === 'categorical' && adapter.head.masked;
    this.observations = floats(task.observationDim);
    this.masks = new Uint8Array(this.isMasked ? rows * task.maskDim : 0);
    const isIndex = adapter.head.kind === 'categorical';
    this.actions = isIndex ? new Int32Array(rows * adapter.width) : floats(adapter.width);
    this.samples = adapter.head.kind === 'squashed' ? floats(adapter.width) : null;
    this.logProbs = floats();
    this.values = floats();
    this.rewards = floats();
    this.ended = new Uint8Array(rows);
    this.advantages = floats();
    this.returns = floats();
    this.scratch = new Float32Array(numEnvs * task.observationDim);
    this.lastValues = new Float32Array(numEnvs);
  }

  at(t: number): Moment {
    const { numEnvs, task } = this.env;
    const part = <T extends Float32Array | Int32Array | Uint8Array>(array: T, width = 1): T => {
      const row = numEnvs * width;
      return array.subarray(t * row, (t + 1) * row) as T;
    };
    const { width } = this.adapter;
    return {
      observations: part(this.observations, task.observationDim),
      masks: this.isMasked ? part(this.masks, task.maskDim) : undefined,
      actions: part(this.actions, width),
      ...(this.samples && { samples: part(this.samples, width) }),
      logProbs: part(this.logProbs),
      values: part(this.values),
      rewards: part(this.rewards),
      ended: part(this.ended),
    };
  }

  /** Generalised advantage estimation (Schulman et al., 2016), in f64. */
  estimateAdvantages(last: Float32Array, gamma: number, lambda: number): void {
    const { numSteps, values, rewards, ended, advantages, returns } = this;
    const { numEnvs } = this.env;
    for (let i = 0; i < numEnvs; i++) {
      let advantage = 0;
      let next = last[i];
      for (let k = (numSteps - 1) * numEnvs + i; k >= 0; k -= numEnvs) {
        const goesOn = 1 - ended[k];
        const error = rewards[k] + gamma * next * goesOn - values[k];
        advantage = error + gamma * lambda * goesOn * advantage;
        advantages[k] = advantage;
        returns[k] = advantage + values[k];
        next = values[k];
      }
    }
  }

  /** The share of the returns' variance that the values explain. */
  explained(): TrainRow {
    const { values, returns } = this;
    const n = returns.length;
    let mean = 0;
    let meanError = 0;
    for (let k = 0; k < n; k++) {
      mean += returns[k] / n;
      meanError += (returns[k] - values[k]) / n;
    }
    let variance = 0;
    let unexplained = 0;
    for (let k = 0; k < n; k++) {
      variance += (returns[k] - mean) ** 2;
      unexplained += (returns[k] - values[k] - meanError) ** 2;
    }
    return { explained_variance: variance > 0 ? 1 - unexplained / variance : 0 };
  }

  /** As the learner reads it. */
  get batch() {
    const { observations, logProbs, advantages, returns, values } = this;
    const actions = this.samples ?? this.actions;
    const masks = this.isMasked ? { masks: this.masks } : {};
    return { observations, ...masks, actions, logProbs, advantages, returns, values };
  }
}
