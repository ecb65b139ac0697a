/**
 * The traffic of a step for four environments at a time, with the bits of serving.ts, and the rows
 * that a step of four hands from stage to stage. A chunk goes through stages, each a short loop
 * over its groups of four: so the processor overlaps the long chains of dependent operations of
 * neighbouring groups.
 */
import { CHUNK } from '../../batch';
import { Channels } from '../../channels';
import { PLACE_BYTES } from './grid-lanes';
import { STREAM_STEP, WORD_STEP } from '../../generated/common';
import {
  GRID_METRICS,
  METRIC_ARRIVALS,
  METRIC_COUNT,
  METRIC_PHASE,
  NUM_BUCKETS,
  PROMPT_KIND_EQUAL_CELLS,
  PROMPT_KIND_PIECES,
  PROMPT_KIND_PROFILE,
  PROMPT_KIND_QUANTILE,
  REAL_ARRIVAL_EMA,
  REAL_PROMPT_MEAN,
  s_arrival_bits,
  s_arrival_gain,
  s_horizon,
  s_prompt_bits,
  s_prompt_cells,
  s_prompt_gain,
  s_prompt_kind,
  s_prompt_max,
  s_prompt_min,
  t_arrival_alias,
  t_arrival_offset,
  t_noise,
  t_profile_level,
  t_profile_phase,
  t_profile_prompt,
  t_prompt_alias,
  t_prompt_cell,
  t_prompt_edges,
  t_prompt_pieces,
  t_prompt_quantile,
  WORD_WINDOW_START,
} from '../../generated/serving';
import { clipLanes, gather, storeNarrow, widenPair } from '../../lanes';
import { drawBlocks } from '../../rng';
import {
  sampleAliases, sampleEqualCellsLanes, samplePieces, sampleQuantiles,
} from '../../sampling';
import { LANES, realPair, realsOf, setRealPair, wordRow, wordsOf } from '../../state';

// The values that the stages hand on: rows of four, first the metrics by their index, then these.
export const ROW_PROMPT_LEN: usize = 16 * METRIC_COUNT;
export const ROW_NOISE_TTFT_P50: usize = ROW_PROMPT_LEN + 16;
export const ROW_NOISE_TTFT_P99: usize = ROW_PROMPT_LEN + 32;
export const ROW_NOISE_TPOT: usize = ROW_PROMPT_LEN + 48;
export const ROW_VIOLATION_RATE: usize = ROW_PROMPT_LEN + 64;
export const ROW_CAPACITY_RPS: usize = ROW_PROMPT_LEN + 80;
export const ROW_KV_OCCUPANCY: usize = ROW_PROMPT_LEN + 96;
/** The slow knobs that are to be in force, words. */
export const ROW_SPEC_INDEX: usize = ROW_PROMPT_LEN + 112;
export const ROW_PREFILL_DISAGG: usize = ROW_PROMPT_LEN + 128;
export const ROW_QUANT_TIER: usize = ROW_PROMPT_LEN + 144;
/** Where in the grid the configurations lie, and the grid's metrics there. */
export const ROWS_PLACE: usize = ROW_PROMPT_LEN + 160;
export const ROWS_GRID: usize = ROWS_PLACE + PLACE_BYTES;
const GROUP_BYTES: usize = ROWS_GRID + 16 * GRID_METRICS;
const rows = memory.data(<i32>GROUP_BYTES * (CHUNK / LANES), 16);
const blocks = memory.data(64, 16);

/** Where the rows of the group of environment i are. */
@inline
export function rowsOf(i: i32): usize {
  return rows + <usize>((i % CHUNK) / LANES) * GROUP_BYTES;
}

