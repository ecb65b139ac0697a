/**
 * Multilinear interpolation for four environments at once, with the bits of interpolation.ts. The
 * grid is kept as corners: for each of its rows, that row and the one at the next batch size side
 * by side, and behind them what both rise by to the next prompt. So a cell is two records, its
 * corner and the next along KV.
 */
import { AXIS_NODES_MAX, GRID_METRICS } from './generated/serving';
import { clipLanes, gather, storeColumns } from './lanes';
import { allocate, allocateRows } from './memory';

const ROW_BYTES: usize = 4 * GRID_METRICS;
const CORNER_BYTES: usize = 4 * ROW_BYTES;
const CORNER_BYTES_LOG2: i32 = 7;
const INTERIOR_MAX: i32 = AXIS_NODES_MAX - 1;

/** An axis of the grid; the points that `locate` found last stand in it. */
@unmanaged
export class AxisLanes {
  private low: f32;
  private high: f32;
  private nodes: usize;
  private inv: usize;
  /** The nodes between the ends, f32, padded to fours with infinity, which no point reaches. */
  private interior: usize;
  private interiorEnd: usize;
  /** The cells that hold the points, words, and how far into them, f32. */
  cells: usize;
  fractions: usize;

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
    axis.cells = allocate(16);
    axis.fractions = allocate(16);
    return axis;
  }

  /** Finds four points, clamped to the axis's ends. */
  @inline
  locate(points: v128): void {
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
    v128.store(this.cells, cells);
    v128.store(this.fractions, f32x4.mul(beyond, gather(this.inv, cells)));
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

  /** Rows of four at the points of the axes: `planes` are words, `out` [8 metrics][4] f32. */
  @inline
  interpolate(
    planes: v128, batch: v128, kv: v128, prompt: v128, factors: usize, quant: v128, out: usize,
  ): void {
    this.batch.locate(batch);
    this.kv.locate(kv);
    this.prompt.locate(prompt);
    const ofBatch = i32x4.mul(planes, i32x4.splat(this.numBatch));
    const alongBatch = i32x4.add(ofBatch, v128.load(this.batch.cells));
    const ofKv = i32x4.mul(alongBatch, i32x4.splat(this.numKv));
    const alongKv = i32x4.add(ofKv, v128.load(this.kv.cells));
    const ofPrompt = i32x4.mul(alongKv, i32x4.splat(this.numPrompt));
    const row = i32x4.add(ofPrompt, v128.load(this.prompt.cells));
    const offsets = i32x4.shl(row, CORNER_BYTES_LOG2);
    const ofFactors = i32x4.shl(quant, 5);
    this.interpolateHalf(offsets, factors, ofFactors, 0, out);
    this.interpolateHalf(offsets, factors, ofFactors, 16, out + 64);
  }

  /** Four of the eight metrics, `half` bytes into a row. */
  @inline
  private interpolateHalf(
    offsets: v128, factors: usize, ofFactors: v128, half: usize, out: usize,
  ): void {
    const corners = this.corners + half;
    const scales = factors + half;
    const a = f32x4.mul(
      this.at(corners + i32x4.extract_lane(offsets, 0), 0),
      v128.load(scales + i32x4.extract_lane(ofFactors, 0)),
    );
    const b = f32x4.mul(
      this.at(corners + i32x4.extract_lane(offsets, 1), 4),
      v128.load(scales + i32x4.extract_lane(ofFactors, 1)),
    );
    const c = f32x4.mul(
      this.at(corners + i32x4.extract_lane(offsets, 2), 8),
      v128.load(scales + i32x4.extract_lane(ofFactors, 2)),
    );
    const d = f32x4.mul(
      this.at(corners + i32x4.extract_lane(offsets, 3), 12),
      v128.load(scales + i32x4.extract_lane(ofFactors, 3)),
    );
    storeColumns(a, b, c, d, out, 16);
  }

  /** Four metrics within the cell at a corner; `lane` is where its fractions lie, in bytes. */
  @inline
  private at(corner: usize, lane: usize): v128 {
    const p = v128.load32_splat(this.prompt.fractions + lane);
    const k = v128.load32_splat(this.kv.fractions + lane);
    const b = v128.load32_splat(this.batch.fractions + lane);
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
