/** A model: nets, a head, Adam's moments, computed by a learner. */
import { digestOf } from '../../base/digest.js';
import { parseSeed } from '../../base/seeding.js';
import { decodeModel, encodeModel } from './checkpoint.js';
import type { Engine, Learner, Rows } from './engine.js';
import { checkFinite, checkInteger } from './heads.js';
import { initialize } from './init.js';
import { layoutOf, type ModelLayout, mlpEnd } from './layout.js';
import { lossCalls } from './losses.js';
import type {
  ActOutputs,
  AdamOptions,
  Draw,
  Losses,
  LossName,
  ModelSpec,
  Tensor,
} from './types.js';

/** Thrown before Adam would take a gradient that is not finite; the parameters are as before. */
export class NonFiniteGradientError extends Error {
  override name = 'NonFiniteGradientError';
}

/** Makes a model whose initial parameters follow from the specification's seed alone. */
export function createModel(learner: Learner, spec: ModelSpec): Model {
  return new Model(learner, spec);
}

export class Model {
  /** [numParams], the model's own memory: nets in their order, then `logStd`. */
  readonly params: Float32Array;
  readonly tensors: readonly Tensor[];
  /** Which learner computes, e.g. `native`, and its kernel. */
  readonly learner: string;
  readonly kernel: string;
  /** Updates taken, and the powers of β that correct the moments' bias. */
  updates = 0;
  private power1 = 1;
  private power2 = 1;
  private readonly layout: ModelLayout;
  private readonly engine: Engine;

  constructor(
    learner: Learner,
    readonly spec: ModelSpec,
  ) {
    this.layout = layoutOf(spec);
    this.engine = learner.create(this.layout);
    this.params = this.engine.params;
    this.tensors = this.layout.tensors;
    this.learner = learner.name;
    this.kernel = learner.kernel;
    initialize(this.layout, spec.seed, this.params);
  }

  /** A view of one tensor's parameters, row-major; writing to it changes the model. */
  tensor(name: string): Float32Array {
    const found = this.tensors.find((tensor) => tensor.name === name);
    if (found !== undefined) {
      return this.params.subarray(found.offset, found.offset + found.length);
    }
    const known = this.tensors.map((tensor) => tensor.name).join(', ');
    throw new RangeError(`tensor is "${name}": one of ${known} is needed`);
  }

  /** Of the parameters' bits: equal digests play and learn alike. */
  digest(): string {
    return digestOf(this.params);
  }

  /**
   * Actions for the rows of observations, [n, D].
   *
   * @param masks u8 [n, M] of a masked head, else null
   */
  act(observations: Float32Array, masks: Uint8Array | null, draw: Draw, out: ActOutputs): void {
    const { observationDim, actionDim, outputs, head } = this.layout;
    const count = rowsOf('observations', observations, observationDim);
    checkLength('masks', masks, count * outputs);
    checkLength('actions', out.actions, count * actionDim);
    checkLength('samples', out.samples, count * actionDim);
    checkLength('logProbs', out.logProbs, count);
    checkLength('values', out.values, count);
    checkActions(out.actions, head.kind === 'categorical');
    const isGreedy = draw === 'greedy';
    this.engine.act({
      observations,
      masks,
      count,
      seed: isGreedy ? null : parseSeed(draw.seed),
      step: isGreedy ? 0 : checkInteger('step', draw.step, 0, 0xffffffff),
      env: isGreedy ? 0 : checkInteger('env', draw.env ?? 0, 0, 0xffffffff - count),
      epsilon: isGreedy || draw.epsilon === undefined ? -1 : draw.epsilon,
      actions: wordsOf(out.actions),
      samples: out.samples ?? null,
      logProbs: out.logProbs ?? null,
      values: out.values ?? null,
      critic: out.values === undefined ? -1 : this.net('critic'),
    });
  }

  /**
   * A net's outputs for the rows of observations [B, D], or those of `rows`: `out` is
   * [n, outputs]. `masks` [B, M] only matter to a `pairs` net, which reads 0 where one forbids.
   */
  forward(net: string, observations: Float32Array, out: Float32Array, options: RowOptions = {}) {
    const index = this.net(net);
    const call = this.rows(observations, options);
    checkLength('out', out, call.rows.length * this.layout.nets[index].outputs);
    this.engine.forward(index, call, out);
  }

  /**
   * Adds the gradient of a loss, the mean over `rows` (default: all rows of the batch), to the
   * model's; `step` takes it. Returns what is reported of the loss.
   */
  gradient<L extends LossName>(
    loss: L,
    batch: Losses[L][0],
    rows: Uint32Array | null,
    coefficients: Losses[L][1] = {},
  ): Losses[L][2] {
    const { layout, engine } = this;
    const call = this.rows(batch.observations, { masks: batch.masks, rows });
    const net = (name: string) => this.net(name);
    const host = { layout, engine, call, net, params: this.params };
    return lossCalls[loss](host, batch, coefficients);
  }

  /**
   * Adds the gradient of a loss that was written elsewhere: `dOut` [n, outputs] is the loss's by
   * the outputs that `forward` gave for the same rows.
   */
  backward(net: string, observations: Float32Array, dOut: Float32Array, options: RowOptions = {}) {
    const index = this.net(net);
    const call = this.rows(observations, options);
    checkLength('dOut', dOut, call.rows.length * this.layout.nets[index].outputs);
    this.engine.backward(index, call, dOut);
  }

