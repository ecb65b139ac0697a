/**
 * The learner in TypeScript: the specification, which the others repeat bit for bit, and the
 * fallback where neither the native addon nor WebAssembly is there.
 */

import { stream } from '../../../generated/common.js';
import { philox4x32 } from '../../../reference/philox.js';
import type {
  ActCall,
  AdamCall,
  Engine,
  Learner,
  PolicyCall,
  Rows,
  TdCall,
  ValueCall,
} from '../engine.js';
import type { ModelLayout } from '../layout.js';
import { ROWS, sumSquares } from './dense.js';
import { type ActionRow, Categorical, type Draw, Gaussian, type Head, Softmax } from './heads.js';
import { baselineLoss, type Fields, nextValues, policyLoss, tdLoss, valueLoss } from './losses.js';
import { ReferenceMlp } from './mlp.js';
import { type Chunk, type MakeMlp, makeNet, type Net } from './nets.js';

const f = Math.fround;
/** Moments nearer to 0 become 0, so that no subnormal number slows a processor. */
const TINY = f(1e-30);

export function loadReference(): Promise<Learner> {
  return Promise.resolve(referenceLearner);
}

export const referenceLearner: Learner = {
  name: 'reference',
  kernel: 'scalar',
  threads: 1,
  create: (layout) => new ReferenceEngine(layout),
};

/** Its perceptrons may be another learner's, which then computes the rest as it is here. */
export class ReferenceEngine implements Engine {
  readonly params: Float32Array;
  readonly gradients: Float32Array;
  readonly firstMoments: Float32Array;
  readonly secondMoments: Float32Array;
  private readonly nets: readonly Net[];
  private readonly head: Head;
  private readonly fields: Fields;
  private readonly chunk: { count: number; input: Float32Array; masks: Float32Array };
  private readonly next = new Float32Array(ROWS);

  constructor(
    private readonly layout: ModelLayout,
    makeMlp: MakeMlp = (mlp) => new ReferenceMlp(mlp),
  ) {
    const { numParams, observationDim, outputs, head, nets } = layout;
    this.params = new Float32Array(numParams);
    this.gradients = new Float32Array(numParams);
    this.firstMoments = new Float32Array(numParams);
    this.secondMoments = new Float32Array(numParams);
    this.nets = nets.map((net) => makeNet(layout, net, makeMlp));
    const isCategorical = head.kind === 'categorical';
    this.head = isCategorical
      ? new Categorical(head)
      : new Gaussian(head, this.params, layout.logStd);
    const counts = isCategorical ? head.fields : [];
    const starts = counts.map((_, k) => counts.slice(0, k).reduce((sum, n) => sum + n, 0));
    this.fields = {
      softmaxes: counts.map((count, k) => new Softmax(starts[k], count)),
      lowest: isCategorical ? head.lowest : [],
    };
    this.chunk = {
      count: 0,
      input: new Float32Array(observationDim * ROWS),
      masks: new Float32Array(outputs * ROWS),
    };
  }

  act(call: ActCall): void {
    const { actionDim } = this.layout;
    const order = Uint32Array.from({ length: call.count }, (_, i) => i);
    this.chunks({ ...call, rows: order }, (rows, chunk) => {
      this.nets[0].forward(this.params, chunk);
      const { output } = this.nets[0];
      rows.forEach((at, row) => {
        const action = actionRow(call.actions, actionDim, at);
        this.head.draw(output, chunk.masks, row, drawOf(call, at), action);
        call.samples?.set(action.real, at * actionDim);
        if (this.head instanceof Gaussian) {
          for (let i = 0; i < actionDim; i++) action.real[i] = this.head.squash(i, action.real[i]);
        }
        if (call.logProbs !== null) call.logProbs[at] = this.head.logProb;
      });
      if (call.values === null) return;
      this.nets[call.critic].forward(this.params, chunk);
      for (let row = 0; row < rows.length; row++) {
        call.values[rows[row]] = this.nets[call.critic].output[row];
      }
    });
  }

  forward(net: number, call: Rows, out: Float32Array): void {
    const { outputs } = this.layout.nets[net];
    this.chunks(call, (rows, chunk, first) => {
      this.nets[net].forward(this.params, chunk);
      const { output } = this.nets[net];
      for (let row = 0; row < rows.length; row++) {
        for (let j = 0; j < outputs; j++) {
          out[(first + row) * outputs + j] = output[j * ROWS + row];
        }
      }
    });
  }

  policy(call: PolicyCall, sums: Float64Array): void {
    const { actionDim } = this.layout;
    const [actor, critic] = [this.nets[0], this.nets[call.critic]];
    const actionOf = (at: number) => actionRow(call.actions, actionDim, at);
    this.chunks(call, (rows, chunk) => {
      actor.forward(this.params, chunk);
      policyLoss(call, rows, this.head, actor, chunk.masks, actionOf, sums);
      actor.backward(this.params, this.gradients);
      this.head.finish(this.gradients);
      if (call.returns === null) return;
      critic.forward(this.params, chunk);
      baselineLoss(call, rows, critic, sums);
      critic.backward(this.params, this.gradients);
    });
  }

