/** Where a model's parameters lie: what the learners compute by, made once from a `ModelSpec`. */
import { actionDimOf, checkFinite, checkInteger, entitiesDim, headOutputs } from './heads.js';
import type { Activation, Entities, Head, ModelSpec, NetSpec, Tensor } from './types.js';

/** Widest hidden layer. */
export const HIDDEN_MAX = 512;
/** Widest input. */
const INPUTS_MAX = 65536;
const LAYERS_MAX = 16;

/** A multilayer perceptron: of each layer its weights [out][in], then its biases [out]. */
export interface MlpLayout {
  /** Inputs, hidden widths, outputs. */
  readonly sizes: readonly number[];
  readonly activation: Activation;
  /** Of the first weight in the parameters. */
  readonly offset: number;
  readonly lastGain: number;
}

export interface NetLayout {
  readonly name: string;
  readonly kind: 'mlp' | 'pairs' | 'set';
  readonly outputs: number;
  /** `mlp`: itself; `pairs`: pair, wait and, with toggles, toggle; `set`: server, slot, value. */
  readonly mlps: readonly MlpLayout[];
}

export interface ModelLayout {
  readonly observationDim: number;
  readonly head: Head;
  readonly entities: Entities | undefined;
  /** M and F. */
  readonly outputs: number;
  readonly actionDim: number;
  readonly nets: readonly NetLayout[];
  /** Of the first logarithm of a deviation; the number of parameters where there are none. */
  readonly logStd: number;
  readonly numParams: number;
  readonly tensors: readonly Tensor[];
}

/** Where a net's parameters begin and end. */
export function netRange({ mlps }: NetLayout): readonly [number, number] {
  const last = mlps[mlps.length - 1];
  return [mlps[0].offset, mlpEnd(last)];
}

/** Where a perceptron's parameters end. */
export function mlpEnd({ sizes, offset }: MlpLayout): number {
  return sizes.slice(1).reduce((at, outputs, l) => at + outputs * (sizes[l] + 1), offset);
}

class Builder {
  readonly tensors: Tensor[] = [];
  offset = 0;

  add(name: string, shape: readonly number[]): void {
    const length = shape.reduce((product, count) => product * count, 1);
    this.tensors.push({ name, shape, offset: this.offset, length });
    this.offset += length;
  }

  mlp(name: string, sizes: readonly number[], activation: Activation, lastGain: number): MlpLayout {
    const { offset } = this;
    for (let l = 0; l + 1 < sizes.length; l++) {
      this.add(`${name}.${l}.weight`, [sizes[l + 1], sizes[l]]);
      this.add(`${name}.${l}.bias`, [sizes[l + 1]]);
    }
    return { sizes, activation, offset, lastGain };
  }
}

/** @throws RangeError naming the field, its value and what is needed. */
export function layoutOf(spec: ModelSpec): ModelLayout {
  const { observationDim, head } = spec;
  checkInteger('observationDim', observationDim, 1, INPUTS_MAX);
  const entities = head.kind === 'categorical' ? head.entities : undefined;
  if (entities !== undefined && entitiesDim(entities) !== observationDim) {
    const needed = `the entities are ${entitiesDim(entities)} numbers`;
    throw new RangeError(`observationDim is ${observationDim}: ${needed}`);
  }
  const names = Object.keys(spec.nets);
  if (names.length === 0) throw new RangeError('nets is empty: one net or more is needed');
  const builder = new Builder();
  const nets = names.map((name) => netOf(builder, name, spec.nets[name], spec, entities));
  if (nets[0].outputs !== headOutputs(head)) {
    const needed = `the head reads ${headOutputs(head)} of the first net`;
    throw new RangeError(`nets.${names[0]}.outputs is ${nets[0].outputs}: ${needed}`);
  }
  const logStd = builder.offset;
  if (head.kind !== 'categorical') builder.add('logStd', [head.size]);
  return {
    observationDim,
    head,
    entities,
    outputs: headOutputs(head),
    actionDim: actionDimOf(head),
    nets,
    logStd,
    numParams: builder.offset,
    tensors: builder.tensors,
  };
}

function netOf(
  builder: Builder,
  name: string,
  net: NetSpec,
  spec: ModelSpec,
  entities: Entities | undefined,
): NetLayout {
  const field = `nets.${name}`;
  checkWidths(`${field}.hidden`, net.hidden);
  const lastGain = checkFinite(`${field}.lastGain`, net.lastGain ?? 1);
  const { kind = 'mlp' } = net;
  const activation = net.activation ?? (kind === 'mlp' ? 'tanh' : 'relu');
  if (activation !== 'tanh' && activation !== 'relu') {
    throw new RangeError(`${field}.activation is ${String(activation)}: tanh or relu is needed`);
  }
  if (kind !== 'mlp' && entities === undefined) {
    throw new RangeError(`${field}.kind is ${kind}: it needs a head made by pairs(entities)`);
  }
  const make = (part: string, inputs: number, hidden: readonly number[], outputs: number) =>
    builder.mlp(`${name}${part}`, [inputs, ...hidden, outputs], activation, lastGain);
  if (net.kind === 'pairs') {
    const { serverDim, slotDim, globalDim, pairDim, toggles } = entities!;
    const mlps = [
      make('.pair', serverDim + slotDim + globalDim + pairDim, net.hidden, 1),
      make('.wait', globalDim, net.hidden, 1),
      ...(toggles ? [make('.toggle', serverDim + globalDim, net.hidden, 1)] : []),
    ];
    return { name, kind: 'pairs', outputs: headOutputs(spec.head), mlps };
  }
  if (net.kind === 'set') {
    const { serverDim, slotDim, globalDim } = entities!;
    checkWidths(`${field}.embed`, net.embed);
    if (net.embed.length === 0)
      throw new RangeError(`${field}.embed is empty: one width is needed`);
    const widths = net.embed.slice(0, -1);
    const width = net.embed[net.embed.length - 1];
    const embed = (part: string, inputs: number) =>
      builder.mlp(`${name}.${part}`, [inputs, ...widths, width], activation, Math.sqrt(2));
    const outputs = checkInteger(`${field}.outputs`, net.outputs ?? 1, 1, INPUTS_MAX);
    const mlps = [
      embed('server', serverDim),
      embed('slot', slotDim),
      make('.value', 2 * width + globalDim, net.hidden, outputs),
    ];
    return { name, kind: 'set', outputs, mlps };
  }
  const outputs = net.outputs === 'head' ? headOutputs(spec.head) : (net.outputs ?? 1);
  checkInteger(`${field}.outputs`, outputs, 1, INPUTS_MAX);
  const mlps = [make('', spec.observationDim, net.hidden, outputs)];
  return { name, kind: 'mlp', outputs, mlps };
}

function checkWidths(name: string, widths: readonly number[]): void {
  if (widths.length > LAYERS_MAX) {
    throw new RangeError(`${name} has ${widths.length} widths: at most ${LAYERS_MAX} are needed`);
  }
  widths.forEach((width, i) => {
    checkInteger(`${name}[${i}]`, width, 1, HIDDEN_MAX);
  });
}
