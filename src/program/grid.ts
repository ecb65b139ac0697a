import { AXIS_NODES_MAX } from '../generated/serving.js';

/*
 * One axis of an interpolation grid as every backend holds it, in f32 and of fixed size, so that
 * a kernel's loop has no variable length. Every operation here is rounded to f32: this is the
 * kernels' arithmetic, written once more where it can be read.
 */

export { AXIS_NODES_MAX };

const F32_MAX = 3.4028234663852886e38;

/** A prepared axis: `nodes` is padded with the largest finite f32 and `inv` with 0. */
export interface Axis {
  /** Grid nodes, ascending, f32[AXIS_NODES_MAX]. */
  nodes: Float32Array;
  /** 1 / (nodes[i + 1] - nodes[i]), computed in f64 and rounded, f32[AXIS_NODES_MAX - 1]. */
  inv: Float32Array;
  /** Nodes in use. */
  count: number;
}

/** The cell that holds a point, and how far into it: 0 at its lower node, 1 at its upper one. */
export interface Cell {
  cell: number;
  fraction: number;
}

/**
 * Prepares an axis.
 *
 * @param nodes 1 to 17 finite numbers, strictly ascending in f32.
 * @param name what an error calls the axis.
 * @throws RangeError naming the axis and the node.
 */
export function buildAxis(nodes: ArrayLike<number>, name = 'axis'): Axis {
  const count = nodes.length;
  if (count < 1 || count > AXIS_NODES_MAX) {
    throw new RangeError(`${name}: ${count} nodes; an axis has 1 to ${AXIS_NODES_MAX}`);
  }
  const axis = new Float32Array(AXIS_NODES_MAX).fill(F32_MAX);
  for (let i = 0; i < count; i++) {
    const node = Math.fround(nodes[i]);
    const inRange = node >= -F32_MAX && node <= F32_MAX;
    if (!inRange || (i > 0 && node <= axis[i - 1])) {
      throw new RangeError(
        `${name}: node ${i} is ${nodes[i]}; nodes must be finite and ascend strictly in f32`,
      );
    }
    axis[i] = node;
  }
  const inv = new Float32Array(AXIS_NODES_MAX - 1);
  for (let i = 0; i + 1 < count; i++) inv[i] = Math.fround(1 / (axis[i + 1] - axis[i]));
  return { nodes: axis, inv, count };
}

/** Finds x on the axis, clamped to its ends. An axis with one node has cell 0 and fraction 0. */
export function locate(axis: Axis, x: number): Cell {
  const cell = cellOf(axis, x);
  return { cell, fraction: fractionOf(axis, cell, x) };
}

/** The cell that holds x: the number of its lower node. Beyond the ends, the first or the last. */
export function cellOf({ nodes, count }: Axis, x: number): number {
  const x32 = Math.fround(x);
  let cell = 0;
  while (cell < count - 2 && nodes[cell + 1] <= x32) cell++;
  return cell;
}

/** How far x, clamped to the axis, lies into the cell that holds it. */
export function fractionOf({ nodes, inv, count }: Axis, cell: number, x: number): number {
  const low = nodes[0];
  const high = nodes[count - 1];
  const x32 = Math.fround(x);
  const above = x32 > low ? x32 : low;
  const clamped = above < high ? above : high;
  return count > 1 ? Math.fround(Math.fround(clamped - nodes[cell]) * inv[cell]) : 0;
}

/** Linear interpolation in f32: a at t = 0. */
export function lerp(a: number, b: number, t: number): number {
  return Math.fround(a + Math.fround(Math.fround(b - a) * t));
}
