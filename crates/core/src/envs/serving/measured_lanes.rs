//! The blocked kernel's measured dynamics; `measured.rs`, lane by lane, in the same order.

use super::Serving;
use super::blocked::Lanes;
use super::decode::Configuration;
use super::grid::grid_metric;
use super::measured::{tpot_share, ttft_share};
use crate::generated::serving::{metric, real, word};
use crate::lanes::Isa;
use crate::store::{Block, LANES};

impl Serving {
    #[inline(always)]
    pub(super) fn advance_measured_lanes<I: Isa>(&self, block: &mut Block, x: &mut Lanes) {
        self.configure_lanes::<I>(block, x);
        self.capacity_lanes(block, x);
        self.serve_measured_lanes(block, x);
        self.judge_measured_lanes(block, x);
        for left in &mut block.words[word::ROLLOUT_LEFT] {
            *left = left.saturating_sub(1);
        }
    }

    #[inline(always)]
    fn configure_lanes<I: Isa>(&self, block: &mut Block, x: &mut Lanes) {
        let words = &mut *block.words;
        for lane in 0..LANES {
            let held = words[word::ROLLOUT_LEFT][lane] > 0;
            let keep = |wanted: u32, in_force: u32| if held { in_force } else { wanted };
            x.spec_index[lane] = keep(x.spec_index[lane], words[word::SPEC_INDEX][lane]);
            x.prefill_disagg[lane] =
                keep(x.prefill_disagg[lane], words[word::PREFILL_DISAGG][lane]);
            x.quant_tier[lane] = keep(x.quant_tier[lane], words[word::QUANT_TIER][lane]);
        }
        self.grid_lanes::<I>(x);
        let mut misfits = 0u64;
        for lane in 0..LANES {
            let fits = x.grid[grid_metric::MEMORY][lane] <= self.r.memory_max_gb;
            x.metrics[metric::OOM][lane] = if fits { 0.0 } else { 1.0 };
            misfits |= u64::from(!fits) << lane;
        }
        while misfits != 0 {
            self.keep_configuration(block, misfits.trailing_zeros() as usize, x);
            misfits &= misfits - 1;
        }
        self.apply_slow_knobs(block, x);
    }

    /// A configuration that does not fit is not applied; seldom enough to go lane by lane.
    #[cold]
    fn keep_configuration(&self, block: &Block, lane: usize, x: &mut Lanes) {
        let in_force = Configuration {
            kv_budget: block.reals[real::KV_BUDGET][lane] as f32,
            batch_size: block.reals[real::BATCH_SIZE][lane] as f32,
            spec_index: block.words[word::SPEC_INDEX][lane],
            prefill_disagg: block.words[word::PREFILL_DISAGG][lane],
            quant_tier: block.words[word::QUANT_TIER][lane],
        };
        x.kv_budget[lane] = in_force.kv_budget;
        x.batch_size[lane] = in_force.batch_size;
        x.spec_index[lane] = in_force.spec_index;
        x.prefill_disagg[lane] = in_force.prefill_disagg;
        x.quant_tier[lane] = in_force.quant_tier;
        let row = self.grid_metrics(&in_force, x.prompt_len[lane]);
        for (column, value) in x.grid.iter_mut().zip(row) {
            column[lane] = value;
        }
    }

    #[inline(always)]
    fn apply_slow_knobs(&self, block: &mut Block, x: &Lanes) {
        let s = &self.s;
        let steps = [
            s.rollout_spec as u32,
            s.rollout_disagg as u32,
            s.rollout_quant as u32,
        ];
        let words = &mut *block.words;
        for lane in 0..LANES {
            let changed = |wanted: u32, in_force: u32, steps: u32| {
                if wanted != in_force { steps } else { 0 }
            };
            let spec = changed(x.spec_index[lane], words[word::SPEC_INDEX][lane], steps[0]);
            let apart = words[word::PREFILL_DISAGG][lane];
            let disagg = changed(x.prefill_disagg[lane], apart, steps[1]);
            let quant = changed(x.quant_tier[lane], words[word::QUANT_TIER][lane], steps[2]);
            let left = words[word::ROLLOUT_LEFT][lane];
            words[word::ROLLOUT_LEFT][lane] = left.max(spec).max(disagg).max(quant);
        }
        words[word::SPEC_INDEX] = x.spec_index;
        words[word::PREFILL_DISAGG] = x.prefill_disagg;
        words[word::QUANT_TIER] = x.quant_tier;
        for lane in 0..LANES {
            block.reals[real::BATCH_SIZE][lane] = f64::from(x.batch_size[lane]);
            block.reals[real::KV_BUDGET][lane] = f64::from(x.kv_budget[lane]);
        }
    }

