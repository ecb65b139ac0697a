/** Policies played against each other, and what may be said of the results. */
export {
  baselineReturns,
  type EpisodeResult,
  type EvaluateOptions,
  evaluateEpisodes,
} from './evaluate.js';
export { episodeMetrics } from './metrics.js';
export {
  baselinePolicy,
  constantPolicy,
  heuristicPolicy,
  type Policy,
  type PolicyView,
  parametricPolicy,
  randomPolicy,
} from './policy.js';
export {
  evaluateProtocol,
  type ProtocolOptions,
  type ProtocolResult,
  TEST_SEED_OFFSET,
  testSeeds,
  trainSeeds,
} from './protocol.js';
export { type EpisodeRecord, EpisodeRecorder } from './recorder.js';
export * from './statistics.js';
