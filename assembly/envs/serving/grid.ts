/** Multilinear interpolation in the packed grid, in f32. */
import { GRID_METRICS } from '../../generated/serving';
import { allocate } from '../../memory';

const METRIC_BYTES: usize = 4 * GRID_METRICS;

/** An axis of the grid; the point that `locate` found last stands in it. */
@unmanaged
export class Axis {
  private low: f32;
  private high: f32;
  private count: i32;
  private nodes: usize;
  private inv: usize;
  /** The cell that holds the point, and how far into it: 0 at its lower node, 1 at its upper. */
  cell: i32;
  fraction: f32;

  /** An axis over a program's padded nodes and reciprocal cell widths. */
  static make(nodes: usize, inv: usize, count: i32): Axis {
    const axis = changetype<Axis>(allocate(offsetof<Axis>()));
    axis.nodes = nodes;
    axis.inv = inv;
    axis.count = count;
    axis.low = load<f32>(nodes);
    axis.high = load<f32>(nodes + (<usize>(count - 1) << 2));
    return axis;
  }

  /** Finds x, clamped to the axis's ends. An axis with one node has cell 0 and fraction 0. */
  locate(x: f32): void {
    const above = x > this.low ? x : this.low;
    const clamped = above < this.high ? above : this.high;
    const cell = this.countBelow(clamped);
    const at = <usize>cell << 2;
    this.cell = cell;
    this.fraction =
      this.count > 1 ? (clamped - load<f32>(this.nodes + at)) * load<f32>(this.inv + at) : 0;
  }

  /** The number of interior nodes that are not above x. */
  private countBelow(x: f32): i32 {
    let below = 0;
    for (let i = 0; i < this.count - 2; i++) {
      below += i32(load<f32>(this.nodes + (<usize>i << 2), 4) <= x);
    }
    return below;
  }
}

/** A grid of eight metrics over three axes; prompt is the innermost, then KV, then batch. */
@unmanaged
export class Grid {
  private cells: usize;
  private numBatch: i32;
  private numKv: i32;
  private numPrompt: i32;
  // Bytes to the upper corner along an axis: 0 where the axis has one node.
  private stepBatch: usize;
  private stepKv: usize;
  private stepPrompt: usize;

  static make(cells: usize, numBatch: i32, numKv: i32, numPrompt: i32): Grid {
    const grid = changetype<Grid>(allocate(offsetof<Grid>()));
    grid.cells = cells;
    grid.numBatch = numBatch;
    grid.numKv = numKv;
    grid.numPrompt = numPrompt;
    grid.stepPrompt = numPrompt > 1 ? METRIC_BYTES : 0;
    grid.stepKv = numKv > 1 ? <usize>numPrompt * METRIC_BYTES : 0;
    grid.stepBatch = numBatch > 1 ? <usize>(numKv * numPrompt) * METRIC_BYTES : 0;
    return grid;
  }

  /** The cell of a plane that holds the axes' points. */
  private corner(plane: i32, batch: Axis, kv: Axis, prompt: Axis): usize {
    const row = (plane * this.numBatch + batch.cell) * this.numKv + kv.cell;
    return this.cells + <usize>(row * this.numPrompt + prompt.cell) * METRIC_BYTES;
  }

  /** The eight metrics at the axes' points, times `factors`, into `out`. */
  interpolate(plane: i32, batch: Axis, kv: Axis, prompt: Axis, factors: usize, out: usize): void {
    const base = this.corner(plane, batch, kv, prompt);
    const p = prompt.fraction;
    const k = kv.fraction;
    for (let i: usize = 0; i < METRIC_BYTES; i += 4) {
      const lower = this.alongKv(base + i, p, k);
      const upper = this.alongKv(base + this.stepBatch + i, p, k);
      store<f32>(out + i, lerp(lower, upper, batch.fraction) * load<f32>(factors + i));
    }
  }

  private alongKv(at: usize, p: f32, k: f32): f32 {
    return lerp(this.alongPrompt(at, p), this.alongPrompt(at + this.stepKv, p), k);
  }

  private alongPrompt(at: usize, p: f32): f32 {
    return lerp(load<f32>(at), load<f32>(at + this.stepPrompt), p);
  }
}

/** Linear interpolation: a at t = 0. */
@inline
function lerp(a: f32, b: f32, t: f32): f32 {
  return a + (b - a) * t;
}