/** Draws the step's arrivals, prompt lengths and noises. */
export function drawTraffic(first: i32, end: i32): void {
  // An environment that awaits its reset has taken its last step already.
  const last = i32x4.splat(<i32>s_horizon - 1);
  for (let i = first; i < end; i += LANES) {
    const w = wordsOf(i);
    const at = rowsOf(i);
    drawBlocks(i, STREAM_STEP, 0, blocks);
    const x1 = v128.load(blocks, 16);
    const x2 = v128.load(blocks, 32);
    const x3 = v128.load(blocks, 48);
    const top = i32x4.shl(x1, 24);
    const middle = i32x4.shl(v128.and(x2, i32x4.splat(255)), 16);
    const bottom = i32x4.shl(v128.and(x3, i32x4.splat(255)), 8);
    const step = i32x4.min_s(wordRow(w, WORD_STEP), last);
    const now = i32x4.add(wordRow(w, WORD_WINDOW_START), step);
    const arrivals = sampleArrivalsLanes(now, v128.load(blocks));
    const drawn = samplePromptLanes(v128.or(top, v128.or(middle, bottom)), now);
    v128.store(at, f32x4.convert_i32x4_s(arrivals), 16 * METRIC_ARRIVALS);
    v128.store(at, clipLanes(drawn, <f32>s_prompt_min, <f32>s_prompt_max), ROW_PROMPT_LEN);
    v128.store(at, sampleQuantiles(t_noise, x1), ROW_NOISE_TTFT_P50);
    v128.store(at, sampleQuantiles(t_noise, x2), ROW_NOISE_TTFT_P99);
    v128.store(at, sampleQuantiles(t_noise, x3), ROW_NOISE_TPOT);
    if (Channels.metricsBytes > 0) {
      const phase = gather(t_profile_phase, now);
      v128.store(at, f32x4.convert_i32x4_s(phase), 16 * METRIC_PHASE);
    }
  }
}

/** Arrivals of a step at these positions of the profile, as words. */
@inline
function sampleArrivalsLanes(now: v128, words: v128): v128 {
  const bits = <i32>s_arrival_bits;
  const levels = gather(t_profile_level, now);
  const drawn = sampleAliases(t_arrival_alias, i32x4.shl(levels, bits), bits, words);
  return i32x4.add(gather(t_arrival_offset, levels), drawn);
}

@inline
function samplePromptLanes(words: v128, now: v128): v128 {
  switch (<u32>s_prompt_kind) {
    case PROMPT_KIND_QUANTILE:
      return sampleQuantiles(t_prompt_quantile, words);
    case PROMPT_KIND_PIECES:
      return samplePiecesLanes(words);
    case PROMPT_KIND_EQUAL_CELLS:
      return sampleEqualCellsLanes(t_prompt_cell, <u32>s_prompt_cells, words);
    default:
      return gather(t_profile_prompt, now);
  }
}

function samplePiecesLanes(words: v128): v128 {
  const bits = <u32>s_prompt_bits;
  const one = samplePieces(t_prompt_alias, t_prompt_pieces, bits, i32x4.extract_lane(words, 0));
  const two = samplePieces(t_prompt_alias, t_prompt_pieces, bits, i32x4.extract_lane(words, 1));
  const three = samplePieces(t_prompt_alias, t_prompt_pieces, bits, i32x4.extract_lane(words, 2));
  const four = samplePieces(t_prompt_alias, t_prompt_pieces, bits, i32x4.extract_lane(words, 3));
  const low = f32x4.replace_lane(f32x4.splat(one), 1, two);
  return f32x4.replace_lane(f32x4.replace_lane(low, 2, three), 3, four);
}

/** Lets the running means follow what was drawn; the prompt's is the length that is served. */
export function followTraffic(first: i32, end: i32): void {
  const arrivalGain = f64x2.splat(s_arrival_gain);
  const promptGain = f64x2.splat(s_prompt_gain);
  const fromProfile = s_prompt_kind == PROMPT_KIND_PROFILE;
  for (let i = first; i < end; i += 2) {
    const r = realsOf(i);
    const at = rowsOf(i) + (<usize>(i % LANES) << 2);
    const arrivals = widenPair(at + 16 * METRIC_ARRIVALS);
    const ema = realPair(r, REAL_ARRIVAL_EMA);
    const change = f64x2.mul(f64x2.sub(arrivals, ema), arrivalGain);
    setRealPair(r, REAL_ARRIVAL_EMA, f64x2.add(ema, change));
    let mean = widenPair(at + ROW_PROMPT_LEN);
    if (!fromProfile) {
      const before = realPair(r, REAL_PROMPT_MEAN);
      mean = f64x2.add(before, f64x2.mul(f64x2.sub(mean, before), promptGain));
    }
    setRealPair(r, REAL_PROMPT_MEAN, mean);
    storeNarrow(at + ROW_PROMPT_LEN, mean);
  }
}

/** Indices of the prompts' length classes, as words. */
@inline
export function promptBuckets(promptLen: v128): v128 {
  let buckets = i32x4.splat(0);
  for (let i = 0; i < NUM_BUCKETS - 1; i++) {
    const edge = v128.load32_splat(t_prompt_edges + (<usize>i << 2));
    buckets = i32x4.sub(buckets, f32x4.ge(promptLen, edge));
  }
  return buckets;
}
