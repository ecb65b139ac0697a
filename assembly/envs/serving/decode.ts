/** The serving program in the form the dynamics read: action decoding, samplers, grid look-up. */
import {
  ACTION_BATCH_SIZE,
  ACTION_KV_BUDGET,
  ACTION_MODE_NORMALISED,
  ACTION_MODE_STRUCTURED,
  ACTION_PREFILL_DISAGG,
  ACTION_QUANT_TIER,
  ACTION_SPEC_LENGTH,
  GRID_METRICS,
  NUM_BUCKETS,
  NUM_SPEC_CHOICES,
  PROMPT_KIND_EQUAL_CELLS,
  PROMPT_KIND_PIECES,
  PROMPT_KIND_QUANTILE,
  REAL_BATCH_SIZE,
  REAL_KV_BUDGET,
  s_action_mode,
  s_arrival_bits,
  s_default_batch_size,
  s_default_kv_budget,
  s_default_prefill_disagg,
  s_default_quant_tier,
  s_default_spec_index,
  s_lock_mask,
  s_num_actions,
  s_num_batch,
  s_num_kv,
  s_num_prompt,
  s_num_spec,
  s_prompt_bits,
  s_prompt_cells,
  s_prompt_kind,
  s_prompt_max,
  s_prompt_min,
  t_arrival_alias,
  t_arrival_offset,
  t_batch_inv,
  t_batch_nodes,
  t_batch_of_unit,
  t_configurations,
  t_grid,
  t_kv_inv,
  t_kv_nodes,
  t_profile_prompt,
  t_prompt_alias,
  t_prompt_cell,
  t_prompt_edges,
  t_prompt_inv,
  t_prompt_nodes,
  t_prompt_pieces,
  t_prompt_quantile,
  t_quant_factors,
  t_quant_plane,
  t_spec_plane,
  UNIT_STEPS,
  WORD_PREFILL_DISAGG,
  WORD_QUANT_TIER,
  WORD_SPEC_INDEX,
} from '../../generated/serving';
import { Axis, Grid } from './grid';
import { allocate } from '../../memory';
import { sampleAlias, sampleEqualCells, samplePieces, sampleQuantile } from '../../sampling';
import { setReal, setWord } from '../../state';

// Positions in a row of the grid; 5 is the cost of 1,000 tokens (origin) or KV use (measured).
export const GRID_TTFT_P50: usize = 0;
export const GRID_TTFT_P99: usize = 1;
export const GRID_TPOT: usize = 2;
export const GRID_TPS: usize = 3;
export const GRID_MEMORY: usize = 4;
export const GRID_COST_OR_KV_USAGE: usize = 5;
export const GRID_PREFILL_MS: usize = 6;
export const GRID_ACCEPT: usize = 7;

/** A configuration of the server: the one that an action asks for. */
export class Wanted {
  static kvBudget: f32 = 0;
  static batchSize: f32 = 0;
  static specIndex: i32 = 0;
  static prefillDisagg: i32 = 0;
  static quantTier: i32 = 0;
}

/** The values that flow through one step between its parts. */
export class Traffic {
  /** The words that arrivals and prompt are drawn from. */
  static arrivalWord: u32 = 0;
  static promptWord: u32 = 0;
  static arrivals: f64 = 0;
  /** The prompt length the server sees, and its length class. */
  static promptLen: f32 = 0;
  static promptBucket: i32 = 0;
  static noiseTtftP50: f32 = 0;
  static noiseTtftP99: f32 = 0;
  static noiseTpot: f32 = 0;
  /** Set by the dynamics: requests per second, and the share of requests that missed the SLO. */
  static capacityRps: f64 = 0;
  static violationRate: f64 = 0;
}

/** Values that `prepareProgram` takes from scalars and tables, which do not change afterwards. */
class Prepared {
  static batch: Axis = changetype<Axis>(0);
  static kv: Axis = changetype<Axis>(0);
  static prompt: Axis = changetype<Axis>(0);
  static grid: Grid = changetype<Grid>(0);
  /** The grid's row at the configuration in force, f32[8]. */
  static row: usize = 0;
  static actionMode: u32 = 0;
  static lockMask: u32 = 0;
  static promptKind: u32 = 0;
  static arrivalBits: u32 = 0;
  static promptBits: u32 = 0;
  static promptCells: u32 = 0;
  static promptMin: f32 = 0;
  static promptMax: f32 = 0;
  static numSpec: i32 = 0;
}

