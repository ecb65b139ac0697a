/** Multilinear interpolation in the packed grid, in f32: every operation is rounded. */

import type { ServingScalars, ServingTables } from '../../generated/serving.js';
import * as generated from '../../generated/serving.js';
import { type Axis, cellOf, fractionOf, lerp } from '../../program/grid.js';

// Held here: V8 folds a constant of the module itself, but reads an imported one at every use.
const { GRID_METRICS } = generated;

const f = Math.fround;

/** A grid of rows of eight metrics: planes, then batch, KV and, innermost, prompt. */
export class Grid {
  /** f32 numbers, held as f64: arithmetic would widen them at every use. */
  private readonly rows: Float64Array;
  /** The gain of each metric of each row up to the next prompt node; rounded and held alike. */
  private readonly gains: Float64Array;
  /** The factor of quantisation for each metric, by tier. */
  private readonly factors: Float32Array;
  private readonly batch: Axis;
  private readonly kv: Axis;
  private readonly prompt: Axis;
  private readonly rowsPerPlane: number;

  constructor(s: ServingScalars, t: ServingTables) {
    this.rows = Float64Array.from(t.grid);
    this.gains = promptGains(t.grid, s.numPrompt);
    this.factors = t.quantFactors;
    this.batch = { nodes: t.batchNodes, inv: t.batchInv, count: s.numBatch };
    this.kv = { nodes: t.kvNodes, inv: t.kvInv, count: s.numKv };
    this.prompt = { nodes: t.promptNodes, inv: t.promptInv, count: s.numPrompt };
    this.rowsPerPlane = s.numBatch * s.numKv * s.numPrompt;
  }

  /**
   * The metrics of a plane, as many as `out` takes, between the eight rows around a point: along
   * the prompt, then along KV, then along the batch. An axis of one node has both corners in the
   * same place. Each is multiplied by its factor, of which the first is at `tier`.
   */
  interpolate(
    plane: number,
    batchSize: number,
    kvBudget: number,
    promptLen: number,
    tier: number,
    out: Float32Array,
  ): void {
    const { rows, gains, factors, batch, kv, prompt } = this;
    const batchCell = cellOf(batch, batchSize);
    const kvCell = cellOf(kv, kvBudget);
    const promptCell = cellOf(prompt, promptLen);
    const alongBatch = fractionOf(batch, batchCell, batchSize);
    const alongKv = fractionOf(kv, kvCell, kvBudget);
    const alongPrompt = fractionOf(prompt, promptCell, promptLen);
    const row = (batchCell * kv.count + kvCell) * prompt.count + promptCell;
    const nextKv = kv.count > 1 ? prompt.count * GRID_METRICS : 0;
    const nextBatch = batch.count > 1 ? kv.count * prompt.count * GRID_METRICS : 0;
    const lowLow = (plane * this.rowsPerPlane + row) * GRID_METRICS; // batch low, KV low
    const lowHigh = lowLow + nextKv;
    const highLow = lowLow + nextBatch;
    const highHigh = highLow + nextKv;
    const numMetrics = out.length;
    for (let i = 0; i < numMetrics; i++) {
      const atLowLow = advance(rows[lowLow + i], gains[lowLow + i], alongPrompt);
      const atLowHigh = advance(rows[lowHigh + i], gains[lowHigh + i], alongPrompt);
      const atHighLow = advance(rows[highLow + i], gains[highLow + i], alongPrompt);
      const atHighHigh = advance(rows[highHigh + i], gains[highHigh + i], alongPrompt);
      const atLow = lerp(atLowLow, atLowHigh, alongKv);
      const atHigh = lerp(atHighLow, atHighHigh, alongKv);
      out[i] = lerp(atLow, atHigh, alongBatch) * factors[tier + i];
    }
  }
}

/** From `low` a fraction of the gain on: `lerp` whose difference is there already. */
function advance(low: number, gain: number, fraction: number): number {
  return f(low + f(gain * fraction));
}

/** The gains of rows, innermost along the prompt; the last node's are none. */
function promptGains(rows: Float32Array, numPrompt: number): Float64Array {
  return Float64Array.from(rows, (low, i) => {
    const node = Math.floor(i / GRID_METRICS) % numPrompt;
    return node + 1 < numPrompt ? f(rows[i + GRID_METRICS] - low) : 0;
  });
}
