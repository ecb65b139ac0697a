/**
 * Multilinear interpolation for four environments at once, with the bits of interpolation.ts. The
 * grid is kept as corners: for each of its rows, that row and the one at the next batch size side
 * by side, and behind them what both rise by to the next prompt. So a cell is two records, its
 * corner and the next along KV.
 */
import { AXIS_NODES_MAX, GRID_METRICS } from '../../generated/serving';
import { clipLanes, gather, storeColumns } from '../../lanes';
import { allocate, allocateRows } from '../../memory';

const ROW_BYTES: usize = 4 * GRID_METRICS;
const CORNER_BYTES: usize = 4 * ROW_BYTES;
const CORNER_BYTES_LOG2: i32 = 7;
const INTERIOR_MAX: i32 = AXIS_NODES_MAX - 1;

// Where in the grid four points lie, rows of four: the bytes to their cells' corners, then how far
// into the cells they lie along each axis, f32.
const PLACE_CORNER: usize = 0;
const PLACE_BATCH: usize = 16;
const PLACE_KV: usize = 32;
const PLACE_PROMPT: usize = 48;
export const PLACE_BYTES: usize = 64;

/** An axis of the grid. */
@unmanaged
export class AxisLanes {
  private low: f32;
  private high: f32;
  private nodes: usize;
  private inv: usize;
  /** The nodes between the ends, f32, padded to fours with infinity, which no point reaches. */
  private interior: usize;
  private interiorEnd: usize;

  /** An axis over a program's padded nodes and reciprocal cell widths. */
  static make(nodes: usize, inv: usize, count: i32): AxisLanes {
    const axis = changetype<AxisLanes>(allocate(offsetof<AxisLanes>()));
    const numInterior = count > 2 ? count - 2 : 0;
    axis.nodes = nodes;
    axis.low = load<f32>(nodes);
    axis.high = load<f32>(nodes + (<usize>(count - 1) << 2));
    // An axis with one node has fraction 0 everywhere: its reciprocal widths are 0.
    axis.inv = count > 1 ? inv : allocate(4 * INTERIOR_MAX);
    axis.interior = allocate(4 * INTERIOR_MAX);
    axis.interiorEnd = axis.interior + (<usize>((numInterior + 3) & ~3) << 2);
    for (let i = 0; i < INTERIOR_MAX; i++) {
      const at = <usize>i << 2;
      const node = i < numInterior ? load<f32>(nodes + at, 4) : f32.POSITIVE_INFINITY;
      store<f32>(axis.interior + at, node);
    }
    return axis;
  }

  /** The cells of four points, clamped to the axis's ends; how far into them is stored. */
  @inline
  locate(points: v128, fractions: usize): v128 {
    const clamped = clipLanes(points, this.low, this.high);
    // A mask is -1 as a number.
    let cells = i32x4.splat(0);
    for (let at = this.interior; at < this.interiorEnd; at += 16) {
      const one = f32x4.ge(clamped, v128.load32_splat(at));
      const two = f32x4.ge(clamped, v128.load32_splat(at, 4));
      const three = f32x4.ge(clamped, v128.load32_splat(at, 8));
      const four = f32x4.ge(clamped, v128.load32_splat(at, 12));
      cells = i32x4.sub(cells, i32x4.add(i32x4.add(one, two), i32x4.add(three, four)));
    }
    const beyond = f32x4.sub(clamped, gather(this.nodes, cells));
    v128.store(fractions, f32x4.mul(beyond, gather(this.inv, cells)));
    return cells;
  }
}

/** A grid of eight metrics over three axes; prompt is the innermost, then KV, then batch. */
@unmanaged
export class Corners {
  private batch: AxisLanes;
  private kv: AxisLanes;
  private prompt: AxisLanes;
  private numBatch: i32;
  private numKv: i32;
  private numPrompt: i32;
  /** Bytes from a corner to the next along KV, 0 where that axis has one node. */
  private nextKv: usize;
  private corners: usize;

  static make(
    cells: usize, planes: i32, batch: AxisLanes, numBatch: i32,
    kv: AxisLanes, numKv: i32, prompt: AxisLanes, numPrompt: i32,
  ): Corners {
    const grid = changetype<Corners>(allocate(offsetof<Corners>()));
    const numRows = planes * numBatch * numKv * numPrompt;
    grid.batch = batch;
    grid.kv = kv;
    grid.prompt = prompt;
    grid.numBatch = numBatch;
    grid.numKv = numKv;
    grid.numPrompt = numPrompt;
    grid.nextKv = numKv > 1 ? <usize>numPrompt * CORNER_BYTES : 0;
    grid.corners = allocateRows(numRows, <u32>CORNER_BYTES);
    const stepBatch = numBatch > 1 ? numKv * numPrompt : 0;
    const stepPrompt = numPrompt > 1 ? 1 : 0;
    for (let row = 0; row < numRows; row++) {
      const corner = grid.corners + <usize>row * CORNER_BYTES;
      fillRow(corner, cells, row, stepPrompt, numRows);
      fillRow(corner + ROW_BYTES, cells, row + stepBatch, stepPrompt, numRows);
    }
    return grid;
  }

