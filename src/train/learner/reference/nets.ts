/** The three kinds of nets over a chunk: one perceptron, pairs of entities, a set of entities. */
import { type MlpLayout, type ModelLayout, type NetLayout, netRange } from '../layout.js';
import type { Entities } from '../types.js';
import { ROWS } from './dense.js';
import type { Mlp } from './mlp.js';

/** Makes the perceptrons of a model. */
export type MakeMlp = (layout: MlpLayout) => Mlp;

/** A chunk of a batch. */
export interface Chunk {
  /** Rows that there are, 64 at most; the others are zeros. */
  readonly count: number;
  /** [observationDim][64]. */
  readonly input: Float32Array;
  /** [M][64], 1 where a choice is allowed. */
  readonly masks: Float32Array;
}

export interface Net {
  /** [outputs][64]; the net's own. */
  readonly output: Float32Array;
  /** The gradient by them, to be written before `backward`. */
  readonly outputGradient: Float32Array;
  forward(params: Float32Array, chunk: Chunk): void;
  /** Adds the gradient of the chunk that was forward last. */
  backward(params: Float32Array, grads: Float32Array): void;
}

export function makeNet(model: ModelLayout, net: NetLayout, makeMlp: MakeMlp): Net {
  if (net.kind === 'pairs') return new PairsNet(model.entities!, net, model.numParams, makeMlp);
  if (net.kind === 'set') return new SetNet(model.entities!, net, model.numParams, makeMlp);
  return new MlpNet(makeMlp(net.mlps[0]));
}

class MlpNet implements Net {
  constructor(private readonly mlp: Mlp) {}

  get output(): Float32Array {
    return this.mlp.output;
  }

  get outputGradient(): Float32Array {
    return this.mlp.outputGradient;
  }

  forward(params: Float32Array, chunk: Chunk): void {
    this.mlp.input.set(chunk.input);
    this.mlp.forward(params);
  }

  backward(params: Float32Array, grads: Float32Array): void {
    this.mlp.backward(params, grads);
  }
}

/** A piece of an observation: features from `from` on. */
interface Piece {
  readonly from: number;
  readonly dim: number;
}

/** Where the pieces of entities lie. */
class Pieces {
  constructor(private readonly entities: Entities) {}

  server(n: number): Piece {
    const { serverDim } = this.entities;
    return { from: n * serverDim, dim: serverDim };
  }

  slot(k: number): Piece {
    const { servers, serverDim, slotDim } = this.entities;
    return { from: servers * serverDim + k * slotDim, dim: slotDim };
  }

  get globals(): Piece {
    const { slots, globalDim } = this.entities;
    return { from: this.slot(slots).from, dim: globalDim };
  }

  pair(k: number, n: number): Piece {
    const { servers, pairDim } = this.entities;
    const { from, dim } = this.globals;
    return { from: from + dim + (k * servers + n) * pairDim, dim: pairDim };
  }
}

/** Copies pieces of one row of a chunk, one after another, to a row of a perceptron's input. */
function gather(input: Float32Array, pieces: Piece[], row: number, to: Float32Array, at: number) {
  let feature = 0;
  for (const { from, dim } of pieces) {
    for (let i = 0; i < dim; i++, feature++) {
      to[feature * ROWS + at] = input[(from + i) * ROWS + row];
    }
  }
}

/** The rows and choices of a chunk that one perceptron gives logits for, 64 at a time. */
class Candidates {
  private readonly mlps: Mlp[] = [];
  /** Row and choice of each candidate. */
  private places: { row: number; choice: number }[] = [];

  constructor(
    private readonly layout: MlpLayout,
    private readonly makeMlp: MakeMlp,
  ) {}

  /** Takes the allowed ones of choices `from` .. `to`, row after row, and writes their logits. */
  forward(
    params: Float32Array,
    chunk: Chunk,
    [from, to]: readonly [number, number],
    piecesOf: (choice: number) => Piece[],
    output: Float32Array,
  ): void {
    this.places = [];
    for (let row = 0; row < chunk.count; row++) {
      for (let choice = from; choice < to; choice++) {
        if (chunk.masks[choice * ROWS + row] > 0) this.places.push({ row, choice });
      }
    }
    for (let first = 0; first < this.places.length; first += ROWS) {
      const mlp = this.mlp(first / ROWS);
      const places = this.places.slice(first, first + ROWS);
      mlp.input.fill(0);
      places.forEach(({ row, choice }, at) => {
        gather(chunk.input, piecesOf(choice), row, mlp.input, at);
      });
      mlp.forward(params);
      places.forEach(({ row, choice }, at) => {
        output[choice * ROWS + row] = mlp.output[at];
      });
    }
  }

  backward(params: Float32Array, grads: Float32Array, outputGradient: Float32Array): void {
    for (let first = 0; first < this.places.length; first += ROWS) {
      const mlp = this.mlp(first / ROWS);
      mlp.outputGradient.fill(0);
      this.places.slice(first, first + ROWS).forEach(({ row, choice }, at) => {
        mlp.outputGradient[at] = outputGradient[choice * ROWS + row];
      });
      mlp.backward(params, grads);
    }
  }

  private mlp(index: number): Mlp {
    this.mlps[index] ??= this.makeMlp(this.layout);
    return this.mlps[index];
  }
}

class PairsNet implements Net {
  readonly output: Float32Array;
  readonly outputGradient: Float32Array;
  private readonly pieces: Pieces;
  private readonly pairs: Candidates;
  private readonly wait: Mlp;
  private readonly toggles: Candidates | null;
  private readonly own: Float32Array;

