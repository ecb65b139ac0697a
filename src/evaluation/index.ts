/** Policies played against each other, and what may be said of the results. */

export {
  type CompareOptions,
  type Comparison,
  comparePolicies,
  type PolicyScore,
  pairedDifferences,
  type ScoreDifference,
  type ScoredEpisode,
  type ScoreSummary,
  summarizeScores,
} from './compare.js';
export {
  baselineReturns,
  type EpisodeResult,
  type EvaluateOptions,
  evaluateEpisodes,
  gradeContext,
  gradeContexts,
} from './evaluate.js';
export { episodeMetrics, meanMetrics } from './metrics.js';
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
