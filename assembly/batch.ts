/**
 * The part that is common to every family: resets, steps, rollouts, ends of episodes. The
 * functions are generic, so each family gets its own loop without indirect calls.
 *
 * A family is a class that extends its generated `Layout` and is never instantiated: methods of
 * `changetype<Family>(0)` are static calls. It has
 *
 * | method           | what it does                                                          |
 * |------------------|-----------------------------------------------------------------------|
 * | `begin()`        | prepares what steps read, once the program is loaded                  |
 * | `stepGroups(i, end)` | steps whole groups of four of one chunk, those that await a reset |
 * |                  | included; false, and nothing done, where there is no such step        |
 * |                  | (kernel simd128)                                                      |
 * | `prepare(i, end)`| optional: draws for environments of one chunk before their steps, where |
 * |                  | they are not taken in groups (kernel simd128)                         |
 * | `reset(i)`       | begins the episode that seed and episode number name                  |
 * | `notePrevious(i)`| notes the metrics whose change from step to step is a statistic       |
 * | `step(i)`        | advances by one step and fills `Out`                                  |
 * | `act(policy, i)` | writes the action of a policy of the core, where the family has it    |
 */
import { Channels } from './channels';
import {
  AUTORESET_DISABLED,
  AUTORESET_SAME_STEP,
  KERNEL_AUTO,
  KERNEL_SIMD128,
  POLICY_CONSTANT,
  POLICY_LINEAR,
  POLICY_RANDOM,
  POLICY_TABULAR,
  WORD_EPISODE,
  WORD_FINISHED,
  WORD_SEED_HI,
  WORD_SEED_LO,
  WORD_STEP,
} from './generated/common';
import { Out } from './outputs';
import { actByParameters, reserveParameters } from './policy/parameters';
import { actRandomly } from './policy/random';
import {
  allocateState, LANES, real, setReal, setWord, statisticsOf, word, wordRow, wordsOf,
} from './state';

/** Environments that a family prepares at once: independent draws hide each other's latency. */
export const CHUNK: i32 = 32;

/** How a batch was made, and what it counts. */
export class Batch {
  static numEnvs: i32 = 0;
  static autoreset: u32 = 0;
  static isSimd: bool = false;
  static episodes: f64 = 0;
}

/** Allocates a batch of the loaded program, its channels and its state. */
export function create<Family>(numEnvs: i32, autoreset: u32, metrics: bool, kernel: u32): void {
  const family = changetype<Family>(0);
  Batch.numEnvs = numEnvs;
  Batch.autoreset = autoreset;
  // Of itself, only a batch that has a whole group.
  Batch.isSimd = kernel == KERNEL_SIMD128 || (kernel == KERNEL_AUTO && numEnvs >= LANES);
  Channels.allocateAll(numEnvs, metrics, family.numMetrics, family.numStatistics);
  allocateState(
    numEnvs,
    family.numWords,
    family.numArrayElements,
    family.numReals,
    family.numStatistics,
    family.numRealArrayElements,
  );
  reserveParameters();
  family.begin();
}

/** The kernel in use: 0 scalar, 1 simd128. */
export function kernelId(): u32 {
  return u32(Batch.isSimd);
}

/** Episodes that ended since the batch was made. */
export function episodes(): f64 {
  return Batch.episodes;
}

/** Begins an episode in every environment, or where the reset mask is 1. */
export function reset<Family>(seedLo: u32, seedHi: u32, seeded: bool, masked: bool): void {
  for (let i = 0; i < Batch.numEnvs; i++) {
    if (masked && load<u8>(Channels.resetMask + i) != 1) continue;
    const w = wordsOf(i);
    if (seeded) {
      const lo = seedLo + <u32>i;
      setWord(w, WORD_SEED_LO, lo);
      setWord(w, WORD_SEED_HI, seedHi + u32(lo < seedLo));
      setWord(w, WORD_EPISODE, 0);
    } else {
      setWord(w, WORD_EPISODE, word(w, WORD_EPISODE) + 1);
    }
    beginEpisode<Family>(i);
  }
}

/** One step of every environment. */
export function step<Family>(): void {
  for (let first = 0; first < Batch.numEnvs; first += CHUNK) {
    const end = first + CHUNK;
    stepChunk<Family>(first, end < Batch.numEnvs ? end : Batch.numEnvs);
  }
}

/**
 * `steps` steps under a policy of the core. Environments do not depend on each other, so a chunk
 * takes all its steps while its state is in the cache.
 */
export function rollout<Family>(policy: u32, steps: u32): void {
  for (let first = 0; first < Batch.numEnvs; first += CHUNK) {
    const end = first + CHUNK < Batch.numEnvs ? first + CHUNK : Batch.numEnvs;
    for (let n: u32 = 0; n < steps; n++) {
      if (policy != POLICY_CONSTANT) actChunk<Family>(policy, first, end);
      stepChunk<Family>(first, end);
    }
  }
}