  constructor(
    private readonly entities: Entities,
    private readonly net: NetLayout,
    numParams: number,
    makeMlp: MakeMlp,
  ) {
    this.own = new Float32Array(numParams);
    this.output = new Float32Array(net.outputs * ROWS);
    this.outputGradient = new Float32Array(net.outputs * ROWS);
    this.pieces = new Pieces(entities);
    this.pairs = new Candidates(net.mlps[0], makeMlp);
    this.wait = makeMlp(net.mlps[1]);
    this.toggles = net.mlps.length > 2 ? new Candidates(net.mlps[2], makeMlp) : null;
  }

  forward(params: Float32Array, chunk: Chunk): void {
    const { servers, slots } = this.entities;
    const { pieces } = this;
    const wait = slots * servers;
    this.output.fill(0);
    const ofPair = (choice: number) => {
      const [k, n] = [Math.floor(choice / servers), choice % servers];
      return [pieces.server(n), pieces.slot(k), pieces.globals, pieces.pair(k, n)];
    };
    this.pairs.forward(params, chunk, [0, wait], ofPair, this.output);
    for (let row = 0; row < ROWS; row++) {
      gather(chunk.input, [pieces.globals], row, this.wait.input, row);
    }
    this.wait.forward(params);
    this.output.set(this.wait.output, wait * ROWS);
    const ofToggle = (choice: number) => [pieces.server(choice - wait - 1), pieces.globals];
    this.toggles?.forward(params, chunk, [wait + 1, this.net.outputs], ofToggle, this.output);
  }

  /**
   * Each of the nets adds its 64 candidates at a time to a sum of the chunk's own, which is then
   * added to the gradients, so that chunks can be computed apart.
   */
  backward(params: Float32Array, grads: Float32Array): void {
    const { own } = this;
    own.fill(0);
    const wait = this.entities.slots * this.entities.servers;
    this.pairs.backward(params, own, this.outputGradient);
    this.wait.outputGradient.set(this.outputGradient.subarray(wait * ROWS, (wait + 1) * ROWS));
    this.wait.backward(params, own);
    this.toggles?.backward(params, own, this.outputGradient);
    addNet(this.net, own, grads);
  }
}

/** Adds a chunk's own gradient of a net's parameters. */
function addNet(net: NetLayout, own: Float32Array, grads: Float32Array): void {
  const [first, end] = netRange(net);
  for (let i = first; i < end; i++) grads[i] += own[i];
}

class SetNet implements Net {
  private readonly servers: Mlp[];
  private readonly slots: Mlp[];
  private readonly top: Mlp;
  private readonly pieces: Pieces;
  private readonly own: Float32Array;

  constructor(
    entities: Entities,
    private readonly net: NetLayout,
    numParams: number,
    makeMlp: MakeMlp,
  ) {
    const [server, slot, top] = net.mlps;
    this.servers = Array.from({ length: entities.servers }, () => makeMlp(server));
    this.slots = Array.from({ length: entities.slots }, () => makeMlp(slot));
    this.top = makeMlp(top);
    this.pieces = new Pieces(entities);
    this.own = new Float32Array(numParams);
  }

  get output(): Float32Array {
    return this.top.output;
  }

  get outputGradient(): Float32Array {
    return this.top.outputGradient;
  }

  forward(params: Float32Array, chunk: Chunk): void {
    const { pieces, top } = this;
    const width = this.servers[0].output.length;
    const ofServer = (n: number) => pieces.server(n);
    const ofSlot = (k: number) => pieces.slot(k);
    embed(params, chunk, this.servers, ofServer, top.input.subarray(0, width));
    embed(params, chunk, this.slots, ofSlot, top.input.subarray(width, 2 * width));
    copyPiece(chunk, pieces.globals, top.input.subarray(2 * width));
    top.forward(params);
  }

  /** As the pairs' net: in a sum of the chunk's own first. */
  backward(params: Float32Array, grads: Float32Array): void {
    const { top, own } = this;
    const width = this.servers[0].output.length;
    own.fill(0);
    top.backward(params, own, true);
    unembed(params, own, this.servers, top.inputGradient.subarray(0, width));
    unembed(params, own, this.slots, top.inputGradient.subarray(width, 2 * width));
    addNet(this.net, own, grads);
  }
}

function copyPiece({ input }: Chunk, { from, dim }: Piece, to: Float32Array): void {
  to.set(input.subarray(from * ROWS, (from + dim) * ROWS));
}

/** The mean of the entities' embeddings: their sum in order, times one by their number. */
function embed(
  params: Float32Array,
  chunk: Chunk,
  mlps: readonly Mlp[],
  pieceOf: (index: number) => Piece,
  mean: Float32Array,
): void {
  const share = Math.fround(1 / mlps.length);
  mean.fill(0);
  mlps.forEach((mlp, index) => {
    copyPiece(chunk, pieceOf(index), mlp.input);
    mlp.forward(params);
    for (let i = 0; i < mean.length; i++) mean[i] += mlp.output[i];
  });
  for (let i = 0; i < mean.length; i++) mean[i] *= share;
}

function unembed(
  params: Float32Array,
  grads: Float32Array,
  mlps: readonly Mlp[],
  meanGradient: Float32Array,
): void {
  const share = Math.fround(1 / mlps.length);
  for (const mlp of mlps) {
    for (let i = 0; i < meanGradient.length; i++) mlp.outputGradient[i] = meanGradient[i] * share;
    mlp.backward(params, grads);
  }
}
