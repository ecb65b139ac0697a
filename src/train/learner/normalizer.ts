/** Running normalisers of observations: part of a policy, and what the core's `mlp` applies. */
import { log } from '../../program/float-math.js';

/**
 * `none`: observations as they are; `running`: (x − mean) / deviation, clipped to ±10; `log`: the
 * same of sign(x) · log(1 + |x|).
 */
export type NormalizerKind = 'none' | 'running' | 'log';

export interface NormalizerState {
  readonly kind: NormalizerKind;
  readonly count: number;
  readonly mean: readonly number[];
  readonly squares: readonly number[];
}

const f = Math.fround;
export const NORMALIZED_MAX = 10;
const EPSILON = 1e-8;

/** sign(x) · log(1 + |x|) in binary32. */
export function signedLog(x: number): number {
  const size = x < 0 ? -x : x;
  const y = log(f(1 + size));
  return x < 0 ? -y : y;
}

/** Means and deviations of columns, merged block by block in binary64 (Chan et al., 1983). */
export class Normalizer {
  private count = 0;
  private readonly mean: Float64Array;
  /** Sums of squared differences from the mean. */
  private readonly squares: Float64Array;
  private readonly shift: Float32Array;
  private readonly scale: Float32Array;

  constructor(
    readonly width: number,
    readonly kind: NormalizerKind,
  ) {
    this.mean = new Float64Array(width);
    this.squares = new Float64Array(width);
    this.shift = new Float32Array(width);
    this.scale = new Float32Array(width).fill(1);
  }

  /** Merges rows [n, width]. */
  learn(rows: Float32Array): void {
    const { width, mean, squares } = this;
    const n = rows.length / width;
    if (this.kind === 'none' || n === 0) return;
    const total = this.count + n;
    for (let j = 0; j < width; j++) {
      let sum = 0;
      let sumSquares = 0;
      for (let i = j; i < rows.length; i += width) {
        const x = this.read(rows[i]) - mean[j];
        sum += x;
        sumSquares += x * x;
      }
      const change = sum / n;
      squares[j] += sumSquares - n * change * change + (change * change * this.count * n) / total;
      mean[j] += (change * n) / total;
    }
    this.count = total;
    this.refresh();
  }

  /** Writes the normalised rows to `out`, which may be `rows` itself. */
  apply(rows: Float32Array, out: Float32Array): Float32Array {
    if (this.kind === 'none') {
      if (out !== rows) out.set(rows);
      return out;
    }
    const { width, shift, scale } = this;
    for (let i = 0, j = 0; i < rows.length; i++) {
      const x = f(f(this.read(rows[i]) - shift[j]) * scale[j]);
      const low = x < -NORMALIZED_MAX ? -NORMALIZED_MAX : x;
      out[i] = low > NORMALIZED_MAX ? NORMALIZED_MAX : low;
      if (++j === width) j = 0;
    }
    return out;
  }

  /** The shift and the scale of `apply`, f32 [width] each; for a policy of the core. */
  get affine(): { readonly shift: Float32Array; readonly scale: Float32Array } {
    return { shift: this.shift, scale: this.scale };
  }

  save(): NormalizerState {
    const { kind, count, mean, squares } = this;
    return { kind, count, mean: Array.from(mean), squares: Array.from(squares) };
  }

  /** @throws RangeError for the state of another normaliser. */
  load(state: NormalizerState): void {
    if (state.kind !== this.kind || state.mean.length !== this.width) {
      const found = `${state.kind} of ${state.mean.length} numbers`;
      throw new RangeError(`the normaliser is ${found}: ${this.kind} of ${this.width} is needed`);
    }
    this.count = state.count;
    this.mean.set(state.mean);
    this.squares.set(state.squares);
    this.refresh();
  }

  private read(x: number): number {
    return this.kind === 'log' ? signedLog(x) : x;
  }

  private refresh(): void {
    if (this.count === 0) return;
    this.shift.set(this.mean);
    for (let j = 0; j < this.width; j++) {
      this.scale[j] = 1 / Math.sqrt(this.squares[j] / this.count + EPSILON);
    }
  }
}
