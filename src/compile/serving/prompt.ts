/** The prompt sampler of a serving program. */
import { promptKind, type ServingTables } from '../../generated/serving.js';
import {
  buildEqualCells,
  buildPieces,
  lognormalTable,
  QUANTILE_TABLE_LENGTH,
  uniformTable,
} from '../samplers.js';
import type { PromptSource } from './config.js';

/** Clamp of the samplers that need none, in tokens. */
const PROMPT_MAX = 1048576;

/** The prompt sampler; the tables of the kinds that are not used are as short as they may be. */
export function compilePrompt(source: PromptSource) {
  const scalars = {
    promptKind: promptKind.profile as number,
    promptBits: 1,
    promptCells: 1,
    promptMin: 0,
    promptMax: PROMPT_MAX,
    promptStart: 0,
  };
  const tables: Pick<
    ServingTables,
    'promptAlias' | 'promptQuantile' | 'promptPieces' | 'promptCell'
  > = {
    promptAlias: new Uint32Array(2),
    promptQuantile: new Float32Array(QUANTILE_TABLE_LENGTH),
    promptPieces: new Float32Array(8),
    promptCell: new Float32Array(2),
  };
  if (source.kind === 'profile') return { scalars, tables };
  scalars.promptStart = promptMean(source);
  if (source.kind === 'uniform' || source.kind === 'lognormal') {
    scalars.promptKind = promptKind.quantile;
    scalars.promptMin = source.min;
    scalars.promptMax = source.max;
    tables.promptQuantile =
      source.kind === 'uniform'
        ? uniformTable(source.min, source.max)
        : lognormalTable(source.mu, source.sigma);
  } else if (source.kind === 'mixture') {
    const table = buildPieces(source.pieces);
    scalars.promptKind = promptKind.pieces;
    scalars.promptBits = table.bits;
    tables.promptAlias = table.columns;
    tables.promptPieces = table.coefficients;
  } else {
    scalars.promptKind = promptKind.equalCells;
    tables.promptCell = buildEqualCells(source.knots);
    scalars.promptCells = tables.promptCell.length / 2;
  }
  return { scalars, tables };
}

/** The distribution's mean, clamps included, where the running mean starts. */
export function promptMean(source: Exclude<PromptSource, { kind: 'profile' }>): number {
  switch (source.kind) {
    case 'uniform':
      return (source.min + source.max) / 2;
    case 'lognormal':
      return clampedTableMean(lognormalTable(source.mu, source.sigma), source.min, source.max);
    case 'mixture': {
      const weight = source.pieces.reduce((sum, piece) => sum + piece.weight, 0);
      const sum = source.pieces.reduce((s, p) => s + (p.weight * (p.lo + p.hi)) / 2, 0);
      return sum / weight;
    }
    default: {
      const cells = source.knots.length - 1;
      const inner = source.knots.reduce((sum, knot) => sum + knot, 0);
      return (inner - (source.knots[0] + source.knots[cells]) / 2) / cells;
    }
  }
}

/** Mean of a quantile table under clamps, summed cell by cell over its reachable inputs. */
function clampedTableMean(table: Float32Array, min: number, max: number): number {
  let sum = 0;
  for (let tail = 0; tail < 2; tail++) {
    for (let y = 1; y < 16777216; y += 256) {
      // Every 128th odd input: the quantile function is smooth, and a start needs no more.
      const z = Math.clz32(y);
      const i = tail * 2048 + (30 - z) * 64 + ((y << z) >>> 25);
      const value = table[2 * i] + table[2 * i + 1] * y;
      const above = value > min ? value : min;
      sum += above < max ? above : max;
    }
  }
  return sum / 131072;
}
