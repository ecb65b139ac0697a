/** Multilinear interpolation in the packed grid, in f32: every operation is rounded. */
import { type Axis, lerp, locate } from '../compile/grid.js';
import type { ServingScalars, ServingTables } from '../generated/serving.js';
import * as generated from '../generated/serving.js';

// Held here: V8 folds a constant of the module itself, but reads an imported one at every use.
const { GRID_METRICS } = generated;

// The four rows between the prompt's nodes: batch low or high, then KV low or high.
const LOW_LOW = 0;
const LOW_HIGH = GRID_METRICS;
const HIGH_LOW = 2 * GRID_METRICS;
const HIGH_HIGH = 3 * GRID_METRICS;

/** A grid of rows of eight metrics: planes, then batch, KV and, innermost, prompt. */
export class Grid {
  private readonly rows: Float32Array;
  private readonly batch: Axis;
  private readonly kv: Axis;
  private readonly prompt: Axis;
  private readonly rowsPerPlane: number;
  private readonly between = new Float32Array(4 * GRID_METRICS);

  constructor(s: ServingScalars, t: ServingTables) {
    this.rows = t.grid;
    this.batch = { nodes: t.batchNodes, inv: t.batchInv, count: s.numBatch };
    this.kv = { nodes: t.kvNodes, inv: t.kvInv, count: s.numKv };
    this.prompt = { nodes: t.promptNodes, inv: t.promptInv, count: s.numPrompt };
    this.rowsPerPlane = s.numBatch * s.numKv * s.numPrompt;
  }

  /**
   * The metrics of a plane, as many as `out` takes, between the eight rows around a point: along
   * the prompt, then along KV, then along the batch. An axis of one node has both corners in the
   * same place.
   */
  interpolate(
    plane: number,
    batchSize: number,
    kvBudget: number,
    promptLen: number,
    out: Float32Array,
  ): void {
    const numKv = this.kv.count;
    const numPrompt = this.prompt.count;
    const batch = locate(this.batch, batchSize);
    const kv = locate(this.kv, kvBudget);
    const prompt = locate(this.prompt, promptLen);
    const row = (batch.cell * numKv + kv.cell) * numPrompt + prompt.cell;
    const nextPrompt = numPrompt > 1 ? GRID_METRICS : 0;
    const nextKv = numKv > 1 ? numPrompt * GRID_METRICS : 0;
    const nextBatch = this.batch.count > 1 ? numKv * numPrompt * GRID_METRICS : 0;
    const lowLow = (plane * this.rowsPerPlane + row) * GRID_METRICS; // batch low, KV low
    const lowHigh = lowLow + nextKv;
    const highLow = lowLow + nextBatch;
    const highHigh = highLow + nextKv;
    const { rows, between } = this;
    const n = out.length;
    lerpRows(rows, lowLow, lowLow + nextPrompt, prompt.fraction, between, LOW_LOW, n);
    lerpRows(rows, lowHigh, lowHigh + nextPrompt, prompt.fraction, between, LOW_HIGH, n);
    lerpRows(rows, highLow, highLow + nextPrompt, prompt.fraction, between, HIGH_LOW, n);
    lerpRows(rows, highHigh, highHigh + nextPrompt, prompt.fraction, between, HIGH_HIGH, n);
    lerpRows(between, LOW_LOW, LOW_HIGH, kv.fraction, between, LOW_LOW, n);
    lerpRows(between, HIGH_LOW, HIGH_HIGH, kv.fraction, between, HIGH_LOW, n);
    lerpRows(between, LOW_LOW, HIGH_LOW, batch.fraction, out, 0, n);
  }
}

/** Between the first `n` metrics of the rows at `low` and `high`: the lower at fraction 0. */
function lerpRows(
  from: Float32Array,
  low: number,
  high: number,
  fraction: number,
  out: Float32Array,
  at: number,
  n: number,
): void {
  for (let i = 0; i < n; i++) out[at + i] = lerp(from[low + i], from[high + i], fraction);
}
