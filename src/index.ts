/**
 * InfraGym in Node: the library, the native backend and the reading of files.
 *
 * @example
 * import { make } from 'infragym';
 *
 * const env = await make('serving/static-uniform-v1');
 * const { observation } = env.reset({ seed: 0 });
 */
import { createHash } from 'node:crypto';
import { loadNative } from './backends/native.js';
import { provideBackend } from './backends/select.js';
import { provideSha256 } from './base/digest.js';
import './envs/autoscaling/node.js';
import './envs/scheduling/node.js';
import { provideLearner } from './train/learner/auto.js';
import { loadNativeLearner } from './train/learner/native.js';
import './train/policies-node.js';

provideBackend('native', loadNative);
provideLearner('native', loadNativeLearner);
provideSha256(() => {
  const hash = createHash('sha256');
  return { update: (bytes) => hash.update(bytes), hex: () => hash.copy().digest('hex') };
});

export { loadShippedTable, readBounded, readTableFile, SHIPPED_TABLES } from './data/node.js';
export { fileSource } from './data/source-node.js';
export { SHIPPED_TRAFFIC } from './envs/serving/node.js';
export { DATASET_KEY, type DatasetHeader } from './evaluation/dataset.js';
export {
  type DatasetOptions,
  type DatasetResult,
  writeDataset,
} from './evaluation/dataset-node.js';
export type { Transitions } from './evaluation/transitions.js';
export * from './library.js';

export type {
  ChartOptions,
  LineChartOptions,
  ScoreRow,
  Series as ChartSeries,
} from './plot/index.js';

/** The charts of `plot.js` for Node, and `renderPng`; loaded when asked for, for they are large. */
export const loadCharts = () => import('./plot/node.js');
export { searchBestConstant } from './policies/autoscaling.js';
export { createPolicy, type PolicyFactory } from './policies/index.js';
export {
  ALGORITHMS,
  type Algorithm,
  loadLearner,
  NonFiniteGradientError,
  POLICY_FILE,
  type PolicyHeader,
  readPolicyHeader,
  type TrainOptions,
  type TrainResult,
  type TrainRow,
  train,
} from './train/index.js';
