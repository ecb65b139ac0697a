/** Multilinear interpolation in the packed grid, in f32: every operation is rounded. */
import { type Cell, lerp } from '../compile/grid.js';
import { GRID_METRICS } from '../generated/serving.js';

/** Where a query lies on the three interpolated axes, and how many nodes each has. */
export interface GridQuery {
  readonly batch: Cell;
  readonly kv: Cell;
  readonly prompt: Cell;
  readonly numBatch: number;
  readonly numKv: number;
  readonly numPrompt: number;
}

/**
 * The eight metrics of plane `plane` at a query, into `out`. Prompt is the innermost axis, then
 * KV, then batch. An axis of one node has both corners in the same place.
 */
export function interpolate(
  grid: Float32Array,
  plane: number,
  query: GridQuery,
  out: Float32Array,
): void {
  const { batch, kv, prompt, numBatch, numKv, numPrompt } = query;
  const corner = ((plane * numBatch + batch.cell) * numKv + kv.cell) * numPrompt + prompt.cell;
  const base = corner * GRID_METRICS;
  const stepPrompt = numPrompt > 1 ? GRID_METRICS : 0;
  const stepKv = numKv > 1 ? numPrompt * GRID_METRICS : 0;
  const stepBatch = numBatch > 1 ? numKv * numPrompt * GRID_METRICS : 0;
  for (let i = 0; i < GRID_METRICS; i++) {
    const alongPrompt = (at: number) =>
      lerp(grid[at + i], grid[at + stepPrompt + i], prompt.fraction);
    const alongKv = (at: number) => lerp(alongPrompt(at), alongPrompt(at + stepKv), kv.fraction);
    out[i] = lerp(alongKv(base), alongKv(base + stepBatch), batch.fraction);
  }
}
