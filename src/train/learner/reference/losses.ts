/** The losses of a chunk: gradients by outputs, and sums of what is reported. */
import { clip, exp } from '../../../program/float-math.js';
import type { PolicyCall, TdCall, ValueCall } from '../engine.js';
import { STATS } from '../engine.js';
import { ROWS, sumRows } from './dense.js';
import type { ActionRow, Head, Softmax } from './heads.js';

const f = Math.fround;

/** A column of what is reported for each statistic; summed at the end of a chunk. */
class Report {
  private readonly columns = new Float32Array(STATS * ROWS);

  clear(): void {
    this.columns.fill(0);
  }

  set(stat: number, row: number, value: number): void {
    this.columns[stat * ROWS + row] = value;
  }

  addTo(sums: Float64Array): void {
    for (let stat = 0; stat < STATS; stat++) sums[stat] += sumRows(this.columns, stat * ROWS);
  }
}

const report = new Report();

/** Outputs and their gradients, [outputs][64] each. */
export interface Ends {
  readonly output: Float32Array;
  readonly outputGradient: Float32Array;
}

/** PPO's clipped loss (Schulman et al., 2017), or the cross entropy of the actions. */
export function policyLoss(
  call: PolicyCall,
  rows: Uint32Array,
  head: Head,
  actor: Ends,
  masks: Float32Array,
  actionOf: (row: number) => ActionRow,
  sums: Float64Array,
): void {
  const { weights, advantages, logProbs } = call;
  const [low, high] = [f(1 - f(call.clip)), f(1 + f(call.clip))];
  report.clear();
  actor.outputGradient.fill(0);
  rows.forEach((at, row) => {
    const action = actionOf(at);
    const weight = weights === null ? 1 : weights[at];
    const scale = f(weight * f(call.scale));
    head.evaluate(actor.output, masks, row, action);
    let pull = -scale;
    if (advantages === null || logProbs === null) {
      report.set(0, row, f(-head.logProb * weight));
    } else {
      const advantage = f(f(advantages[at] - f(call.mean)) * f(call.inverse));
      const logRatio = f(head.logProb - logProbs[at]);
      const ratio = exp(logRatio);
      const plain = f(advantage * ratio);
      const bound = f(advantage * clip(ratio, low, high));
      pull = f((plain > bound ? 0 : -plain) * scale);
      report.set(0, row, f(-(plain > bound ? bound : plain) * weight));
      report.set(3, row, f(f(f(ratio - 1) - logRatio) * weight));
      report.set(4, row, f((low > ratio || ratio > high ? 1 : 0) * weight));
    }
    report.set(2, row, f(head.entropy * weight));
    const entropy = f(scale * f(call.entropy));
    head.differentiate({ logProb: pull, entropy }, action, actor.outputGradient);
  });
  report.addTo(sums);
}

/** ½ error² of the values, or of those clipped around the old ones where that is more. */
export function baselineLoss(
  call: PolicyCall,
  rows: Uint32Array,
  critic: Ends,
  sums: Float64Array,
): void {
  const { values, returns } = call;
  const [factor, scale, most] = [f(call.value), f(call.valueScale), f(call.valueClip)];
  report.clear();
  critic.outputGradient.fill(0);
  rows.forEach((at, row) => {
    const value = critic.output[row];
    const target = returns![at];
    const error = f(value - target);
    let slope = error;
    let square = f(error * error);
    if (values !== null) {
      const change = f(value - values[at]);
      const clippedError = f(f(values[at] + clip(change, -most, most)) - target);
      const clippedSquare = f(clippedError * clippedError);
      if (clippedSquare > square) {
        square = clippedSquare;
        if (change > most || -most > change) slope = 0;
      }
    }
    critic.outputGradient[row] = f(slope * factor) * scale;
    report.set(1, row, f(0.5 * square));
  });
  report.addTo(sums);
}

/** Half the square up to `huber`, then linear; and its slope. */
function errorLoss(error: number, huber: number): readonly [loss: number, slope: number] {
  const slope = clip(error, -huber, huber);
  const rest = f(error - slope);
  // ½ s² + s (e − s): with no rest the square itself.
  return [f(f(f(0.5 * slope) * slope) + f(slope * rest)), slope];
}

/** A choice for each field of an action, and a softmax for its conservative part. */
export interface Fields {
  readonly softmaxes: readonly Softmax[];
  readonly lowest: readonly number[];
}

