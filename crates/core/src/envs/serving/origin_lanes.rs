//! The kernel's origin dynamics; `origin.rs` for a group, in the same order.

use super::Serving;
use super::fold_lanes::put_into_force;
use super::grid::grid_metric;
use super::group::{Configurations, Group, Metrics, Outcome, Traffic};
use super::lanes::kv_occupancy;
use crate::generated::serving::{GRID_METRICS, NUM_BUCKETS, metric, real};
use crate::simd::{Float, Isa, Word};

impl Serving {
    #[inline(always)]
    pub(super) fn advance_origin_group<I: Isa>(
        &self,
        group: &mut Group,
        config: &Configurations<I>,
        traffic: &Traffic<I>,
        grid: &[I::F32; GRID_METRICS],
        m: &mut Metrics<I>,
    ) -> Outcome<I> {
        put_into_force::<I>(group, config);
        self.serve_origin_group::<I>(group, config, traffic, m);
        self.measure_origin_group::<I>(config, traffic, grid, m);
        self.reward_origin_group::<I>(group, config, m)
    }

    #[inline(always)]
    fn serve_origin_group<I: Isa>(
        &self,
        group: &mut Group,
        config: &Configurations<I>,
        traffic: &Traffic<I>,
        m: &mut Metrics<I>,
    ) {
        let waiting = group.real::<I>(real::QUEUE) + I::real(traffic.arrivals);
        let served = I::widen(config.batch_size).below(waiting);
        let left = waiting - served;
        let queue = left.below(I::F64::splat(self.s.queue_max));
        let one = I::F64::splat(1.0);
        let evictions = I::floor((one - I::widen(config.kv_budget)) * queue);
        group.set_real::<I>(real::QUEUE, queue);
        m[metric::SERVED] = I::narrow(served);
        m[metric::DROPPED] = I::narrow(left - queue);
        m[metric::EVICTION_EVENTS] = I::narrow(evictions);
        m[metric::KV_CACHE_USAGE_RATIO] = kv_occupancy::<I>(queue, evictions);
    }

    #[inline(always)]
    fn measure_origin_group<I: Isa>(
        &self,
        config: &Configurations<I>,
        traffic: &Traffic<I>,
        grid: &[I::F32; GRID_METRICS],
        m: &mut Metrics<I>,
    ) {
        let (t, r) = (&self.t, &self.r);
        let f32s = I::F32::splat;
        let (zero, one) = (f32s(0.0), f32s(1.0));
        let buckets = I::U32::splat(NUM_BUCKETS as u32);
        let at = config.spec_index.times(buckets) + traffic.bucket;
        let speed = I::gather_f32(&t.speed, at);
        m[metric::SPEC_ACCEPT_RATE] = I::gather_f32(&t.accept, at);
        let beyond = (traffic.prompt_len - f32s(r.disagg_prompt_from)) * f32s(r.disagg_prompt_gain);
        let long = beyond.clip(zero, one);
        let disaggregated = I::float(config.prefill_disagg);
        let ttft_factor = disaggregated.if_above(zero, one - f32s(r.disagg_ttft) * long, one);
        let tpot_factor = disaggregated.if_above(zero, one - f32s(r.disagg_tpot) * long, one);
        let memory_factor = disaggregated.if_above(zero, f32s(r.disagg_memory), one);
        let cost_factor = disaggregated.if_above(zero, f32s(r.disagg_cost), one);
        let [noise_p50, noise_p99, noise_tpot] = traffic.noise;
        let ttft_p50 = grid[grid_metric::TTFT_P50] * speed * ttft_factor * noise_p50;
        let ttft_p99 = grid[grid_metric::TTFT_P99] * noise_p99;
        let tpot = grid[grid_metric::TPOT] * speed * tpot_factor * noise_tpot;
        let memory = grid[grid_metric::MEMORY] * memory_factor;
        let most = f32s(r.memory_max_gb);
        m[metric::TTFT_P50_MS] = ttft_p50.above(one);
        m[metric::TTFT_P99_MS] = ttft_p99.above(one);
        m[metric::TPOT_MS] = tpot.above(one);
        m[metric::TOKENS_PER_SEC] = grid[grid_metric::TPS].above(zero);
        m[metric::OOM] = memory.if_above(most, one, zero);
        m[metric::GPU_MEMORY_GB] = memory.if_above(most, most, memory);
        m[metric::COST_PER_1K] = grid[grid_metric::COST_OR_KV_USAGE] * cost_factor;
    }

    #[inline(always)]
    fn reward_origin_group<I: Isa>(
        &self,
        group: &mut Group,
        config: &Configurations<I>,
        m: &mut Metrics<I>,
    ) -> Outcome<I> {
        let s = &self.s;
        let f64s = I::F64::splat;
        let (zero, one) = (f64s(0.0), f64s(1.0));
        let queue = group.real::<I>(real::QUEUE);
        let ttft = I::widen(m[metric::TTFT_P50_MS]);
        let cost = I::widen(m[metric::COST_PER_1K]);
        let tps = I::widen(m[metric::TOKENS_PER_SEC]);
        let oom = I::widen(m[metric::OOM]);
        let interactive = ttft.if_above(f64s(s.slo_interactive_ms), f64s(s.held_interactive), zero);
        let batch = ttft.if_above(f64s(s.slo_batch_ms), f64s(s.held_batch), zero);
        let failed = oom.if_above(zero, I::widen(config.batch_size), zero);
        let violations = failed + queue * (interactive + batch);
        let rate = violations / queue.above(one);
        let reward = f64s(s.reward_tps) * tps
            - f64s(s.reward_ttft) * ttft
            - f64s(s.reward_violations) * rate
            - f64s(s.reward_cost) * cost;
        let spent = group.real::<I>(real::COST_SO_FAR) + cost;
        group.set_real::<I>(real::COST_SO_FAR, spent);
        m[metric::SLO_VIOLATIONS] = I::narrow(violations);
        Outcome {
            capacity_rps: zero,
            violation_rate: rate.below(one),
            kv_occupancy: m[metric::KV_CACHE_USAGE_RATIO],
            reward: I::narrow(reward.clip(f64s(-1.0), one)),
            cost: m[metric::SLO_VIOLATIONS],
        }
    }
}