/** Writes the actions of a policy of the core for a chunk. */
function actChunk<Family>(policy: u32, first: i32, end: i32): void {
  for (let i = first; i < end; i++) {
    if (policy == POLICY_RANDOM) actRandomly(i);
    else if (policy == POLICY_LINEAR || policy == POLICY_TABULAR) actByParameters(policy, i);
    else changetype<Family>(0).act(policy, i);
  }
}

/** One step of a chunk. */
function stepChunk<Family>(first: i32, end: i32): void {
  const family = changetype<Family>(0);
  let i = first;
  if (Batch.isSimd) {
    const whole = end - (end - first) % LANES;
    const canStepAll = Batch.autoreset != AUTORESET_DISABLED || areUnderWay(first, whole);
    if (canStepAll && family.stepGroups(first, whole)) {
      turnEpisodes<Family>(first, whole);
      i = whole;
    }
    if (isDefined(family.prepare)) {
      if (i < end) family.prepare(i, end);
    }
  }
  for (; i < end; i++) stepEnvironment<Family>(i);
}

/** Whether no environment of these groups waits for its reset. */
function areUnderWay(first: i32, end: i32): bool {
  let finished = i32x4.splat(0);
  for (let i = first; i < end; i += LANES) {
    finished = v128.or(finished, wordRow(wordsOf(i), WORD_FINISHED));
  }
  return !v128.any_true(finished);
}

/**
 * After a step of whole groups: ends the episodes whose flags say so, and begins the next one where
 * one had ended before. What the step did there is lost, for a reset overwrites the whole state.
 */
function turnEpisodes<Family>(first: i32, end: i32): void {
  for (let i = first; i < end; i += LANES) {
    const flags = load<u32>(Channels.terminated + i) | load<u32>(Channels.truncated + i);
    if (flags == 0 && areUnderWay(i, i + LANES)) continue;
    for (let k = i; k < i + LANES; k++) {
      if (word(wordsOf(k), WORD_FINISHED) == 1) beginNextEpisode<Family>(k);
      else if (flags >> (8 * (k - i)) & 1) endEpisode<Family>(k);
    }
  }
}

function beginNextEpisode<Family>(i: i32): void {
  const w = wordsOf(i);
  setWord(w, WORD_EPISODE, word(w, WORD_EPISODE) + 1);
  beginEpisode<Family>(i);
}

function stepEnvironment<Family>(i: i32): void {
  const family = changetype<Family>(0);
  const w = wordsOf(i);
  if (word(w, WORD_FINISHED) == 1) {
    if (Batch.autoreset == AUTORESET_DISABLED) {
      // A finished environment stands still until it is reset: its last flags remain.
      store<f32>(Channels.rewards + (<usize>i << 2), 0);
      store<f32>(Channels.costs + (<usize>i << 2), 0);
      return;
    }
    beginNextEpisode<Family>(i);
    return;
  }
  family.notePrevious(i);
  family.step(i);
  family.foldStatistics(statisticsOf(i), Channels.metricsOf(i), word(w, WORD_STEP));
  publish(i);
  if (Out.terminated || Out.truncated) endEpisode<Family>(i);
}

function publish(i: i32): void {
  store<f32>(Channels.rewards + (<usize>i << 2), Out.reward);
  store<f32>(Channels.costs + (<usize>i << 2), Out.cost);
  store<u8>(Channels.terminated + i, u8(Out.terminated));
  store<u8>(Channels.truncated + i, u8(Out.truncated));
}

function zeroStatistics<Family>(i: i32): void {
  const at = statisticsOf(i);
  for (let slot = 0; slot < changetype<Family>(0).numStatistics; slot++) setReal(at, slot, 0);
}

function beginEpisode<Family>(i: i32): void {
  zeroStatistics<Family>(i);
  setWord(wordsOf(i), WORD_FINISHED, 0);
  changetype<Family>(0).reset(i);
  Out.reward = 0;
  Out.cost = 0;
  Out.terminated = false;
  Out.truncated = false;
  publish(i);
}

function endEpisode<Family>(i: i32): void {
  const family = changetype<Family>(0);
  const numStatistics = family.numStatistics;
  const w = wordsOf(i);
  const statistics = statisticsOf(i);
  const final = Channels.finalStatistics + <usize>(i * numStatistics << 3);
  Batch.episodes += 1;
  setWord(w, WORD_FINISHED, 1);
  for (let slot = 0; slot < numStatistics; slot++) {
    store<f64>(final + (<usize>slot << 3), real(statistics, slot));
  }
  const bytes = Channels.observationBytes;
  memory.copy(Channels.finalObservations + <usize>i * bytes, Channels.observationsOf(i), bytes);
  if (Batch.autoreset != AUTORESET_SAME_STEP) return;
  // The reward and the flags are the ended episode's, the observation is the next one's.
  zeroStatistics<Family>(i);
  setWord(w, WORD_FINISHED, 0);
  setWord(w, WORD_EPISODE, word(w, WORD_EPISODE) + 1);
  family.reset(i);
}
