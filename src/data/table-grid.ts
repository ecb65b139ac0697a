import { exp, log } from '../program/math.js';
import type { PerfMetrics } from './perf-table.js';
import { PERF_METRICS, TABLE_AXES } from './perf-table.js';
import type { MeasuredRows } from './table-rows.js';
import { median } from './table-rows.js';

const METRICS = PERF_METRICS.length;
const AXES = TABLE_AXES.length;

/** The cells of a table while holes are filled: C order over TABLE_AXES, metrics as logarithms. */
export interface LogGrid {
  /** Nodes of each axis, ascending. */
  nodes: number[][];
  /** Cells between neighbours on each axis. */
  strides: number[];
  /** Node positions in which metrics are about linear: log x, or log(1 + x) where x may be 0. */
  positions: Float64Array[];
  /** Logarithms, [cell][metric]. */
  logs: Float64Array;
  /** 1 where the cell has values. */
  known: Uint8Array;
}

interface Duplicate {
  cell: number;
  /** Data rows, from 1. */
  rows: number[];
}

/** Places rows on the grid that their nodes span; rows of one cell become their median. */
export function buildGrid(rows: MeasuredRows): {
  grid: LogGrid;
  rowsOfCell: number[][];
  duplicates: Duplicate[];
} {
  const nodes = rows.nodes.map((column) => Array.from(new Set(column)).sort((a, b) => a - b));
  const strides = nodes.map((_, a) => nodes.slice(a + 1).reduce((n, axis) => n * axis.length, 1));
  const cells = strides[0] * nodes[0].length;
  const rowsOfCell: number[][] = Array.from({ length: cells }, () => []);
  for (let row = 0; row < rows.count; row++) {
    let cell = 0;
    for (let a = 0; a < AXES; a++) cell += nodes[a].indexOf(rows.nodes[a][row]) * strides[a];
    rowsOfCell[cell].push(row);
  }
  const grid: LogGrid = {
    nodes,
    strides,
    positions: nodes.map((axis, a) =>
      Float64Array.from(axis, (x) => log(TABLE_AXES[a].min === 0 ? 1 + x : x)),
    ),
    logs: new Float64Array(cells * METRICS),
    known: new Uint8Array(cells),
  };
  const duplicates: Duplicate[] = [];
  rowsOfCell.forEach((found, cell) => {
    if (found.length === 0) return;
    if (found.length > 1) duplicates.push({ cell, rows: found.map((row) => row + 1) });
    grid.known[cell] = 1;
    rows.metrics.forEach((column, m) => {
      grid.logs[cell * METRICS + m] = log(median(found.map((row) => column[row])));
    });
  });
  return { grid, rowsOfCell, duplicates };
}

/** The index on an axis of a cell. */
export function indexOn(grid: LogGrid, cell: number, axis: number): number {
  return Math.floor(cell / grid.strides[axis]) % grid.nodes[axis].length;
}

/** A cell by its nodes. */
export type CellNodes = Record<(typeof TABLE_AXES)[number]['column'], number>;

export function describeCell(grid: LogGrid, cell: number): CellNodes {
  const nodes = {} as CellNodes;
  TABLE_AXES.forEach(({ column }, a) => {
    nodes[column] = grid.nodes[a][indexOn(grid, cell, a)];
  });
  return nodes;
}

/** Two known cells on an axis, and the weight of the second at the cell in question. */
interface Pair {
  first: number;
  second: number;
  weight: number;
}

/** Nearest known cells on an axis, in the direction of step. */
function knownFrom(grid: LogGrid, cell: number, axis: number, step: number, count: number) {
  const found: number[] = [];
  const length = grid.nodes[axis].length;
  let at = cell;
  for (let i = indexOn(grid, cell, axis) + step; i >= 0 && i < length; i += step) {
    at += step * grid.strides[axis];
    if (grid.known[at] === 1 && found.push(at) === count) break;
  }
  return found;
}

function pair(grid: LogGrid, cell: number, axis: number, first: number, second: number): Pair {
  const at = (c: number) => grid.positions[axis][indexOn(grid, c, axis)];
  return { first, second, weight: (at(cell) - at(first)) / (at(second) - at(first)) };
}

/** Quantisation tiers are categories: nothing is interpolated between them. */
const FILL_AXES = [1, 2, 3, 4];

/** Pairs of known cells around the cell, at most one an axis. */
function brackets(grid: LogGrid, cell: number): Pair[] {
  const pairs: Pair[] = [];
  for (const axis of FILL_AXES) {
    const [below] = knownFrom(grid, cell, axis, -1, 1);
    const [above] = knownFrom(grid, cell, axis, 1, 1);
    if (below !== undefined && above !== undefined) {
      pairs.push(pair(grid, cell, axis, below, above));
    }
  }
  return pairs;
}

/** Predicts the logarithm of a metric at a cell. */
type Prediction = (metric: number) => number;

/**
 * Interpolates along the best axis, linearly in log-log: monotone, and between its two cells. The
 * best axis is the one whose cells differ least, because for monotone data the true value lies
 * between them too, and so the gap bounds the error. Null where no axis surrounds the cell.
 */
function interpolation(grid: LogGrid, cell: number): Prediction | null {
  const pairs = brackets(grid, cell);
  return pairs.length > 0 ? (metric) => alongFlattest(grid, pairs, metric) : null;
}

