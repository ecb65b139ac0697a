/** The serving program in the form the dynamics read: action decoding, samplers, grid look-up. */

import type { ServingScalars, ServingTables } from '../../generated/serving.js';
import * as generated from '../../generated/serving.js';
import {
  type AliasTable,
  type PiecesTable,
  sampleAlias,
  sampleEqualCells,
  samplePieces,
  sampleQuantile,
} from '../../program/sample.js';
import type { ActionRow } from '../environment.js';
import { Grid } from './grid.js';

// Held here: V8 folds a constant of the module itself, but reads an imported one at every use.
const {
  actionMode,
  action: field,
  GRID_METRICS,
  NUM_BUCKETS,
  promptKind,
  UNIT_STEPS,
  SPEC_LENGTH_CHOICES,
} = generated;

const f = Math.fround;

/** A configuration of the server. */
export interface Configuration {
  kvBudget: number;
  batchSize: number;
  specIndex: number;
  prefillDisagg: number;
  quantTier: number;
}

/** Positions in a row of the grid. */
export const gridMetric = {
  ttftP50: 0,
  ttftP99: 1,
  tpot: 2,
  tps: 3,
  memory: 4,
  /** Cost of 1,000 tokens (origin) or the KV cache's physical use (measured). */
  costOrKvUsage: 5,
  prefillMs: 6,
  accept: 7,
} as const;

/** The origin's dynamics read the first six. */
export const ORIGIN_METRICS = 6;

/** x clipped to [low, high]; anything that is not above low, NaN included, reads low. */
export function clip(x: number, low: number, high: number): number {
  const above = x > low ? x : low;
  return above < high ? above : high;
}

/** 1 - evictions / max(queue, 1): the origin's share of the cache that is in use. */
export function kvOccupancy(queue: number, evictions: number): number {
  return 1 - evictions / (queue > 1 ? queue : 1);
}

export class ServingProgram {
  private readonly grid: Grid;
  private readonly arrivals: readonly AliasTable[];
  private readonly pieces: PiecesTable;

  constructor(
    readonly s: ServingScalars,
    readonly t: ServingTables,
  ) {
    this.grid = new Grid(s, t);
    const columns = 1 << s.arrivalBits;
    this.arrivals = Array.from(t.arrivalOffset, (offset, level) => ({
      bits: s.arrivalBits,
      offset,
      columns: t.arrivalAlias.subarray(level * columns, (level + 1) * columns),
    }));
    this.pieces = { bits: s.promptBits, columns: t.promptAlias, coefficients: t.promptPieces };
  }

  /** Arrivals of a step whose rate has this level. */
  sampleArrivals(level: number, word: number): number {
    return sampleAlias(this.arrivals[level], word);
  }

  /** A prompt length in tokens; `now` is the step's position in the profile. */
  samplePrompt(word: number, now: number): number {
    return clip(this.drawPrompt(word, now), f(this.s.promptMin), f(this.s.promptMax));
  }

  private drawPrompt(word: number, now: number): number {
    const { s, t } = this;
    switch (s.promptKind) {
      case promptKind.quantile:
        return sampleQuantile(t.promptQuantile, word);
      case promptKind.pieces:
        return samplePieces(this.pieces, word);
      case promptKind.equalCells:
        return sampleEqualCells(t.promptCell, s.promptCells, word);
      default:
        return t.profilePrompt[now];
    }
  }

  /** The grid's metrics of a configuration at a prompt length, quantisation applied. */
  gridMetrics(config: Configuration, promptLen: number, out: Float32Array): void {
    const { s, t } = this;
    const plane = t.quantPlane[config.quantTier] * s.numSpec + t.specPlane[config.specIndex];
    const tier = config.quantTier * GRID_METRICS;
    this.grid.interpolate(plane, config.batchSize, config.kvBudget, promptLen, tier, out);
  }

  /** Index of a prompt's length class, 0 .. NUM_BUCKETS - 1. */
  promptBucket(promptLen: number): number {
    let bucket = 0;
    for (let i = 0; i < NUM_BUCKETS - 1; i++) bucket += promptLen >= this.t.promptEdges[i] ? 1 : 0;
    return bucket;
  }

  /** Decodes an action row into `config`; a locked field reads its default. */
  decodeAction(row: ActionRow, config: Configuration): void {
    const { s, t } = this;
    if (s.actionMode === actionMode.normalised) decodeNormalised(row.real, t.batchOfUnit, config);
    else if (s.actionMode === actionMode.structured) decodeStructured(row.real, 0, config);
    else decodeStructured(t.configurations, 5 * this.configurationIndex(row.index[0]), config);
    if (this.locks(field.kvBudget)) config.kvBudget = f(s.defaultKvBudget);
    if (this.locks(field.batchSize)) config.batchSize = s.defaultBatchSize;
    if (this.locks(field.specLength)) config.specIndex = s.defaultSpecIndex;
    if (this.locks(field.prefillDisagg)) config.prefillDisagg = s.defaultPrefillDisagg;
    if (this.locks(field.quantTier)) config.quantTier = s.defaultQuantTier;
  }

  private locks(field: number): boolean {
    return (this.s.lockMask & (1 << field)) !== 0;
  }

  private configurationIndex(action: number): number {
    const above = action > 0 ? action : 0;
    return above < this.s.numActions ? above : this.s.numActions - 1;
  }
}

/** Takes over a configuration, field by field. */
export function copyConfiguration(from: Configuration, to: Configuration): void {
  to.kvBudget = from.kvBudget;
  to.batchSize = from.batchSize;
  to.specIndex = from.specIndex;
  to.prefillDisagg = from.prefillDisagg;
  to.quantTier = from.quantTier;
}

/** The five numbers as they are: clipped, the batch cut to an integer, choices rounded down. */
function decodeStructured(row: Float32Array, at: number, config: Configuration): void {
  const spec = row[at + field.specLength];
  const quant = row[at + field.quantTier];
  config.kvBudget = clip(row[at + field.kvBudget], f(0.1), 1);
  config.batchSize = Math.trunc(clip(row[at + field.batchSize], 1, 512));
  config.specIndex = 0;
  for (let i = 1; i < SPEC_LENGTH_CHOICES.length; i++)
    config.specIndex += spec >= SPEC_LENGTH_CHOICES[i] ? 1 : 0;
  config.prefillDisagg = row[at + field.prefillDisagg] >= 1 ? 1 : 0;
  config.quantTier = (quant >= 1 ? 1 : 0) + (quant >= 2 ? 1 : 0);
}

/** Five numbers in [-1, 1]: KV linear, batch in log2 by table, the choices by equal parts. */
function decodeNormalised(row: Float32Array, batchOfUnit: Float32Array, config: Configuration) {
  const unit = (i: number) => f(clip(row[i], -1, 1) + 1);
  const part = (i: number, parts: number) => {
    const index = Math.trunc(f(unit(i) * f(0.5 * parts)));
    return index < parts ? index : parts - 1;
  };
  const kv = f(f(0.1) + f(unit(field.kvBudget) * f(0.45)));
  config.kvBudget = kv < 1 ? kv : 1;
  config.batchSize = batchOfUnit[part(field.batchSize, UNIT_STEPS)];
  config.specIndex = part(field.specLength, SPEC_LENGTH_CHOICES.length);
  config.prefillDisagg = part(field.prefillDisagg, 2);
  config.quantTier = part(field.quantTier, 3);
}
