/** The rewards of a step of autoscaling. */
import { Channels } from '../../channels';
import {
  METRIC_BUDGET_LEFT,
  METRIC_CPU,
  METRIC_LATENCY,
  METRIC_MEMORY,
  METRIC_OVER_BUDGET,
  METRIC_PRICE,
  METRIC_REWARD_COST,
  METRIC_REWARD_CPU,
  METRIC_REWARD_MEMORY,
  METRIC_REWARD_MIXED,
  METRIC_SLA_VIOLATION,
  REAL_BUDGET_LEFT,
  s_above_penalty,
  s_below_penalty,
  s_cost_weight,
  s_cpu_centre,
  s_cpu_gain,
  s_cpu_high,
  s_cpu_low,
  s_distance_weight,
  s_has_budget,
  s_latency_sla,
  s_memory_centre,
  s_memory_gain,
  s_memory_high,
  s_memory_low,
  s_mixed_penalty,
  s_price_0,
  s_price_1,
  s_price_2,
  s_reward_gain,
  s_reward_offset,
  WORD_COUNT_0,
  WORD_COUNT_1,
  WORD_COUNT_2,
} from '../../generated/autoscaling';
import { Out } from '../../outputs';
import { real, setReal, word } from '../../state';
import { metricOf } from '../../statistics';
import { clipReal } from './policies';

/** The step's price and its reward. */
export function rewardStep(w: usize, r: usize, m: usize): void {
  const left = real(r, REAL_BUDGET_LEFT) - s_has_budget * priceOf(w);
  setReal(r, REAL_BUDGET_LEFT, left);
  report(left, priceOf(w), m);
}

/** The price of the instances for a step. */
@inline
export function priceOf(w: usize): f64 {
  return (
    <f64>word(w, WORD_COUNT_0) * s_price_0 +
    <f64>word(w, WORD_COUNT_1) * s_price_1 +
    <f64>word(w, WORD_COUNT_2) * s_price_2
  );
}

/** The reward and its parts, of a step's price and what is left of the budget after it. */
export function report(left: f64, price: f64, m: usize): void {
  const late: f32 = metricOf(m, METRIC_LATENCY) > s_latency_sla ? 1 : 0;
  const over: f32 = left < 0 ? 1 : 0;
  const cpu = valueOfCpu(metricOf(m, METRIC_CPU));
  const memory = valueOfMemory(metricOf(m, METRIC_MEMORY));
  const cost = s_cost_weight * price;
  const mixed = cpu >= 0 && memory >= 0 ? 0 : s_mixed_penalty;
  const raw = cpu + memory - cost - mixed;
  put(m, METRIC_PRICE, <f32>price);
  put(m, METRIC_SLA_VIOLATION, late);
  put(m, METRIC_OVER_BUDGET, over);
  Out.reward = <f32>clipReal((raw + s_reward_offset) * s_reward_gain, 0, 1);
  Out.cost = late + over;
  if (Channels.metricsBytes == 0) return;
  put(m, METRIC_BUDGET_LEFT, <f32>left);
  put(m, METRIC_REWARD_CPU, <f32>cpu);
  put(m, METRIC_REWARD_MEMORY, <f32>memory);
  put(m, METRIC_REWARD_COST, <f32>(0 - cost));
  put(m, METRIC_REWARD_MIXED, <f32>(0 - mixed));
}

function valueOfCpu(u: f64): f64 {
  return valueOf(u, s_cpu_low, s_cpu_high, s_cpu_centre, s_cpu_gain);
}

function valueOfMemory(u: f64): f64 {
  return valueOf(u, s_memory_low, s_memory_high, s_memory_centre, s_memory_gain);
}

/** The reward of one utilisation: 1 in the middle of its range, 0 at its ends, less outside. */
@inline
function valueOf(u: f64, low: f64, high: f64, centre: f64, gain: f64): f64 {
  if (u < low) return 0 - s_below_penalty - (low - u) * s_distance_weight;
  if (u > high) return 0 - s_above_penalty - (u - high) * s_distance_weight;
  const distance = u > centre ? u - centre : centre - u;
  const value = 1 - distance * gain;
  return value > 0 ? value : 0;
}

/** Writes a number of a metrics row. */
@inline
export function put(metrics: usize, index: usize, value: f32): void {
  store<f32>(metrics + (index << 2), value);
}