/**
 * The values that follow the rows, [64]: over fields, the target's value of the choice that it
 * values most, or that `chooser` does. 0 where the mask allows none.
 */
export function nextValues(
  { softmaxes }: Fields,
  masks: Float32Array,
  target: Float32Array,
  chooser: Float32Array,
  out: Float32Array,
): void {
  const lowest = f(-3e38);
  for (let row = 0; row < ROWS; row++) {
    let sum = 0;
    for (const { at, count } of softmaxes) {
      let [top, value] = [lowest, 0];
      for (let j = 0, o = at * ROWS + row; j < count; j++, o += ROWS) {
        if (masks[o] > 0.5 && chooser[o] > top) [top, value] = [chooser[o], target[o]];
      }
      sum = f(sum + value);
    }
    out[row] = sum;
  }
}

/** Temporal difference, with conservative Q-learning (Kumar et al., 2020) where it is asked for. */
export function tdLoss(
  call: TdCall,
  rows: Uint32Array,
  first: number,
  fields: Fields,
  masks: Float32Array,
  next: Float32Array,
  q: Ends,
  sums: Float64Array,
): void {
  const { actionDim } = { actionDim: fields.softmaxes.length };
  const index = new Int32Array(call.actions.buffer, call.actions.byteOffset, call.actions.length);
  const huber = f(call.huber);
  report.clear();
  q.outputGradient.fill(0);
  rows.forEach((at, row) => {
    const outputOf = (k: number) =>
      (fields.softmaxes[k].at + index[at * actionDim + k] - fields.lowest[k]) * ROWS + row;
    const weight = call.weights === null ? 1 : call.weights[at];
    const scale = f(weight * f(call.scale));
    let value = 0;
    for (let k = 0; k < actionDim; k++) value = f(value + q.output[outputOf(k)]);
    const error = f(value - targetOf(call, at, next[row]));
    const [loss, slope] = errorLoss(error, huber);
    if (call.errors !== null) call.errors[first + row] = error;
    for (let k = 0; k < actionDim; k++) q.outputGradient[outputOf(k)] += f(slope * scale);
    report.set(0, row, f(loss * weight));
    report.set(1, row, value);
    report.set(2, row, error < 0 ? -error : error);
    if (call.conservative === 0) return;
    report.set(3, row, conserve(call, scale, fields, masks, row, outputOf, q));
  });
  report.addTo(sums);
}

function targetOf(call: TdCall, at: number, next: number): number {
  if (call.targets !== null) return call.targets[at];
  const discount = call.discounts === null ? f(call.gamma) : call.discounts[at];
  const live = call.terminated !== null && call.terminated[at] > 0 ? 0 : 1;
  return f(call.rewards![at] + f(f(discount * live) * next));
}

/** Adds the gradient of α (log Σ exp Q − Q(a)), of −Q for costs; returns the difference. */
function conserve(
  call: TdCall,
  scale: number,
  fields: Fields,
  masks: Float32Array,
  row: number,
  outputOf: (k: number) => number,
  { output, outputGradient }: Ends,
): number {
  const sign = call.cost ? -1 : 1;
  const factor = f(f(f(call.conservative) * scale) * sign);
  let gap = 0;
  fields.softmaxes.forEach((softmax, k) => {
    softmax.read(output, masks, row, sign);
    const chosen = outputOf(k);
    for (let j = 0; j < softmax.count; j++) {
      const o = (softmax.at + j) * ROWS + row;
      const towards = f(f(softmax.p[j] - (o === chosen ? 1 : 0)) * masks[o]);
      outputGradient[o] += f(factor * towards);
    }
    gap = f(gap - softmax.logProbOf(sign * output[chosen]));
  });
  return gap;
}

/** The loss of the first output by targets. */
export function valueLoss(call: ValueCall, rows: Uint32Array, net: Ends, sums: Float64Array): void {
  report.clear();
  net.outputGradient.fill(0);
  rows.forEach((at, row) => {
    const weight = call.weights === null ? 1 : call.weights[at];
    const error = f(net.output[row] - call.targets[at]);
    const [loss, slope] = errorLoss(error, f(call.huber));
    net.outputGradient[row] = slope * f(weight * f(call.scale));
    report.set(0, row, f(loss * weight));
  });
  report.addTo(sums);
}
