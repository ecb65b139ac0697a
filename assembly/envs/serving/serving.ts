/**
 * Serving: an LLM inference server's knobs under changing traffic. What a step computes is said in
 * docs/environments/serving.md and specified, bit for bit, by src/reference/serving/serving.ts.
 *
 * The table part (samplers, cell fractions, interpolation, factors) is f32. State, queues,
 * averages and rewards are f64.
 */
import { Batch } from '../../batch';
import { Channels } from '../../channels';
import { STREAM_RESET, STREAM_STEP, WORD_STEP } from '../../generated/common';
import {
  DYNAMICS_MEASURED,
  DYNAMICS_ORIGIN,
  Layout,
  METRIC_APPLIED_BATCH_SIZE,
  METRIC_APPLIED_KV_BUDGET,
  METRIC_APPLIED_PREFILL_DISAGG,
  METRIC_APPLIED_QUANT_TIER,
  METRIC_APPLIED_SPEC_LENGTH,
  METRIC_ARRIVALS,
  METRIC_COUNT,
  METRIC_EVICTION_EVENTS,
  METRIC_GPU_MEMORY_GB,
  METRIC_PHASE,
  METRIC_PROMPT_LEN_BUCKET,
  METRIC_SPEC_ACCEPT_RATE,
  METRIC_TPOT_MS,
  METRIC_TTFT_P50_MS,
  OBSERVATION_ACTIVE_PREFILL_DISAGG,
  OBSERVATION_ACTIVE_QUANT_TIER,
  OBSERVATION_ACTIVE_SPEC_LENGTH,
  OBSERVATION_ARRIVAL_RATE,
  OBSERVATION_CAPACITY_RPS,
  OBSERVATION_COST_SO_FAR,
  OBSERVATION_GPU_MEMORY_USED_GB,
  OBSERVATION_KV_CACHE_OCCUPANCY,
  OBSERVATION_MEAN_PROMPT_LEN,
  OBSERVATION_PRIORITY_BATCH,
  OBSERVATION_PRIORITY_BEST_EFFORT,
  OBSERVATION_PRIORITY_INTERACTIVE,
  OBSERVATION_QUEUE_DEPTH,
  OBSERVATION_ROLLOUT_STEPS_LEFT,
  OBSERVATION_SLO_VIOLATION_RATE,
  OBSERVATION_SPEC_ACCEPT_RATE,
  OBSERVATION_TIMESTEP,
  OBSERVATION_TPOT_P50,
  OBSERVATION_TTFT_P50,
  OBSERVATION_WINDOW_POSITION,
  PROMPT_KIND_PROFILE,
  REAL_ARRIVAL_EMA,
  REAL_BATCH_SIZE,
  REAL_COST_SO_FAR,
  REAL_CREDIT,
  REAL_KV_BUDGET,
  REAL_PROMPT_MEAN,
  REAL_QUEUE,
  s_arrival_gain,
  s_default_batch_size,
  s_default_kv_budget,
  s_default_prefill_disagg,
  s_default_quant_tier,
  s_default_spec_index,
  s_dynamics,
  s_horizon,
  s_profile_inv,
  s_prompt_gain,
  s_prompt_kind,
  s_prompt_start,
  s_reset_capacity_rps,
  s_share_batch,
  s_share_best_effort,
  s_share_interactive,
  s_window_start_max,
  t_level_rate,
  t_noise,
  t_observation_scale,
  t_profile_level,
  t_profile_phase,
  t_profile_prompt,
  t_reset_metrics,
  WORD_PREFILL_DISAGG,
  WORD_QUANT_TIER,
  WORD_ROLLOUT_LEFT,
  WORD_SPEC_INDEX,
  WORD_WINDOW_START,
  SPEC_LENGTH_CHOICES,
} from '../../generated/serving';
import { Out } from '../../outputs';
import { drawBlock, wordBelow, Words } from '../../rng';
import { sampleQuantile } from '../../sampling';
import { real, realsOf, setReal, setWord, word, wordsOf } from '../../state';
import { setPrevious } from '../../statistics';
import { drawTraffic, followTraffic } from './traffic-lanes';
import { configureMeasuredLanes, serveMeasuredLanes } from './measured-lanes';
import { observeLanes } from './observe-lanes';
import { measureLanes, serveLanes } from './origin-lanes';
import { configureLanes, prepareLanes } from './decode-lanes';
import { advanceMeasured } from './measured';
import { advanceOrigin } from './origin';
import {
  decodeAction,
  floatAt,
  kvOccupancy,
  prepareProgram,
  promptBucket,
  put,
  sampleArrivals,
  samplePrompt,
  Traffic,
  wordAt,
} from './decode';

/** The scalars that a step compares as integers. */
class Params {
  static dynamics: u32 = 0;
  static horizon: u32 = 0;
  static promptKind: u32 = 0;
}