  /** Finds the place of four points in their planes, which are words. */
  @inline
  locate(planes: v128, batch: v128, kv: v128, prompt: v128, place: usize): void {
    const ofBatch = i32x4.mul(planes, i32x4.splat(this.numBatch));
    const alongBatch = i32x4.add(ofBatch, this.batch.locate(batch, place + PLACE_BATCH));
    const ofKv = i32x4.mul(alongBatch, i32x4.splat(this.numKv));
    const alongKv = i32x4.add(ofKv, this.kv.locate(kv, place + PLACE_KV));
    const ofPrompt = i32x4.mul(alongKv, i32x4.splat(this.numPrompt));
    const row = i32x4.add(ofPrompt, this.prompt.locate(prompt, place + PLACE_PROMPT));
    v128.store(place, i32x4.shl(row, CORNER_BYTES_LOG2), PLACE_CORNER);
  }

  /** The metrics at a place, [8 metrics][4], times the rows of factors at these byte offsets. */
  @inline
  interpolate(place: usize, factors: usize, offsets: v128, out: usize): void {
    this.interpolateHalf(place, factors, offsets, 0, out);
    this.interpolateHalf(place, factors, offsets, 16, out + 64);
  }

  /** Four of the eight metrics, `half` bytes into a row. */
  @inline
  private interpolateHalf(
    place: usize, factors: usize, offsets: v128, half: usize, out: usize,
  ): void {
    const corners = this.corners + half;
    const scales = factors + half;
    const a = f32x4.mul(
      this.at(corners + load<u32>(place, 0), place + 0),
      v128.load(scales + i32x4.extract_lane(offsets, 0)),
    );
    const b = f32x4.mul(
      this.at(corners + load<u32>(place, 4), place + 4),
      v128.load(scales + i32x4.extract_lane(offsets, 1)),
    );
    const c = f32x4.mul(
      this.at(corners + load<u32>(place, 8), place + 8),
      v128.load(scales + i32x4.extract_lane(offsets, 2)),
    );
    const d = f32x4.mul(
      this.at(corners + load<u32>(place, 12), place + 12),
      v128.load(scales + i32x4.extract_lane(offsets, 3)),
    );
    storeColumns(a, b, c, d, out, 16);
  }

  /** Four metrics of one point in the cell at a corner; `lane` is its part of the place. */
  @inline
  private at(corner: usize, lane: usize): v128 {
    const b = v128.load32_splat(lane, PLACE_BATCH);
    const k = v128.load32_splat(lane, PLACE_KV);
    const p = v128.load32_splat(lane, PLACE_PROMPT);
    const next = corner + this.nextKv;
    const low = lerpLanes(alongPrompt(corner, p), alongPrompt(next, p), k);
    const high = lerpLanes(alongPrompt(corner + ROW_BYTES, p), alongPrompt(next + ROW_BYTES, p), k);
    return lerpLanes(low, high, b);
  }
}

/** Half of a corner: a row and its rise along the prompt. Beyond the grid no cell reaches. */
function fillRow(to: usize, cells: usize, row: i32, stepPrompt: i32, numRows: i32): void {
  const next = row + stepPrompt;
  if (next >= numRows) {
    if (row < numRows) memory.copy(to, cells + <usize>row * ROW_BYTES, ROW_BYTES);
    return;
  }
  const a = cells + <usize>row * ROW_BYTES;
  const b = cells + <usize>next * ROW_BYTES;
  memory.copy(to, a, ROW_BYTES);
  for (let i: usize = 0; i < ROW_BYTES; i += 4) {
    store<f32>(to + 2 * ROW_BYTES + i, load<f32>(b + i) - load<f32>(a + i));
  }
}

@inline
function alongPrompt(corner: usize, p: v128): v128 {
  const rise = v128.load(corner, 2 * ROW_BYTES);
  return f32x4.add(v128.load(corner), f32x4.mul(rise, p));
}

@inline
function lerpLanes(a: v128, b: v128, t: v128): v128 {
  return f32x4.add(a, f32x4.mul(f32x4.sub(b, a), t));
}
