//! The measured dynamics: a server of finite capacity behind a queue, where a change of
//! speculation, disaggregation or quantisation has to be rolled out.

use super::decode::Configuration;
use super::grid::{Row, grid_metric};
use super::{Serving, Step, kv_occupancy};
use crate::generated::serving::{metric, real, word};
use crate::store::Block;

impl Serving {
    pub(super) fn advance_measured(&self, block: &mut Block, lane: usize, step: &mut Step) {
        let grid = self.configure(block, lane, step);
        step.capacity_rps = self.capacity(block, lane, step, &grid);
        self.serve_measured(block, lane, step, &grid);
        self.reward_measured(block, lane, step, &grid);
        let left = &mut block.words[word::ROLLOUT_LEFT][lane];
        *left = left.saturating_sub(1);
    }

    /// Batch and KV are hot; the slow knobs change only when no rollout is under way, and begin
    /// one. A configuration that does not fit the device at the present prompt is not applied.
    fn configure(&self, block: &mut Block, lane: usize, step: &mut Step) -> Row {
        let s = &self.s;
        let in_force = Configuration {
            kv_budget: block.reals[real::KV_BUDGET][lane] as f32,
            batch_size: block.reals[real::BATCH_SIZE][lane] as f32,
            spec_index: block.words[word::SPEC_INDEX][lane],
            prefill_disagg: block.words[word::PREFILL_DISAGG][lane],
            quant_tier: block.words[word::QUANT_TIER][lane],
        };
        let left = block.words[word::ROLLOUT_LEFT][lane];
        let wanted = if left > 0 {
            Configuration {
                kv_budget: step.wanted.kv_budget,
                batch_size: step.wanted.batch_size,
                ..in_force
            }
        } else {
            step.wanted
        };
        let grid = self.grid_metrics(&wanted, step.prompt_len);
        let fits = grid[grid_metric::MEMORY] <= self.r.memory_max_gb;
        step.metrics[metric::OOM] = if fits { 0.0 } else { 1.0 };
        if !fits {
            return self.grid_metrics(&in_force, step.prompt_len);
        }
        let changed = |differs: bool, steps: f64| if differs { steps as u32 } else { 0 };
        let spec = changed(wanted.spec_index != in_force.spec_index, s.rollout_spec);
        let disaggregated = wanted.prefill_disagg != in_force.prefill_disagg;
        let disagg = changed(disaggregated, s.rollout_disagg);
        let quant = changed(wanted.quant_tier != in_force.quant_tier, s.rollout_quant);
        block.words[word::ROLLOUT_LEFT][lane] = left.max(spec).max(disagg).max(quant);
        block.words[word::SPEC_INDEX][lane] = wanted.spec_index;
        block.words[word::PREFILL_DISAGG][lane] = wanted.prefill_disagg;
        block.words[word::QUANT_TIER][lane] = wanted.quant_tier;
        block.reals[real::BATCH_SIZE][lane] = f64::from(wanted.batch_size);
        block.reals[real::KV_BUDGET][lane] = f64::from(wanted.kv_budget);
        grid
    }

    /// Requests per second; the time per output token that goes with it, into the metrics.
    fn capacity(&self, block: &Block, lane: usize, step: &mut Step, grid: &Row) -> f64 {
        let s = &self.s;
        let measured_prefill = f64::from(grid[grid_metric::PREFILL_MS]) * 0.001;
        let prefill = if measured_prefill > s.prefill_s_min {
            measured_prefill
        } else {
            s.prefill_s_min
        };
        let request = s.table_output_tokens / self.throughput(grid);
        let rest = (request - prefill) / s.table_output_tokens;
        let decode = if rest > s.decode_s_min {
            rest
        } else {
            s.decode_s_min
        };
        let answer = s.output_tokens * decode;
        let table_answer = decode * s.table_output_tokens;
        let disaggregated = block.words[word::PREFILL_DISAGG][lane] == 1;
        let slower = if prefill > answer { prefill } else { answer };
        let full = 1.0
            / if disaggregated {
                slower
            } else {
                prefill + answer
            };
        let tpot_share = if disaggregated {
            table_answer / (table_answer + prefill)
        } else {
            1.0
        };
        let noisy = f64::from(grid[grid_metric::TPOT]) * tpot_share * f64::from(step.noise_tpot);
        let tpot = noisy as f32;
        step.metrics[metric::TPOT_MS] = if tpot > 1.0 { tpot } else { 1.0 };
        if block.words[word::ROLLOUT_LEFT][lane] > 0 {
            full * s.rollout_capacity
        } else {
            full
        }
    }

    /// The grid's tokens per second, above zero.
    fn throughput(&self, grid: &Row) -> f64 {
        let tps = f64::from(grid[grid_metric::TPS]);
        if tps > self.s.tps_min {
            tps
        } else {
            self.s.tps_min
        }
    }

