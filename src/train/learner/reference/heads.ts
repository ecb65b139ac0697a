/** Heads over a chunk: log probability, entropy and their gradients, and draws of actions. */
import { clip, exp, log, normal, tanh } from '../../../program/float-math.js';
import type { CategoricalHead, GaussianHead } from '../types.js';
import { ROWS, sumRows } from './dense.js';

const f = Math.fround;
const LOWEST = f(-3e38);
const LN_2 = log(2);
const HALF_LOG_2PI = f(0.91893853320467);
/** Entropy of a standard normal number. */
const NORMAL_ENTROPY = f(0.5 + HALF_LOG_2PI);

/** The action's numbers of a row, as they lie in memory. */
export interface ActionRow {
  readonly real: Float32Array;
  readonly index: Int32Array;
}

/** A greedy draw, or the words of one: field → four words. */
export type Draw = { readonly epsilon: number; words(field: number): Uint32Array } | null;

/** A loss's derivatives for a row: the gradients by log probability and by minus the entropy. */
export interface Pull {
  readonly logProb: number;
  readonly entropy: number;
}

export interface Head {
  logProb: number;
  entropy: number;
  /** Reads a row's outputs: sets `logProb` of the action and `entropy`. */
  evaluate(output: Float32Array, masks: Float32Array, row: number, action: ActionRow): void;
  /** Writes the gradient by the outputs of the row that was evaluated last. */
  differentiate(pull: Pull, action: ActionRow, gradient: Float32Array): void;
  /** Adds what a chunk's rows gave to the gradients of the head's own parameters. */
  finish(grads: Float32Array): void;
  /** Writes an action, and its sample before squashing; sets `logProb`. */
  draw(output: Float32Array, masks: Float32Array, row: number, by: Draw, action: ActionRow): void;
}

/** Top 24 bits of a word as a number in [0, 1). */
const unit = (word: number): number => (word >>> 8) / 16777216;

/** A field's softmax in a row, over the choices that the mask allows. */
export class Softmax {
  /** Probabilities; 0 where not allowed. */
  readonly p: Float32Array;
  top = 0;
  logSum = 0;
  entropy = 0;
  any = false;

  constructor(
    /** First output, and how many. */
    readonly at: number,
    readonly count: number,
  ) {
    this.p = new Float32Array(count);
  }

  /** `sign` −1: of the outputs' negatives. */
  read(output: Float32Array, masks: Float32Array, row: number, sign = 1): void {
    const { at, count, p } = this;
    let top = LOWEST;
    for (let j = 0, o = at * ROWS + row; j < count; j++, o += ROWS) {
      const logit = masks[o] > 0.5 ? sign * output[o] : LOWEST;
      if (logit > top) top = logit;
    }
    let sum = 0;
    for (let j = 0, o = at * ROWS + row; j < count; j++, o += ROWS) {
      p[j] = exp(f(sign * output[o] - top)) * masks[o];
      sum = f(sum + p[j]);
    }
    this.any = sum > 0;
    const total = this.any ? sum : 1;
    const inverse = f(1 / total);
    const logSum = log(total);
    let mean = 0;
    for (let j = 0, o = at * ROWS + row; j < count; j++, o += ROWS) {
      p[j] *= inverse;
      mean = f(mean + f(p[j] * f(sign * output[o] - top)));
    }
    this.top = top;
    this.logSum = logSum;
    this.entropy = f(logSum - mean);
  }

  /** Logarithm of the probability of a choice; 0 where the mask allows none. */
  logProbOf(logit: number): number {
    return this.any ? f(f(logit - this.top) - this.logSum) : 0;
  }
}

export class Categorical implements Head {
  logProb = 0;
  entropy = 0;
  private readonly fields: readonly Softmax[];
  private output: Float32Array = new Float32Array(0);
  private masks: Float32Array = new Float32Array(0);
  private row = 0;

  constructor(private readonly head: CategoricalHead) {
    let at = 0;
    this.fields = head.fields.map((count) => {
      at += count;
      return new Softmax(at - count, count);
    });
  }

  evaluate(output: Float32Array, masks: Float32Array, row: number, action: ActionRow): void {
    this.output = output;
    this.masks = masks;
    this.row = row;
    this.logProb = 0;
    this.entropy = 0;
    this.fields.forEach((field, k) => {
      field.read(output, masks, row);
      this.add(field, this.choice(action, k));
      this.entropy = f(this.entropy + field.entropy);
    });
  }

  differentiate(pull: Pull, action: ActionRow, gradient: Float32Array): void {
    const { output, masks, row } = this;
    this.fields.forEach((field, k) => {
      const chosen = this.choice(action, k);
      for (let j = 0; j < field.count; j++) {
        const o = (field.at + j) * ROWS + row;
        const p = field.p[j];
        const towards = f(f((j === chosen ? 1 : 0) - p) * masks[o]);
        const logP = f(f(output[o] - field.top) - field.logSum);
        const spread = f(p * f(logP + field.entropy));
        gradient[o] = f(pull.logProb * towards) + f(pull.entropy * spread);
      }
    });
  }

  finish(): void {}

  draw(output: Float32Array, masks: Float32Array, row: number, by: Draw, action: ActionRow): void {
    this.logProb = 0;
    this.output = output;
    this.row = row;
    this.fields.forEach((field, k) => {
      field.read(output, masks, row);
      const allowed = (j: number) => masks[(field.at + j) * ROWS + row] > 0.5;
      const chosen = this.drawField(field, allowed, by === null ? null : by.words(k), by);
      action.index[k] = this.head.lowest[k] + chosen;
      this.add(field, chosen);
    });
  }