export class Serving extends Layout {
  begin(): void {
    Params.dynamics = <u32>s_dynamics;
    Params.horizon = <u32>s_horizon;
    Params.promptKind = <u32>s_prompt_kind;
    prepareProgram();
    if (Batch.isSimd) prepareLanes();
  }

  stepGroups(first: i32, end: i32): bool {
    drawTraffic(first, end);
    followTraffic(first, end);
    configureLanes(first, end);
    if (Params.dynamics == DYNAMICS_ORIGIN) {
      measureLanes(first, end);
      serveLanes(first, end);
    } else {
      configureMeasuredLanes(first, end);
      serveMeasuredLanes(first, end);
    }
    observeLanes(first, end);
    return true;
  }

  reset(i: i32): void {
    const w = wordsOf(i);
    const r = realsOf(i);
    drawBlock(i, STREAM_RESET, 0);
    const windowStart = <u32>wordBelow(Words.x0, s_window_start_max + 1);
    const level = wordAt(t_profile_level, windowStart);
    const fromProfile = Params.promptKind == PROMPT_KIND_PROFILE;
    const start = fromProfile ? <f64>floatAt(t_profile_prompt, windowStart) : s_prompt_start;
    setWord(w, WORD_STEP, 0);
    setWord(w, WORD_WINDOW_START, windowStart);
    setWord(w, WORD_SPEC_INDEX, <u32>s_default_spec_index);
    setWord(w, WORD_PREFILL_DISAGG, <u32>s_default_prefill_disagg);
    setWord(w, WORD_QUANT_TIER, <u32>s_default_quant_tier);
    setWord(w, WORD_ROLLOUT_LEFT, 0);
    setReal(r, REAL_BATCH_SIZE, s_default_batch_size);
    setReal(r, REAL_KV_BUDGET, <f64><f32>s_default_kv_budget);
    setReal(r, REAL_QUEUE, 0);
    setReal(r, REAL_ARRIVAL_EMA, <f64>floatAt(t_level_rate, level));
    setReal(r, REAL_PROMPT_MEAN, start);
    setReal(r, REAL_COST_SO_FAR, 0);
    setReal(r, REAL_CREDIT, 0);
    const m = Channels.metricsOf(i);
    memory.copy(m, t_reset_metrics, 4 * METRIC_COUNT);
    Traffic.capacityRps = s_reset_capacity_rps;
    Traffic.violationRate = 0;
    observe(i, w, r, m);
  }

  notePrevious(i: i32): void {
    const r = realsOf(i);
    setPrevious(METRIC_APPLIED_BATCH_SIZE, real(r, REAL_BATCH_SIZE));
    setPrevious(METRIC_APPLIED_KV_BUDGET, real(r, REAL_KV_BUDGET));
  }

  step(i: i32): void {
    const w = wordsOf(i);
    const r = realsOf(i);
    const m = Channels.metricsOf(i);
    draw(i);
    decodeAction(Channels.actionsOf(i));
    admitArrivals(w, r, m);
    if (Params.dynamics == DYNAMICS_ORIGIN) advanceOrigin(w, r, m);
    else advanceMeasured(w, r, m);
    const now = word(w, WORD_STEP) + 1;
    setWord(w, WORD_STEP, now);
    reportConfiguration(w, r, m);
    observe(i, w, r, m);
    Out.terminated = false;
    Out.truncated = now >= Params.horizon;
  }

  /** There is no policy of the core for this family. */
  act(policy: u32, i: i32): void {}
}

/**
 * Draws a step's block: a word for the arrivals, the top 24 bits of the other three for the
 * noises, their low bytes together for the prompt.
 */
function draw(i: i32): void {
  drawBlock(i, STREAM_STEP, 0);
  Traffic.arrivalWord = Words.x0;
  Traffic.promptWord = (Words.x1 << 24) | ((Words.x2 & 255) << 16) | ((Words.x3 & 255) << 8);
  Traffic.noiseTtftP50 = sampleQuantile(t_noise, Words.x1);
  Traffic.noiseTtftP99 = sampleQuantile(t_noise, Words.x2);
  Traffic.noiseTpot = sampleQuantile(t_noise, Words.x3);
}