  td(call: TdCall, sums: Float64Array): void {
    const net = this.nets[call.net];
    this.chunks(call, (rows, _chunk, first) => {
      if (call.targets === null) this.lookAhead(call, rows, net);
      this.read(call.observations, call.masks, rows);
      net.forward(this.params, this.chunk);
      tdLoss(call, rows, first, this.fields, this.chunk.masks, this.next, net, sums);
      net.backward(this.params, this.gradients);
    });
  }

  value(call: ValueCall, sums: Float64Array): void {
    const net = this.nets[call.net];
    this.chunks(call, (rows, chunk) => {
      net.forward(this.params, chunk);
      valueLoss(call, rows, net, sums);
      net.backward(this.params, this.gradients);
    });
  }

  backward(index: number, call: Rows, dOut: Float32Array): void {
    const net = this.nets[index];
    const { outputs } = this.layout.nets[index];
    this.chunks(call, (rows, chunk, first) => {
      net.forward(this.params, chunk);
      net.outputGradient.fill(0);
      for (let row = 0; row < rows.length; row++) {
        for (let j = 0; j < outputs; j++) {
          net.outputGradient[j * ROWS + row] = dOut[(first + row) * outputs + j];
        }
      }
      net.backward(this.params, this.gradients);
    });
  }

  norm(): number {
    return f(Math.sqrt(sumSquares(this.gradients)));
  }

  adam(call: AdamCall): void {
    const { params, gradients, firstMoments, secondMoments } = this;
    const [beta1, beta2, rest1, rest2] = [call.beta1, call.beta2, call.rest1, call.rest2].map(f);
    const [shrink, step, root, eps] = [call.shrink, call.step, call.root, call.eps].map(f);
    for (let i = 0; i < params.length; i++) {
      const g = f(gradients[i] * shrink);
      const m = f(f(beta1 * firstMoments[i]) + f(rest1 * g));
      const v = f(f(beta2 * secondMoments[i]) + f(rest2 * f(g * g)));
      firstMoments[i] = (m < 0 ? -m : m) > TINY ? m : 0;
      secondMoments[i] = v > TINY ? v : 0;
      const size = f(f(f(Math.sqrt(secondMoments[i])) * root) + eps);
      params[i] -= f(f(step * firstMoments[i]) / size);
      gradients[i] = 0;
    }
  }

  blend(from: Float32Array, tau: number, rest: number): void {
    const { params } = this;
    const [t, r] = [f(tau), f(rest)];
    for (let i = 0; i < params.length; i++) params[i] = f(t * from[i]) + f(r * params[i]);
  }

  close(): void {}

  /** Values of what follows the rows, into `next`. */
  private lookAhead(call: TdCall, rows: Uint32Array, net: Net): void {
    this.read(call.nextObservations!, call.nextMasks, rows);
    const { masks } = this.chunk;
    net.forward(call.targetParams, this.chunk);
    const target = net.output.slice();
    if (call.double) net.forward(this.params, this.chunk);
    nextValues(this.fields, masks, target, net.output, this.next);
  }

  /** Calls `work` for every 64 rows, which are read before; `first`: how many came before. */
  private chunks(
    { observations, masks, rows }: Rows,
    work: (rows: Uint32Array, chunk: Chunk, first: number) => void,
  ): void {
    for (let first = 0; first < rows.length; first += ROWS) {
      const part = rows.subarray(first, first + ROWS);
      this.read(observations, masks, part);
      work(part, this.chunk, first);
    }
  }

  private read(observations: Float32Array, masks: Uint8Array | null, rows: Uint32Array): void {
    const { observationDim, outputs } = this.layout;
    const { chunk } = this;
    chunk.count = rows.length;
    chunk.input.fill(0);
    chunk.masks.fill(1);
    rows.forEach((at, row) => {
      for (let i = 0; i < observationDim; i++) {
        chunk.input[i * ROWS + row] = observations[at * observationDim + i];
      }
      if (masks === null) return;
      for (let j = 0; j < outputs; j++) chunk.masks[j * ROWS + row] = masks[at * outputs + j];
    });
  }
}

function actionRow(actions: Uint32Array, actionDim: number, at: number): ActionRow {
  const offset = actions.byteOffset + 4 * at * actionDim;
  return {
    real: new Float32Array(actions.buffer, offset, actionDim),
    index: new Int32Array(actions.buffer, offset, actionDim),
  };
}

const counter = new Uint32Array(4);
const words = new Uint32Array(4);

/** The words of an action's numbers: the Philox blocks (step, env, policy, field). */
function drawOf({ seed, step, env, epsilon }: ActCall, row: number): Draw {
  if (seed === null) return null;
  return {
    epsilon,
    words(field) {
      counter.set([step, env + row, stream.policy, field]);
      return philox4x32(counter, [seed.lo, seed.hi], words);
    },
  };
}