  /**
   * Takes the gradient that was added up, clipped to `maxNorm`, by Adam, and forgets it.
   *
   * @returns the norm of the gradient before the clip
   * @throws NonFiniteGradientError where it is NaN or infinite; nothing has changed then
   */
  step(options: AdamOptions): { readonly norm: number } {
    const { lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-5, maxNorm = Infinity } = options;
    checkFinite('lr', lr);
    const norm = this.engine.norm();
    if (!Number.isFinite(norm)) throw this.nonFinite(norm);
    this.power1 *= beta1;
    this.power2 *= beta2;
    this.updates++;
    this.engine.adam({
      shrink: norm > maxNorm ? maxNorm / (norm + 1e-6) : 1,
      beta1,
      beta2,
      rest1: 1 - beta1,
      rest2: 1 - beta2,
      step: lr / (1 - this.power1),
      root: 1 / Math.sqrt(1 - this.power2),
      eps,
    });
    return { norm };
  }

  /** Forgets the gradient that was added up since the last step. */
  clearGradient(): void {
    this.engine.gradients.fill(0);
  }

  /** A view of the gradient that was added up, as `params`. */
  get gradients(): Float32Array {
    return this.engine.gradients;
  }

  /** params = tau · other's + (1 − tau) · own; tau 1 copies. The models must be of one shape. */
  copyFrom(other: Model, tau = 1): void {
    if (other.params.length !== this.params.length) {
      const lengths = `${other.params.length} parameters: ${this.params.length} are needed`;
      throw new RangeError(`the other model has ${lengths}`);
    }
    if (tau === 1) this.params.set(other.params);
    else this.engine.blend(other.params, tau, 1 - tau);
  }

  /** Specification, parameters, moments and counters in one buffer, with its digest. */
  save(): Uint8Array {
    const { firstMoments, secondMoments } = this.engine;
    return encodeModel(
      { spec: this.spec, updates: this.updates, powers: [this.power1, this.power2] },
      [this.params, firstMoments, secondMoments],
    );
  }

  /**
   * Takes what `save` gave; then it learns as the saved model would have.
   *
   * @throws RangeError for another model's bytes or damaged ones; nothing has changed then
   */
  load(bytes: Uint8Array): void {
    const { firstMoments, secondMoments } = this.engine;
    const arrays = [this.params, firstMoments, secondMoments];
    const saved = decodeModel(bytes, this.spec, arrays);
    this.updates = saved.updates;
    [this.power1, this.power2] = saved.powers;
    this.clearGradient();
  }

  /** Frees the model's memory; it must not be used afterwards. */
  close(): void {
    this.engine.close();
  }

  private net(name: string): number {
    const index = this.layout.nets.findIndex((net) => net.name === name);
    if (index >= 0) return index;
    const known = this.layout.nets.map((net) => net.name).join(', ');
    throw new RangeError(`net is "${name}": one of ${known} is needed`);
  }

  private rows(observations: Float32Array, { masks, rows }: RowOptions): Rows {
    const count = rowsOf('observations', observations, this.layout.observationDim);
    checkLength('masks', masks, count * this.layout.outputs);
    const order = rows ?? Uint32Array.from({ length: count }, (_, i) => i);
    for (const row of order) {
      if (row < count) continue;
      throw new RangeError(`rows holds ${row}: the batch has ${count} rows`);
    }
    return { observations, masks: masks ?? null, rows: order };
  }

  private nonFinite(norm: number): NonFiniteGradientError {
    const { nets, tensors } = this.layout;
    const { gradients } = this.engine;
    const bad = gradients.findIndex((g) => !Number.isFinite(g));
    const end = ({ mlps }: (typeof nets)[number]) => mlpEnd(mlps[mlps.length - 1]);
    const net = nets.find((one) => bad < end(one))?.name ?? 'logStd';
    const tensor = tensors.find(({ offset, length }) => bad < offset + length)?.name;
    const largest = this.params.reduce((most, p) => (Math.abs(p) > most ? Math.abs(p) : most), 0);
    this.clearGradient();
    return new NonFiniteGradientError(
      `update ${this.updates + 1}: the gradient's norm is ${norm}` +
        (bad < 0 ? '' : `, first in ${tensor} of net ${net}`) +
        `; the largest weight is ${largest}. Nothing was changed`,
    );
  }
}

/** Which rows of an array of observations are read, and what may be chosen there. */
export interface RowOptions {
  /** u8 [B, M]. */
  readonly masks?: Uint8Array | null | undefined;
  /** u32 [n], indices of rows. Default: all. */
  readonly rows?: Uint32Array | null | undefined;
}

function rowsOf(name: string, array: Float32Array, width: number): number {
  const rows = array.length / width;
  if (Number.isInteger(rows)) return rows;
  throw new RangeError(`${name} has ${array.length} numbers: a multiple of ${width} is needed`);
}

function checkLength(
  name: string,
  array: { readonly length: number } | null | undefined,
  length: number,
): void {
  if (array === null || array === undefined || array.length === length) return;
  throw new RangeError(`${name} has ${array.length} numbers: ${length} are needed`);
}

function checkActions(actions: Int32Array | Float32Array, isIndex: boolean): void {
  if (isIndex === actions instanceof Int32Array) return;
  const needed = isIndex ? 'an Int32Array is needed' : 'a Float32Array is needed';
  throw new RangeError(`actions is a ${actions.constructor.name}: ${needed}`);
}

function wordsOf(array: Int32Array | Float32Array): Uint32Array {
  return new Uint32Array(array.buffer, array.byteOffset, array.length);
}