/** The step's arrivals and prompt length, and what is reported of them. */
function admitArrivals(w: usize, r: usize, m: usize): void {
  const now = word(w, WORD_WINDOW_START) + word(w, WORD_STEP);
  const arrivals = <f64>sampleArrivals(wordAt(t_profile_level, now), Traffic.arrivalWord);
  const drawn = <f64>samplePrompt(Traffic.promptWord, now);
  const ema = real(r, REAL_ARRIVAL_EMA);
  const mean = real(r, REAL_PROMPT_MEAN);
  const fromProfile = Params.promptKind == PROMPT_KIND_PROFILE;
  const promptMean = fromProfile ? drawn : mean + (drawn - mean) * s_prompt_gain;
  setReal(r, REAL_ARRIVAL_EMA, ema + (arrivals - ema) * s_arrival_gain);
  setReal(r, REAL_PROMPT_MEAN, promptMean);
  Traffic.arrivals = arrivals;
  Traffic.promptLen = <f32>promptMean;
  Traffic.promptBucket = promptBucket(Traffic.promptLen);
  put(m, METRIC_ARRIVALS, <f32>arrivals);
  put(m, METRIC_PHASE, <f32>wordAt(t_profile_phase, now));
  put(m, METRIC_PROMPT_LEN_BUCKET, <f32>Traffic.promptBucket);
}

function reportConfiguration(w: usize, r: usize, m: usize): void {
  put(m, METRIC_APPLIED_BATCH_SIZE, <f32>real(r, REAL_BATCH_SIZE));
  put(m, METRIC_APPLIED_KV_BUDGET, <f32>real(r, REAL_KV_BUDGET));
  put(m, METRIC_APPLIED_SPEC_LENGTH, floatAt(SPEC_LENGTH_CHOICES, word(w, WORD_SPEC_INDEX)));
  put(m, METRIC_APPLIED_PREFILL_DISAGG, <f32>word(w, WORD_PREFILL_DISAGG));
  put(m, METRIC_APPLIED_QUANT_TIER, <f32>word(w, WORD_QUANT_TIER));
}

/** The observation row: rounded to f32, then scaled by the program's fixed scalings. */
function observe(i: i32, w: usize, r: usize, m: usize): void {
  const o = Channels.observationsOf(i);
  const queue = real(r, REAL_QUEUE);
  const evictions = <f64>floatAt(m, METRIC_EVICTION_EVENTS);
  show(o, OBSERVATION_QUEUE_DEPTH, <f32>queue);
  show(o, OBSERVATION_MEAN_PROMPT_LEN, <f32>real(r, REAL_PROMPT_MEAN));
  show(o, OBSERVATION_ARRIVAL_RATE, <f32>real(r, REAL_ARRIVAL_EMA));
  show(o, OBSERVATION_KV_CACHE_OCCUPANCY, <f32>kvOccupancy(queue, evictions));
  show(o, OBSERVATION_TTFT_P50, floatAt(m, METRIC_TTFT_P50_MS));
  show(o, OBSERVATION_TPOT_P50, floatAt(m, METRIC_TPOT_MS));
  show(o, OBSERVATION_SLO_VIOLATION_RATE, <f32>Traffic.violationRate);
  show(o, OBSERVATION_GPU_MEMORY_USED_GB, floatAt(m, METRIC_GPU_MEMORY_GB));
  show(o, OBSERVATION_SPEC_ACCEPT_RATE, floatAt(m, METRIC_SPEC_ACCEPT_RATE));
  show(o, OBSERVATION_PRIORITY_INTERACTIVE, <f32>s_share_interactive);
  show(o, OBSERVATION_PRIORITY_BATCH, <f32>s_share_batch);
  show(o, OBSERVATION_PRIORITY_BEST_EFFORT, <f32>s_share_best_effort);
  show(o, OBSERVATION_TIMESTEP, <f32>word(w, WORD_STEP));
  show(o, OBSERVATION_COST_SO_FAR, <f32>real(r, REAL_COST_SO_FAR));
  if (Params.dynamics == DYNAMICS_MEASURED) observeServer(o, w);
}

/** The additions of the measured dynamics: the configuration in force and what it can serve. */
function observeServer(o: usize, w: usize): void {
  const now = word(w, WORD_WINDOW_START) + word(w, WORD_STEP);
  show(o, OBSERVATION_CAPACITY_RPS, <f32>Traffic.capacityRps);
  show(o, OBSERVATION_ACTIVE_SPEC_LENGTH, floatAt(SPEC_LENGTH_CHOICES, word(w, WORD_SPEC_INDEX)));
  show(o, OBSERVATION_ACTIVE_PREFILL_DISAGG, <f32>word(w, WORD_PREFILL_DISAGG));
  show(o, OBSERVATION_ACTIVE_QUANT_TIER, <f32>word(w, WORD_QUANT_TIER));
  show(o, OBSERVATION_ROLLOUT_STEPS_LEFT, <f32>word(w, WORD_ROLLOUT_LEFT));
  show(o, OBSERVATION_WINDOW_POSITION, <f32>(<f64>now * s_profile_inv));
}

@inline
function show(observation: usize, index: usize, value: f32): void {
  store<f32>(observation + (index << 2), value * floatAt(t_observation_scale, index));
}