    #[inline(always)]
    fn capacity_lanes(&self, block: &Block, x: &mut Lanes) {
        let s = &self.s;
        for lane in 0..LANES {
            let measured_prefill = f64::from(x.grid[grid_metric::PREFILL_MS][lane]) * 0.001;
            let prefill = if measured_prefill > s.prefill_s_min {
                measured_prefill
            } else {
                s.prefill_s_min
            };
            let tps = f64::from(x.grid[grid_metric::TPS][lane]);
            let tps = if tps > s.tps_min { tps } else { s.tps_min };
            let request = s.table_output_tokens / tps;
            let rest = (request - prefill) / s.table_output_tokens;
            let decode = if rest > s.decode_s_min {
                rest
            } else {
                s.decode_s_min
            };
            let answer = s.output_tokens * decode;
            let table_answer = decode * s.table_output_tokens;
            let apart = x.prefill_disagg[lane] == 1;
            let slower = if prefill > answer { prefill } else { answer };
            let full = 1.0 / if apart { slower } else { prefill + answer };
            let share = if apart {
                table_answer / (table_answer + prefill)
            } else {
                1.0
            };
            let grid_tpot = f64::from(x.grid[grid_metric::TPOT][lane]);
            let tpot = (grid_tpot * share * f64::from(x.noise[2][lane])) as f32;
            x.metrics[metric::TPOT_MS][lane] = if tpot > 1.0 { tpot } else { 1.0 };
            let rolling = block.words[word::ROLLOUT_LEFT][lane] > 0;
            x.capacity_rps[lane] = if rolling {
                full * s.rollout_capacity
            } else {
                full
            };
        }
    }

    #[inline(always)]
    fn serve_measured_lanes(&self, block: &mut Block, x: &mut Lanes) {
        let queue_max = self.s.queue_max;
        let m = &mut x.metrics;
        for lane in 0..LANES {
            let queue = block.reals[real::QUEUE][lane];
            let capacity = x.capacity_rps[lane];
            let wait_ms = (1000.0 * queue) / capacity;
            let grid = |index: usize| f64::from(x.grid[index][lane]);
            let noise = |index: usize| f64::from(x.noise[index][lane]);
            let ttft_p50 = ((wait_ms + grid(grid_metric::TTFT_P50)) * noise(0)) as f32;
            let ttft_p99 = ((wait_ms + grid(grid_metric::TTFT_P99)) * noise(1)) as f32;
            let p50 = if ttft_p50 > 1.0 { ttft_p50 } else { 1.0 };
            let least = p50 * 1.05;
            m[metric::TTFT_P50_MS][lane] = p50;
            m[metric::TTFT_P99_MS][lane] = if ttft_p99 > least { ttft_p99 } else { least };
            let waiting = queue + x.arrivals[lane];
            let credit = block.reals[real::CREDIT][lane] + capacity;
            let whole = credit.floor();
            let served = if whole < waiting { whole } else { waiting };
            let most = if capacity > 1.0 { capacity } else { 1.0 };
            let left = waiting - served;
            let unused = credit - served;
            let kept = if left < queue_max { left } else { queue_max };
            block.reals[real::CREDIT][lane] = if unused < most { unused } else { most };
            block.reals[real::QUEUE][lane] = kept;
            m[metric::SERVED][lane] = served as f32;
            m[metric::DROPPED][lane] = (left - kept) as f32;
        }
    }

    #[inline(always)]
    fn judge_measured_lanes(&self, block: &mut Block, x: &mut Lanes) {
        let s = &self.s;
        let m = &mut x.metrics;
        for lane in 0..LANES {
            let served = f64::from(m[metric::SERVED][lane]);
            let p50 = f64::from(m[metric::TTFT_P50_MS][lane]);
            let p99 = f64::from(m[metric::TTFT_P99_MS][lane]);
            let tpot = f64::from(m[metric::TPOT_MS][lane]);
            let in_time = ttft_share(p50, p99, s.slo_ttft_ms);
            let good = served * in_time * tpot_share(tpot, s.slo_tpot_ms);
            let gpus = 1.0 + f64::from(x.prefill_disagg[lane] as i32);
            let quant = x.quant_tier[lane];
            let loss = if quant == 2 {
                s.quality_loss_2
            } else {
                s.quality_loss_1
            };
            let loss = if quant == 0 { s.quality_loss_0 } else { loss };
            let queue = block.reals[real::QUEUE][lane];
            let evictions = ((1.0 - f64::from(x.kv_budget[lane])) * queue).floor();
            let tps = f64::from(x.grid[grid_metric::TPS][lane]);
            let tps = if tps > s.tps_min { tps } else { s.tps_min };
            block.reals[real::COST_SO_FAR][lane] += s.price_usd_per_step * gpus;
            m[metric::GOOD][lane] = good as f32;
            m[metric::SLO_VIOLATIONS][lane] = (served - good) as f32;
            m[metric::TOKENS_PER_SEC][lane] = tps as f32;
            m[metric::GPU_MEMORY_GB][lane] = x.grid[grid_metric::MEMORY][lane];
            m[metric::COST_PER_1K][lane] = ((s.price_usd_per_step * gpus * 1000.0) / tps) as f32;
            m[metric::SPEC_ACCEPT_RATE][lane] = x.grid[grid_metric::ACCEPT][lane];
            m[metric::EVICTION_EVENTS][lane] = evictions as f32;
            let physical = x.grid[grid_metric::COST_OR_KV_USAGE][lane];
            let occupied = super::kv_occupancy(queue, evictions) as f32;
            m[metric::KV_CACHE_USAGE_RATIO][lane] = if s.has_kv_usage == 1.0 {
                physical
            } else {
                occupied
            };
            let missed = 1.0 - good / served;
            x.violation_rate[lane] = if served > 0.0 { missed } else { 0.0 };
            let value = (good - loss * served) * s.reward_good;
            block.rewards[lane] = (value - s.reward_gpu * (gpus - 1.0)) as f32;
            block.costs[lane] = (served - good) as f32;
        }
    }
}
