/** Initial parameters, the same for every learner: orthogonal weights, biases of 0. */
import { normal } from '../../program/float-math.js';
import { Draws } from './draws.js';
import type { ModelLayout } from './layout.js';

/** Fills the parameters of a model by its seed. */
export function initialize(
  layout: ModelLayout,
  seed: number | bigint | string,
  params: Float32Array,
): void {
  const draws = new Draws(seed);
  let matrix = 0;
  params.fill(0);
  for (const { sizes, offset, lastGain } of layout.nets.flatMap(({ mlps }) => mlps)) {
    let at = offset;
    for (let l = 0; l + 1 < sizes.length; l++) {
      const [inputs, outputs] = [sizes[l], sizes[l + 1]];
      const gain = l + 2 === sizes.length ? lastGain : Math.sqrt(2);
      const weights = params.subarray(at, at + outputs * inputs);
      orthogonal(weights, outputs, inputs, gain, draws, matrix++);
      at += outputs * (inputs + 1);
    }
  }
  if (layout.head.kind !== 'categorical') params.fill(layout.head.logStd, layout.logStd);
}

/**
 * Fills weights [rows][columns] so that the shorter side's vectors are orthogonal and of length
 * `gain`: normal numbers, orthogonalised by Gram and Schmidt, twice, in binary64.
 */
function orthogonal(
  weights: Float32Array,
  rows: number,
  columns: number,
  gain: number,
  draws: Draws,
  matrix: number,
): void {
  const isWide = rows <= columns;
  const [count, length] = isWide ? [rows, columns] : [columns, rows];
  const vectors: Float64Array[] = [];
  for (let i = 0; i < count; i++) {
    const vector = normals(length, draws, matrix, i);
    for (let pass = 0; pass < 2; pass++) {
      for (const other of vectors) subtractProjection(vector, other);
    }
    const norm = Math.sqrt(dot(vector, vector));
    for (let j = 0; j < length; j++) {
      vector[j] /= norm;
      weights[isWide ? i * columns + j : j * columns + i] = gain * vector[j];
    }
    vectors.push(vector);
  }
}

function normals(length: number, draws: Draws, matrix: number, row: number): Float64Array {
  const vector = new Float64Array(length);
  for (let j = 0; j < length; j += 4) {
    const words = draws.weights(matrix, row, j / 4);
    for (let k = 0; k < 4 && j + k < length; k++) vector[j + k] = normal(words[k]);
  }
  return vector;
}

function subtractProjection(vector: Float64Array, unit: Float64Array): void {
  const size = dot(vector, unit);
  for (let j = 0; j < vector.length; j++) vector[j] -= size * unit[j];
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j];
  return sum;
}
