//! The origin's dynamics: a whole batch is served each step, and its latency is the table's.

use super::grid::grid_metric;
use super::{Serving, Step, clip32, clip64, kv_occupancy};
use crate::generated::serving::{NUM_BUCKETS, metric, real, word};
use crate::store::Block;

impl Serving {
    pub(super) fn advance_origin(&self, block: &mut Block, lane: usize, step: &mut Step) {
        let wanted = step.wanted;
        block.reals[real::BATCH_SIZE][lane] = f64::from(wanted.batch_size);
        block.reals[real::KV_BUDGET][lane] = f64::from(wanted.kv_budget);
        block.words[word::SPEC_INDEX][lane] = wanted.spec_index;
        block.words[word::PREFILL_DISAGG][lane] = wanted.prefill_disagg;
        block.words[word::QUANT_TIER][lane] = wanted.quant_tier;
        self.serve_origin(block, lane, step);
        self.measure_origin(step);
        self.reward_origin(block, lane, step);
    }

    /// The queue: arrivals join, a batch leaves, what passes the bound is dropped.
    fn serve_origin(&self, block: &mut Block, lane: usize, step: &mut Step) {
        let reals = &mut block.reals;
        let batch = reals[real::BATCH_SIZE][lane];
        let waiting = reals[real::QUEUE][lane] + step.arrivals;
        let served = if batch < waiting { batch } else { waiting };
        let left = waiting - served;
        let queue = if left < self.s.queue_max {
            left
        } else {
            self.s.queue_max
        };
        let evictions = ((1.0 - reals[real::KV_BUDGET][lane]) * queue).floor();
        reals[real::QUEUE][lane] = queue;
        step.metrics[metric::SERVED] = served as f32;
        step.metrics[metric::DROPPED] = (left - queue) as f32;
        step.metrics[metric::EVICTION_EVENTS] = evictions as f32;
        step.metrics[metric::KV_CACHE_USAGE_RATIO] = kv_occupancy(queue, evictions) as f32;
    }

    /// The table's metrics with quantisation, speculation, disaggregation, noise and the floor.
    fn measure_origin(&self, step: &mut Step) {
        let (t, r) = (&self.t, &self.r);
        let grid = self.grid_metrics(&step.wanted, step.prompt_len);
        let bucket = self.prompt_bucket(step.prompt_len);
        let at = step.wanted.spec_index as usize * NUM_BUCKETS + bucket;
        let beyond = (step.prompt_len - r.disagg_prompt_from) * r.disagg_prompt_gain;
        let long = clip32(beyond, 0.0, 1.0);
        let disaggregated = step.wanted.prefill_disagg == 1;
        let pick = |factor: f32| if disaggregated { factor } else { 1.0 };
        let speed = t.speed[at];
        let ttft_p50 = grid[grid_metric::TTFT_P50] * speed * pick(1.0 - r.disagg_ttft * long);
        let ttft_p50 = ttft_p50 * step.noise_ttft_p50;
        let ttft_p99 = grid[grid_metric::TTFT_P99] * step.noise_ttft_p99;
        let tpot = grid[grid_metric::TPOT] * speed * pick(1.0 - r.disagg_tpot * long);
        let tpot = tpot * step.noise_tpot;
        let tps = grid[grid_metric::TPS];
        let memory = grid[grid_metric::MEMORY] * pick(r.disagg_memory);
        let oom = memory > r.memory_max_gb;
        let m = &mut step.metrics;
        m[metric::TTFT_P50_MS] = if ttft_p50 > 1.0 { ttft_p50 } else { 1.0 };
        m[metric::TTFT_P99_MS] = if ttft_p99 > 1.0 { ttft_p99 } else { 1.0 };
        m[metric::TPOT_MS] = if tpot > 1.0 { tpot } else { 1.0 };
        m[metric::TOKENS_PER_SEC] = if tps > 0.0 { tps } else { 0.0 };
        m[metric::OOM] = if oom { 1.0 } else { 0.0 };
        m[metric::GPU_MEMORY_GB] = if oom { r.memory_max_gb } else { memory };
        m[metric::COST_PER_1K] = grid[grid_metric::COST_OR_KV_USAGE] * pick(r.disagg_cost);
        m[metric::SPEC_ACCEPT_RATE] = t.accept[at];
        m[metric::GOOD] = 0.0;
    }

    /// SLO violations, cost and reward.
    fn reward_origin(&self, block: &mut Block, lane: usize, step: &mut Step) {
        let s = &self.s;
        let m = &mut step.metrics;
        let queue = block.reals[real::QUEUE][lane];
        let ttft = f64::from(m[metric::TTFT_P50_MS]);
        let cost = f64::from(m[metric::COST_PER_1K]);
        let held_interactive = if ttft > s.slo_interactive_ms {
            s.held_interactive
        } else {
            0.0
        };
        let held_batch = if ttft > s.slo_batch_ms {
            s.held_batch
        } else {
            0.0
        };
        let oom = m[metric::OOM] == 1.0;
        let failed = if oom {
            block.reals[real::BATCH_SIZE][lane]
        } else {
            0.0
        };
        let violations = failed + queue * (held_interactive + held_batch);
        let rate = violations / if queue > 1.0 { queue } else { 1.0 };
        let reward = s.reward_tps * f64::from(m[metric::TOKENS_PER_SEC])
            - s.reward_ttft * ttft
            - s.reward_violations * rate
            - s.reward_cost * cost;
        block.reals[real::COST_SO_FAR][lane] += cost;
        m[metric::SLO_VIOLATIONS] = violations as f32;
        step.violation_rate = if rate < 1.0 { rate } else { 1.0 };
        step.capacity_rps = 0.0;
        block.rewards[lane] = clip64(reward, -1.0, 1.0) as f32;
        block.costs[lane] = violations as f32;
    }
}
