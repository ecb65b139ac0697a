/** Action decoding and grid look-up for four environments at a time; see serving-program.ts. */
import { Channels } from '../../channels';
import { AxisLanes, Corners } from './grid-lanes';
import {
  ACTION_BATCH_SIZE,
  ACTION_COUNT,
  ACTION_KV_BUDGET,
  ACTION_MODE_STRUCTURED,
  ACTION_PREFILL_DISAGG,
  ACTION_QUANT_TIER,
  ACTION_SPEC_LENGTH,
  METRIC_APPLIED_BATCH_SIZE,
  METRIC_APPLIED_KV_BUDGET,
  s_action_mode,
  s_default_batch_size,
  s_default_kv_budget,
  s_default_prefill_disagg,
  s_default_quant_tier,
  s_default_spec_index,
  s_lock_mask,
  s_num_batch,
  s_num_kv,
  s_num_prompt,
  s_num_quant,
  s_num_spec,
  t_batch_inv,
  t_batch_nodes,
  t_grid,
  t_kv_inv,
  t_kv_nodes,
  t_prompt_inv,
  t_prompt_nodes,
  t_quant_factors,
  t_quant_plane,
  t_spec_plane,
  WORD_PREFILL_DISAGG,
  WORD_QUANT_TIER,
  WORD_ROLLOUT_LEFT,
  WORD_SPEC_INDEX,
} from '../../generated/serving';
import { clipLanes, gather, storeColumns } from '../../lanes';
import { LANES, wordRow, wordsOf } from '../../state';
import {
  ROW_PREFILL_DISAGG, ROW_PROMPT_LEN, ROW_QUANT_TIER, ROW_SPEC_INDEX, ROWS_PLACE, rowsOf,
} from './traffic-lanes';
import { decodeAction, Wanted } from './decode';

// The configurations that actions ask for, a row of four for each field, by the action's order.
export const WANTED_KV_BUDGET: usize = 16 * ACTION_KV_BUDGET;
export const WANTED_BATCH_SIZE: usize = 16 * ACTION_BATCH_SIZE;
export const WANTED_SPEC_INDEX: usize = 16 * ACTION_SPEC_LENGTH;
export const WANTED_PREFILL_DISAGG: usize = 16 * ACTION_PREFILL_DISAGG;
export const WANTED_QUANT_TIER: usize = 16 * ACTION_QUANT_TIER;
export const wantedLanes = memory.data(16 * ACTION_COUNT, 16);
// Those in force, where what an action asks for does not fit.
export const keptLanes = memory.data(16 * ACTION_COUNT, 16);

/** The grid's metrics at the configurations that were looked up last, f32, rows of four. */
export const gridLanes = memory.data(128, 16);

class Prepared {
  static corners: Corners = changetype<Corners>(0);
}

/** Prepares the loaded program for look-ups of four. */
export function prepareLanes(): void {
  const numBatch = <i32>s_num_batch;
  const numKv = <i32>s_num_kv;
  const numPrompt = <i32>s_num_prompt;
  const batch = AxisLanes.make(t_batch_nodes, t_batch_inv, numBatch);
  const kv = AxisLanes.make(t_kv_nodes, t_kv_inv, numKv);
  const prompt = AxisLanes.make(t_prompt_nodes, t_prompt_inv, numPrompt);
  const planes = <i32>s_num_quant * <i32>s_num_spec;
  Prepared.corners = Corners.make(
    t_grid, planes, batch, numBatch, kv, numKv, prompt, numPrompt,
  );
}

/** Finds the place of configurations, in rows as `wantedLanes`, at these prompt lengths. */
@inline
export function locateLanes(configurations: usize, promptLen: v128, place: usize): void {
  const ofSpec = gather(t_spec_plane, v128.load(configurations, WANTED_SPEC_INDEX));
  const quantPlane = gather(t_quant_plane, v128.load(configurations, WANTED_QUANT_TIER));
  const planes = i32x4.add(i32x4.mul(quantPlane, i32x4.splat(<i32>s_num_spec)), ofSpec);
  const kv = v128.load(configurations, WANTED_KV_BUDGET);
  const batch = v128.load(configurations, WANTED_BATCH_SIZE);
  Prepared.corners.locate(planes, batch, kv, promptLen, place);
}

/** The eight grid metrics of a place, rows of four f32, quantisation by these tiers applied. */
@inline
export function lookUpLanes(place: usize, quant: v128, out: usize): void {
  Prepared.corners.interpolate(place, t_quant_factors, i32x4.shl(quant, 5), out);
}

/** Decodes the action rows of the group of environment i; a locked field reads its default. */
@inline
export function decodeLanes(i: i32): void {
  if (s_action_mode == ACTION_MODE_STRUCTURED) decodeStructuredLanes(Channels.actionsOf(i));
  else decodeEach(i);
}

function decodeEach(i: i32): void {
  for (let lane = 0; lane < LANES; lane++) {
    const at = wantedLanes + (<usize>lane << 2);
    decodeAction(Channels.actionsOf(i + lane));
    store<f32>(at, Wanted.kvBudget, WANTED_KV_BUDGET);
    store<f32>(at, Wanted.batchSize, WANTED_BATCH_SIZE);
    store<i32>(at, Wanted.specIndex, WANTED_SPEC_INDEX);
    store<i32>(at, Wanted.prefillDisagg, WANTED_PREFILL_DISAGG);
    store<i32>(at, Wanted.quantTier, WANTED_QUANT_TIER);
  }
}

