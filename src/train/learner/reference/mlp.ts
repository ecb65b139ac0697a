/** A multilayer perceptron over a chunk of 64 rows, forward and backward. */
import { tanh } from '../../../program/float-math.js';
import { type MlpLayout, mlpEnd } from '../layout.js';
import { matrix, multiply, ROWS, sumRows } from './dense.js';

const f = Math.fround;

/** A perceptron over a chunk: arrays lie [feature][64]. */
export interface Mlp {
  /** To be written before `forward`. */
  readonly input: Float32Array;
  readonly output: Float32Array;
  /** To be written before `backward`. */
  readonly outputGradient: Float32Array;
  /** The gradient that `backward` writes where it is asked to. */
  readonly inputGradient: Float32Array;
  forward(params: Float32Array): void;
  /** Adds the chunk's gradient to `grads`, from `outputGradient`, after `forward`. */
  backward(params: Float32Array, grads: Float32Array, wantsInput?: boolean): void;
}

export class ReferenceMlp implements Mlp {
  /** Of the inputs, of every hidden layer and of the outputs: [width][64]. */
  private readonly activations: readonly Float32Array[];
  /** Gradients by them. */
  private readonly gradients: readonly Float32Array[];

  constructor(private readonly layout: MlpLayout) {
    this.activations = layout.sizes.map((width) => new Float32Array(width * ROWS));
    this.gradients = layout.sizes.map((width) => new Float32Array(width * ROWS));
  }

  /** To be written before `forward`. */
  get input(): Float32Array {
    return this.activations[0];
  }

  get output(): Float32Array {
    return this.activations[this.activations.length - 1];
  }

  /** To be written before `backward`. */
  get outputGradient(): Float32Array {
    return this.gradients[this.gradients.length - 1];
  }

  /** The gradient that `backward` writes where it is asked to. */
  get inputGradient(): Float32Array {
    return this.gradients[0];
  }

  forward(params: Float32Array): void {
    const { sizes, offset } = this.layout;
    let at = offset;
    for (let l = 0; l + 1 < sizes.length; l++) {
      const [inputs, outputs] = [sizes[l], sizes[l + 1]];
      const y = this.activations[l + 1];
      multiply(
        [outputs, ROWS, inputs],
        matrix(params, inputs, 1, at),
        matrix(this.activations[l], ROWS, 1),
        { data: params, at: at + outputs * inputs },
        { data: y, at: 0, row: ROWS },
      );
      if (l + 2 < sizes.length) this.activate(y);
      at += outputs * (inputs + 1);
    }
  }

  /** Adds the chunk's gradient to `grads`, from `outputGradient`, after `forward`. */
  backward(params: Float32Array, grads: Float32Array, wantsInput = false): void {
    const { sizes } = this.layout;
    let at = mlpEnd(this.layout);
    for (let l = sizes.length - 2; l >= 0; l--) {
      const [inputs, outputs] = [sizes[l], sizes[l + 1]];
      at -= outputs * (inputs + 1);
      const dy = this.gradients[l + 1];
      multiply(
        [outputs, inputs, ROWS],
        matrix(dy, ROWS, 1),
        matrix(this.activations[l], 1, ROWS),
        null,
        { data: grads, at, row: inputs },
        true,
      );
      const bias = at + outputs * inputs;
      for (let o = 0; o < outputs; o++) grads[bias + o] += sumRows(dy, o * ROWS);
      if (l === 0 && !wantsInput) return;
      const weights = matrix(params, 1, inputs, at);
      const dx = { data: this.gradients[l], at: 0, row: ROWS };
      multiply([inputs, ROWS, outputs], weights, matrix(dy, ROWS, 1), null, dx);
      if (l > 0) this.differentiate(this.activations[l], this.gradients[l]);
    }
  }

  private activate(y: Float32Array): void {
    if (this.layout.activation === 'tanh') for (let i = 0; i < y.length; i++) y[i] = tanh(y[i]);
    else for (let i = 0; i < y.length; i++) y[i] = y[i] > 0 ? y[i] : 0;
  }

  /** From the gradient by a layer's activations y to that by what was activated. */
  private differentiate(y: Float32Array, d: Float32Array): void {
    if (this.layout.activation === 'tanh') {
      for (let i = 0; i < y.length; i++) d[i] *= f(1 - f(y[i] * y[i]));
    } else for (let i = 0; i < y.length; i++) d[i] = y[i] > 0 ? d[i] : 0;
  }
}
