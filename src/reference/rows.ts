/** Rows of outputs. */

/**
 * Scales an observation row by the program's fixed scalings, 1 where observations are not
 * normalised. Both the row as it stands and the products are f32, rounded by their stores.
 */
export function scaleRow(row: Float32Array, scales: Float32Array): void {
  for (let i = 0; i < row.length; i++) row[i] *= scales[i];
}