/** The five numbers as they are: clipped, the batch cut to an integer, choices rounded down. */
@inline
function decodeStructuredLanes(row: usize): void {
  const a = v128.load(row);
  const b = v128.load(row, 4 * ACTION_COUNT);
  const c = v128.load(row, 8 * ACTION_COUNT);
  const d = v128.load(row, 12 * ACTION_COUNT);
  storeColumns(a, b, c, d, wantedLanes, 16);
  const kv = v128.load(wantedLanes, WANTED_KV_BUDGET);
  const batch = v128.load(wantedLanes, WANTED_BATCH_SIZE);
  const spec = v128.load(wantedLanes, WANTED_SPEC_INDEX);
  const disagg = v128.load(wantedLanes, WANTED_PREFILL_DISAGG);
  const quant = gather(row + 4 * ACTION_QUANT_TIER, i32x4(0, 5, 10, 15));
  v128.store(wantedLanes, clipLanes(kv, 0.1, 1), WANTED_KV_BUDGET);
  v128.store(wantedLanes, f32x4.trunc(clipLanes(batch, 1, 512)), WANTED_BATCH_SIZE);
  const short = i32x4.add(reaches(spec, 1), reaches(spec, 2));
  const long = i32x4.add(reaches(spec, 4), reaches(spec, 8));
  v128.store(wantedLanes, i32x4.neg(i32x4.add(short, long)), WANTED_SPEC_INDEX);
  v128.store(wantedLanes, i32x4.neg(reaches(disagg, 1)), WANTED_PREFILL_DISAGG);
  const tiers = i32x4.add(reaches(quant, 1), reaches(quant, 2));
  v128.store(wantedLanes, i32x4.neg(tiers), WANTED_QUANT_TIER);
  if (s_lock_mask != 0) applyLocks(<u32>s_lock_mask);
}

/** -1 where a number is at least so much. */
@inline
function reaches(x: v128, least: f32): v128 {
  return f32x4.ge(x, f32x4.splat(least));
}

function applyLocks(locks: u32): void {
  if (locks & (1 << ACTION_KV_BUDGET)) {
    v128.store(wantedLanes, f32x4.splat(<f32>s_default_kv_budget), WANTED_KV_BUDGET);
  }
  if (locks & (1 << ACTION_BATCH_SIZE)) {
    v128.store(wantedLanes, f32x4.splat(<f32>s_default_batch_size), WANTED_BATCH_SIZE);
  }
  if (locks & (1 << ACTION_SPEC_LENGTH)) {
    v128.store(wantedLanes, i32x4.splat(<i32>s_default_spec_index), WANTED_SPEC_INDEX);
  }
  if (locks & (1 << ACTION_PREFILL_DISAGG)) {
    v128.store(wantedLanes, i32x4.splat(<i32>s_default_prefill_disagg), WANTED_PREFILL_DISAGG);
  }
  if (locks & (1 << ACTION_QUANT_TIER)) {
    v128.store(wantedLanes, i32x4.splat(<i32>s_default_quant_tier), WANTED_QUANT_TIER);
  }
}

/**
 * Decodes the actions of a chunk and finds what they ask for in the grid. Where a rollout is under
 * way, which only the measured dynamics have, the slow knobs stay as they are.
 */
export function configureLanes(first: i32, end: i32): void {
  for (let i = first; i < end; i += LANES) {
    const w = wordsOf(i);
    const at = rowsOf(i);
    decodeLanes(i);
    const isFree = i32x4.eq(wordRow(w, WORD_ROLLOUT_LEFT), i32x4.splat(0));
    const spec = wantedOr(WANTED_SPEC_INDEX, wordRow(w, WORD_SPEC_INDEX), isFree);
    const disagg = wantedOr(WANTED_PREFILL_DISAGG, wordRow(w, WORD_PREFILL_DISAGG), isFree);
    const quant = wantedOr(WANTED_QUANT_TIER, wordRow(w, WORD_QUANT_TIER), isFree);
    v128.store(wantedLanes, spec, WANTED_SPEC_INDEX);
    v128.store(wantedLanes, quant, WANTED_QUANT_TIER);
    v128.store(at, spec, ROW_SPEC_INDEX);
    v128.store(at, disagg, ROW_PREFILL_DISAGG);
    v128.store(at, quant, ROW_QUANT_TIER);
    v128.store(at, v128.load(wantedLanes, WANTED_BATCH_SIZE), 16 * METRIC_APPLIED_BATCH_SIZE);
    v128.store(at, v128.load(wantedLanes, WANTED_KV_BUDGET), 16 * METRIC_APPLIED_KV_BUDGET);
    locateLanes(wantedLanes, v128.load(at, ROW_PROMPT_LEN), at + ROWS_PLACE);
  }
}

@inline
function wantedOr(row: usize, kept: v128, isFree: v128): v128 {
  return v128.bitselect(v128.load(wantedLanes + row), kept, isFree);
}