/** Prepares the loaded program. */
export function prepareProgram(): void {
  Prepared.batch = Axis.make(t_batch_nodes, t_batch_inv, <i32>s_num_batch);
  Prepared.kv = Axis.make(t_kv_nodes, t_kv_inv, <i32>s_num_kv);
  Prepared.prompt = Axis.make(t_prompt_nodes, t_prompt_inv, <i32>s_num_prompt);
  Prepared.grid = Grid.make(t_grid, <i32>s_num_batch, <i32>s_num_kv, <i32>s_num_prompt);
  Prepared.row = allocate(4 * GRID_METRICS);
  Prepared.actionMode = <u32>s_action_mode;
  Prepared.lockMask = <u32>s_lock_mask;
  Prepared.promptKind = <u32>s_prompt_kind;
  Prepared.arrivalBits = <u32>s_arrival_bits;
  Prepared.promptBits = <u32>s_prompt_bits;
  Prepared.promptCells = <u32>s_prompt_cells;
  Prepared.promptMin = <f32>s_prompt_min;
  Prepared.promptMax = <f32>s_prompt_max;
  Prepared.numSpec = <i32>s_num_spec;
}

/** An element of a table of f32. */
@inline
export function floatAt(table: usize, index: usize): f32 {
  return load<f32>(table + (index << 2));
}

/** An element of a table of u32. */
@inline
export function wordAt(table: usize, index: usize): u32 {
  return load<u32>(table + (index << 2));
}

/** Writes a number of a metrics row. */
@inline
export function put(metrics: usize, index: usize, value: f32): void {
  store<f32>(metrics + (index << 2), value);
}

/** 1 - evictions / max(queue, 1): the origin's share of the cache that is in use. */
@inline
export function kvOccupancy(queue: f64, evictions: f64): f64 {
  return 1 - evictions / (queue > 1 ? queue : 1);
}

/** Puts the configuration that was asked for in force. */
export function applyWanted(w: usize, r: usize): void {
  setReal(r, REAL_BATCH_SIZE, <f64>Wanted.batchSize);
  setReal(r, REAL_KV_BUDGET, <f64>Wanted.kvBudget);
  setWord(w, WORD_SPEC_INDEX, Wanted.specIndex);
  setWord(w, WORD_PREFILL_DISAGG, Wanted.prefillDisagg);
  setWord(w, WORD_QUANT_TIER, Wanted.quantTier);
}

/** x clipped to [low, high]; anything that is not above low, NaN included, reads low. */
@inline
export function clip(x: f32, low: f32, high: f32): f32 {
  const above = x > low ? x : low;
  return above < high ? above : high;
}

/** Arrivals of a step whose rate has this level. */
export function sampleArrivals(level: u32, word: u32): u32 {
  const bits = Prepared.arrivalBits;
  const columns = t_arrival_alias + (<usize>level << (bits + 2));
  return wordAt(t_arrival_offset, level) + sampleAlias(columns, bits, word);
}

/** A prompt length in tokens; `now` is the step's position in the profile. */
export function samplePrompt(word: u32, now: u32): f32 {
  return clip(drawPrompt(word, now), Prepared.promptMin, Prepared.promptMax);
}

function drawPrompt(word: u32, now: u32): f32 {
  switch (Prepared.promptKind) {
    case PROMPT_KIND_QUANTILE:
      return sampleQuantile(t_prompt_quantile, word);
    case PROMPT_KIND_PIECES:
      return samplePieces(t_prompt_alias, t_prompt_pieces, Prepared.promptBits, word);
    case PROMPT_KIND_EQUAL_CELLS:
      return sampleEqualCells(t_prompt_cell, Prepared.promptCells, word);
    default:
      return floatAt(t_profile_prompt, now);
  }
}

/** The eight grid metrics of a configuration at a prompt length, quantisation applied. */
export function lookUp(batchSize: f32, kvBudget: f32, spec: i32, quant: i32, promptLen: f32): void {
  const batch = Prepared.batch;
  const kv = Prepared.kv;
  const prompt = Prepared.prompt;
  const quantPlane = <i32>wordAt(t_quant_plane, quant);
  const plane = quantPlane * Prepared.numSpec + <i32>wordAt(t_spec_plane, spec);
  const factors = t_quant_factors + <usize>(quant * GRID_METRICS << 2);
  batch.locate(batchSize);
  kv.locate(kvBudget);
  prompt.locate(promptLen);
  Prepared.grid.interpolate(plane, batch, kv, prompt, factors, Prepared.row);
}

