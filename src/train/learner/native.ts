/**
 * The native learner: perceptrons, norm and Adam in Rust, compiled for the processor's widest
 * registers; heads and losses as the reference computes them.
 */
import { KERNELS } from '../../backend.js';
import { requireAddon } from '../../backends/addon.js';
import type { AdamCall, Learner } from './engine.js';
import type { MlpLayout, ModelLayout } from './layout.js';
import { ReferenceEngine } from './reference/index.js';
import type { Mlp } from './reference/mlp.js';
import type { LearnerOptions } from './types.js';

/** The exports of bindings/node/src/learn.rs. */
interface Addon {
  learnKernel(kernel: number): string;
  learnMlp(kernel: number, sizes: Uint32Array, relu: boolean, offset: number): number;
  learnArray(mlp: number, index: number): Float32Array;
  learnForward(mlp: number, params: Float32Array): void;
  learnBackward(
    mlp: number,
    params: Float32Array,
    gradients: Float32Array,
    wantsInput: boolean,
  ): void;
  learnNorm(kernel: number, gradients: Float32Array): number;
  learnAdam(kernel: number, numbers: Float32Array, ...arrays: Float32Array[]): void;
  learnClose(mlp: number): void;
}

/** @throws Error saying what would add it; RangeError for a kernel or threads it has not. */
export function loadNativeLearner(options: LearnerOptions = {}): Promise<Learner> {
  return Promise.resolve().then(() => {
    const { kernel = 'auto', threads = 1 } = options;
    if (threads !== 1) throw new RangeError(`threads is ${threads}: 1 is needed`);
    const number = (KERNELS as readonly string[]).indexOf(kernel);
    if (number < 0) {
      throw new RangeError(`kernel is "${kernel}": one of ${KERNELS.join(', ')} is needed`);
    }
    const addon = requireAddon<Addon>();
    if (addon.learnMlp === undefined) {
      throw new Error('the native addon has no learner; "npm run build:native" builds it anew');
    }
    return {
      name: 'native',
      kernel: addon.learnKernel(number),
      threads,
      create: (layout) => new NativeEngine(layout, addon, number),
    };
  });
}

class NativeEngine extends ReferenceEngine {
  private readonly numbers = new Float32Array(8);
  private readonly mlps: NativeMlp[];

  constructor(
    layout: ModelLayout,
    private readonly addon: Addon,
    private readonly kernel: number,
  ) {
    const mlps: NativeMlp[] = [];
    super(layout, (mlp) => {
      const made = new NativeMlp(addon, kernel, mlp);
      mlps.push(made);
      return made;
    });
    this.mlps = mlps;
  }

  override norm(): number {
    return this.addon.learnNorm(this.kernel, this.gradients);
  }

  override adam(call: AdamCall): void {
    const { shrink, beta1, beta2, rest1, rest2, step, root, eps } = call;
    this.numbers.set([shrink, beta1, beta2, rest1, rest2, step, root, eps]);
    const { params, gradients, firstMoments, secondMoments } = this;
    const arrays = [params, gradients, firstMoments, secondMoments];
    this.addon.learnAdam(this.kernel, this.numbers, ...arrays);
  }

  override close(): void {
    for (const mlp of this.mlps.splice(0)) mlp.close();
  }
}

class NativeMlp implements Mlp {
  readonly input: Float32Array;
  readonly output: Float32Array;
  readonly outputGradient: Float32Array;
  readonly inputGradient: Float32Array;
  private readonly handle: number;

  constructor(
    private readonly addon: Addon,
    kernel: number,
    { sizes, activation, offset }: MlpLayout,
  ) {
    const isRelu = activation === 'relu';
    this.handle = addon.learnMlp(kernel, Uint32Array.from(sizes), isRelu, offset);
    this.input = addon.learnArray(this.handle, 0);
    this.output = addon.learnArray(this.handle, 1);
    this.outputGradient = addon.learnArray(this.handle, 2);
    this.inputGradient = addon.learnArray(this.handle, 3);
  }

  forward(params: Float32Array): void {
    this.addon.learnForward(this.handle, params);
  }

  backward(params: Float32Array, grads: Float32Array, wantsInput = false): void {
    this.addon.learnBackward(this.handle, params, grads, wantsInput);
  }

  close(): void {
    this.addon.learnClose(this.handle);
  }
}
