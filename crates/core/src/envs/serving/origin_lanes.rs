//! The blocked kernel's origin dynamics; `origin.rs`, lane by lane, in the same order.

use super::blocked::Lanes;
use super::grid::grid_metric;
use super::{Serving, clip32, clip64};
use crate::generated::serving::{NUM_BUCKETS, metric, real};
use crate::store::{Block, LANES};

impl Serving {
    #[inline(always)]
    pub(super) fn serve_origin_lanes(&self, block: &mut Block, x: &mut Lanes) {
        let queue_max = self.s.queue_max;
        for lane in 0..LANES {
            let batch = f64::from(x.batch_size[lane]);
            let waiting = block.reals[real::QUEUE][lane] + x.arrivals[lane];
            let served = if batch < waiting { batch } else { waiting };
            let left = waiting - served;
            let queue = if left < queue_max { left } else { queue_max };
            let evictions = ((1.0 - f64::from(x.kv_budget[lane])) * queue).floor();
            block.reals[real::QUEUE][lane] = queue;
            x.metrics[metric::SERVED][lane] = served as f32;
            x.metrics[metric::DROPPED][lane] = (left - queue) as f32;
            x.metrics[metric::EVICTION_EVENTS][lane] = evictions as f32;
            x.metrics[metric::KV_CACHE_USAGE_RATIO][lane] =
                super::kv_occupancy(queue, evictions) as f32;
        }
    }

    #[inline(always)]
    pub(super) fn measure_origin_lanes(&self, x: &mut Lanes) {
        let (t, r) = (&self.t, &self.r);
        let mut speed = [0.0f32; LANES];
        for lane in 0..LANES {
            let at = x.spec_index[lane] as usize * NUM_BUCKETS + x.bucket[lane] as usize;
            speed[lane] = t.speed[at];
            x.metrics[metric::SPEC_ACCEPT_RATE][lane] = t.accept[at];
        }
        let m = &mut x.metrics;
        m[metric::GOOD] = [0.0; LANES];
        for lane in 0..LANES {
            let beyond = (x.prompt_len[lane] - r.disagg_prompt_from) * r.disagg_prompt_gain;
            let long = clip32(beyond, 0.0, 1.0);
            let apart = x.prefill_disagg[lane] == 1;
            let pick = |factor: f32| if apart { factor } else { 1.0 };
            let grid = |index: usize| x.grid[index][lane];
            let ttft_factor = pick(1.0 - r.disagg_ttft * long);
            let tpot_factor = pick(1.0 - r.disagg_tpot * long);
            let ttft_p50 =
                grid(grid_metric::TTFT_P50) * speed[lane] * ttft_factor * x.noise[0][lane];
            let ttft_p99 = grid(grid_metric::TTFT_P99) * x.noise[1][lane];
            let tpot = grid(grid_metric::TPOT) * speed[lane] * tpot_factor * x.noise[2][lane];
            let tps = grid(grid_metric::TPS);
            let memory = grid(grid_metric::MEMORY) * pick(r.disagg_memory);
            let oom = memory > r.memory_max_gb;
            m[metric::TTFT_P50_MS][lane] = if ttft_p50 > 1.0 { ttft_p50 } else { 1.0 };
            m[metric::TTFT_P99_MS][lane] = if ttft_p99 > 1.0 { ttft_p99 } else { 1.0 };
            m[metric::TPOT_MS][lane] = if tpot > 1.0 { tpot } else { 1.0 };
            m[metric::TOKENS_PER_SEC][lane] = if tps > 0.0 { tps } else { 0.0 };
            m[metric::OOM][lane] = if oom { 1.0 } else { 0.0 };
            m[metric::GPU_MEMORY_GB][lane] = if oom { r.memory_max_gb } else { memory };
            m[metric::COST_PER_1K][lane] =
                grid(grid_metric::COST_OR_KV_USAGE) * pick(r.disagg_cost);
        }
    }

    #[inline(always)]
    pub(super) fn judge_origin_lanes(&self, block: &mut Block, x: &mut Lanes) {
        let s = &self.s;
        let m = &mut x.metrics;
        for lane in 0..LANES {
            let queue = block.reals[real::QUEUE][lane];
            let ttft = f64::from(m[metric::TTFT_P50_MS][lane]);
            let cost = f64::from(m[metric::COST_PER_1K][lane]);
            let tps = f64::from(m[metric::TOKENS_PER_SEC][lane]);
            let interactive = if ttft > s.slo_interactive_ms {
                s.held_interactive
            } else {
                0.0
            };
            let batch = if ttft > s.slo_batch_ms {
                s.held_batch
            } else {
                0.0
            };
            let oom = m[metric::OOM][lane] == 1.0;
            let failed = if oom {
                f64::from(x.batch_size[lane])
            } else {
                0.0
            };
            let violations = failed + queue * (interactive + batch);
            let rate = violations / if queue > 1.0 { queue } else { 1.0 };
            let reward = s.reward_tps * tps
                - s.reward_ttft * ttft
                - s.reward_violations * rate
                - s.reward_cost * cost;
            block.reals[real::COST_SO_FAR][lane] += cost;
            m[metric::SLO_VIOLATIONS][lane] = violations as f32;
            x.capacity_rps[lane] = 0.0;
            x.violation_rate[lane] = if rate < 1.0 { rate } else { 1.0 };
            block.rewards[lane] = clip64(reward, -1.0, 1.0) as f32;
            block.costs[lane] = violations as f32;
        }
    }
}
