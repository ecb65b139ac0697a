/** Every entry of a serving task's configuration with its default, by wire name. */
import type { JsonObject } from '../../base/json.js';

/** The origin's baseline: vLLM's default batch, everything else off. */
export const BASELINE_ACTION: JsonObject = {
  kv_budget: 1,
  batch_size: 32,
  spec_length: 0,
  prefill_disagg: false,
  quant_tier: 0,
};

const COMMON: JsonObject = {
  // Name of a registered or shipped table, or the path of a table file (Node).
  table: 'synthetic-a',
  // Steps of an episode; one step is one second.
  episode_len: 200,
  // structured, normalised or discrete.
  action_space: 'structured',
  // true: fixed scalings bring the observation to about [0, 1].
  normalize_observation: false,
  // The fields an agent controls; the others are held at default_action.
  active_actions: ['kv_budget', 'batch_size', 'spec_length', 'prefill_disagg', 'quant_tier'],
  // The fixed baseline, and what locked or absent fields read.
  default_action: BASELINE_ACTION,
  // Standard deviation of the three latency factors.
  noise_std: 0.05,
  // GB; null: the device's memory as the table has it.
  max_memory_gb: null,
  // Shares of interactive, batch and best-effort requests.
  priority_distribution: [1, 0, 0],
  // Two configurations and thresholds of the hysteresis policy; null: it is tuned when asked for.
  hysteresis: null,
};

/** Dynamics `origin`. */
export const ORIGIN_DEFAULTS: JsonObject = {
  dynamics: 'origin',
  ...COMMON,
  max_memory_gb: 40,
  // Poisson arrivals per step; in bursts arrival_rate_burst, or burst_multiplier times as many.
  arrival_rate_rps: 10,
  // With burst_period_steps: the rate of every second window of that many steps.
  arrival_rate_burst: null,
  burst_period_steps: null,
  // With the two below: bursts at every multiple of the interval but 0.
  burst_multiplier: null,
  burst_interval_steps: null,
  burst_duration_steps: null,
  prompt_len_dist: { kind: 'uniform', min: 64, max: 128 },
  slo_target_ms: 300,
  // TTFT limit of batch requests under priority routing.
  slo_batch_ms: 2000,
  priority_routing: false,
  // Weights of throughput, latency, violations and cost in the reward.
  alpha: 0.4,
  beta: 0.25,
  gamma: 0.25,
  delta: 0.1,
  max_throughput: 8500,
  cost_ceiling: 0.005,
  // Acceptance of draft tokens before prompt and depth.
  spec_accept_base: 0.8,
  grader: { kind: 'throughput', baseline_tps: 2800, optimal_tps: 8200 },
};

/** Dynamics `measured`. */
export const MEASURED_DEFAULTS: JsonObject = {
  dynamics: 'measured',
  ...COMMON,
  table: 'llama3-8b-a100-40gb',
  episode_len: 600,
  // null: batch 32, FP16, no speculation, the largest KV that fits at the trace's p99 prompt.
  default_action: null,
  // Name of a registered or shipped traffic profile.
  traffic: 'azure-conv',
  // Mean arrival rate over the baseline's capacity at the profile's median prompt.
  traffic_scale: 0.85,
  slo_ttft_ms: 1000,
  slo_tpot_ms: 50,
  // Reward lost per served request at FP16, INT8 and INT4.
  quality_loss: [0, 0.1, 0.3],
  // Reward lost per step with a second GPU.
  gpu_penalty: 0.3,
  // Share of the new capacity while a slow change is rolled out, and for how many steps.
  rollout_capacity: 0.7,
  rollout_steps: { spec_length: 3, prefill_disagg: 6, quant_tier: 10 },
};
