/** Measured tasks: capacity, the fixed baseline, and the scale of recorded traffic. */
import type { ServingAction, ServingMeasured } from '../../compile/serving/serving.js';
import { recordedTraffic } from '../../compile/serving/traffic.js';
import { lookupPerf } from '../../data/interpolate.js';
import type { PerfMetrics, PerfTable } from '../../data/perf-table.js';
import type { ConfigReader } from '../config-reader.js';
import { LATENCY_MS, readAction, readCommon, SHARE } from './common.js';
import { BASELINE_ACTION } from './defaults.js';
import { servingTables, servingTraffic } from './registered.js';

const ROLLOUT_STEPS = { min: 0, max: 1000, integer: true };

/** Reads a measured task's configuration; its rates follow from the table's capacity. */
export function readMeasured(reader: ConfigReader): ServingMeasured {
  const table = servingTables.find(reader.text('table'));
  const profile = servingTraffic.find(reader.text('traffic'));
  const common = readCommon(reader, table);
  const defaultAction = reader.isNull('default_action')
    ? baselineConfiguration(table, profile.promptP99, common.memoryMaxGb)
    : readAction(reader.object('default_action', BASELINE_ACTION));
  const capacityAt = (promptLen: number) =>
    capacityRps(table, defaultAction, promptLen, profile.outputMean);
  const scale = reader.number('traffic_scale', { min: 0.01, max: 20 });
  const meanRateRps = scale * capacityAt(profile.promptMedian);
  const rollout = reader.object('rollout_steps', {
    spec_length: 0,
    prefill_disagg: 0,
    quant_tier: 0,
  });
  const loss = reader.numbers('quality_loss', SHARE, 3);
  const longest = profile.ratesRps.length;
  return {
    dynamics: 'measured',
    ...common,
    traffic: recordedTraffic(profile, meanRateRps),
    prompt: { kind: 'profile' },
    horizonSteps: reader.number('episode_len', { min: 1, max: longest, integer: true }),
    defaultAction,
    outputTokens: profile.outputMean,
    sloTtftMs: reader.number('slo_ttft_ms', LATENCY_MS),
    sloTpotMs: reader.number('slo_tpot_ms', LATENCY_MS),
    qualityLoss: [loss[0], loss[1], loss[2]],
    gpuPenalty: reader.number('gpu_penalty', { min: 0, max: 1000 }),
    rolloutCapacity: reader.number('rollout_capacity', SHARE),
    rolloutSteps: {
      spec_length: rollout.number('spec_length', ROLLOUT_STEPS),
      prefill_disagg: rollout.number('prefill_disagg', ROLLOUT_STEPS),
      quant_tier: rollout.number('quant_tier', ROLLOUT_STEPS),
    },
    resetCapacityRps: capacityAt(profile.promptMedian),
  };
}

/**
 * Requests per second that a configuration serves at a prompt length, for answers of
 * `outputTokens` on average: 1 / (prefill + answer), or with prefill on a GPU of its own what the
 * slower of the two stages passes. The kernels compute the same each step, at the present prompt.
 */
export function capacityRps(
  table: PerfTable,
  action: ServingAction,
  promptLen: number,
  outputTokens: number,
): number {
  const { tps } = metricsAt(table, action, promptLen);
  const prefillS = prefillMs(table, action.quant_tier, promptLen) / 1000;
  const requestS = table.meanOutputTokens / tps;
  const decodeS = Math.max((requestS - prefillS) / table.meanOutputTokens, 1e-7);
  const answerS = outputTokens * decodeS;
  return 1 / (action.prefill_disagg ? Math.max(prefillS, answerS) : prefillS + answerS);
}

/** The table's metrics of a configuration at a prompt length, quantisation applied. */
function metricsAt(table: PerfTable, action: ServingAction, promptLen: number): PerfMetrics {
  const { prefill_disagg: _, ...query } = action;
  return lookupPerf(table, { ...query, prompt_len: promptLen });
}

/** Prefill time of one prompt, linear between the table's nodes; 0 where the table has none. */
function prefillMs(table: PerfTable, tier: number, promptLen: number): number {
  if (table.prefillMs === undefined) return 0;
  const { promptLen: nodes } = table;
  const row = Math.max(table.quantTiers.indexOf(tier), 0) * nodes.length;
  const above = nodes.findIndex((node) => node >= promptLen);
  if (above === 0) return table.prefillMs[row];
  if (above < 0) return table.prefillMs[row + nodes.length - 1];
  const share = (promptLen - nodes[above - 1]) / (nodes[above] - nodes[above - 1]);
  const [low, high] = [table.prefillMs[row + above - 1], table.prefillMs[row + above]];
  return low + (high - low) * share;
}

/**
 * The fixed baseline: batch 32, FP16, no speculation, one GPU, the largest KV budget of the
 * table's nodes whose memory fits at a long prompt; the smallest where none does.
 */
function baselineConfiguration(
  table: PerfTable,
  promptP99: number,
  memoryMaxGb: number,
): ServingAction {
  const action = {
    batch_size: 32,
    spec_length: 0,
    prefill_disagg: false,
    quant_tier: 0,
  } as const;
  const fits = (kv: number) =>
    metricsAt(table, { ...action, kv_budget: kv }, promptP99).gpu_mem_gb <= memoryMaxGb;
  return { ...action, kv_budget: table.kv.findLast(fits) ?? table.kv[0] };
}