  private drawField(
    field: Softmax,
    allowed: (j: number) => boolean,
    words: Uint32Array | null,
    by: Draw,
  ): number {
    if (words === null || by === null) return this.greedy(field, allowed);
    if (by.epsilon < 0) return sample(field, allowed, unit(words[0]));
    if (unit(words[1]) >= by.epsilon) return this.greedy(field, allowed);
    const choices = Array.from(field.p.keys()).filter(allowed);
    return choices[Math.floor((words[2] * choices.length) / 4294967296)] ?? 0;
  }

  /** The likeliest choice of the likeliest class, where there are any; the first of equals. */
  private greedy(field: Softmax, allowed: (j: number) => boolean): number {
    let [from, to] = [0, field.count];
    let best = -1;
    let at = 0;
    for (const count of this.head.classes) {
      let sum = 0;
      for (let j = at; j < at + count; j++) sum = f(sum + field.p[j]);
      if (sum > best) [best, from, to] = [sum, at, at + count];
      at += count;
    }
    let chosen = from;
    let top = LOWEST;
    for (let j = from; j < to; j++) {
      const logit = this.output[(field.at + j) * ROWS + this.row];
      if (allowed(j) && logit > top) [top, chosen] = [logit, j];
    }
    return chosen;
  }

  private add(field: Softmax, chosen: number): void {
    const isChoice = chosen >= 0 && chosen < field.count;
    const o = (field.at + chosen) * ROWS + this.row;
    // A number that is no choice has the logit `top`: nothing pulls there.
    const logit = isChoice ? this.output[o] : field.top;
    this.logProb = f(this.logProb + field.logProbOf(logit));
  }

  private choice(action: ActionRow, field: number): number {
    return action.index[field] - this.head.lowest[field];
  }
}

/** The first allowed choice at which the summed probabilities exceed u, else the last allowed. */
function sample({ p }: Softmax, allowed: (j: number) => boolean, u: number): number {
  let [sum, last] = [0, 0];
  for (let j = 0; j < p.length; j++) {
    if (!allowed(j)) continue;
    sum = f(sum + p[j]);
    if (u < sum) return j;
    last = j;
  }
  return last;
}

export class Gaussian implements Head {
  logProb = 0;
  entropy = 0;
  private readonly z: Float32Array;
  /** Gradients of the rows by each logarithm of a deviation, [size][64]. */
  private readonly spread: Float32Array;
  private row = 0;

  constructor(
    private readonly head: GaussianHead,
    private readonly params: Float32Array,
    private readonly logStd: number,
  ) {
    this.z = new Float32Array(head.size);
    this.spread = new Float32Array(head.size * ROWS);
  }

  evaluate(output: Float32Array, _masks: Float32Array, row: number, action: ActionRow): void {
    this.row = row;
    this.logProb = 0;
    this.entropy = 0;
    for (let i = 0; i < this.head.size; i++) {
      const logStd = this.params[this.logStd + i];
      const sample = action.real[i];
      this.z[i] = f(sample - output[i * ROWS + row]) * exp(-logStd);
      this.logProb = f(this.logProb + this.density(this.z[i], logStd, sample));
      this.entropy = f(this.entropy + f(logStd + NORMAL_ENTROPY));
    }
  }

  differentiate(pull: Pull, _action: ActionRow, gradient: Float32Array): void {
    for (let i = 0; i < this.head.size; i++) {
      const o = i * ROWS + this.row;
      const z = this.z[i];
      gradient[o] = f(pull.logProb * z) * exp(-this.params[this.logStd + i]);
      this.spread[o] = f(pull.logProb * f(f(z * z) - 1)) - pull.entropy;
    }
  }

  finish(grads: Float32Array): void {
    for (let i = 0; i < this.head.size; i++) {
      grads[this.logStd + i] += sumRows(this.spread, i * ROWS);
    }
    this.spread.fill(0);
  }

  /** Writes the sample; `squash` makes the action of it. */
  draw(output: Float32Array, masks: Float32Array, row: number, by: Draw, action: ActionRow): void {
    for (let i = 0; i < this.head.size; i++) {
      const mean = output[i * ROWS + row];
      const logStd = this.params[this.logStd + i];
      const z = by === null ? 0 : normal(by.words(i)[0]);
      action.real[i] = by === null ? mean : mean + f(exp(logStd) * z);
    }
    this.evaluate(output, masks, row, action);
  }

  /** The action of a sample: itself, or within low .. high. */
  squash(i: number, sample: number): number {
    const { kind, low, high } = this.head;
    if (kind === 'gaussian') return sample;
    const [least, most] = [f(low[i]), f(high[i])];
    const share = f(f(tanh(sample) + 1) * 0.5);
    return clip(f(least + f(f(most - least) * share)), least, most);
  }

  /** Logarithm of a number's density, of a squashed one with the slope of tanh. */
  private density(z: number, logStd: number, sample: number): number {
    const normalPart = f(f(f(z * z) * -0.5) - f(logStd + HALF_LOG_2PI));
    if (this.head.kind === 'gaussian') return normalPart;
    const size = sample < 0 ? -sample : sample;
    const slope = f(2 * f(f(LN_2 - size) - log(f(1 + exp(f(-2 * size))))));
    return f(normalPart - slope);
  }
}