    /// The queue, served by credit, and the latency of what is served.
    fn serve_measured(&self, block: &mut Block, lane: usize, step: &mut Step, grid: &Row) {
        let queue = block.reals[real::QUEUE][lane];
        let wait_ms = (1000.0 * queue) / step.capacity_rps;
        let latency = |index: usize, noise: f32| {
            ((wait_ms + f64::from(grid[index])) * f64::from(noise)) as f32
        };
        let ttft_p50 = latency(grid_metric::TTFT_P50, step.noise_ttft_p50);
        let ttft_p99 = latency(grid_metric::TTFT_P99, step.noise_ttft_p99);
        let m = &mut step.metrics;
        m[metric::TTFT_P50_MS] = if ttft_p50 > 1.0 { ttft_p50 } else { 1.0 };
        let least = m[metric::TTFT_P50_MS] * 1.05;
        m[metric::TTFT_P99_MS] = if ttft_p99 > least { ttft_p99 } else { least };
        let waiting = queue + step.arrivals;
        let credit = block.reals[real::CREDIT][lane] + step.capacity_rps;
        let whole = credit.floor();
        let served = if whole < waiting { whole } else { waiting };
        let most = if step.capacity_rps > 1.0 {
            step.capacity_rps
        } else {
            1.0
        };
        let left = waiting - served;
        let unused = credit - served;
        let kept = if left < self.s.queue_max {
            left
        } else {
            self.s.queue_max
        };
        block.reals[real::CREDIT][lane] = if unused < most { unused } else { most };
        block.reals[real::QUEUE][lane] = kept;
        m[metric::SERVED] = served as f32;
        m[metric::DROPPED] = (left - kept) as f32;
    }

    /// Requests served in time, cost in dollars, and the reward.
    fn reward_measured(&self, block: &mut Block, lane: usize, step: &mut Step, grid: &Row) {
        let s = &self.s;
        let m = &mut step.metrics;
        let served = f64::from(m[metric::SERVED]);
        let p50 = f64::from(m[metric::TTFT_P50_MS]);
        let p99 = f64::from(m[metric::TTFT_P99_MS]);
        let tpot = f64::from(m[metric::TPOT_MS]);
        let in_time = ttft_share(p50, p99, s.slo_ttft_ms);
        let good = served * in_time * tpot_share(tpot, s.slo_tpot_ms);
        let disaggregated = f64::from(block.words[word::PREFILL_DISAGG][lane]);
        let gpus = 1.0 + disaggregated;
        let losses = [s.quality_loss_0, s.quality_loss_1, s.quality_loss_2];
        let loss = losses[block.words[word::QUANT_TIER][lane] as usize];
        let queue = block.reals[real::QUEUE][lane];
        let evictions = ((1.0 - block.reals[real::KV_BUDGET][lane]) * queue).floor();
        let tps = self.throughput(grid);
        block.reals[real::COST_SO_FAR][lane] += s.price_usd_per_step * gpus;
        m[metric::GOOD] = good as f32;
        m[metric::SLO_VIOLATIONS] = (served - good) as f32;
        m[metric::TOKENS_PER_SEC] = tps as f32;
        m[metric::GPU_MEMORY_GB] = grid[grid_metric::MEMORY];
        m[metric::COST_PER_1K] = ((s.price_usd_per_step * gpus * 1000.0) / tps) as f32;
        m[metric::SPEC_ACCEPT_RATE] = grid[grid_metric::ACCEPT];
        m[metric::EVICTION_EVENTS] = evictions as f32;
        m[metric::KV_CACHE_USAGE_RATIO] = if s.has_kv_usage == 1.0 {
            grid[grid_metric::COST_OR_KV_USAGE]
        } else {
            kv_occupancy(queue, evictions) as f32
        };
        step.violation_rate = if served > 0.0 {
            1.0 - good / served
        } else {
            0.0
        };
        let value = (good - loss * served) * s.reward_good;
        block.rewards[lane] = (value - s.reward_gpu * (gpus - 1.0)) as f32;
        block.costs[lane] = (served - good) as f32;
    }
}

/// Share of requests whose first token is in time, piecewise linear in the limit.
pub(super) fn ttft_share(p50: f64, p99: f64, limit: f64) -> f64 {
    if limit <= 0.5 * p50 {
        0.0
    } else if limit <= p50 {
        limit / p50 - 0.5
    } else if limit <= p99 {
        0.5 + (0.49 * (limit - p50)) / (p99 - p50)
    } else if limit <= 1.25 * p99 {
        0.99 + (0.01 * (limit - p99)) / (0.25 * p99)
    } else {
        1.0
    }
}

/// Share of requests whose time per token is in time: 1 up to 0.8 limits, 0 from 1.2 on.
pub(super) fn tpot_share(tpot: f64, limit: f64) -> f64 {
    let share = (1.2 * limit - tpot) / (0.4 * limit);
    let above = if share > 0.0 { share } else { 0.0 };
    if above < 1.0 { above } else { 1.0 }
}