/** A metric of the row that `lookUp` found last. */
@inline
export function gridMetric(index: usize): f32 {
  return floatAt(Prepared.row, index);
}

/** Index of a prompt's length class, 0 .. NUM_BUCKETS - 1. */
export function promptBucket(promptLen: f32): i32 {
  let bucket = 0;
  for (let i = 0; i < NUM_BUCKETS - 1; i++) bucket += i32(promptLen >= floatAt(t_prompt_edges, i));
  return bucket;
}

/** Decodes an action row into `Wanted`; a locked field reads its default. */
export function decodeAction(row: usize): void {
  if (Prepared.actionMode == ACTION_MODE_NORMALISED) decodeNormalised(row);
  else if (Prepared.actionMode == ACTION_MODE_STRUCTURED) decodeStructured(row);
  else decodeStructured(t_configurations + 20 * <usize>configurationIndex(load<i32>(row)));
  const locks = Prepared.lockMask;
  if (locks == 0) return;
  if (locks & (1 << ACTION_KV_BUDGET)) Wanted.kvBudget = <f32>s_default_kv_budget;
  if (locks & (1 << ACTION_BATCH_SIZE)) Wanted.batchSize = <f32>s_default_batch_size;
  if (locks & (1 << ACTION_SPEC_LENGTH)) Wanted.specIndex = <i32>s_default_spec_index;
  if (locks & (1 << ACTION_PREFILL_DISAGG)) Wanted.prefillDisagg = <i32>s_default_prefill_disagg;
  if (locks & (1 << ACTION_QUANT_TIER)) Wanted.quantTier = <i32>s_default_quant_tier;
}

function configurationIndex(action: i32): i32 {
  const above = action > 0 ? action : 0;
  const last = <i32>s_num_actions - 1;
  return above < last ? above : last;
}

/** The five numbers as they are: clipped, the batch cut to an integer, choices rounded down. */
function decodeStructured(row: usize): void {
  const spec = floatAt(row, ACTION_SPEC_LENGTH);
  const quant = floatAt(row, ACTION_QUANT_TIER);
  Wanted.kvBudget = clip(floatAt(row, ACTION_KV_BUDGET), 0.1, 1);
  Wanted.batchSize = Mathf.trunc(clip(floatAt(row, ACTION_BATCH_SIZE), 1, 512));
  Wanted.specIndex = i32(spec >= 1) + i32(spec >= 2) + i32(spec >= 4) + i32(spec >= 8);
  Wanted.prefillDisagg = i32(floatAt(row, ACTION_PREFILL_DISAGG) >= 1);
  Wanted.quantTier = i32(quant >= 1) + i32(quant >= 2);
}

/** Five numbers in [-1, 1]: KV linear, batch in log2 by table, the choices by equal parts. */
function decodeNormalised(row: usize): void {
  const kv = <f32>0.1 + unit(row, ACTION_KV_BUDGET) * <f32>0.45;
  Wanted.kvBudget = kv < 1 ? kv : 1;
  Wanted.batchSize = floatAt(t_batch_of_unit, part(row, ACTION_BATCH_SIZE, UNIT_STEPS));
  Wanted.specIndex = part(row, ACTION_SPEC_LENGTH, NUM_SPEC_CHOICES);
  Wanted.prefillDisagg = part(row, ACTION_PREFILL_DISAGG, 2);
  Wanted.quantTier = part(row, ACTION_QUANT_TIER, 3);
}

/** A number of [-1, 1] as one of [0, 2]. */
function unit(row: usize, field: i32): f32 {
  return clip(floatAt(row, field), -1, 1) + 1;
}

/** Which of so many equal parts of [-1, 1] a number lies in. */
function part(row: usize, field: i32, parts: i32): i32 {
  // The product lies in [0, parts], so the cut to an integer cannot trap.
  const index = <i32>(unit(row, field) * <f32>(0.5 * <f64>parts));
  return index < parts ? index : parts - 1;
}
