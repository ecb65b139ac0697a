/**
 * The measured tasks: Llama-3-8B on three devices under three recordings. Scale, limits and
 * prices were chosen by search so that the properties in tests/envs/serving-tasks.test.ts hold;
 * the hysteresis rules are what `npx tsx scripts/tune-serving.ts` prints.
 */
import type { JsonObject } from '../../base/json.js';
import type { TaskSpec } from '../family.js';
import { hysteresisJson } from './hysteresis.js';

const DEVICES = {
  'a100-40gb': 'an A100 with 40 GB',
  'a100-80gb': 'an A100 with 80 GB',
  'h100-80gb': 'an H100',
} as const;

const TRAFFIC = {
  'azure-conv': 'chat traffic that rises and falls over the hour (Azure, 2023)',
  'azure-code': 'code completion in sudden waves of long prompts (Azure, 2023)',
  'mooncake-conversation': 'long conversations whose prompts swing (Mooncake, 2024)',
} as const;

interface MeasuredTask {
  readonly device: keyof typeof DEVICES;
  readonly traffic: keyof typeof TRAFFIC;
  readonly difficulty: TaskSpec['difficulty'];
  /** Entries beside table and traffic. */
  readonly config: JsonObject;
}

function measuredTask({ device, traffic, difficulty, config }: MeasuredTask): TaskSpec {
  const name = `llama3-8b-${device}-${traffic}`;
  return {
    id: `serving/${name}-v1`,
    aliases: [name],
    name,
    difficulty,
    description:
      `Llama-3-8B on ${DEVICES[device]}, ${TRAFFIC[traffic]}: ` +
      'serve as many requests as possible within the SLOs.',
    config: { dynamics: 'measured', table: `llama3-8b-${device}`, traffic, ...config },
  };
}

/** The measured tasks, device by device. */
export const MEASURED_TASKS: readonly TaskSpec[] = [
  measuredTask({
    device: 'a100-40gb',
    traffic: 'azure-conv',
    difficulty: 'medium',
    config: {
      traffic_scale: 1,
      slo_ttft_ms: 1000,
      slo_tpot_ms: 50,
      quality_loss: [0, 0.1, 0.3],
      gpu_penalty: 0.3,
      hysteresis: hysteresisJson({
        calm: [0.75, 64, 4, 0, 0],
        busy: [0.5, 128, 4, 0, 1],
        queueHigh: 5.081,
        queueLow: 1.016,
        rateHighRps: 6.098,
        rateLowRps: 4.573,
      }),
    },
  }),
  measuredTask({
    device: 'a100-40gb',
    traffic: 'azure-code',
    difficulty: 'hard',
    config: {
      traffic_scale: 0.25,
      slo_ttft_ms: 1000,
      slo_tpot_ms: 60,
      quality_loss: [0, 0.15, 0.3],
      gpu_penalty: 0.3,
      hysteresis: hysteresisJson({
        calm: [1, 32, 4, 0, 0],
        busy: [0.5, 128, 4, 0, 1],
        queueHigh: 1.772,
        queueLow: 0.3544,
        rateHighRps: null,
        rateLowRps: null,
      }),
    },
  }),
  measuredTask({
    device: 'a100-40gb',
    traffic: 'mooncake-conversation',
    difficulty: 'medium',
    config: {
      traffic_scale: 1.65,
      slo_ttft_ms: 5000,
      slo_tpot_ms: 80,
      quality_loss: [0, 0.2, 0.3],
      gpu_penalty: 0.3,
      hysteresis: hysteresisJson({
        calm: [0.75, 32, 4, 0, 0],
        busy: [0.1, 128, 8, 1, 1],
        queueHigh: 6.935,
        queueLow: 1.387,
        rateHighRps: null,
        rateLowRps: null,
      }),
    },
  }),
  measuredTask({
    device: 'a100-80gb',
    traffic: 'azure-conv',
    difficulty: 'medium',
    config: {
      traffic_scale: 0.95,
      slo_ttft_ms: 1000,
      slo_tpot_ms: 50,
      quality_loss: [0, 0.1, 0.3],
      gpu_penalty: 0.3,
      hysteresis: hysteresisJson({
        calm: [0.75, 64, 4, 0, 0],
        busy: [0.5, 128, 4, 0, 1],
        queueHigh: 5.469,
        queueLow: 1.094,
        rateHighRps: 6.563,
        rateLowRps: 4.922,
      }),
    },
  }),
  measuredTask({
    device: 'a100-80gb',
    traffic: 'azure-code',
    difficulty: 'hard',
    config: {
      traffic_scale: 0.25,
      slo_ttft_ms: 1000,
      slo_tpot_ms: 50,
      quality_loss: [0, 0.15, 0.3],
      gpu_penalty: 0.3,
      hysteresis: hysteresisJson({
        calm: [1, 32, 2, 0, 0],
        busy: [1, 32, 4, 0, 1],
        queueHigh: 0.6004,
        queueLow: 0.1201,
        rateHighRps: 2.702,
        rateLowRps: 2.432,
      }),
    },
  }),
  measuredTask({
    device: 'a100-80gb',
    traffic: 'mooncake-conversation',
    difficulty: 'medium',
    config: {
      traffic_scale: 1.45,
      slo_ttft_ms: 5000,
      slo_tpot_ms: 80,
      quality_loss: [0, 0.25, 0.3],
      gpu_penalty: 0.3,
      hysteresis: hysteresisJson({
        calm: [1, 32, 4, 0, 0],
        busy: [0.75, 64, 4, 0, 1],
        queueHigh: 7.423,
        queueLow: 1.485,
        rateHighRps: null,
        rateLowRps: null,
      }),
    },
  }),
  measuredTask({
    device: 'h100-80gb',
    traffic: 'azure-conv',
    difficulty: 'medium',
    config: {
      traffic_scale: 1.7,
      slo_ttft_ms: 1000,
      slo_tpot_ms: 30,
      quality_loss: [0, 0.15, 0.3],
      gpu_penalty: 0.5,
      hysteresis: hysteresisJson({
        calm: [1, 128, 4, 0, 0],
        busy: [1, 32, 4, 1, 0],
        queueHigh: 20.17,
        queueLow: 4.035,
        rateHighRps: 27.23,
        rateLowRps: 20.42,
      }),
    },
  }),
  measuredTask({
    device: 'h100-80gb',
    traffic: 'azure-code',
    difficulty: 'hard',
    config: {
      traffic_scale: 0.27,
      slo_ttft_ms: 2000,
      slo_tpot_ms: 25,
      quality_loss: [0, 0.05, 0.3],
      gpu_penalty: 0.1,
      rollout_steps: { spec_length: 2, prefill_disagg: 3, quant_tier: 4 },
      hysteresis: hysteresisJson({
        calm: [0.75, 64, 4, 0, 0],
        busy: [0.5, 128, 4, 0, 1],
        queueHigh: 1.924,
        queueLow: 0.3849,
        rateHighRps: null,
        rateLowRps: null,
      }),
    },
  }),
  measuredTask({
    device: 'h100-80gb',
    traffic: 'mooncake-conversation',
    difficulty: 'hard',
    config: {
      traffic_scale: 2,
      slo_ttft_ms: 5000,
      slo_tpot_ms: 60,
      quality_loss: [0, 0.15, 0.3],
      gpu_penalty: 0.3,
      hysteresis: hysteresisJson({
        calm: [1, 64, 2, 0, 1],
        busy: [0.1, 512, 0, 1, 1],
        queueHigh: 27.38,
        queueLow: 5.476,
        rateHighRps: 9.241,
        rateLowRps: 6.931,
      }),
    },
  }),
];