/**
 * Extrapolates as if the axes' effects multiplied: the nearest known cells on two axes and the
 * cell that completes the rectangle give a value, and the median of all such values is taken.
 * Without a rectangle the slope of the nearest two cells on the flattest axis is continued.
 */
function extrapolation(grid: LogGrid, cell: number): Prediction | null {
  const rectangles = knownRectangles(grid, cell);
  if (rectangles.length > 0) {
    const log = (c: number, metric: number) => grid.logs[c * METRICS + metric];
    return (metric) =>
      median(rectangles.map(([a, b, ab]) => log(a, metric) + log(b, metric) - log(ab, metric)));
  }
  const pairs = continuations(grid, cell);
  return pairs.length > 0 ? (metric) => alongFlattest(grid, pairs, metric) : null;
}

/** Nearest known cells on two axes, and the known cell opposite. */
function knownRectangles(grid: LogGrid, cell: number): [number, number, number][] {
  const nearest = FILL_AXES.map((axis) =>
    [-1, 1].flatMap((step) => knownFrom(grid, cell, axis, step, 1)),
  );
  const rectangles: [number, number, number][] = [];
  for (let i = 0; i < nearest.length; i++) {
    for (let j = i + 1; j < nearest.length; j++) {
      for (const a of nearest[i]) {
        for (const b of nearest[j]) {
          const opposite = a + b - cell;
          if (grid.known[opposite] === 1) rectangles.push([a, b, opposite]);
        }
      }
    }
  }
  return rectangles;
}

/** Pairs of known cells on one side of the cell, nearest first. */
function continuations(grid: LogGrid, cell: number): Pair[] {
  const pairs: Pair[] = [];
  for (const axis of FILL_AXES) {
    for (const step of [-1, 1]) {
      const [near, far] = knownFrom(grid, cell, axis, step, 2);
      if (far !== undefined) pairs.push(pair(grid, cell, axis, near, far));
    }
  }
  return pairs;
}

/** The logarithm of a metric on the line through the pair that changes least. */
function alongFlattest(grid: LogGrid, pairs: Pair[], metric: number): number {
  let best = 0;
  let bestGap = Number.POSITIVE_INFINITY;
  for (const { first, second, weight } of pairs) {
    const a = grid.logs[first * METRICS + metric];
    const b = grid.logs[second * METRICS + metric];
    const reach = weight < 0 ? -weight : 1;
    const gap = Math.abs(b - a) * reach;
    if (gap >= bestGap) continue;
    bestGap = gap;
    best = a + (b - a) * weight;
  }
  return best;
}

export interface FilledCell {
  cell: number;
  method: 'interpolated' | 'extrapolated';
}

/**
 * Fills every hole that known cells allow, in rounds: a round sees only cells known before it, so
 * its order does not matter, and a cell is extrapolated only when none can be interpolated.
 * Returns the filled cells; a cell still unknown afterwards has no two known cells on any axis.
 */
export function fillHoles(grid: LogGrid): FilledCell[] {
  const filled: FilledCell[] = [];
  for (;;) {
    const round = fillRound(grid, interpolation, 'interpolated');
    if (round.length === 0) round.push(...fillRound(grid, extrapolation, 'extrapolated'));
    if (round.length === 0) return filled.sort((a, b) => a.cell - b.cell);
    filled.push(...round);
  }
}

function fillRound(
  grid: LogGrid,
  predictor: (grid: LogGrid, cell: number) => Prediction | null,
  method: FilledCell['method'],
): FilledCell[] {
  const round: FilledCell[] = [];
  for (let cell = 0; cell < grid.known.length; cell++) {
    if (grid.known[cell] === 1) continue;
    const predict = predictor(grid, cell);
    if (predict === null) continue;
    for (let m = 0; m < METRICS; m++) grid.logs[cell * METRICS + m] = predict(m);
    round.push({ cell, method });
  }
  for (const { cell } of round) grid.known[cell] = 1;
  return round;
}

const FOLDS = 5;

/**
 * Five-fold held-out error by metric: the mean of |predicted / measured - 1| in percent, each cell
 * predicted from the other folds' by the rule that interpolates holes. Cells at which no axis has a
 * neighbour on both sides are left out; null where that leaves none.
 */
export function heldoutError(grid: LogGrid): Record<keyof PerfMetrics, number | null> {
  const sums = new Float64Array(METRICS);
  let count = 0;
  for (let fold = 0; fold < FOLDS; fold++) {
    const known = grid.known.map((k, cell) => (foldOf(cell) === fold ? 0 : k));
    const rest = { ...grid, known };
    for (let cell = 0; cell < known.length; cell++) {
      if (grid.known[cell] === 0 || foldOf(cell) !== fold) continue;
      const predict = interpolation(rest, cell);
      if (predict === null) continue;
      count++;
      for (let m = 0; m < METRICS; m++) {
        const ratio = exp(predict(m) - grid.logs[cell * METRICS + m]);
        sums[m] += Math.abs(ratio - 1);
      }
    }
  }
  const errors = {} as Record<keyof PerfMetrics, number | null>;
  PERF_METRICS.forEach((metric, m) => {
    errors[metric] = count > 0 ? (100 * sums[m]) / count : null;
  });
  return errors;
}

/** Folds by a multiplicative hash of the cell's number, so that none is a row of the grid. */
function foldOf(cell: number): number {
  return (Math.imul(cell + 1, 0x9e3779b1) >>> 16) % FOLDS;
}
